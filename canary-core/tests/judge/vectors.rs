//! Every vector of `decision-vectors.json`, within its tolerance.
//!
//! The file is data that other implementations share: inputs, what must come out, how far it may be
//! off, and who says so. A kind that is not known here is a failure.

mod compared;
mod sequential;

use serde_json::Value;

/// What a kind computes from its inputs: the same keys as `expected`, or those of them it is asked.
type Compute = fn(&Value) -> Value;

const KINDS: [(&str, Compute); 12] = [
    ("beta_prob_canary_worse", compared::beta_prob_canary_worse),
    ("block_conditional_log_e", sequential::block_conditional_log_e),
    ("block_noninferiority_log_e", sequential::block_noninferiority_log_e),
    ("block_trace", sequential::block_trace),
    ("coin_log_e", sequential::coin_log_e),
    ("fnch_pmf", compared::fnch_pmf),
    ("mann_whitney", compared::mann_whitney),
    ("percentile_type7", compared::percentile_type7),
    ("quartiles", compared::quartiles),
    ("slo_log_e", sequential::slo_log_e),
    ("two_proportion", compared::two_proportion),
    ("welch_t", compared::welch_t),
];

#[test]
fn every_vector_comes_out_within_its_tolerance() {
    let file: Value = serde_json::from_str(include_str!("decision-vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(Some(vectors.len() as u64), file["n"].as_u64());
    let faults: Vec<String> = vectors.iter().flat_map(check).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn check(vector: &Value) -> Vec<String> {
    let (id, kind) = (vector["id"].as_str().unwrap(), vector["kind"].as_str().unwrap());
    let (_, compute) = KINDS
        .iter()
        .find(|(name, _)| *name == kind)
        .unwrap_or_else(|| panic!("vector `{id}` is of the unknown kind `{kind}`"));
    let tolerance = vector["tol_abs"].as_f64().unwrap();
    let got = compute(&vector["inputs"]);
    let expected = vector["expected"].as_object().unwrap();
    assert!(!expected.is_empty(), "vector `{id}` expects nothing");
    let is_near = |(key, want): (&String, &Value)| {
        let got = &got[key];
        (!near(want, got, tolerance)).then(|| format!("{id}: {key} is {got}, expected {want}"))
    };
    expected.iter().filter_map(is_near).collect()
}

/// Whether two values are the same, up to the tolerance in each number.
fn near(want: &Value, got: &Value, tolerance: f64) -> bool {
    match (want, got) {
        (Value::Number(want), Value::Number(got)) => {
            (want.as_f64().unwrap() - got.as_f64().unwrap()).abs() <= tolerance
        }
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len()
                && want.iter().zip(got).all(|(want, got)| near(want, got, tolerance))
        }
        _ => want == got,
    }
}

/// The number of this name.
fn number(inputs: &Value, key: &str) -> f64 {
    inputs[key].as_f64().unwrap_or_else(|| panic!("`{key}` is no number in {inputs}"))
}

/// The whole number of this name.
fn count(inputs: &Value, key: &str) -> u64 {
    inputs[key].as_u64().unwrap_or_else(|| panic!("`{key}` is no count in {inputs}"))
}

/// The numbers of this name.
fn numbers(inputs: &Value, key: &str) -> Vec<f64> {
    let list = inputs[key].as_array().unwrap_or_else(|| panic!("no list `{key}` in {inputs}"));
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}
