//! Every answer against a plain sort, and the bins against the sketch they were taken from.

use sketches_ddsketch::{Config, DDSketch};

use super::*;

/// What was seen, in ascending order.
struct Sorted(Vec<Seen>);

impl Sorted {
    fn of(seen: &[Seen]) -> Self {
        let mut sorted = seen.to_vec();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        Self(sorted)
    }

    fn values(&self) -> Vec<f64> {
        self.0.iter().map(|(value, _)| *value).collect()
    }

    fn observed(&self, place: usize) -> Observed {
        let value = self.0[place].0;
        let newest = self.0.iter().filter(|seen| seen.0 == value).map(|seen| seen.1).max();
        Observed { value, newest: newest.unwrap() }
    }

    fn mode(&self) -> (f64, usize) {
        let groups = self.0.chunk_by(|one, other| one.0 == other.0);
        let (mut mode, mut most) = (f64::NAN, 0);
        for group in groups {
            if group.len() > most {
                (mode, most) = (group[0].0, group.len());
            }
        }
        (mode, most)
    }

    fn mean(&self) -> f64 {
        self.values().iter().sum::<f64>() / self.0.len() as f64
    }

    fn variance(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.values().iter().map(|value| (value - mean).powi(2)).sum();
        squares / (self.0.len() - 1) as f64
    }

    /// The two values around a rank, and how far between them.
    fn around(&self, rank: f64) -> (f64, f64, f64) {
        let position = rank * (self.0.len() - 1) as f64;
        let upper = (position.floor() as usize + 1).min(self.0.len() - 1);
        (self.0[position.floor() as usize].0, self.0[upper].0, position.fract())
    }
}

fn median(values: &[f64]) -> f64 {
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

fn hinges(values: &[f64]) -> Hinges {
    let half = values.len().div_ceil(2);
    Hinges { lower: median(&values[..half]), upper: median(&values[values.len() - half..]) }
}

fn is_near(got: f64, want: f64, error: f64) -> bool {
    (got - want).abs() <= error
}

/// Both ends, which are exact in every state, and the moments, which round.
fn knows_ends_and_moments(summary: &Summary, sorted: &Sorted) -> TestCaseResult {
    let last = sorted.0.len() - 1;
    prop_assert_eq!(summary.min(), Some(sorted.observed(0)));
    prop_assert_eq!(summary.max(), Some(sorted.observed(last)));
    let greatest = sorted.0[0].0.abs().max(sorted.0[last].0.abs());
    prop_assert!(is_near(summary.mean().unwrap(), sorted.mean(), 1e-12 * greatest));
    if last == 0 {
        prop_assert_eq!(summary.variance(), None);
    } else {
        let want = sorted.variance();
        let error = 1e-9 * want + 1e-14 * greatest * greatest;
        prop_assert!(is_near(summary.variance().unwrap(), want, error));
    }
    Ok(())
}

fn equals_the_sort(domain: Domain, seen: &[Seen], rank: f64) -> TestCaseResult {
    prop_assume!(!seen.is_empty());
    let (summary, sorted) = (summary_of(domain, seen), Sorted::of(seen));
    let values = sorted.values();
    prop_assert_eq!(summary.accuracy(), Accuracy::Exact);
    knows_ends_and_moments(&summary, &sorted)?;
    let lower = sorted.observed((values.len() - 1) / 2);
    let want = Observed { value: median(&values), newest: lower.newest };
    prop_assert_eq!(summary.median(), Some(want));
    prop_assert_eq!(summary.mode(), Some(sorted.mode().0));
    prop_assert_eq!(summary.hinges(), Some(hinges(&values)));
    let (lower, upper, part) = sorted.around(rank);
    let got = summary.quantile(rank).unwrap().unwrap();
    prop_assert!((lower..=upper).contains(&got));
    prop_assert!(is_near(got, lower + (upper - lower) * part, 1e-9 * (upper - lower)));
    Ok(())
}

proptest! {
    #[test]
    fn counts_equal_the_sort(seen in degrees(), rank in 0.0..=1.0) {
        equals_the_sort(CELSIUS, &seen, rank)?;
    }

    #[test]
    fn few_numbers_equal_the_sort(seen in decimals(), rank in 0.0..=1.0) {
        equals_the_sort(Domain::Continuous, &seen, rank)?;
    }

    /// Sums and squares beyond the range of `f64` give no NaN and no infinity.
    #[test]
    fn all_finite_numbers_give_finite_answers(seen in any_finite(), rank in 0.0..=1.0) {
        prop_assume!(!seen.is_empty());
        let mut summary = summary_of(Domain::Continuous, &seen);
        for _ in 0..2 {
            let (least, most) = (summary.min().unwrap().value, summary.max().unwrap().value);
            let hinges = summary.hinges().unwrap();
            let answers = [
                summary.mean().unwrap(),
                summary.mode().unwrap(),
                summary.median().unwrap().value,
                summary.quantile(rank).unwrap().unwrap(),
                hinges.lower,
                hinges.upper,
            ];
            for answer in answers {
                prop_assert!((least..=most).contains(&answer), "{answer}");
            }
            prop_assert!(summary.variance().is_none_or(|variance| variance >= 0.0));
            // The same once more, now in bins.
            summary.merge(&summary_of(Domain::Continuous, &draws(1, 3_000))).unwrap();
            prop_assert_ne!(summary.accuracy(), Accuracy::Exact);
        }
    }
}

/// The promise, and what rounding of logarithms may add to it.
const ERROR: f64 = 0.005 * (1.0 + 1e-9);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bins_are_within_their_error_of_the_sort(seen in many(), rank in 0.0..=1.0) {
        let (summary, sorted) = (summary_of(Domain::Continuous, &seen), Sorted::of(&seen));
        prop_assume!(summary.accuracy() == Accuracy::Relative(0.005));
        knows_ends_and_moments(&summary, &sorted)?;

        let count = seen.len();
        let halves = (summary.hinges().unwrap(), hinges(&sorted.values()));
        prop_assert!(is_near(halves.0.lower, halves.1.lower, ERROR * halves.1.lower.abs()));
        prop_assert!(is_near(halves.0.upper, halves.1.upper, ERROR * halves.1.upper.abs()));
        for rank in [rank, 0.0, 0.01, 0.5, 0.99, 1.0] {
            let (lower, upper, part) = sorted.around(rank);
            let got = summary.quantile(rank).unwrap().unwrap();
            let error = ERROR * lower.abs().max(upper.abs());
            prop_assert!(is_near(got, lower + (upper - lower) * part, error), "{rank} of {count}");
        }
        let median = summary.median().unwrap();
        prop_assert_eq!(Some(median.value), summary.quantile(0.5).unwrap());
        prop_assert!(median.newest >= sorted.observed((count - 1) / 2).newest);

        let mode = summary.mode().unwrap();
        let is_close = |value: &&f64| is_near(mode, **value, ERROR * value.abs());
        let near = sorted.values().iter().filter(is_close).count();
        prop_assert!(near >= sorted.mode().1, "the fullest bin holds fewer than one value");
    }

    /// 4 097 values, so that a rank in 4 096ths is a place without rounding.
    #[test]
    fn bins_answer_as_the_sketch_they_were_taken_from(seed: u64) {
        let seen = draws(seed, 4_097);
        let summary = summary_of(Domain::Continuous, &seen);
        let mut sketch = DDSketch::new(Config::new(0.005, 200_000, f64::MIN_POSITIVE));
        for (value, _) in &seen {
            sketch.add(*value);
        }
        let (least, most) = (sketch.min().unwrap(), sketch.max().unwrap());
        for place in 0..=4_096 {
            let rank = f64::from(place) / 4_096.0;
            let want = sketch.quantile(rank).unwrap().unwrap().max(least).min(most);
            prop_assert_eq!(summary.quantile(rank), Ok(Some(want)), "place {}", place);
        }
    }
}

#[test]
fn a_bin_tells_when_it_was_seen_last_and_an_end_when_it_was() {
    let mut summary = Summary::new(Domain::Continuous);
    for value in 1..=2_001 {
        summary.observe(f64::from(value), i64::from(value % 1_000)).unwrap();
    }
    // The bin of 1 001 holds 994.8… to 1 004.8…, of which 999 was seen at 999.
    assert_eq!(summary.median().unwrap().newest, 999);
    assert_eq!(summary.max(), Some(Observed { value: 2_001.0, newest: 1 }));
}

#[test]
fn the_ends_of_all_floats_have_bins() {
    let mut summary = summary_of(Domain::Continuous, &draws(3, 3_000));
    for value in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -f64::MIN_POSITIVE, f64::from_bits(1)] {
        let count = if value == f64::MIN_POSITIVE { 60_000 } else { 30_000 };
        for _ in 0..count {
            summary.observe(value, 0).unwrap();
        }
    }
    for (rank, want) in [(0.9, f64::MAX), (0.1, f64::MIN), (0.5, f64::MIN_POSITIVE)] {
        let got = summary.quantile(rank).unwrap().unwrap();
        assert!(is_near(got, want, ERROR * want.abs()), "{got} for {want}");
    }
    assert_eq!(summary.variance(), None);
    assert_eq!(Summary::decode(&encoded(&summary)), Ok(summary));
}
