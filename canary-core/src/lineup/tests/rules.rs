//! Every rule ends a canary, and says why.

use super::*;
use crate::judge::measurement::Direction;
use crate::reading::TypeName;
use crate::signal::MeasurementName;

#[test]
fn a_canary_that_always_fails_is_out_after_four_failed_runs() {
    let mut product = Product::with_canary(Policy::default());
    let mut failed = 0;
    while product.state_of("0.0.2") == State::Running {
        match product.poll().as_str() {
            "0.0.2" => {
                failed += 1;
                product.report("0.0.2", Status::Failed);
            }
            stable => {
                product.report(stable, Status::Success);
            }
        }
        assert!(failed <= 4, "a fifth failure was let happen");
    }
    assert_eq!(
        product.last_sentence(),
        "rolled back 0.0.2: 4 of 4 runs failed, where at least 80 % must succeed (rule threshold, \
         p ≤ 0.0038); everybody gets 0.0.1 again; register the mended software as a new version"
    );
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::RolledBack));
    assert_eq!(product.report("0.0.2", Status::Success), None, "what comes late is no evidence");
}

#[test]
fn where_all_must_succeed_the_first_failure_is_the_proof() {
    let mut product = Product::with_threshold(100.0);
    product.canary(0, 1);
    assert_eq!(
        product.last_sentence(),
        "rolled back 0.0.2: the only run failed, where at least 100 % must succeed (rule \
         threshold, p < 0.000000001); everybody gets 0.0.1 again; register the mended software as \
         a new version"
    );
}

fn judging_latency(settings: &mut Settings) {
    let latency = MeasurementName::parse("latency_ms").unwrap();
    settings.measurements = Some([(latency, Direction::HighIsBad)].into());
}

/// Latencies from 100 to 199 ms, those of the canary slower, or missing.
fn play_latency(product: &mut Product, canary: impl Fn(f64) -> Option<f64>) {
    for turn in 0_u32..4_000 {
        let value = f64::from(100 + turn * 37 % 100);
        product.measure("0.0.1", Some(value));
        product.measure("0.0.2", canary(value));
        if product.lineup.open().is_none() {
            return;
        }
    }
}

fn play_humidity(product: &mut Product) {
    for turn in 0_u32..4_000 {
        let value = f64::from(turn * 37 % 100) / 1e5;
        let device = u64::from(turn % 50);
        for (arm, value) in [(Arm::Stable, value), (Arm::Canary, value / 2.0)] {
            let reading = JudgedReading { kind: "humidity", device, value };
            let now = product.now;
            product.lineup.observe_reading(arm, &reading, now, &mut product.effects);
        }
        if product.lineup.open().is_none() {
            return;
        }
    }
}

#[test]
fn a_canary_below_its_threshold_is_taken_back() {
    check(
        "threshold",
        Policy::default(),
        |product| product.canary(3, 20),
        (State::RolledBack, Rule::Threshold),
        "rolled back 0.0.2: 8 of 11 runs failed, where at least 80 % must succeed (rule \
         threshold, p ≤ 0.0031); everybody gets 0.0.1 again; register the mended software as a \
         new version",
    );
    check(
        "ratio",
        policy(|settings| {
            settings.rule = Some(ThresholdRule::Ratio);
            settings.min_signals = Some(10);
        }),
        |product| product.canary(7, 3),
        (State::RolledBack, Rule::Ratio),
        "rolled back 0.0.2: 7 of 10 runs succeeded, 70 %, where at least 80 % must succeed (rule \
         ratio); everybody gets 0.0.1 again; register the mended software as a new version",
    );
    check(
        "ratio of one run",
        policy(|settings| settings.rule = Some(ThresholdRule::Ratio)),
        |product| product.canary(0, 1),
        (State::RolledBack, Rule::Ratio),
        "rolled back 0.0.2: the only run failed, where at least 80 % must succeed (rule \
         ratio); everybody gets 0.0.1 again; register the mended software as a new version",
    );
}

#[test]
fn a_canary_worse_than_the_stable_version_is_taken_back() {
    check(
        "baseline",
        Policy::default(),
        |product| product.by_turns(1_000, 15, 1),
        (State::RolledBack, Rule::Baseline),
        "rolled back 0.0.2: 9 of 50 runs failed, and with 0.0.1 meanwhile 1 of 50: 0.0.2 fails \
         more often (rule baseline, p ≤ 0.04); everybody gets 0.0.1 again; register the mended \
         software as a new version",
    );
    check(
        "baseline that may be worse",
        policy(|settings| settings.rho0 = Some(1.5)),
        |product| product.by_turns(1_000, 18, 1),
        (State::RolledBack, Rule::Baseline),
        "rolled back 0.0.2: 13 of 70 runs failed, and with 0.0.1 meanwhile 1 of 70: the odds that \
         0.0.2 fails are more than 1.5 times as high (rule baseline, p ≤ 0.028); everybody gets \
         0.0.1 again; register the mended software as a new version",
    );
}

#[test]
fn a_canary_that_measures_worse_is_taken_back() {
    check(
        "measurement",
        policy(judging_latency),
        |product| play_latency(product, |value| Some(value + 30.0)),
        (State::RolledBack, Rule::Measurement),
        "rolled back 0.0.2: latency_ms was above 198.01 in 13 of 40 compared runs, and with 0.0.1 \
         meanwhile in 1 of 40 (198.01 is what at most 1 % of the runs of 0.0.1 were above; rule \
         measurement, p ≤ 0.013); everybody gets 0.0.1 again; register the mended software as a \
         new version",
    );
    check(
        "measurement that is missing",
        policy(judging_latency),
        |product| play_latency(product, |_| None),
        (State::RolledBack, Rule::Measurement),
        "rolled back 0.0.2: latency_ms was missing in 10 of 10 compared runs, and with 0.0.1 \
         meanwhile in 0 of 10 (rule measurement, p ≤ 0.0074); everybody gets 0.0.1 again; \
         register the mended software as a new version",
    );
}

#[test]
fn a_measurement_says_how_many_runs_of_the_stable_version_are_beyond_its_limit() {
    type Shift = fn(f64) -> f64;
    // What the canary measures in place of 100 to 199, and the limit that tells most.
    let shifts: [(Shift, &str, &str); 3] = [
        (|value| 150.0 + (value - 100.0) / 3.0, "149.5", "50 %"),
        (|value| if value < 150.0 { value } else { 195.0 }, "189.1", "10 %"),
        (|value| if value < 189.5 { value } else { 199.0 }, "198.01", "1 %"),
    ];
    let directions =
        [(Direction::HighIsBad, 1.0, "above", ""), (Direction::LowIsBad, -1.0, "below", "-")];
    for (direction, sign, beyond, minus) in directions {
        for (shift, limit, percent) in shifts {
            let latency = MeasurementName::parse("latency_ms").unwrap();
            let measurements = Some([(latency, direction)].into());
            let mut product =
                Product::with_canary(policy(|settings| settings.measurements = measurements));
            for turn in 0_u32..40_000 {
                let value = f64::from(100 + turn * 37 % 100);
                product.measure("0.0.1", Some(sign * value));
                product.measure("0.0.2", Some(sign * shift(value)));
            }
            let told = &product.decision_of("0.0.2").sentence;
            let was = format!("rolled back 0.0.2: latency_ms was {beyond} {minus}{limit} in ");
            let aside = format!(
                "({minus}{limit} is what at most {percent} of the runs of 0.0.1 were {beyond}; rule \
                 measurement, p"
            );
            assert!(told.starts_with(&was) && told.contains(&aside), "{told}");
        }
    }
}

#[test]
fn a_canary_whose_readings_are_worse_is_taken_back() {
    let humidity = TypeName::parse("humidity").unwrap();
    check(
        "readings",
        policy(|settings| {
            settings.readings = Some([(humidity, Direction::LowIsBad)].into());
        }),
        play_humidity,
        (State::RolledBack, Rule::Measurement),
        "rolled back 0.0.2: humidity was below 0.000495 in 25 of 25 compared readings, and with \
         0.0.1 meanwhile in 13 of 25 (0.000495 is what at most 50 % of the readings of 0.0.1 were \
         below; rule measurement, p ≤ 0.0031); everybody gets 0.0.1 again; register the mended \
         software as a new version",
    );
}

/// Early promotion where a tenth of the runs may fail.
fn early(settings: &mut Settings) {
    settings.early_promotion = Some(true);
    settings.q = Some(0.1);
}

#[test]
fn a_canary_as_good_as_the_stable_version_is_promoted_early() {
    check(
        "by the comparison",
        policy(|settings| settings.early_promotion = Some(true)),
        |product| product.by_turns(10_000, 10, 10),
        (State::Promoted, Rule::EarlyPromotion),
        "promoted 0.0.2: 33 of 320 runs failed, and with 0.0.1 meanwhile 33 of 320: its odds of \
         failing are less than 2 times those of 0.0.1 (rule early_promotion, p ≤ 0.049); it \
         replaces 0.0.1 (to go back, promote 0.0.1)",
    );
}

#[test]
fn a_canary_whose_failures_are_acceptable_is_promoted_early() {
    check(
        "by what is acceptable",
        policy(early),
        |product| product.by_turns(10_000, 0, 0),
        (State::Promoted, Rule::EarlyPromotion),
        "promoted 0.0.2: 0 of 44 runs failed, and with 0.0.1 meanwhile 0 of 44: its failure rate \
         is below 10 % (rule early_promotion, p ≤ 0.048); it replaces 0.0.1 (to go back, promote \
         0.0.1)",
    );
    check(
        "with nothing to compare with meanwhile",
        policy(early),
        |product| product.canary(100, 0),
        (State::Promoted, Rule::EarlyPromotion),
        "promoted 0.0.2: 0 of 44 runs failed, and no run of 0.0.1 was judged meanwhile: its \
         failure rate is below 10 % (rule early_promotion, p ≤ 0.048); it replaces 0.0.1 (to go \
         back, promote 0.0.1)",
    );
    check(
        "not before there are enough runs",
        policy(|settings| {
            early(settings);
            settings.min_signals = Some(200);
        }),
        |product| product.by_turns(10_000, 0, 0),
        (State::Promoted, Rule::EarlyPromotion),
        "promoted 0.0.2: 0 of 200 runs failed, and with 0.0.1 meanwhile 0 of 200: its failure \
         rate is below 10 % (rule early_promotion, p ≤ 0.0000000088); it replaces 0.0.1 (to go \
         back, promote 0.0.1)",
    );
}

#[test]
fn the_first_release_is_judged_without_a_baseline() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, Policy::default());
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::OnlyCanary));
    for _ in 0..4 {
        product.report("0.0.1", Status::Failed);
    }
    assert_eq!(
        product.last_sentence(),
        "rolled back 0.0.1: 4 of 4 runs failed, where at least 80 % must succeed (rule threshold, \
         p ≤ 0.0038); there is no stable version to fall back on: register one"
    );
    let Product { lineup, outstanding, now, .. } = &mut product;
    assert_eq!(lineup.select(Asker::Run(None), outstanding, *now), None);
}

#[test]
fn the_first_release_is_promoted_early_by_what_is_acceptable() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, policy(early));
    while product.state_of("0.0.1") == State::Running {
        product.report("0.0.1", Status::Success);
    }
    assert_eq!(
        product.last_sentence(),
        "promoted 0.0.1: 0 of 44 runs failed: its failure rate is below 10 % (rule \
         early_promotion, p ≤ 0.048)"
    );
}

#[test]
fn a_failing_stable_version_is_no_evidence_against_the_canary() {
    let mut product = Product::with_canary(Policy::default());
    for _ in 0..1_000 {
        product.report("0.0.1", Status::Failed);
    }
    assert_eq!(product.state_of("0.0.2"), State::Running);
    assert_eq!(product.sentences(), Vec::<&str>::new());
}
