//! Quota selection: the canary's part of the runs stays at the band's share, by feedback.
//!
//! 1. No run of the canary yet: the canary.
//! 2. No run of the stable version yet: the stable version.
//! 3. The canary, while its part of the band's runs is at most the share.
//!
//! A run is a signal, or an *outstanding answer*: one that was handed out less than 60 s ago and
//! has not been reported.
//! Without those, a thousand instances that ask at once would all see the same counts and all get
//! the canary.

use std::collections::{BTreeMap, VecDeque};

use siphasher::sip::SipHasher24;

use super::awaited::Awaited;
use super::{Choice, Reason};
use crate::rollout::{Arm, Rollout};
use crate::time::Timestamp;

/// How long an answer counts as a run without being reported, in seconds.
pub const OUTSTANDING_S: usize = 60;

/// How many runs are remembered per rollout; the oldest is forgotten first.
pub const REMEMBERED_RUNS: usize = 10_000;

/// A run that wants the same answer when it asks again; made from its `run_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunKey(u64);

impl RunKey {
    /// The key of a run's name.
    #[must_use]
    pub fn of(run_id: &str) -> Self {
        Self(SipHasher24::new().hash(run_id.as_bytes()))
    }
}

/// Answers of one arm that were handed out in one second.
#[derive(Debug, Clone, Copy, Default)]
struct Handed {
    canary: u32,
    stable: u32,
}

impl Handed {
    fn get(self, arm: Arm) -> u32 {
        match arm {
            Arm::Canary => self.canary,
            Arm::Stable => self.stable,
        }
    }

    fn of(&mut self, arm: Arm) -> &mut u32 {
        match arm {
            Arm::Canary => &mut self.canary,
            Arm::Stable => &mut self.stable,
        }
    }
}

/// Answers that were handed out and not reported yet, and the runs they went to.
///
/// Constant size but for the remembered runs; every operation takes constant time on average.
#[derive(Debug, Clone)]
pub struct Outstanding {
    /// One slot per second, the slot of second `s` at `s % 60`.
    slots: [Handed; OUTSTANDING_S],
    /// The newest second that has a slot.
    second: i64,
    canary: u64,
    stable: u64,
    runs: BTreeMap<RunKey, Choice>,
    order: VecDeque<RunKey>,
    /// Reports that are awaited for longer than that.
    pub awaited: Awaited,
}

impl Default for Outstanding {
    fn default() -> Self {
        Self {
            slots: [Handed::default(); OUTSTANDING_S],
            second: i64::MIN,
            canary: 0,
            stable: 0,
            runs: BTreeMap::new(),
            order: VecDeque::new(),
            awaited: Awaited::default(),
        }
    }
}

impl Outstanding {
    /// How many answers of an arm are outstanding at `now`.
    pub fn count(&mut self, arm: Arm, now: Timestamp) -> u64 {
        self.expire(now);
        match arm {
            Arm::Canary => self.canary,
            Arm::Stable => self.stable,
        }
    }

    /// Takes note of an answer that was handed out.
    fn hand_out(&mut self, arm: Arm, now: Timestamp) {
        self.expire(now);
        let slot = self.second.rem_euclid(OUTSTANDING_S as i64) as usize;
        if let Some(handed) = self.slots.get_mut(slot) {
            let count = handed.of(arm);
            // Four thousand million answers in a second do not happen; if they did, the rest
            // would not count as outstanding.
            if *count < u32::MAX {
                *count += 1;
                *self.total(arm) += 1;
            }
        }
    }

    /// Takes note of a report: the oldest answer of that arm is no longer outstanding.
    pub fn report(&mut self, arm: Arm) {
        if *self.total(arm) == 0 {
            return;
        }
        let newest = self.second.rem_euclid(OUTSTANDING_S as i64) as usize;
        for age in 1..=OUTSTANDING_S {
            let slot = (newest + age) % OUTSTANDING_S;
            if let Some(handed) = self.slots.get_mut(slot).filter(|handed| handed.get(arm) > 0) {
                *handed.of(arm) -= 1;
                *self.total(arm) -= 1;
                return;
            }
        }
    }

    fn total(&mut self, arm: Arm) -> &mut u64 {
        match arm {
            Arm::Canary => &mut self.canary,
            Arm::Stable => &mut self.stable,
        }
    }

    /// Forgets what was handed out 60 s ago or earlier. A clock that goes back changes nothing.
    fn expire(&mut self, now: Timestamp) {
        let second = now.as_micros().div_euclid(1_000_000);
        if second <= self.second {
            return;
        }
        let passed = second.saturating_sub(self.second.max(second - OUTSTANDING_S as i64));
        for back in 0..passed {
            let slot = (second - back).rem_euclid(OUTSTANDING_S as i64) as usize;
            if let Some(handed) = self.slots.get_mut(slot) {
                let Handed { canary, stable } = std::mem::take(handed);
                self.canary -= u64::from(canary);
                self.stable -= u64::from(stable);
            }
        }
        self.second = second;
    }

    fn remember(&mut self, run: RunKey, choice: Choice) {
        if self.runs.insert(run, choice).is_none() {
            self.order.push_back(run);
        }
        if self.order.len() > REMEMBERED_RUNS
            && let Some(oldest) = self.order.pop_front()
        {
            self.runs.remove(&oldest);
        }
    }
}

/// Takes note that a run was given the canary because there is no stable version.
pub fn note_only_canary(outstanding: &mut Outstanding, run: Option<RunKey>, now: Timestamp) {
    if run.is_some_and(|run| outstanding.runs.contains_key(&run)) {
        return;
    }
    outstanding.awaited.hand_out(Arm::Canary, now);
    if let Some(run) = run {
        outstanding.remember(run, Choice::canary(Reason::OnlyCanary));
    }
}

/// Chooses for a run, and takes note of the answer.
///
/// Once the period is over and nothing is decided yet, the canary gets no more runs: what they
/// would show comes too late.
pub fn choose(
    rollout: &Rollout,
    outstanding: &mut Outstanding,
    run: Option<RunKey>,
    now: Timestamp,
) -> Choice {
    if let Some(&choice) = run.and_then(|run| outstanding.runs.get(&run)) {
        return choice;
    }
    let choice = weigh(rollout, outstanding, now);
    outstanding.hand_out(choice.arm, now);
    outstanding.awaited.hand_out(choice.arm, now);
    if let Some(run) = run {
        outstanding.remember(run, choice);
    }
    choice
}

fn weigh(rollout: &Rollout, outstanding: &mut Outstanding, now: Timestamp) -> Choice {
    let schedule = rollout.schedule();
    let band = schedule.band_at(now);
    if band == 0 || (schedule.is_over(now) && !rollout.is_held()) {
        return Choice::stable(Reason::StableShare);
    }
    let canary_out = outstanding.count(Arm::Canary, now);
    let stable_out = outstanding.count(Arm::Stable, now);
    if !rollout.was_seen(Arm::Canary) && canary_out == 0 {
        return Choice::canary(Reason::FirstCanaryRun);
    }
    if !rollout.was_seen(Arm::Stable) && stable_out == 0 {
        return Choice::stable(Reason::FirstStableRun);
    }
    let counts = rollout.counts_in(band);
    let canary = counts.canary.total() + canary_out;
    let stable = counts.stable.total() + stable_out;
    if schedule.share(band).covers(canary, canary + stable) {
        Choice::canary(Reason::CanaryShare)
    } else {
        Choice::stable(Reason::StableShare)
    }
}
