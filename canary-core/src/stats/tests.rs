//! What a summary answers, its laws, and its bytes.

mod bytes;
mod laws;
mod oracle;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::*;

/// A value and when it was seen.
type Seen = (f64, i64);

const CELSIUS: Domain = Domain::Counted { minimum: -20, maximum: 120 };

fn summary_of(domain: Domain, seen: &[Seen]) -> Summary {
    let mut summary = Summary::new(domain);
    for (value, at) in seen {
        summary.observe(*value, *at).unwrap();
    }
    summary
}

fn encoded(summary: &Summary) -> Vec<u8> {
    let mut bytes = Vec::new();
    summary.encode(&mut bytes);
    bytes
}

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0_i64..5_000, 1 => any::<i64>()]
}

/// Whole degrees, often the same ones.
fn degrees() -> impl Strategy<Value = Vec<Seen>> {
    let value = prop_oneof![-20_i32..=120, 20_i32..=25];
    vec((value.prop_map(f64::from), times()), 0..200)
}

/// Numbers of either sign with one decimal, often the same ones, and 0.
fn decimals() -> impl Strategy<Value = Vec<Seen>> {
    let value = prop_oneof![(-5_000_i32..5_000), (-20_i32..20)];
    vec((value.prop_map(|tenths| f64::from(tenths) / 10.0), times()), 0..100)
}

/// All finite numbers that there are.
fn any_finite() -> impl Strategy<Value = Vec<Seen>> {
    let value = prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        Just(-0.0),
        Just(f64::MAX),
        Just(f64::MIN),
        Just(f64::from_bits(1)),
    ];
    vec((value, times()), 0..60)
}

/// Up to 4 000 numbers over twelve orders of magnitude and of either sign, some of them twice:
/// enough to go over to bins.
fn many() -> impl Strategy<Value = Vec<Seen>> {
    (any::<u64>(), 900_usize..4_000).prop_map(|(seed, count)| draws(seed, count))
}

fn draws(seed: u64, count: usize) -> Vec<Seen> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64, https://doi.org/10.1145/2714064.2660195
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let draw = |_| {
        let (bits, exponent) = (next(), next() % 120);
        let magnitude = (1.0 + (bits % 64) as f64) * 10_f64.powf(exponent as f64 / 10.0 - 6.0);
        let value = match next() % 16 {
            0 => 0.0,
            1..=5 => -magnitude,
            _ => magnitude,
        };
        (value, (next() % 5_000) as i64)
    };
    (0..count).map(draw).collect()
}

#[test]
fn four_temperatures_give_the_answers_of_the_book_in_both_domains() {
    let seen = [(22.0, 1), (22.0, 2), (50.0, 3), (100.0, 4)];
    for domain in [CELSIUS, Domain::Continuous] {
        let summary = summary_of(domain, &seen);
        assert_eq!(summary.count(), 4);
        assert_eq!(summary.min(), Some(Observed { value: 22.0, newest: 2 }));
        assert_eq!(summary.max(), Some(Observed { value: 100.0, newest: 4 }));
        assert_eq!(summary.median(), Some(Observed { value: 36.0, newest: 2 }));
        assert_eq!(summary.mean(), Some(48.5));
        assert_eq!(summary.variance(), Some(1353.0));
        assert_eq!(summary.mode(), Some(22.0));
        assert_eq!(summary.hinges(), Some(Hinges { lower: 22.0, upper: 75.0 }));
        assert_eq!(summary.quantile(0.5), Ok(Some(36.0)));
        assert_eq!(summary.quantile(0.75), Ok(Some(62.5)));
        assert_eq!(summary.accuracy(), Accuracy::Exact);
    }
}

#[test]
fn nothing_seen_is_no_answer_and_one_value_is_every_answer() {
    for domain in [CELSIUS, Domain::Continuous] {
        let mut summary = Summary::new(domain);
        assert!(summary.is_empty());
        assert_eq!((summary.min(), summary.max(), summary.median()), (None, None, None));
        assert_eq!((summary.mean(), summary.mode(), summary.variance()), (None, None, None));
        assert_eq!((summary.hinges(), summary.quantile(1.0)), (None, Ok(None)));

        summary.observe(7.0, -3).unwrap();
        let seven = Some(Observed { value: 7.0, newest: -3 });
        assert_eq!((summary.min(), summary.max(), summary.median()), (seven, seven, seven));
        assert_eq!((summary.mean(), summary.mode()), (Some(7.0), Some(7.0)));
        assert_eq!(summary.hinges(), Some(Hinges { lower: 7.0, upper: 7.0 }));
        assert_eq!(summary.variance(), None);
    }
}

#[test]
fn the_middle_of_an_odd_count_belongs_to_both_halves() {
    let cases: [(&[f64], f64, f64); 4] = [
        (&[1.0, 2.0, 3.0], 1.5, 2.5),
        (&[1.0, 2.0, 3.0, 4.0, 5.0], 2.0, 4.0),
        (&[1.0, 2.0], 1.0, 2.0),
        (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2.0, 5.0),
    ];
    for (values, lower, upper) in cases {
        let seen: Vec<Seen> = values.iter().map(|value| (*value, 0)).collect();
        assert_eq!(
            summary_of(CELSIUS, &seen).hinges(),
            Some(Hinges { lower, upper }),
            "{values:?}"
        );
    }
}

#[test]
fn what_is_refused_changes_nothing_and_is_named() {
    let cases = [
        (CELSIUS, 121.0, "value 121 is not one of the whole numbers from -20 to 120"),
        (CELSIUS, -21.0, "value -21 is not one of the whole numbers from -20 to 120"),
        (CELSIUS, 0.5, "value 0.5 is not one of the whole numbers from -20 to 120"),
        (CELSIUS, 1e300, "value 1000000000"),
        (CELSIUS, f64::NAN, "value must be a finite number, got NaN"),
        (Domain::Continuous, f64::NAN, "value must be a finite number, got NaN"),
        (Domain::Continuous, f64::NEG_INFINITY, "value must be a finite number, got -inf"),
    ];
    for (domain, value, want) in cases {
        let mut summary = Summary::new(domain);
        let error = summary.observe(value, 0).unwrap_err().to_string();
        assert!(error.starts_with(want), "{error}");
        assert_eq!(summary, Summary::new(domain));
    }
    for rank in [-0.1, 1.1, f64::NAN] {
        assert!(Summary::new(CELSIUS).quantile(rank).is_err(), "{rank}");
    }
    let mut celsius = Summary::new(CELSIUS);
    let error = celsius.merge(&Summary::new(Domain::Continuous)).unwrap_err().to_string();
    assert_eq!(
        error,
        "a summary of finite numbers does not merge into one of whole numbers from -20 to 120"
    );
    let error = celsius.merge_encoded(&encoded(&Summary::new(Domain::of_integers(0, 1))));
    assert!(matches!(error, Err(CodecError::OtherDomain { .. })), "{error:?}");
}

#[test]
fn negative_zero_is_zero() {
    for domain in [CELSIUS, Domain::Continuous] {
        let summary = summary_of(domain, &[(-0.0, 1), (0.0, 2)]);
        assert_eq!(summary, summary_of(domain, &[(0.0, 1), (0.0, 2)]));
        assert!(summary.min().unwrap().value.is_sign_positive());
    }
}

#[test]
fn a_range_is_counted_if_it_is_small_and_whole() {
    let counted = |minimum, maximum| Domain::Counted { minimum, maximum };
    let cases = [
        (0, 100, counted(0, 100)),
        (-32_768, 32_767, counted(-32_768, 32_767)),
        (-32_768, 32_768, Domain::Continuous),
        (5, 5, counted(5, 5)),
        (6, 5, Domain::Continuous),
        (i64::MIN, i64::MAX, Domain::Continuous),
        (i64::MAX - 1, i64::MAX, Domain::Continuous),
        (1 << 53, 1 << 53, counted(1 << 53, 1 << 53)),
    ];
    for (minimum, maximum, want) in cases {
        assert_eq!(Domain::of_integers(minimum, maximum), want, "{minimum} to {maximum}");
        assert_eq!(Summary::new(counted(minimum, maximum)).domain(), want);
    }
}
