//! What people want to see beside a verdict: rates, means, ranks and quantiles of both versions.
//!
//! All of it holds for one look that was planned; none of it is ever a gate.

use std::collections::BTreeMap;

use canary_core::judge::compare::means::{Sample, Welch};
use canary_core::judge::compare::ranks::MannWhitney;
use canary_core::rollout::{Arm, BandCounts, Counts};
use canary_core::stats::{Domain, Summary};
use poem_openapi::Object;

use crate::store::StoredRun;

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;

/// The failure rates of both versions.
#[derive(Debug, Object)]
#[oai(rename = "FailureRates")]
pub(super) struct FailureRatesBody {
    /// The canary's, 0 to 1.
    canary: f64,
    /// The stable version's, 0 to 1.
    stable: f64,
    /// The canary's less the stable version's.
    difference: f64,
    /// Lower end of Welch's 95 % interval of the difference, for one look, cut at -1; null where it
    /// cannot be told.
    low: Option<f64>,
    /// Upper end of the same interval, cut at 1.
    high: Option<f64>,
}

impl FailureRatesBody {
    /// Nothing while one of the versions has no judged run.
    pub(super) fn of(counts: &BandCounts) -> Option<Self> {
        let (canary, stable) = (sample(&counts.canary)?, sample(&counts.stable)?);
        let welch = Welch::of(&canary, &stable);
        let interval = welch.and_then(|welch| welch.interval(CONFIDENCE));
        Some(Self {
            canary: canary.mean,
            stable: stable.mean,
            difference: canary.mean - stable.mean,
            // With few runs it reaches beyond what two rates can differ by.
            low: interval.map(|(low, _)| low.max(-1.0)),
            high: interval.map(|(_, high)| high.min(1.0)),
        })
    }
}

/// Runs as ones and zeros.
fn sample(counts: &Counts) -> Option<Sample> {
    let count = counts.judged();
    if count == 0 {
        return None;
    }
    let mean = counts.failed as f64 / count as f64;
    let variance =
        if count > 1 { mean * (1.0 - mean) * count as f64 / (count - 1) as f64 } else { 0.0 };
    Some(Sample { count, mean, variance })
}

/// The values of one version; all but their number are null where there are none.
#[derive(Debug, Object)]
#[oai(rename = "Quantiles")]
struct QuantilesBody {
    /// How many there are.
    count: u64,
    /// Their mean.
    mean: Option<f64>,
    /// The smallest.
    minimum: Option<f64>,
    /// A quarter of them lies below, by Tukey's hinges.
    quartile_1: Option<f64>,
    /// A half of them lies below.
    median: Option<f64>,
    /// Three quarters of them lie below, by Tukey's hinges.
    quartile_3: Option<f64>,
    /// Nine tenths of them lie below.
    p90: Option<f64>,
    /// All but a hundredth of them lie below.
    p99: Option<f64>,
    /// The greatest.
    maximum: Option<f64>,
}

impl From<&Summary> for QuantilesBody {
    fn from(summary: &Summary) -> Self {
        let quantile = |rank| summary.quantile(rank).ok().flatten();
        let hinges = summary.hinges();
        Self {
            count: summary.count(),
            mean: summary.mean(),
            minimum: summary.min().map(|least| least.value),
            quartile_1: hinges.map(|hinges| hinges.lower),
            median: summary.median().map(|median| median.value),
            quartile_3: hinges.map(|hinges| hinges.upper),
            p90: quantile(0.9),
            p99: quantile(0.99),
            maximum: summary.max().map(|greatest| greatest.value),
        }
    }
}

/// The difference of two means, with Welch's interval and test.
#[derive(Debug, Object)]
#[oai(rename = "Welch")]
struct WelchBody {
    /// The canary's mean less the stable version's, in the unit of the values.
    difference: f64,
    /// Lower end of the 95 % interval, for one look.
    low: Option<f64>,
    /// Upper end of the same interval.
    high: Option<f64>,
    /// Degrees of freedom.
    degrees_of_freedom: f64,
    /// Chance of a difference that large in either direction if the means are equal, for one look.
    p_value: f64,
}

impl From<Welch> for WelchBody {
    fn from(welch: Welch) -> Self {
        let interval = welch.interval(CONFIDENCE);
        Self {
            difference: welch.difference,
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            degrees_of_freedom: welch.df,
            p_value: welch.p_two_sided,
        }
    }
}

/// Whose values tend to be higher, by their ranks.
#[derive(Debug, Object)]
#[oai(rename = "MannWhitney")]
struct MannWhitneyBody {
    /// Mann and Whitney's U of the canary: in how many pairs of values of both versions its own is
    /// the higher; equal ones count half.
    u: f64,
    /// Chance of an order that uneven if nobody's tend to be higher, for one look.
    p_value: f64,
    /// Probability that a value of the canary is higher than one of the stable version; equal ones
    /// count half.
    probability_canary_higher: f64,
}

impl From<MannWhitney> for MannWhitneyBody {
    fn from(ranks: MannWhitney) -> Self {
        Self {
            u: ranks.u,
            p_value: ranks.exact.unwrap_or(ranks.corrected).two_sided,
            probability_canary_higher: ranks.probability_higher(),
        }
    }
}

/// One measurement of both versions.
#[derive(Debug, Object)]
#[oai(rename = "MeasurementComparison")]
pub(super) struct MeasurementComparisonBody {
    /// Its name, or the type of the readings.
    name: String,
    /// `signals` or `readings`.
    source: String,
    /// The canary's values.
    canary: QuantilesBody,
    /// The stable version's values meanwhile.
    stable: QuantilesBody,
    /// The difference of the means; null with fewer than two values of a version, or if no value
    /// differs from another.
    welch: Option<WelchBody>,
    /// The order of the values; null if a version has none, and for readings, of which no single
    /// values are looked at.
    mann_whitney: Option<MannWhitneyBody>,
}

/// The values of both versions.
#[derive(Default)]
struct Values {
    canary: Vec<f64>,
    stable: Vec<f64>,
}

/// The measurements of many runs, by name.
#[derive(Default)]
pub(super) struct Measured(BTreeMap<Box<str>, Values>);

impl Measured {
    /// Takes in what a run has measured.
    pub(super) fn take(&mut self, arm: Arm, run: &StoredRun) {
        for (name, value) in run.measurements.iter() {
            let values = match self.0.get_mut(name) {
                Some(values) => values,
                None => self.0.entry(name.into()).or_default(),
            };
            match arm {
                Arm::Canary => values.canary.push(value),
                Arm::Stable => values.stable.push(value),
            }
        }
    }

    /// Compares each measurement.
    pub(super) fn compare(self) -> Vec<MeasurementComparisonBody> {
        let compare = |(name, Values { canary, stable }): (Box<str>, Values)| {
            let ranks = MannWhitney::of(&canary, &stable);
            of_summaries(name.into(), "signals", &summary(&canary), &summary(&stable), ranks)
        };
        self.0.into_iter().map(compare).collect()
    }
}

fn summary(values: &[f64]) -> Summary {
    let mut summary = Summary::new(Domain::Continuous);
    for value in values {
        // What was stored was finite.
        let _ = summary.observe(*value, 0);
    }
    summary
}

/// Compares readings of one type.
pub(super) fn of_readings(
    name: &str,
    canary: &Summary,
    stable: &Summary,
) -> MeasurementComparisonBody {
    of_summaries(name.to_owned(), "readings", canary, stable, None)
}

fn of_summaries(
    name: String,
    source: &str,
    canary: &Summary,
    stable: &Summary,
    ranks: Option<MannWhitney>,
) -> MeasurementComparisonBody {
    let welch = Sample::of(canary).zip(Sample::of(stable));
    MeasurementComparisonBody {
        name,
        source: source.to_owned(),
        canary: canary.into(),
        stable: stable.into(),
        welch: welch.and_then(|(canary, stable)| Welch::of(&canary, &stable)).map(Into::into),
        mann_whitney: ranks.map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(canary: [u64; 2], stable: [u64; 2]) -> FailureRatesBody {
        let counts = |[success, failed]: [u64; 2]| Counts { success, failed, neutral: 0 };
        let counts = BandCounts { canary: counts(canary), stable: counts(stable) };
        FailureRatesBody::of(&counts).unwrap()
    }

    #[test]
    fn the_interval_of_a_difference_of_rates_ends_where_no_rates_differ_more() {
        let few = rates([1, 1], [2, 1]);
        assert_eq!((few.low, few.high), (Some(-1.0), Some(1.0)));
        let worse = rates([1, 3], [4, 1]);
        assert_eq!(worse.high, Some(1.0));
        assert!(worse.low.unwrap() > -1.0);
        let better = rates([4, 1], [1, 3]);
        assert_eq!((better.low, better.high), (Some(-1.0), worse.low.map(|low| -low)));
        let many = rates([900, 100], [980, 20]);
        assert!(many.low.unwrap() > 0.05 && many.high.unwrap() < 0.11, "{many:?}");
    }
}
