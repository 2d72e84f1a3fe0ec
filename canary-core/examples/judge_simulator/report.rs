//! Figures as they stand in the tables.

use super::cells::Out;

/// Wilson's interval at 99 % for a rate, <https://doi.org/10.1080/01621459.1927.10502953>.
pub(crate) fn range(count: u64, of: u64) -> (f64, f64) {
    const Z: f64 = 2.575_829_303_548_9;
    let (rate, runs) = (count as f64 / of as f64, of as f64);
    let scale = 1.0 + Z * Z / runs;
    let middle = (rate + Z * Z / (2.0 * runs)) / scale;
    let half = Z * (rate * (1.0 - rate) / runs + Z * Z / (4.0 * runs * runs)).sqrt() / scale;
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// ".029 (.026 to .032)".
pub(crate) fn rate(count: u64, of: u64) -> String {
    let (low, high) = range(count, of);
    format!("{:.4} ({low:.4} to {high:.4})", count as f64 / of as f64)
}

/// "1.000 / 7": the rate of rollbacks and the median of the failures that were suffered.
pub(crate) fn median(outs: &[Out]) -> String {
    let rolled_back = outs.iter().filter(|out| out.is_rolled_back).count();
    let mut failures: Vec<u32> = outs.iter().map(|out| out.canary_failures).collect();
    failures.sort_unstable();
    let share = rolled_back as f64 / outs.len() as f64;
    format!("{share:.3} / {}", failures[failures.len() / 2])
}
