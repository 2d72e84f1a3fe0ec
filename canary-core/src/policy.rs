//! Policies: how a canary is judged, and what follows when there is nothing to judge by.

use crate::value::{ValueError, check_range};

/// Which rule judges the canary against its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThresholdRule {
    /// The floor: a test that stays valid however often one looks, see [`judge::floor`](crate::judge::floor).
    #[default]
    Threshold,
    /// The plain success percentage once `min_signals` are in, see [`judge::ratio`](crate::judge::ratio).
    Ratio,
}

/// What happens at the end of the period to a canary without enough signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInsufficient {
    /// It stays a canary until there is enough to judge by.
    #[default]
    Hold,
    /// It becomes stable, unproven.
    Promote,
    /// It is taken back.
    Rollback,
}

/// What happens to a running canary when a new release of its product is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnSupersede {
    /// It is promoted if it is judged healthy and a stable release exists, else superseded.
    #[default]
    PromoteIfHealthy,
    /// It is superseded, whatever it showed.
    Abort,
    /// The new release is refused.
    Reject,
}

/// Gives an enum of settings its words: `as_str`, `parse`.
macro_rules! words {
    ($name:ident, $what:literal, $accepted:literal, $($variant:ident = $word:literal),+) => {
        impl $name {
            /// The word of the contract.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word of the contract.
            ///
            /// # Errors
            ///
            /// [`ValueError::Unknown`] with the accepted words.
            pub fn parse(word: &str) -> Result<Self, ValueError> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(ValueError::Unknown {
                        what: $what,
                        value: word.chars().take(64).collect(),
                        accepted: $accepted,
                    }),
                }
            }
        }
    };
}

words!(ThresholdRule, "rule", "threshold, ratio", Threshold = "threshold", Ratio = "ratio");
words!(
    OnInsufficient,
    "on_insufficient",
    "hold, promote, rollback",
    Hold = "hold",
    Promote = "promote",
    Rollback = "rollback"
);
words!(
    OnSupersede,
    "on_supersede",
    "promote_if_healthy, abort, reject",
    PromoteIfHealthy = "promote_if_healthy",
    Abort = "abort",
    Reject = "reject"
);

/// How many judged signals of the canary make a verdict at the end of its period, 0 to 1 000 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinSignals(u32);

impl MinSignals {
    /// Most signals that can be asked for.
    pub const MAXIMUM: u32 = 1_000_000;

    /// Checks a number of signals.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is not from 0 to 1 000 000.
    pub fn parse(count: i64) -> Result<Self, ValueError> {
        let checked =
            check_range("min_signals", count as f64, 0.0, f64::from(Self::MAXIMUM), " signals")?;
        // The range check has made this exact.
        Ok(Self(checked as u32))
    }

    /// The number of signals.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for MinSignals {
    fn default() -> Self {
        Self(1)
    }
}

/// How a canary is judged; the defaults suit a team that sets nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The rule for the threshold.
    pub rule: ThresholdRule,
    /// Judged signals of the canary that make a verdict at the end of its period.
    pub min_signals: MinSignals,
    /// What follows when there are fewer.
    pub on_insufficient: OnInsufficient,
    /// What a newer release does to this one while it runs.
    pub on_supersede: OnSupersede,
}
