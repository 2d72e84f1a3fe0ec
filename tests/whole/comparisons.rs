//! Means, ranks and quantiles of both versions, compared with values that are computed here by
//! their definitions.

use std::f64::consts::FRAC_PI_2;

use canary_tests::{Numbers, TestServer, is_near};
use serde_json::{Value, json};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The value at a rank, between the two nearest.
fn quantile(values: &[f64], rank: f64) -> f64 {
    let (sorted, place) = (sorted(values), rank * (values.len() - 1) as f64);
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

/// The medians of both halves; the middle one of an odd number is in both.
fn hinges(values: &[f64]) -> (f64, f64) {
    let (sorted, half) = (sorted(values), values.len().div_ceil(2));
    (quantile(&sorted[..half], 0.5), quantile(&sorted[values.len() - half..], 0.5))
}

/// The integral of a smooth function, by Simpson's rule.
fn integral(from: f64, to: f64, of: impl Fn(f64) -> f64) -> f64 {
    const STEPS: usize = 20_000;
    let step = (to - from) / STEPS as f64;
    let weight = |index: usize| match index {
        0 | STEPS => 1.0,
        index => 2.0 + 2.0 * (index % 2) as f64,
    };
    let terms = (0..=STEPS).map(|index| weight(index) * of(from + index as f64 * step));
    terms.sum::<f64>() * step / 3.0
}

/// The part of Student's curve beyond `t` on both sides, with `t = √df · tan θ`.
fn student(t: f64, df: f64) -> f64 {
    let density = |angle: f64| angle.cos().max(0.0).powf(df - 1.0);
    integral((t.abs() / df.sqrt()).atan(), FRAC_PI_2, density) / integral(0.0, FRAC_PI_2, density)
}

/// The part of the normal curve beyond `z` on both sides.
fn normal(z: f64) -> f64 {
    let density = |x: f64| (-x * x / 2.0).exp();
    integral(z, 40.0, density) / integral(0.0, 40.0, density)
}

/// Difference, standard error and degrees of freedom of two means.
fn welch(canary: &[f64], stable: &[f64]) -> (f64, f64, f64) {
    let part = |values: &[f64]| variance(values) / values.len() as f64;
    let (ours, others) = (part(canary), part(stable));
    let squared = |part: f64, values: &[f64]| part * part / (values.len() - 1) as f64;
    let df = (ours + others).powi(2) / (squared(ours, canary) + squared(others, stable));
    (mean(canary) - mean(stable), (ours + others).sqrt(), df)
}

/// In how many pairs the canary's value is the higher one.
fn pairs_won(canary: &[f64], stable: &[f64]) -> f64 {
    let won = |one: f64, other: f64| f64::from(one > other) + f64::from(one == other) / 2.0;
    canary.iter().flat_map(|one| stable.iter().map(move |other| won(*one, *other))).sum()
}

/// The chance of an order as uneven, by going through all orders of a few different values.
fn chance_by_orders(canary: &[f64], stable: &[f64]) -> f64 {
    let (n, all) = (canary.len() as u32, canary.len() + stable.len());
    let pairs = (canary.len() * stable.len()) as f64;
    let far = |u: f64| (u - pairs / 2.0).abs();
    let observed = far(pairs_won(canary, stable));
    let (mut orders, mut as_uneven) = (0, 0);
    for chosen in (0_u32..1 << all).filter(|chosen| chosen.count_ones() == n) {
        let split = |ours: bool| -> Vec<f64> {
            let places = (0..all).filter(|place| (chosen >> place & 1 == 1) == ours);
            places.map(|place| place as f64).collect()
        };
        orders += 1;
        as_uneven += usize::from(far(pairs_won(&split(true), &split(false))) >= observed);
    }
    as_uneven as f64 / f64::from(orders)
}

/// The chance of an order as uneven, by the normal curve, with a correction for equal values and
/// for continuity.
fn chance_by_curve(canary: &[f64], stable: &[f64]) -> f64 {
    let (n, m) = (canary.len() as f64, stable.len() as f64);
    let all = sorted(&[canary, stable].concat());
    let ties: f64 = all
        .chunk_by(|one, other| one == other)
        .map(|equal| (equal.len() as f64).powi(3) - equal.len() as f64)
        .sum();
    let variance = n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0)));
    let far = (pairs_won(canary, stable) - n * m / 2.0).abs();
    normal((far - 0.5).max(0.0) / variance.sqrt())
}

#[track_caller]
fn assert_near(shown: &Value, want: f64, precision: f64, what: &str) {
    let shown = shown.as_f64().unwrap_or_else(|| panic!("no {what}"));
    assert!((shown - want).abs() <= precision * want.abs().max(1.0), "{what}: {shown}, not {want}");
}

fn check_quantiles(shown: &Value, values: &[f64]) {
    let (lower, upper) = hinges(values);
    let wanted = [
        ("count", values.len() as f64),
        ("mean", mean(values)),
        ("minimum", quantile(values, 0.0)),
        ("quartile_1", lower),
        ("median", quantile(values, 0.5)),
        ("quartile_3", upper),
        ("p90", quantile(values, 0.9)),
        ("p99", quantile(values, 0.99)),
        ("maximum", quantile(values, 1.0)),
    ];
    for (name, want) in wanted {
        assert_near(&shown[name], want, 1e-9, name);
    }
}

fn check_welch(shown: &Value, canary: &[f64], stable: &[f64]) {
    let (difference, error, df) = welch(canary, stable);
    assert_near(&shown["difference"], difference, 1e-9, "difference");
    assert_near(&shown["degrees_of_freedom"], df, 1e-9, "degrees of freedom");
    assert_near(&shown["p_value"], student(difference / error, df), 1e-7, "p-value");
    check_interval(shown, difference, error, df);
}

/// An interval of 95 % ends where a twentieth of Student's curve lies beyond.
fn check_interval(shown: &Value, difference: f64, error: f64, df: f64) {
    let ends = [&shown["low"], &shown["high"]].map(|end| end.as_f64().expect("an end"));
    assert!(is_near(difference - ends[0], ends[1] - difference), "{shown}");
    let beyond = student((ends[1] - difference) / error, df);
    assert!((beyond - 0.05).abs() < 1e-7, "{beyond} lie beyond {shown}");
}

/// What is shown of a measurement with these values of both versions.
fn compared(server: &TestServer, name: &str, canary: &[f64], stable: &[f64]) -> Value {
    let product = server.product(name);
    product.release("0.0.1").with("is_canary", false).create();
    let release = product.release("0.0.2").create();
    let all = [("0.0.1", stable), ("0.0.2", canary)].into_iter().flat_map(|(version, values)| {
        values.iter().map(move |value| (version, json!({"x": value})))
    });
    let runs = all.fold(product.runs(), |runs, (version, measured)| {
        runs.and(&product.run(version, "success").with("measurements", measured))
    });
    runs.send();
    server.analysis(&release)["comparisons"]["measurements"][0].clone()
}

#[test]
fn measurements_of_both_versions_are_compared_as_their_definitions_say() {
    let mut numbers = Numbers::new(7);
    let mut values = |count: usize, width: i64, from: f64| -> Vec<f64> {
        (0..count).map(|_| from + numbers.below(width) as f64 / 8.0).collect()
    };
    let cases = [
        ("few", vec![1.5, 7.0, 3.25, 9.0], vec![2.0, 0.5, 3.0, 1.0, 2.5]),
        ("two of each", vec![4.0, 5.0], vec![1.0, 3.0]),
        ("odd and even", values(7, 10_000, 0.0), values(8, 10_000, 0.0)),
        ("many, with equal ones", values(120, 60, 10.0), values(301, 60, 9.0)),
        ("far apart", values(40, 100, 1e6), values(160, 2_000, -1e3)),
    ];
    let server = TestServer::start();
    for (name, canary, stable) in cases {
        let shown = compared(&server, name, &canary, &stable);
        assert_eq!((&shown["name"], &shown["source"]), (&json!("x"), &json!("signals")));
        check_quantiles(&shown["canary"], &canary);
        check_quantiles(&shown["stable"], &stable);
        check_welch(&shown["welch"], &canary, &stable);
        let (ranks, won) = (&shown["mann_whitney"], pairs_won(&canary, &stable));
        assert_near(&ranks["u"], won, 0.0, "U");
        let pairs = (canary.len() * stable.len()) as f64;
        assert_near(&ranks["probability_canary_higher"], won / pairs, 1e-12, "probability");
        let chance = if canary.len() + stable.len() < 20 {
            chance_by_orders(&canary, &stable)
        } else {
            chance_by_curve(&canary, &stable)
        };
        assert_near(&ranks["p_value"], chance, 1e-7, name);
    }
}

#[test]
fn failure_rates_are_compared_as_means_of_ones_and_zeros() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let shown = || server.analysis(&canary)["comparisons"]["failure_rate"].clone();
    assert_eq!(shown(), Value::Null);
    product.runs().of("0.0.1", "success", 57).of("0.0.1", "failed", 3).send();
    assert_eq!(shown(), Value::Null, "one version alone is not compared");
    product
        .runs()
        .of("0.0.2", "success", 17)
        .of("0.0.2", "failed", 3)
        .of("0.0.2", "skipped", 9)
        .send();
    let rates = shown();
    let arm = |failed: usize, success: usize| [vec![1.0; failed], vec![0.0; success]].concat();
    let (difference, error, df) = welch(&arm(3, 17), &arm(3, 57));
    assert_near(&rates["canary"], 0.15, 1e-12, "the canary's");
    assert_near(&rates["stable"], 0.05, 1e-12, "the stable version's");
    assert_near(&rates["difference"], difference, 1e-12, "the difference");
    check_interval(&rates, difference, error, df);
}

#[test]
fn what_cannot_be_compared_is_left_out() {
    let server = TestServer::start();
    let (product, canary) = server.product_with_canary();
    let run = |version: &str, status: &str, measured: Value| {
        product.run(version, status).with("measurements", measured)
    };
    product
        .runs()
        .and(&run("0.0.1", "success", json!({"both": 1, "alone": 2})))
        .and(&run("0.0.2", "success", json!({"both": 1})))
        .and(&run("0.0.2", "skipped", json!({"both": 99, "alone": 99})))
        .send();
    let analysis = server.analysis(&canary);
    let shown = &analysis["comparisons"]["measurements"];
    let [alone, both] = [&shown[0], &shown[1]];
    assert_eq!((&alone["name"], &both["name"]), (&json!("alone"), &json!("both")));
    assert_eq!(alone["canary"]["count"], 0, "a run that says nothing is not compared");
    for unknown in
        ["mean", "minimum", "quartile_1", "median", "quartile_3", "p90", "p99", "maximum"]
    {
        assert_eq!(alone["canary"][unknown], Value::Null, "{unknown}");
    }
    assert_eq!((&alone["welch"], &alone["mann_whitney"]), (&Value::Null, &Value::Null));
    assert_eq!((&both["welch"], &both["mann_whitney"]["u"]), (&Value::Null, &json!(0.5)));
}
