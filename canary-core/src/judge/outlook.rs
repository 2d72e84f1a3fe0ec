//! Outlook: what is still missing for a verdict?
//!
//! Played through on copies, run by run, with the steps that a live canary takes. It says how far a
//! verdict is at best; it does not guess what will come.

use std::fmt;

use crate::release::Release;
use crate::rollout::{Arm, Consequence, Rollout};
use crate::signal::Status;
use crate::time::Timestamp;

/// Most runs of the canary that are played through.
pub const LOOK_AHEAD: u64 = 2_000;

/// How far a verdict is at best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Judged runs of the canary that are missing for `min_signals`.
    pub signals_missing: u64,
    /// Runs of the canary that would have to fail, one after another, for it to be rolled back;
    /// nothing if [`LOOK_AHEAD`] would not do.
    pub failures_to_rollback: Option<u64>,
    /// Runs of the canary that would have to succeed, one after another, for it to be promoted:
    /// early, if its policy does so, or while it is held; nothing if [`LOOK_AHEAD`] would not do.
    pub successes_to_promotion: Option<u64>,
}

impl Outlook {
    /// Looks ahead from `now`; the stable version is taken to succeed meanwhile, in the share that is
    /// left for it.
    #[must_use]
    pub fn of(rollout: &Rollout, release: &Release, now: Timestamp) -> Self {
        let judged = rollout.judged(release).judged();
        let needed = u64::from(release.policy.min_signals.get());
        Self {
            signals_missing: needed.saturating_sub(judged),
            failures_to_rollback: play(rollout, release, now, Status::Failed),
            successes_to_promotion: play(rollout, release, now, Status::Success),
        }
    }
}

/// What is missing, as a sentence that names the next thing to wait for.
impl fmt::Display for Outlook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures_to_rollback {
            Some(0) => formatter.write_str("the next run of the stable version rolls it back")?,
            Some(1) => formatter.write_str("if its next run fails it is rolled back")?,
            Some(runs) => write!(formatter, "if its next {runs} runs fail it is rolled back")?,
            None => write!(formatter, "even {LOOK_AHEAD} failed runs would not roll it back")?,
        }
        match self.successes_to_promotion {
            Some(0) => formatter.write_str(", the next run of the stable version promotes it")?,
            Some(1) => formatter.write_str(", if its next run succeeds it is promoted")?,
            Some(runs) => write!(formatter, ", if its next {runs} runs succeed it is promoted")?,
            None => {}
        }
        match self.signals_missing {
            0 => Ok(()),
            1 => {
                formatter.write_str("; a verdict at the end of its period needs 1 more judged run")
            }
            runs => write!(
                formatter,
                "; a verdict at the end of its period needs {runs} more judged runs"
            ),
        }
    }
}

/// Runs of the canary that all end so, until it ends as they deserve: rolled back for failures,
/// promoted for successes.
fn play(rollout: &Rollout, release: &Release, now: Timestamp, status: Status) -> Option<u64> {
    let is_failed = status == Status::Failed;
    if !is_failed && !release.policy.early_promotion && !rollout.is_held() {
        return None;
    }
    let ends = |consequence: Consequence| match consequence.is_rollback() {
        is_rollback if is_rollback || consequence.is_promotion() => Some(is_rollback == is_failed),
        _ => None,
    };
    let mut rollout = rollout.clone();
    let share = rollout.share_at(now).as_f64();
    // Runs of the stable version that fall to one of the canary; none where everybody gets it.
    let is_compared = rollout.stable().is_some() && share > 0.0;
    let others = if is_compared { (1.0 - share) / share } else { 0.0 };
    let mut due = 0.0;
    for runs in 1..=LOOK_AHEAD {
        due += others;
        while due >= 1.0 {
            due -= 1.0;
            let seen = rollout.observe(Arm::Stable, &Status::Success.into(), release, now);
            if let Some(is_deserved) = seen.and_then(ends) {
                return is_deserved.then_some(runs - 1);
            }
        }
        let seen = rollout.observe(Arm::Canary, &status.into(), release, now);
        if let Some(is_deserved) = seen.and_then(ends) {
            return is_deserved.then_some(runs);
        }
    }
    None
}

#[cfg(test)]
mod tests;
