//! What the rules have found: all that is needed to compute a verdict again.

use std::f64::consts::LN_2;

use crate::judge::Test;
use crate::judge::blocks::open::Block;
use crate::judge::measurement::watched::Watched;
use crate::judge::measurement::{Arms, Direction};
use crate::judge::promotion::Halves;
use crate::judge::sequential::{Alpha, Reading};

/// What the rules of a policy made of the runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// The threshold; nothing if it gets nothing of alpha.
    pub threshold: Option<Test>,
    /// The comparison with the stable version; nothing if it gets nothing of alpha.
    pub baseline: Option<Baseline>,
    /// Measurements of runs, then readings, by name.
    pub measurements: Vec<Found>,
    /// What speaks for the canary, where the policy asks for a proof.
    pub proof: Option<Proof>,
}

/// The comparison with the stable version, see [`blocks`](crate::judge::blocks).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// The highest ratio of the odds of failing that is fine.
    pub rho0: f64,
    /// The sum of each odds ratio of [`ODDS`](crate::judge::blocks::ODDS), over all closed blocks.
    pub logs: [f64; 5],
    /// The block that is being filled.
    pub open: Block,
    /// What was found.
    pub reading: Reading,
}

/// Where a measurement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// From the signals of runs.
    Signals,
    /// From the readings of devices.
    Readings,
}

impl Source {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signals => "signals",
            Self::Readings => "readings",
        }
    }
}

/// One measurement, see [`measurement`](crate::judge::measurement).
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where it comes from.
    pub source: Source,
    /// Its name, or the type of the readings.
    pub name: String,
    /// Which values are bad.
    pub direction: Direction,
    /// What was compared; nothing while thresholds are learned from the stable version.
    pub compared: Option<Compared>,
    /// Values of the stable version that thresholds were learned from so far.
    pub learned_from: u64,
}

/// A measurement whose thresholds are fixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Values that half, a tenth and a hundredth of the stable version's were beyond.
    pub limits: [f64; 3],
    /// What was measured by the runs that count.
    pub measured: Arms,
    /// The sums of each odds ratio of [`ODDS`](crate::judge::measurement::ODDS): of the three
    /// limits, then of what is missing.
    pub logs: [[f64; 5]; 4],
    /// What was found.
    pub reading: Reading,
}

impl Compared {
    /// The index of the limit that tells most, or 3 for what is missing.
    #[must_use]
    pub fn telling(&self) -> usize {
        let highest = |logs: &[f64; 5]| logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let logs = self.logs.iter().map(highest).enumerate();
        logs.max_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0, |(index, _)| index)
    }
}

impl Found {
    pub(super) fn of(source: Source, name: &str, watched: &Watched, alpha: Alpha) -> Self {
        let (compared, learned_from) = match watched {
            Watched::Learning { values, .. } => (None, values.len() as u64),
            Watched::Compared(measurement) => {
                let compared = Compared {
                    limits: measurement.thresholds().limits(),
                    measured: measurement.measured(),
                    logs: measurement.logs(),
                    reading: measurement.reading(alpha),
                };
                (Some(compared), super::super::measurement::watched::LEARNED_FROM as u64)
            }
        };
        let (name, direction) = (name.to_owned(), watched.direction());
        Self { source, name, direction, compared, learned_from }
    }
}

/// What speaks for the canary, see [`promotion`](crate::judge::promotion).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proof {
    /// The ratio of the odds of failing that must not be promoted.
    pub rho: f64,
    /// The failure rate that is called acceptable.
    pub q: Option<f64>,
    /// The sum of each odds ratio of [`ODDS`](crate::judge::promotion::ODDS), over all closed blocks.
    pub logs: [f64; 4],
    /// The evidence of each half now.
    pub halves: Halves,
    /// What was found.
    pub reading: Reading,
}

/// Which half of a proof is enough by itself, with no more than its half of the weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The comparison with the stable version.
    Relative,
    /// The failure rate beside what is acceptable.
    Service,
    /// Each of them.
    Each,
    /// Neither: they do it together, or one did it before and would not now.
    Together,
}

impl Proof {
    /// Which half is enough by itself, and the p-value of what it proves.
    ///
    /// The p-value of both together holds for "one of them"; that of one half counts the half of the
    /// weight that went to the other, so that who picks the half that tells more is wrong in no more
    /// than `beta` of all cases.
    #[must_use]
    pub fn carried(&self) -> (Carrier, f64) {
        let Halves { relative, service } = self.halves;
        let Some(service) = service else { return (Carrier::Relative, self.reading.p_value()) };
        let limit = self.reading.alpha.limit();
        let [relative, service] = [relative, service].map(|half| half - LN_2);
        let p_value = |log_e: f64| (-log_e).exp().min(1.0);
        match (relative >= limit, service >= limit) {
            (true, true) => (Carrier::Each, p_value(relative.min(service))),
            (true, false) => (Carrier::Relative, p_value(relative)),
            (false, true) => (Carrier::Service, p_value(service)),
            (false, false) => (Carrier::Together, self.reading.p_value()),
        }
    }
}

/// The rule that speaks against a canary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Against<'a> {
    /// Its runs fail more often than the threshold allows.
    Threshold(&'a Test),
    /// Its runs fail more often than those of the stable version.
    Baseline(&'a Baseline),
    /// What it measures is worse than what the stable version measures.
    Measurement(&'a Found, &'a Compared),
}

impl Findings {
    /// The first rule that speaks against the canary, if one does.
    #[must_use]
    pub fn against(&self) -> Option<Against<'_>> {
        if let Some(test) = self.threshold.as_ref().filter(|test| test.is_crossed()) {
            return Some(Against::Threshold(test));
        }
        if let Some(baseline) = self.baseline.as_ref().filter(|found| found.reading.is_crossed()) {
            return Some(Against::Baseline(baseline));
        }
        self.measurements.iter().find_map(|found| {
            let compared = found.compared.as_ref().filter(|of| of.reading.is_crossed())?;
            Some(Against::Measurement(found, compared))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proof with so much evidence of each half, crossed at 20.
    fn proof(relative: f64, service: Option<f64>) -> Proof {
        let halves = Halves { relative: relative.ln(), service: service.map(f64::ln) };
        let reading = Reading::of(halves.log_e(), 25_f64.ln(), Alpha::PROMOTION);
        let q = service.map(|_| 0.1);
        Proof { rho: 2.0, q, logs: [0.0; 4], halves, reading }
    }

    #[test]
    fn a_half_carries_a_proof_if_it_is_enough_with_half_of_the_weight() {
        let cases = [
            (proof(30.0, None), Carrier::Relative, 1.0 / 30.0),
            (proof(50.0, Some(1.0)), Carrier::Relative, 1.0 / 25.0),
            (proof(39.9, Some(10.0)), Carrier::Together, 1.0 / 25.0),
            (proof(0.0, Some(80.0)), Carrier::Service, 1.0 / 40.0),
            (proof(50.0, Some(80.0)), Carrier::Each, 1.0 / 25.0),
            (proof(30.0, Some(30.0)), Carrier::Together, 1.0 / 30.0),
            // It was crossed before, with 25.
            (proof(1.0, Some(1.0)), Carrier::Together, 1.0 / 25.0),
        ];
        for (proof, carrier, p_value) in cases {
            let (found, found_p) = proof.carried();
            assert_eq!(found, carrier, "{proof:?}");
            assert!((found_p - p_value).abs() < 1e-12, "{found_p} for {proof:?}");
            assert!(found_p <= Alpha::PROMOTION.get(), "{proof:?}");
        }
    }
}
