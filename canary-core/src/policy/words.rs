//! The settings of a policy that are words.

use crate::value::ValueError;

/// Which rule judges the canary against its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThresholdRule {
    /// The floor: a test that stays valid however often one looks, see [`judge::floor`](crate::judge::floor).
    #[default]
    Threshold,
    /// The plain success percentage once `min_signals` are in, see [`judge::ratio`](crate::judge::ratio).
    /// It takes nothing of alpha.
    Ratio,
}

/// What happens at the end of the period to a canary that nothing speaks against and that is not
/// proven good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtEnd {
    /// It becomes stable.
    #[default]
    Promote,
    /// It stays a canary until it is proven good, or somebody decides.
    Hold,
    /// It is taken back.
    Rollback,
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
    ($name:path, $what:literal, $accepted:literal, $($variant:ident = $word:literal),+) => {
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
    AtEnd,
    "at_end",
    "promote, hold, rollback",
    Promote = "promote",
    Hold = "hold",
    Rollback = "rollback"
);
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
words!(
    crate::judge::measurement::Direction,
    "direction",
    "high_is_bad, low_is_bad",
    HighIsBad = "high_is_bad",
    LowIsBad = "low_is_bad"
);
