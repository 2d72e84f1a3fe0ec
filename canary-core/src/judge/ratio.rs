//! The ratio: is the success percentage below the threshold?
//!
//! The plain comparison that many deployment tools make, once `min_signals` are in.
//! It promises nothing about false alarms: looked at after every run it ends a large part of good
//! canaries, most of them early, and the more often one looks the more. So it takes no part of alpha:
//! the rules that keep what they promise share all of it.
//! Use [`floor`](super::floor) unless you need exactly this.

use crate::release::Threshold;

/// What the ratio made of the counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Runs that succeeded.
    pub succeeded: u64,
    /// Runs that succeeded or failed.
    pub runs: u64,
    /// Runs that must be in before the rule speaks.
    pub min_signals: u64,
    /// Lowest acceptable success rate.
    pub threshold: Threshold,
}

impl Reading {
    /// Success rate in percent; `None` without a run.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        (self.runs > 0).then(|| self.succeeded as f64 * 100.0 / self.runs as f64)
    }

    /// Whether enough runs are in and too few of them succeeded.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.runs > 0
            && self.runs >= self.min_signals
            && !self.threshold.is_met_by(self.succeeded, self.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_waits_for_enough_signals_and_is_fine_at_the_threshold() {
        let cases = [
            ("no run says nothing", 0, 0, 0, false),
            ("too few", 0, 9, 10, false),
            ("just below", 79, 100, 10, true),
            ("exactly at it", 80, 100, 10, false),
            ("above", 99, 100, 10, false),
            ("one failed run where one is enough", 0, 1, 1, true),
        ];
        for (name, succeeded, runs, min_signals, want) in cases {
            let reading = Reading { succeeded, runs, min_signals, threshold: Threshold::DEFAULT };
            assert_eq!(reading.is_crossed(), want, "{name}");
        }
    }
}
