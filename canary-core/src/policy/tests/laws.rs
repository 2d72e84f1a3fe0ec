//! What holds for all settings that are taken.

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Numbers within the range and beyond it.
fn parts() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(0.05), 0.0..0.06, 1e-10..1e-8, 0.0..0.6]
}

fn directions() -> impl Strategy<Value = Direction> {
    select(vec![Direction::HighIsBad, Direction::LowIsBad])
}

prop_compose! {
    fn chances()(
        alpha in option::of(prop_oneof![1e-9..1e-6, 0.001..0.5]),
        alpha_floor in option::of(parts()),
        alpha_measurements in option::of(parts()),
        measurements in option::of(btree_map("[a-z]{1,8}", directions(), 0..=16)),
        readings in option::of(btree_map("[a-z]{1,8}", directions(), 0..=16)),
    ) -> Settings {
        let name = |(name, direction): (String, _)| (MeasurementName::parse(name).unwrap(), direction);
        let kind = |(kind, direction): (String, _)| (TypeName::parse(kind).unwrap(), direction);
        Settings {
            alpha,
            alpha_floor,
            alpha_measurements,
            measurements: measurements.map(|names| names.into_iter().map(name).collect()),
            readings: readings.map(|kinds| kinds.into_iter().map(kind).collect()),
            ..Settings::default()
        }
    }
}

prop_compose! {
    fn rest()(
        rule in option::of(select(vec![ThresholdRule::Threshold, ThresholdRule::Ratio])),
        rho0 in option::of(0.01_f64..=100.0),
        early_promotion: Option<bool>,
        rho in option::of(1.5_f64..=100.0),
        q in option::of(1e-6..0.999_999),
        beta in option::of(1e-9..=0.5),
        holdback in option::of(0.0..=0.9),
        min_signals in option::of(0_i64..=1_000_000),
        at_end in option::of(select(vec![AtEnd::Promote, AtEnd::Hold, AtEnd::Rollback])),
        report_within in option::of(1.0..=ReportWithin::MAXIMUM_S),
        count_repeats: Option<bool>,
    ) -> Settings {
        Settings {
            rule, rho0, early_promotion, rho, q, beta, holdback, min_signals, at_end, report_within,
            count_repeats,
            ..Settings::default()
        }
    }
}

prop_compose! {
    fn settings()(
        chances in chances(),
        rest in rest(),
        on_insufficient in option::of(select(vec![
            OnInsufficient::Hold, OnInsufficient::Promote, OnInsufficient::Rollback,
        ])),
        on_supersede in option::of(select(vec![
            OnSupersede::PromoteIfHealthy, OnSupersede::Abort, OnSupersede::Reject,
        ])),
    ) -> Settings {
        let Settings { alpha, alpha_floor, alpha_measurements, measurements, readings, .. } = chances;
        Settings {
            alpha, alpha_floor, alpha_measurements, measurements, readings, on_insufficient,
            on_supersede,
            ..rest
        }
    }
}

proptest! {
    #[test]
    fn settings_that_were_taken_make_the_same_policy_again(settings in settings()) {
        let Ok(policy) = Policy::default().with(&settings) else { return Ok(()) };
        let all = policy.settings();
        prop_assert_eq!(Policy::default().with(&all), Ok(policy.clone()));
        prop_assert_eq!(policy.with(&all), Ok(policy.clone()));
        prop_assert_eq!(policy.with(&Settings::default()), Ok(policy));
    }

    #[test]
    fn the_parts_of_alpha_are_never_more_than_alpha(settings in settings()) {
        let Ok(policy) = Policy::default().with(&settings) else { return Ok(()) };
        let Alphas { floor, baseline, measurement } = policy.alphas();
        let of = |alpha: Option<Alpha>| alpha.map_or(0.0, Alpha::get);
        let sum = of(floor) + of(baseline) + of(measurement) * policy.judged() as f64;
        let alpha = policy.chances.total();
        prop_assert!(sum <= alpha * (1.0 + 2e-9), "{sum} of {alpha}");
        let is_ratio = policy.rule == ThresholdRule::Ratio;
        prop_assert!(!is_ratio || floor.is_none(), "the plain percentage takes nothing");
        let set_aside = if is_ratio { policy.chances.floor() } else { 0.0 };
        if baseline.is_some() {
            prop_assert!(sum + set_aside >= alpha * (1.0 - 2e-9), "{sum} of {alpha}: it gets what is left");
        }
        let judges = floor.is_some() || baseline.is_some() || is_ratio;
        prop_assert!(judges, "something can roll it back");
        prop_assert_eq!(measurement.is_some(), policy.judged() > 0);
    }

    #[test]
    fn what_is_refused_names_a_setting_that_was_set(settings in settings()) {
        let Err(error) = Policy::default().with(&settings) else { return Ok(()) };
        let is_set = match error.setting() {
            "alpha" => settings.alpha.is_some(),
            "alpha_floor" => settings.alpha_floor.is_some() || settings.alpha_measurements.is_some(),
            "alpha_measurements" => {
                settings.alpha_measurements.is_some() || settings.alpha_floor.is_some()
                    || settings.alpha.is_some()
            }
            _ => false,
        };
        prop_assert!(is_set, "{}: {error}", error.setting());
    }
}
