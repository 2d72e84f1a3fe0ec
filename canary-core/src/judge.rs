//! Judges: is the canary worse than it may be?
//!
//! A judge reads counts and says how strongly they speak against the canary.
//! It never acts; what follows is the [rollout's](crate::rollout) business.
//!
//! Adding a rule: a module here, a variant of [`Test`], and the compiler lists the rest.

pub mod floor;
pub mod interval;
pub mod ratio;

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
