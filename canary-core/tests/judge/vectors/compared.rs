//! The kinds that are shown to people.

use canary_core::judge::blocks::open::{Block, Runs};
use canary_core::judge::compare::means::{Sample, Welch};
use canary_core::judge::compare::proportions::{
    Beta, TwoProportions, fisher_exact, probability_worse,
};
use canary_core::judge::compare::ranks::{Chances, MannWhitney};
use canary_core::judge::hypergeometric::Law;
use canary_core::stats::{Domain, Summary};
use serde_json::{Map, Value, json};

use super::{count, number, numbers};

pub(super) fn beta_prob_canary_worse(inputs: &Value) -> Value {
    let prior = inputs["prior"].as_str().unwrap();
    let parameters = prior.strip_prefix("Beta(").and_then(|rest| rest.strip_suffix(')'));
    let (a, b) = parameters.and_then(|parameters| parameters.split_once(',')).unwrap();
    let (a, b): (u64, u64) = (a.trim().parse().unwrap(), b.trim().parse().unwrap());
    let after =
        |failed, succeeded| Beta { a: a + count(inputs, failed), b: b + count(inputs, succeeded) };
    json!({ "p": probability_worse(after("f_c", "s_c"), after("f_b", "s_b")) })
}

pub(super) fn fnch_pmf(inputs: &Value) -> Value {
    let counts = (count(inputs, "n_a"), count(inputs, "n_b"), count(inputs, "total"));
    let law = Law::new(counts.0, counts.1, counts.2).unwrap();
    json!({ "pmf": law.pmf(number(inputs, "odds")) })
}

pub(super) fn mann_whitney(inputs: &Value) -> Value {
    let test = MannWhitney::of(&numbers(inputs, "x"), &numbers(inputs, "y")).unwrap();
    let mut answer = Map::new();
    answer.insert("U".to_owned(), json!(test.u));
    let mut put = |name: &str, Chances { greater, less, two_sided }: Chances| {
        answer.insert(format!("p_greater_{name}"), json!(greater));
        answer.insert(format!("p_less_{name}"), json!(less));
        answer.insert(format!("p_two-sided_{name}"), json!(two_sided));
    };
    put("asymptotic_cc", test.corrected);
    put("asymptotic_nocc", test.uncorrected);
    if let Some(exact) = test.exact {
        put("exact", exact);
    }
    Value::Object(answer)
}

/// The values in the product's own summary; so few are kept one by one.
fn summary(values: &[f64]) -> Summary {
    let mut summary = Summary::new(Domain::Continuous);
    for value in values {
        summary.observe(*value, 0).unwrap();
    }
    summary
}

pub(super) fn percentile_type7(inputs: &Value) -> Value {
    let rank = number(inputs, "p") / 100.0;
    json!({ "value": summary(&numbers(inputs, "values")).quantile(rank).unwrap() })
}

pub(super) fn quartiles(inputs: &Value) -> Value {
    let summary = summary(&numbers(inputs, "values"));
    let hinges = summary.hinges().unwrap();
    let median = summary.median().unwrap().value;
    let type7 = [0.25, 0.5, 0.75].map(|rank| summary.quantile(rank).unwrap());
    json!({ "tukey_hinges": [hinges.lower, median, hinges.upper], "type7": type7 })
}

pub(super) fn two_proportion(inputs: &Value) -> Value {
    let runs = |runs, failed| Runs { runs: count(inputs, runs), failed: count(inputs, failed) };
    let counts = Block { canary: runs("n_c", "f_c"), baseline: runs("n_b", "f_b") };
    let test = TwoProportions::of(&counts);
    json!({
        "z_pooled": test.map(|test| test.z),
        "p_one_sided": test.map(|test| test.p_one_sided),
        "fisher_greater": fisher_exact(&counts),
    })
}

pub(super) fn welch_t(inputs: &Value) -> Value {
    let sample = |key| Sample::of(&summary(&numbers(inputs, key))).unwrap();
    let test = Welch::of(&sample("x"), &sample("y")).unwrap();
    json!({ "t": test.t, "df": test.df, "p": test.p_two_sided })
}
