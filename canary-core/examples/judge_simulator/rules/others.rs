//! What other tools do, as their documentation describes it.

use canary_core::judge::compare::ranks::MannWhitney;
use statrs::function::gamma::ln_gamma;

use super::super::path::Signal;
use super::{Rule, Tally};

/// Signals after which tools that look in intervals look.
const INTERVAL: u32 = 100;

/// Rolls back while the *failure* percentage of the canary is above 80.
#[derive(Default)]
pub(super) struct CanaryPy(Tally);

impl Rule for CanaryPy {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        self.0.add(signal);
        let (runs, failed) = self.0.canary();
        signal.is_canary && failed > 0.8 * runs
    }
}

#[derive(Default)]
pub(super) struct SuccessRate(Tally);

impl Rule for SuccessRate {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        self.0.add(signal);
        let (runs, failed) = self.0.canary();
        runs >= 100.0 && failed > 0.01 * runs
    }
}

/// One-sided, with a pooled variance.
#[derive(Default)]
pub(super) struct ZTest(Tally);

impl Rule for ZTest {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        self.0.add(signal);
        let ((n, f), (m, g)) = (self.0.canary(), self.0.baseline());
        let pooled = (f + g) / (n + m);
        let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
        deviation > 0.0 && f / n - g / m > 1.644_854 * deviation
    }
}

/// A success rate of the canary in each interval, and how many intervals may fail: Argo Rollouts'
/// `failureLimit` of an analysis, Flagger's `threshold` less one.
pub(super) struct Interval {
    lowest: f64,
    limit: u32,
    signals: u32,
    tally: Tally,
    failed: u32,
}

impl Interval {
    pub(super) fn boxed(lowest: f64, limit: u32) -> Box<dyn Rule> {
        Box::new(Self { lowest, limit, signals: 0, tally: Tally::default(), failed: 0 })
    }
}

impl Rule for Interval {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        self.tally.add(signal);
        self.signals += 1;
        if !self.signals.is_multiple_of(INTERVAL) {
            return false;
        }
        let (runs, failed) = std::mem::take(&mut self.tally).canary();
        self.failed += u32::from(runs - failed < self.lowest * runs);
        self.failed > self.limit
    }
}

/// Failure rates of both arms in each interval, compared by ranks at the end of each band, at the
/// confidence of 0.98 that Kayenta uses, one side of it. As its documentation asks, the baseline is
/// as large as the canary: the first runs of each arm in the interval, as many as both have.
#[derive(Default)]
pub(super) struct Kayenta {
    signals: u32,
    interval: [Vec<bool>; 2],
    canary: Vec<f64>,
    baseline: Vec<f64>,
}

impl Rule for Kayenta {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        let mut is_worse = false;
        if signal.is_new_band {
            is_worse = MannWhitney::of(&self.canary, &self.baseline)
                .is_some_and(|test| test.corrected.greater < 0.01);
            (self.canary, self.baseline) = (Vec::new(), Vec::new());
        }
        self.interval[usize::from(signal.is_canary)].push(signal.is_failed);
        self.signals += 1;
        if self.signals.is_multiple_of(INTERVAL) {
            let [baseline, canary] = std::mem::take(&mut self.interval);
            let runs = baseline.len().min(canary.len());
            let rate = |list: &[bool]| {
                list.iter().take(runs).filter(|is_failed| **is_failed).count() as f64 / runs as f64
            };
            if runs > 0 {
                self.canary.push(rate(&canary));
                self.baseline.push(rate(&baseline));
            }
        }
        is_worse
    }
}

/// The asymptotic confidence sequence of Waudby-Smith et al. with GrowthBook's tuning for 5 000
/// signals, for the difference of the failure rates; two-sided, 0.05.
#[derive(Default)]
pub(super) struct GrowthBook(Tally);

impl Rule for GrowthBook {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        const ALPHA: f64 = 0.05;
        const TUNED_FOR: f64 = 5_000.0;
        self.0.add(signal);
        let ((n, f), (m, g)) = (self.0.canary(), self.0.baseline());
        let difference = f / n - g / m;
        if difference.is_nan() || difference <= 0.0 {
            return false;
        }
        let variance = |runs: f64, failed: f64| failed / runs * (1.0 - failed / runs) / runs;
        let error = variance(n, f) + variance(m, g);
        let doubled = -2.0 * ALPHA.ln();
        let rho = (doubled + doubled.ln_1p()) / TUNED_FOR;
        let all = n + m;
        let width = all * rho + 1.0;
        let half = (error * 2.0 * width / (all * rho) * (width.sqrt() / ALPHA).ln()).sqrt();
        // Normal theory needs some failures of each arm before it says anything.
        f + g >= 10.0 && difference > half
    }
}

/// Of the failures alone, which follow the shares if both versions fail as often: a Dirichlet
/// mixture with the weight of 100 failures, begun anew in each band, and rolled back at 20.
pub(super) struct Multinomial {
    band: Tally,
    log_before: f64,
    /// Signals of this band so far, by which its share is known.
    share: f64,
    bands: f64,
}

impl Default for Multinomial {
    fn default() -> Self {
        Self { band: Tally::default(), log_before: 0.0, share: 0.2, bands: 1.0 }
    }
}

impl Multinomial {
    fn log_e(&self) -> f64 {
        const WEIGHT: f64 = 100.0;
        let ((_, f), (_, g)) = (self.band.canary(), self.band.baseline());
        let (a, b) = (WEIGHT * self.share, WEIGHT * (1.0 - self.share));
        if b <= 1e-9 {
            return self.log_before;
        }
        let beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        self.log_before + beta(a + f, b + g)
            - beta(a, b)
            - f * self.share.ln()
            - g * (1.0 - self.share).ln()
    }
}

impl Rule for Multinomial {
    fn rolls_back(&mut self, signal: Signal) -> bool {
        if signal.is_new_band {
            self.log_before = self.log_e();
            self.band = Tally::default();
            self.bands += 1.0;
            self.share = self.bands / 5.0;
        }
        self.band.add(signal);
        let ((_, f), (_, g)) = (self.band.canary(), self.band.baseline());
        signal.is_failed && f > self.share * (f + g) && self.log_e() >= 20_f64.ln()
    }
}
