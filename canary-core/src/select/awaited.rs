//! Awaited reports: answers that were handed out, until somebody reports the run or time is over.
//!
//! A canary that crashes before it can report would look perfect. So it is counted how many answers
//! are not reported in time; whether they count as failed runs is up to the policy.
//!
//! Who asks without a name is one run: its report is the next one of that version by somebody who
//! is not awaited by name. Who asks with a name asks again and again: awaited is one report since its
//! last one. It is awaited by name only where the policy says within which time.
//!
//! Bounded: answers without a name are kept by the second or coarser, at most [`MOST_BUCKETS`] of
//! them per version, and [`MOST_NAMES`] names; an instance beyond those is not awaited.

use std::collections::{BTreeMap, VecDeque};

use crate::rollout::{Arm, Unreported};
use crate::time::Timestamp;

/// Most stretches of time that are told apart.
pub const MOST_BUCKETS: u64 = 1_000;

/// Most instances that are awaited by name.
pub const MOST_NAMES: usize = 100_000;

/// Within how many seconds a report is awaited where the policy does not say.
pub const WITHIN_S: f64 = 60.0;

/// Answers of one version, oldest first.
type Buckets = VecDeque<Bucket>;

/// Answers that were handed out in one stretch of time.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// When the first of them was handed out, in µs, and when the last.
    first: i64,
    last: i64,
    count: u64,
}

/// Reports that are awaited.
#[derive(Debug, Clone, Default)]
pub struct Awaited {
    canary: Buckets,
    stable: Buckets,
    /// Since when each instance is awaited, and what it was given.
    names: BTreeMap<u64, (i64, Arm)>,
    /// Names in the order of their time; some were reported since.
    order: VecDeque<(i64, u64)>,
    within_us: i64,
}

impl Awaited {
    /// Sets within how many seconds reports are awaited.
    pub fn set_within(&mut self, seconds: f64) {
        self.within_us = (seconds * 1e6) as i64;
    }

    /// An answer was handed out to somebody without a name.
    pub fn hand_out(&mut self, arm: Arm, now: Timestamp) {
        let width = (self.within_us / MOST_BUCKETS as i64).max(1_000_000);
        let at = now.as_micros();
        let buckets = self.buckets(arm);
        match buckets.back_mut() {
            Some(bucket) if at.saturating_sub(bucket.first) < width => {
                bucket.last = bucket.last.max(at);
                bucket.count += 1;
            }
            _ => buckets.push_back(Bucket { first: at, last: at, count: 1 }),
        }
    }

    /// An answer was handed out to an instance.
    pub fn hand_out_to(&mut self, instance: u64, arm: Arm, now: Timestamp) {
        if self.names.len() >= MOST_NAMES || self.names.contains_key(&instance) {
            return;
        }
        let at = now.as_micros();
        self.names.insert(instance, (at, arm));
        self.order.push_back((at, instance));
    }

    /// A run was reported by an instance.
    pub fn report(&mut self, arm: Arm, instance: u64) {
        if self.names.remove(&instance).is_some() {
            return;
        }
        let buckets = self.buckets(arm);
        if let Some(bucket) = buckets.front_mut() {
            bucket.count -= 1;
            if bucket.count == 0 {
                buckets.pop_front();
            }
        }
    }

    /// Since when the instance is awaited by name that is awaited for longest.
    #[must_use]
    pub fn oldest_name(&self) -> Option<Timestamp> {
        self.names.values().map(|(since, _)| Timestamp::from_micros(*since)).min()
    }

    /// An instance has reported elsewhere at a time: it is not awaited any more if it was before.
    ///
    /// To be told of the same report again changes nothing, and so does a report by somebody who is
    /// not awaited by name.
    pub fn heard_from(&mut self, instance: u64, at: Timestamp) {
        if self.names.get(&instance).is_some_and(|(since, _)| *since < at.as_micros()) {
            self.names.remove(&instance);
        }
    }

    /// Takes the answers out that were not reported in time.
    pub fn take_overdue(&mut self, now: Timestamp) -> Unreported {
        let until = now.as_micros().saturating_sub(self.within_us);
        let mut overdue = Unreported {
            canary: take_until(&mut self.canary, until),
            stable: take_until(&mut self.stable, until),
        };
        while let Some((at, instance)) = self.order.front().copied() {
            let is_current = self.names.get(&instance).is_some_and(|(since, _)| *since == at);
            if is_current && at > until {
                break;
            }
            self.order.pop_front();
            if let Some((_, arm)) = is_current.then(|| self.names.remove(&instance)).flatten() {
                match arm {
                    Arm::Canary => overdue.canary += 1,
                    Arm::Stable => overdue.stable += 1,
                }
            }
        }
        overdue
    }

    /// Puts back what was taken out and could not be told.
    pub fn put_back(&mut self, overdue: Unreported) {
        for (arm, count) in [(Arm::Canary, overdue.canary), (Arm::Stable, overdue.stable)] {
            if count > 0 {
                let bucket = Bucket { first: i64::MIN, last: i64::MIN, count };
                self.buckets(arm).push_front(bucket);
            }
        }
    }

    fn buckets(&mut self, arm: Arm) -> &mut Buckets {
        match arm {
            Arm::Canary => &mut self.canary,
            Arm::Stable => &mut self.stable,
        }
    }
}

fn take_until(buckets: &mut Buckets, until: i64) -> u64 {
    let mut taken = 0;
    while let Some(bucket) = buckets.front()
        && bucket.last <= until
    {
        taken += bucket.count;
        buckets.pop_front();
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awaited(within_s: f64) -> Awaited {
        let mut awaited = Awaited::default();
        awaited.set_within(within_s);
        awaited
    }

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    const fn unreported(canary: u64, stable: u64) -> Unreported {
        Unreported { canary, stable }
    }

    #[test]
    fn who_does_not_report_in_time_is_counted_once() {
        let mut awaited = awaited(60.0);
        awaited.hand_out(Arm::Canary, at(0));
        awaited.hand_out(Arm::Canary, at(10));
        awaited.hand_out(Arm::Stable, at(10));
        awaited.report(Arm::Canary, 1);
        assert_eq!(awaited.take_overdue(at(69)), unreported(0, 0));
        assert_eq!(awaited.take_overdue(at(70)), unreported(1, 1));
        assert_eq!(awaited.take_overdue(at(1_000)), unreported(0, 0));
        awaited.report(Arm::Canary, 1);
        assert_eq!(awaited.take_overdue(at(1_000)), unreported(0, 0), "a report that comes late");
    }

    #[test]
    fn nobody_is_overdue_before_the_time_is_over() {
        let mut awaited = awaited(1.0);
        let at = |tenth: i64| Timestamp::from_micros(tenth * 100_000);
        for tenth in 0..10 {
            awaited.hand_out(Arm::Canary, at(tenth));
        }
        assert_eq!(awaited.take_overdue(at(18)), unreported(0, 0), "the last has a tenth left");
        assert_eq!(awaited.take_overdue(at(19)), unreported(10, 0));
    }

    #[test]
    fn an_instance_is_awaited_once_however_often_it_asks() {
        let mut awaited = awaited(60.0);
        for second in 0..30 {
            awaited.hand_out_to(7, Arm::Canary, at(second));
        }
        awaited.hand_out_to(8, Arm::Stable, at(20));
        awaited.hand_out(Arm::Canary, at(20));
        awaited.report(Arm::Canary, 7);
        awaited.hand_out_to(7, Arm::Canary, at(50));
        assert_eq!(awaited.take_overdue(at(80)), unreported(1, 1), "one without a name, and 8");
        assert_eq!(awaited.take_overdue(at(109)), unreported(0, 0));
        assert_eq!(awaited.take_overdue(at(110)), unreported(1, 0), "7, since it asked again");
        assert!(awaited.names.is_empty() && awaited.order.is_empty());
    }

    #[test]
    fn who_has_reported_elsewhere_is_not_awaited() {
        let mut awaited = awaited(60.0);
        assert_eq!(awaited.oldest_name(), None);
        awaited.hand_out(Arm::Canary, at(0));
        for instance in 7..10 {
            awaited.hand_out_to(instance, Arm::Canary, at(10));
        }
        assert_eq!(awaited.oldest_name(), Some(at(10)));
        awaited.heard_from(7, at(11));
        awaited.heard_from(7, at(11));
        // Who reports, and asks again at once, is awaited anew.
        awaited.heard_from(8, at(10));
        awaited.heard_from(99, at(20));
        assert_eq!(awaited.take_overdue(at(70)), unreported(3, 0), "one without a name, 8 and 9");
        assert_eq!(awaited.oldest_name(), None);
    }

    #[test]
    fn what_could_not_be_told_is_told_again() {
        let mut awaited = awaited(60.0);
        awaited.put_back(unreported(2, 0));
        assert_eq!(awaited.take_overdue(at(0)), unreported(2, 0));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut awaited = awaited(30.0 * 86_400.0);
        for second in 0..(2 * 30 * 86_400) {
            awaited.hand_out(Arm::Canary, at(second));
            if second % 1_000 == 0 {
                awaited.take_overdue(at(second));
            }
        }
        assert!(awaited.canary.len() as u64 <= MOST_BUCKETS + 1);
        for name in 0..2 * MOST_NAMES as u64 {
            awaited.hand_out_to(name, Arm::Canary, at(0));
        }
        assert_eq!(awaited.names.len(), MOST_NAMES);
    }
}
