//! Judges: is the canary worse than it may be?
//!
//! A judge reads counts and says how strongly they speak against the canary.
//! It never acts; what follows is the [rollout's](crate::rollout) business.
//!
//! | module | question |
//! | --- | --- |
//! | [`floor`], [`ratio`] | does it fail more often than its threshold allows? |
//! | [`blocks`] | does it fail more often than the baseline? |
//! | [`measurement`] | is what it measures worse than what the baseline measures? |
//! | [`promotion`] | is it good enough to be promoted early? |
//! | [`coin`] | the same as `blocks`, where only failures are known |
//! | [`compare`], [`interval`] | what people want to see beside a verdict |
//!
//! All rules that watch one canary are put together in [`rules`].
//!
//! What the tests share that stay valid however often one looks is in [`sequential`], the law that
//! compares two arms in [`hypergeometric`].
//!
//! Adding a rule: a module here, a variant of [`Test`], and the compiler lists the rest.

pub mod blocks;
pub mod codec;
pub mod coin;
pub mod compare;
pub mod floor;
pub mod hypergeometric;
pub mod interval;
pub mod measurement;
pub mod outlook;
pub mod promotion;
pub mod ratio;
pub mod rules;
pub mod sequential;

/// What a rule made of the counts, with all that is needed to compute it again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    /// The floor, see [`floor`].
    Threshold(floor::Reading),
    /// The plain success percentage, see [`ratio`].
    Ratio(ratio::Reading),
}

impl Test {
    /// Whether the rule speaks against the canary.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        match self {
            Self::Threshold(reading) => reading.is_crossed(),
            Self::Ratio(reading) => reading.is_crossed(),
        }
    }
}
