//! Evidence as an answer shows it, and the plain sums by which a test finds the verdict again.

use serde_json::Value;

/// Numbers of an answer.
///
/// # Panics
///
/// If it is no list of numbers.
#[must_use]
#[track_caller]
pub fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// `Σ weight · e^log` of what is shown of a rule.
///
/// # Panics
///
/// If these are not as many weights as logarithms.
#[must_use]
#[track_caller]
pub fn mixture(weights: &Value, logs: &Value) -> f64 {
    let (weights, logs) = (numbers(weights), numbers(logs));
    assert_eq!(weights.len(), logs.len());
    weights.iter().zip(logs).map(|(weight, log)| weight * log.exp()).sum()
}

/// Whether two numbers are equal but for rounding.
#[must_use]
pub fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

/// Checks a sequential test in all that it says about itself, given its evidence `E` now and what
/// it was promised; whether it speaks.
///
/// # Panics
///
/// If it contradicts itself.
#[track_caller]
pub fn check_test(test: &Value, evidence: f64, alpha: f64) -> bool {
    let number = |field: &str| test[field].as_f64().unwrap_or_else(|| panic!("{field} in {test}"));
    let (log_e, highest) = (number("log_e"), number("max_log_e"));
    assert!(is_near(log_e.exp(), evidence), "E is {evidence} in {test}");
    assert!(highest >= 0.0, "{test}");
    assert!(is_near(number("alpha"), alpha), "alpha is {alpha} in {test}");
    assert!(is_near(number("log_e_needed"), (1.0 / alpha).ln()), "{test}");
    assert!(is_near(number("p_value"), (1.0 / highest.exp()).min(1.0)), "{test}");
    let is_crossed = number("p_value") <= alpha;
    assert_eq!(test["is_crossed"], is_crossed, "{test}");
    is_crossed
}

/// Runs of both versions in one block.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block {
    /// Runs of the canary.
    pub canary: u64,
    /// Those of them that failed.
    pub canary_failed: u64,
    /// Runs of the stable version.
    pub stable: u64,
    /// Those of them that failed.
    pub stable_failed: u64,
}

impl Block {
    /// The block of these runs; each is whether it was the canary's, and whether it failed.
    #[must_use]
    pub fn of(runs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut block = Self::default();
        runs.into_iter().for_each(|run| block.take(run));
        block
    }

    fn take(&mut self, (is_canary, is_failed): (bool, bool)) {
        let (count, failed) = if is_canary {
            (&mut self.canary, &mut self.canary_failed)
        } else {
            (&mut self.stable, &mut self.stable_failed)
        };
        *count += 1;
        *failed += u64::from(is_failed);
    }

    /// What the block adds to the logarithm of an odds ratio, against an odds ratio of 1: by the
    /// definition, with nothing spared.
    #[must_use]
    pub fn log(&self, odds: f64) -> f64 {
        let Self { canary, canary_failed, stable, stable_failed } = *self;
        let failed = canary_failed + stable_failed;
        if failed == 0 || failed == canary + stable {
            return 0.0;
        }
        let sum = |odds: f64| -> f64 {
            let least = failed.saturating_sub(stable);
            (least..=failed.min(canary))
                .map(|k| choose(canary, k) * choose(stable, failed - k) * odds.powi(k as i32))
                .sum()
        };
        canary_failed as f64 * odds.ln() - sum(odds).ln() + sum(1.0).ln()
    }
}

fn choose(of: u64, taken: u64) -> f64 {
    (0..taken).fold(1.0, |ways, one| ways * (of - one) as f64 / (one + 1) as f64)
}

/// The blocks of runs that each count: ten at a time, both versions among them.
///
/// A run is whether it was the canary's, and whether it failed.
#[must_use]
pub fn blocks(runs: &[(bool, bool)]) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::new(), Block::default());
    for run in runs {
        open.take(*run);
        if open.canary > 0 && open.stable > 0 && open.canary + open.stable >= 10 {
            blocks.push(std::mem::take(&mut open));
        }
    }
    blocks
}
