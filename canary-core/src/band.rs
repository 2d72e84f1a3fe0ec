//! The schedule of bands: which band is it, what share has it, when does the next begin.
//!
//! Band *i* of *n* begins at `release_date + (i − 1) · canary_period / n` and gives the canary the
//! share `i / n`.
//! A pause stops the schedule: what lies ahead moves by as long as the pause lasted, so that
//! resuming never skips a band.

use crate::policy::HoldBack;
use crate::release::{BandCount, CanaryPeriod};
use crate::time::Timestamp;

/// The canary's part of the runs, as an exact fraction from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    part: u16,
    of: u16,
}

impl Share {
    /// Nothing: the canary has not begun, or is not handed out.
    pub const NONE: Self = Self { part: 0, of: 1 };

    /// The share as a number from 0 to 1.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.part) / f64::from(self.of)
    }

    /// Whether `part` of `whole` is at most this share; nothing of nothing is.
    #[must_use]
    pub fn covers(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(self.of) <= u128::from(self.part) * u128::from(whole)
    }

    /// Whether a place, as a fraction of 2^64, lies below this share.
    #[must_use]
    pub fn contains_place(self, place: u64) -> bool {
        u128::from(place) * u128::from(self.of) < u128::from(self.part) << 64
    }
}

/// When each band begins and the last one ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    starts: Vec<Timestamp>,
    ends_at: Timestamp,
    paused_at: Option<Timestamp>,
    holdback: HoldBack,
}

impl Schedule {
    /// Plans the bands of a canary.
    #[must_use]
    pub fn new(release_date: Timestamp, period: CanaryPeriod, count: BandCount) -> Self {
        let micros = period.duration().as_micros() as i128;
        let count = i128::from(count.get());
        let at = |band: i128| {
            // A period is at most ten years: this fits.
            let offset = i64::try_from(micros * band / count).unwrap_or(i64::MAX);
            Timestamp::from_micros(release_date.as_micros().saturating_add(offset))
        };
        Self {
            starts: (0..count).map(at).collect(),
            ends_at: at(count),
            paused_at: None,
            holdback: HoldBack::default(),
        }
    }

    /// The same schedule, in which a share of the runs stays with the stable version.
    #[must_use]
    pub fn holding_back(self, holdback: HoldBack) -> Self {
        Self { holdback, ..self }
    }

    /// Puts together what [`Self::starts`], [`Self::ends_at`] and [`Self::paused_at`] gave.
    ///
    /// `None` unless there is at least one band and time runs forward.
    pub(crate) fn from_parts(
        starts: Vec<Timestamp>,
        ends_at: Timestamp,
        paused_at: Option<Timestamp>,
    ) -> Option<Self> {
        let is_ordered = starts.is_sorted() && starts.last().is_some_and(|last| *last <= ends_at);
        let is_short = starts.len() <= usize::from(BandCount::MAXIMUM);
        let holdback = HoldBack::default();
        (is_ordered && is_short).then_some(Self { starts, ends_at, paused_at, holdback })
    }

    /// When each band begins, the first one first.
    #[must_use]
    pub fn starts(&self) -> &[Timestamp] {
        &self.starts
    }

    /// When the last band ends.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// Since when the schedule stands still, if it does.
    #[must_use]
    pub const fn paused_at(&self) -> Option<Timestamp> {
        self.paused_at
    }

    /// How many bands there are.
    #[must_use]
    pub fn count(&self) -> u16 {
        // At most `BandCount::MAXIMUM`.
        self.starts.len() as u16
    }

    /// The share of a band, counted from 1; band 0, before the first, has none.
    ///
    /// What is held back for the stable version is never part of it.
    #[must_use]
    pub fn share(&self, band: u16) -> Share {
        let share = Share { part: band.min(self.count()), of: self.count() };
        let most = Share { part: self.holdback.rest(), of: HoldBack::PARTS };
        if most.covers(u64::from(share.part), u64::from(share.of)) { share } else { most }
    }

    /// The band at `now`, counted from 1; 0 before the first, the last one after the end.
    #[must_use]
    pub fn band_at(&self, now: Timestamp) -> u16 {
        let now = self.paused_at.unwrap_or(now);
        self.starts.partition_point(|start| *start <= now) as u16
    }

    /// Whether the last band has ended at `now`.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.paused_at.unwrap_or(now) >= self.ends_at
    }

    /// When the next band begins after `now`; `None` in the last band and while paused.
    #[must_use]
    pub fn next_band_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.paused_at.is_some() {
            return None;
        }
        self.starts.get(usize::from(self.band_at(now))).copied()
    }

    /// When time alone changes something next after `now`: a band begins, or the last one ends.
    #[must_use]
    pub fn next_change_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.next_band_at(now)
            .or_else(|| (self.paused_at.is_none() && now < self.ends_at).then_some(self.ends_at))
    }

    /// Stops the schedule; stopping it again changes nothing.
    pub fn pause(&mut self, now: Timestamp) {
        self.paused_at.get_or_insert(now);
    }

    /// Moves all that lay ahead by as long as the pause lasted, and goes on.
    pub fn resume(&mut self, now: Timestamp) {
        let Some(paused_at) = self.paused_at.take() else { return };
        let pause = now.since(paused_at);
        let ahead = self.starts.iter_mut().chain([&mut self.ends_at]);
        for moment in ahead.filter(|moment| **moment > paused_at) {
            *moment = moment.after(pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn five_bands_over_two_days() -> Schedule {
        Schedule::new(Timestamp::from_seconds(0), CanaryPeriod::DEFAULT, BandCount::DEFAULT)
    }

    #[test]
    fn bands_follow_the_clock() {
        let schedule = five_bands_over_two_days();
        let cases = [
            (-1, 0, 0.0, Some(0)),
            (0, 1, 0.2, Some(2 * DAY / 5)),
            (2 * DAY / 5 - 1, 1, 0.2, Some(2 * DAY / 5)),
            (2 * DAY / 5, 2, 0.4, Some(4 * DAY / 5)),
            (8 * DAY / 5, 5, 1.0, None),
            (2 * DAY, 5, 1.0, None),
            (99 * DAY, 5, 1.0, None),
        ];
        for (second, band, share, next) in cases {
            let now = Timestamp::from_seconds(second);
            assert_eq!(schedule.band_at(now), band, "band at {second} s");
            assert_eq!(schedule.share(band).as_f64(), share, "share at {second} s");
            assert_eq!(
                schedule.next_band_at(now),
                next.map(Timestamp::from_seconds),
                "next band at {second} s"
            );
        }
        assert!(!schedule.is_over(Timestamp::from_seconds(2 * DAY - 1)));
        assert!(schedule.is_over(Timestamp::from_seconds(2 * DAY)));
    }

    #[test]
    fn time_alone_changes_something_at_each_band_and_at_the_end() {
        let schedule = five_bands_over_two_days();
        let last = Timestamp::from_seconds(8 * DAY / 5);
        assert_eq!(schedule.next_change_at(last), Some(Timestamp::from_seconds(2 * DAY)));
        assert_eq!(schedule.next_change_at(schedule.ends_at()), None);
    }

    #[test]
    fn a_pause_moves_what_lies_ahead_and_nothing_else() {
        let mut schedule = five_bands_over_two_days();
        let paused = Timestamp::from_seconds(DAY / 2);
        schedule.pause(paused);
        schedule.pause(Timestamp::from_seconds(DAY));
        let much_later = Timestamp::from_seconds(9 * DAY);
        assert_eq!(schedule.band_at(much_later), 2, "a paused schedule stands still");
        assert!(!schedule.is_over(much_later));
        assert_eq!(schedule.next_change_at(much_later), None);

        schedule.resume(Timestamp::from_seconds(DAY / 2 + 3 * DAY));
        let days: Vec<f64> =
            schedule.starts().iter().map(|start| start.as_micros() as f64 / 86.4e9).collect();
        assert_eq!(days, [0.0, 0.4, 3.8, 4.2, 4.6]);
        assert_eq!(schedule.ends_at(), Timestamp::from_seconds(5 * DAY));
    }

    #[test]
    fn shares_are_exact() {
        let schedule = five_bands_over_two_days();
        assert!(schedule.share(1).covers(1, 5));
        assert!(!schedule.share(1).covers(2, 9));
        assert!(schedule.share(5).covers(7, 7));
        assert!(schedule.share(5).contains_place(u64::MAX));
        assert!(!schedule.share(0).contains_place(0));
        assert!(!Share::NONE.contains_place(0));
    }
}
