//! Comparisons for people, beside a verdict and never a gate.
//!
//! All of these hold for one look that was planned. Who looks after every signal and stops when one
//! of them is small will find something in most good canaries; verdicts come from
//! [`floor`](super::floor), [`blocks`](super::blocks) and [`measurement`](super::measurement).
//!
//! | question | answer |
//! | --- | --- |
//! | are the means different, and by how much? | [`means::Welch`] |
//! | do the canary's values tend to be higher? | [`ranks::MannWhitney`] |
//! | are the failure rates different? | [`proportions`] |
//! | quantiles and hinges of one arm | [`Summary`](crate::stats::Summary) |

pub mod means;
pub mod proportions;
pub mod ranks;

use statrs::function::erf::erfc;

/// The part of the standard normal curve above `z`, 0 to 1.
fn normal_above(z: f64) -> f64 {
    erfc(z / std::f64::consts::SQRT_2) / 2.0
}
