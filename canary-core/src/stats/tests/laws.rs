//! Merging is associative and commutative, nothing is its identity, and parts are one pass.

use proptest::sample::Index;

use super::*;
use crate::stats::State;

/// Whether all is the same but for the last digits of the moments in bins: the means may be apart
/// by 1e-12 of the greatest magnitude, the sums of squares by 1e-9 of themselves.
fn are_close(one: &Summary, other: &Summary) -> bool {
    let mut other = other.clone();
    if let (
        State::Continuous(Continuous::Sketched(one)),
        State::Continuous(Continuous::Sketched(other)),
    ) = (&one.state, &mut other.state)
    {
        let greatest = one.highest.value.abs().max(one.lowest.value.abs());
        let (of_one, of_other) = (one.moments, &mut other.moments);
        let mean_is_close = (of_one.mean - of_other.mean).abs() <= 1e-12 * greatest;
        let distance = (of_one.squares - of_other.squares).abs();
        if mean_is_close && distance <= 1e-9 * of_one.squares {
            (of_other.mean, of_other.squares) = (of_one.mean, of_one.squares);
        }
    }
    *one == other
}

fn merged(one: &Summary, other: &Summary) -> Summary {
    let mut merged = one.clone();
    merged.merge(other).unwrap();
    merged
}

/// The laws, of three parts of what was seen.
fn keeps_the_laws(domain: Domain, seen: &[Seen], cuts: (Index, Index)) -> TestCaseResult {
    let (one, two) = (cuts.0.index(seen.len() + 1), cuts.1.index(seen.len() + 1));
    let parts = [&seen[..one.min(two)], &seen[one.min(two)..one.max(two)], &seen[one.max(two)..]];
    let [a, b, c] = parts.map(|part| summary_of(domain, part));
    let whole = summary_of(domain, seen);
    let (empty, ab) = (Summary::new(domain), merged(&a, &b));

    prop_assert!(are_close(&merged(&ab, &c), &whole), "parts are not one pass");
    prop_assert!(are_close(&merged(&a, &merged(&b, &c)), &whole), "not associative");
    prop_assert!(are_close(&ab, &merged(&b, &a)), "not commutative");
    prop_assert!(merged(&whole, &empty) == whole, "nothing changes it");
    prop_assert!(merged(&empty, &whole) == whole, "nothing is changed by it");
    prop_assert_eq!(whole.count(), seen.len() as u64);

    let mut from_bytes = a.clone();
    from_bytes.merge_encoded(&encoded(&b)).unwrap();
    prop_assert!(from_bytes == ab, "merging bytes is not merging");
    for summary in [&a, &ab, &whole] {
        let bytes = encoded(summary);
        let decoded = Summary::decode(&bytes).unwrap();
        prop_assert!(decoded == *summary, "bytes do not come back");
        prop_assert_eq!(encoded(&decoded), bytes);
    }
    Ok(())
}

proptest! {
    #[test]
    fn counted(seen in degrees(), cuts: (Index, Index)) {
        keeps_the_laws(CELSIUS, &seen, cuts)?;
    }

    #[test]
    fn continuous_while_few(seen in decimals(), cuts: (Index, Index)) {
        keeps_the_laws(Domain::Continuous, &seen, cuts)?;
    }

    #[test]
    fn continuous_of_all_finite_numbers(seen in any_finite(), cuts: (Index, Index)) {
        keeps_the_laws(Domain::Continuous, &seen, cuts)?;
    }

    #[test]
    fn the_order_does_not_matter(mut seen in degrees()) {
        let forwards = summary_of(CELSIUS, &seen);
        seen.reverse();
        prop_assert!(forwards == summary_of(CELSIUS, &seen));
    }
}

proptest! {
    // Each case takes thousands of values.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn continuous_when_many(seen in many(), cuts: (Index, Index)) {
        keeps_the_laws(Domain::Continuous, &seen, cuts)?;
    }

    #[test]
    fn bins_do_not_depend_on_the_order(mut seen in many()) {
        let forwards = summary_of(Domain::Continuous, &seen);
        seen.reverse();
        prop_assert!(are_close(&forwards, &summary_of(Domain::Continuous, &seen)));
    }
}

#[test]
fn the_thousand_and_twenty_fifth_value_is_what_brings_bins() {
    let mut summary = Summary::new(Domain::Continuous);
    for round in 0..3 {
        for value in 0..1_024 {
            summary.observe(f64::from(value) / 8.0, round).unwrap();
        }
        assert_eq!(summary.accuracy(), Accuracy::Exact);
    }
    summary.observe(-0.125, 9).unwrap();
    assert_eq!(summary.accuracy(), Accuracy::Relative(0.005));
    assert_eq!(summary.min(), Some(Observed { value: -0.125, newest: 9 }));
    assert_eq!(summary.max(), Some(Observed { value: 127.875, newest: 2 }));
    assert_eq!(summary.count(), 3 * 1_024 + 1);
}
