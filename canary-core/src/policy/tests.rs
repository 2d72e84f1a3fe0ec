//! Every setting, its range, and what it must fit to.

mod laws;

use super::*;

fn with(change: impl FnOnce(&mut Settings)) -> Result<Policy, String> {
    let mut settings = Settings::default();
    change(&mut settings);
    Policy::default().with(&settings).map_err(|error| error.to_string())
}

#[test]
fn a_team_that_sets_nothing_gets_the_defaults() {
    let policy = with(|_| {}).unwrap();
    assert_eq!(policy, Policy::default());
    let Alphas { floor, baseline, measurement } = policy.alphas();
    assert_eq!(floor, Some(Alpha::FLOOR));
    assert!((baseline.unwrap().get() - Alpha::BASELINE.get()).abs() < 1e-15);
    assert_eq!(measurement, None);
}

#[test]
fn all_settings_make_the_policy_again() {
    let latency = MeasurementName::parse("latency_ms").unwrap();
    let policy = with(|settings| {
        settings.rule = Some(ThresholdRule::Ratio);
        settings.alpha = Some(0.1);
        settings.alpha_floor = Some(0.02);
        settings.alpha_measurements = Some(0.03);
        settings.rho0 = Some(1.5);
        settings.early_promotion = Some(true);
        settings.rho = Some(3.0);
        settings.q = Some(0.02);
        settings.beta = Some(0.01);
        settings.holdback = Some(0.05);
        settings.min_signals = Some(50);
        settings.at_end = Some(AtEnd::Hold);
        settings.on_insufficient = Some(OnInsufficient::Rollback);
        settings.on_supersede = Some(OnSupersede::Abort);
        settings.report_within = Some(600.0);
        settings.count_repeats = Some(true);
        settings.measurements = Some([(latency, Direction::HighIsBad)].into());
        settings.readings =
            Some([(TypeName::parse("humidity").unwrap(), Direction::LowIsBad)].into());
    })
    .unwrap();
    assert_eq!(Policy::default().with(&policy.settings()), Ok(policy.clone()));
    let alphas = policy.alphas();
    assert_eq!(alphas.floor, None, "the plain percentage takes nothing of alpha");
    assert!((alphas.baseline.unwrap().get() - 0.05).abs() < 1e-12, "what is set aside stays so");
    assert!((alphas.measurement.unwrap().get() - 0.015).abs() < 1e-12, "two share 0.03");
}

#[test]
fn the_plain_percentage_leaves_all_of_alpha_to_the_others() {
    let temperature = TypeName::parse("temperature").unwrap();
    let judged = Some([(temperature, Direction::HighIsBad)].into());
    // What is set, and what baseline and measurement get of 0.05.
    let cases = [
        (None, None, None, (0.05, 0.0)),
        (Some(0.04), None, None, (0.01, 0.0)),
        (Some(0.05), None, None, (0.0, 0.0)),
        (None, None, judged.clone(), (0.025, 0.025)),
        (Some(0.01), None, judged.clone(), (0.02, 0.02)),
        (Some(0.01), Some(0.03), judged.clone(), (0.01, 0.03)),
        (None, Some(0.05), judged.clone(), (0.0, 0.05)),
    ];
    for (alpha_floor, alpha_measurements, readings, want) in cases {
        let policy = with(|settings| {
            settings.rule = Some(ThresholdRule::Ratio);
            settings.alpha_floor = alpha_floor;
            settings.alpha_measurements = alpha_measurements;
            settings.readings = readings;
        })
        .unwrap();
        let Alphas { floor, baseline, measurement } = policy.alphas();
        assert_eq!((floor, policy.chances.floor()), (None, alpha_floor.unwrap_or(0.0)), "{want:?}");
        for (alpha, want) in [(baseline, want.0), (measurement, want.1)] {
            assert!((alpha.map_or(0.0, Alpha::get) - want).abs() < 1e-12, "{alpha:?}, {want}");
        }
        assert_eq!(policy.settings().alpha_floor, alpha_floor, "kept for when the rule is changed");
    }
    let error = with(|settings| {
        settings.rule = Some(ThresholdRule::Ratio);
        settings.alpha_measurements = Some(0.0);
        settings.readings = judged;
    });
    assert_eq!(
        error.unwrap_err(),
        "measurements and readings get nothing of alpha (0.05): leave alpha_measurements out or set \
         it above 0"
    );
}

#[test]
fn parts_of_alpha_are_worked_out_where_they_are_not_set() {
    let temperature = TypeName::parse("temperature").unwrap();
    let judged = Some([(temperature, Direction::HighIsBad)].into());
    let policy = with(|settings| settings.readings = judged.clone()).unwrap();
    let Alphas { floor, baseline, measurement } = policy.alphas();
    for (alpha, want) in [(floor, 0.01), (baseline, 0.02), (measurement, 0.02)] {
        assert!((alpha.unwrap().get() - want).abs() < 1e-12, "{alpha:?}");
    }
    let alone = with(|settings| settings.alpha_floor = Some(0.05)).unwrap();
    assert_eq!(alone.alphas().baseline, None, "the floor has all of it");
    let error = with(|settings| {
        settings.readings = judged;
        settings.alpha_floor = Some(0.05);
    });
    assert!(
        error.unwrap_err().starts_with("measurements and readings get nothing of alpha (0.05)")
    );
}

#[test]
fn the_part_of_the_floor_is_back_when_the_rule_is() {
    let ratio = with(|settings| {
        settings.rule = Some(ThresholdRule::Ratio);
        settings.alpha_floor = Some(0.02);
    });
    let back = Settings { rule: Some(ThresholdRule::Threshold), ..Settings::default() };
    let Alphas { floor, baseline, .. } = ratio.unwrap().with(&back).unwrap().alphas();
    for (alpha, want) in [(floor, 0.02), (baseline, 0.03)] {
        assert!((alpha.unwrap().get() - want).abs() < 1e-12, "{alpha:?}");
    }
}

#[test]
fn the_least_alpha_still_has_its_parts() {
    let Alphas { floor, baseline, .. } =
        with(|settings| settings.alpha = Some(Alpha::MINIMUM)).unwrap().alphas();
    assert_eq!((floor.unwrap().get(), baseline.unwrap().get()), (2e-10, 8e-10));
}

#[test]
fn what_is_out_of_range_is_refused_with_the_value_and_the_limit() {
    type Change = fn(&mut Settings);
    let cases: [(Change, &str); 12] = [
        (|s| s.alpha = Some(0.6), "alpha is 0.6, it must be from 0.000000001 to 0.5"),
        (|s| s.alpha = Some(f64::NAN), "alpha must be a finite number, got NaN"),
        (|s| s.alpha_floor = Some(-0.1), "alpha_floor is -0.1, it must be from 0 to 0.5"),
        (
            |s| s.alpha_floor = Some(0.06),
            "alpha_floor (0.06) and alpha_measurements (0) together are more than alpha (0.05), of \
             which they are parts: lower one of them, or raise alpha",
        ),
        (|s| s.rho0 = Some(0.0), "rho0 is 0, it must be from 0.01 to 100"),
        (|s| s.rho = Some(1.0), "rho is 1, it must be from 1.5 to 100"),
        (|s| s.q = Some(1.0), "q is 1, it must be from 0.000001 to 0.999999"),
        (|s| s.beta = Some(0.0), "beta is 0, it must be from 0.000000001 to 0.5"),
        (|s| s.holdback = Some(1.0), "holdback is 1, it must be from 0 to 0.9"),
        (|s| s.min_signals = Some(-1), "min_signals is -1, it must be from 0 to 1000000 signals"),
        (|s| s.report_within = Some(0.5), "report_within is 0.5, it must be from 1 to 2592000 s"),
        (
            |s| {
                s.measurements = Some(
                    (0..17)
                        .map(|m| {
                            (MeasurementName::parse(format!("m{m}")).unwrap(), Direction::LowIsBad)
                        })
                        .collect(),
                );
            },
            "measurements has 17 entries, at most 16 are accepted",
        ),
    ];
    for (change, want) in cases {
        assert_eq!(with(change), Err(want.to_owned()));
    }
}

#[test]
fn what_is_held_back_is_kept_to_four_digits() {
    for share in [0.0, 0.05, 0.1234, 0.9] {
        assert_eq!(HoldBack::parse(share).map(HoldBack::share), Ok(share));
    }
}
