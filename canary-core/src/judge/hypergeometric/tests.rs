//! Numbers from 40-digit arithmetic, and the ends of the range.

use proptest::prelude::*;

use super::*;

#[test]
fn ratios_are_those_of_long_arithmetic() {
    // Runs of both arms, failures of both, of the first; odds, null odds; ln of the ratio.
    type Case = ((u64, u64, u64, u64), f64, f64, f64);
    let cases: [Case; 7] = [
        ((5, 5, 3, 2), 2.5, 1.0, 0.216_913_001_563_573_68),
        ((1_000, 3_000, 50, 30), 5.0, 1.0, 13.855_759_868_486_087),
        ((1, 1_000_000, 37, 1), 100.0, 1.0, 4.601_513_882_084_244),
        ((20_000, 80_000, 10_000, 2_100), 1.6, 1.0, -123.707_707_540_652_3),
        ((9, 9, 9, 3), 1e30, 1.0, -403.673_526_491_058_1),
        ((9, 9, 9, 3), 1e-30, 1e30, 207.232_658_369_464_1),
        ((60, 40, 50, 41), 1.4, 2.0, -2.818_259_440_197_208_3),
    ];
    for ((a, b, total, k), odds, null, want) in cases {
        let got = Law::new(a, b, total).unwrap().log_ratio(k, odds, null);
        assert!((got - want).abs() < 1e-11 * want.abs().max(1.0), "{a} {b} {total} {k}: {got}");
    }
}

#[test]
fn tails_are_those_of_long_arithmetic() {
    let cases = [
        ((1_000, 5_000, 60, 20), 0.001_162_039_760_456_463_2),
        ((500, 500, 100, 90), 4.518_608_518_067_226e-19),
        ((30, 40, 20, 3), 0.999_670_155_583_324_7),
        ((100_000, 900_000, 5_000, 450), 0.992_183_344_716_665_6),
        ((200, 800, 18, 10), 0.000_809_145_250_194_784_5),
    ];
    for ((a, b, total, k), want) in cases {
        let got = Law::new(a, b, total).unwrap().at_least(k);
        assert!((got - want).abs() < 1e-11 * want, "{a} {b} {total} {k}: {got}");
    }
}

#[test]
fn where_sums_become_integrals_both_agree() {
    // Standard deviations just below and just above the limit.
    let law = |runs: u64| Law::new(runs, runs, runs).unwrap();
    for (runs, is_wide) in [(30_000_000_000, false), (40_000_000_000, true)] {
        let law = law(runs);
        let mode = law.mode(1.0);
        assert_eq!(mode, runs / 2);
        let deviation = law.deviation(mode);
        assert_eq!(deviation > WIDE, is_wide);
        let curve = deviation * (2.0 * std::f64::consts::PI).sqrt();
        assert!((law.sum(mode, 1.0) / curve - 1.0).abs() < 1e-8);
        for steps in [-2.0, -0.5, 0.0, 1.0, 3.0] {
            let k = mode.saturating_add_signed((steps * deviation) as i64);
            let normal = erfc(steps / std::f64::consts::SQRT_2) / 2.0;
            assert!((law.at_least(k) - normal).abs() < 1e-5, "{runs} at {steps}");
        }
    }
}

#[test]
fn more_failures_than_runs_have_no_law() {
    assert_eq!(Law::new(3, 4, 8), None);
    assert_eq!(Law::new(3, 4, 7).map(|law| law.support()), Some((3, 3)));
    assert_eq!(Law::new(0, 0, 0).map(|law| law.pmf(2.0)), Some(vec![1.0]));
    assert_eq!(Law::new(u64::MAX, u64::MAX, 5).map(|law| law.support()), Some((0, 5)));
}

#[test]
fn impossible_and_certain_odds_put_all_weight_at_one_end() {
    let law = Law::new(3, 3, 3).unwrap();
    assert_eq!(law.pmf(0.0), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(law.pmf(f64::INFINITY), [0.0, 0.0, 0.0, 1.0]);
}

/// Counts up to the very last.
fn any_count() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..12, 0_u64..5_000, 0_u64..1_000_000_000_000, any::<u64>()]
}

proptest! {
    #[test]
    fn probabilities_add_up_and_ratios_follow_from_them(
        a in 0_u64..60, b in 0_u64..60, part in 0.0..1.0, odds in 0.01_f64..100.0,
    ) {
        let law = Law::new(a, b, ((a + b) as f64 * part) as u64).unwrap();
        let (pmf, null) = (law.pmf(odds), law.pmf(1.0));
        let (low, high) = law.support();
        prop_assert_eq!(pmf.len() as u64, high - low + 1);
        prop_assert!((pmf.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (k, (one, other)) in (low..).zip(pmf.iter().zip(&null)) {
            prop_assert!((law.log_ratio(k, odds, 1.0) - (one / other).ln()).abs() < 1e-9);
        }
        // The promise of a block: its factor has an expectation of 1 while the odds are the null's.
        let expected: f64 =
            (low..).zip(&null).map(|(k, chance)| chance * law.log_ratio(k, odds, 1.0).exp()).sum();
        prop_assert!((expected - 1.0).abs() < 1e-9);
    }

    #[test]
    fn any_counts_have_an_answer(
        a in any_count(), b in any_count(), total in any_count(), k: u64, power in -30..30,
    ) {
        if let Some(law) = Law::new(a, b, total) {
            let (low, high) = law.support();
            let k = low + if high > low { k % (high - low) } else { 0 };
            let tail = law.at_least(k);
            prop_assert!((0.0..=1.0).contains(&tail), "{}", tail);
            prop_assert!(law.log_ratio(k, 10_f64.powi(power), 1.0).is_finite());
        }
    }
}
