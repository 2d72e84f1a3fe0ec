//! The rollout: a canary as a hypothesis under test.
//!
//! A pure value of counts per band and arm, a schedule, and what the judge has seen.
//! [`Rollout::observe`] and [`Rollout::tick`] say what follows; they do nothing themselves, and the
//! [lineup](crate::lineup) turns what follows into decisions.

pub mod codec;

use crate::band::{Schedule, Share};
use crate::judge::{Test, floor, ratio};
use crate::policy::{OnInsufficient, ThresholdRule};
use crate::release::Release;
use crate::signal::Status;
use crate::time::Timestamp;

/// Which of the two versions ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arm {
    /// The version under test.
    Canary,
    /// The version that everybody else gets.
    Stable,
}

/// Runs by their outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs that did what they should.
    pub success: u64,
    /// Runs that did not.
    pub failed: u64,
    /// Runs that say nothing about the version.
    pub neutral: u64,
}

impl Counts {
    /// Counts one run.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Success => self.success += 1,
            Status::Failed => self.failed += 1,
            Status::Neutral => self.neutral += 1,
        }
    }

    /// Runs that are judged: success and failed.
    #[must_use]
    pub const fn judged(&self) -> u64 {
        self.success + self.failed
    }

    /// All runs.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.judged() + self.neutral
    }

    /// These runs and the others.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            success: self.success + other.success,
            failed: self.failed + other.failed,
            neutral: self.neutral + other.neutral,
        }
    }
}

/// Runs of both arms in one band.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BandCounts {
    /// Runs of the canary.
    pub canary: Counts,
    /// Runs of the stable version meanwhile.
    pub stable: Counts,
}

/// What was known when something was decided: enough to compute the verdict again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// The band, counted from 1; 0 before the first.
    pub band: u16,
    /// The canary's share in that band.
    pub share: Share,
    /// Runs of the canary in all bands.
    pub canary: Counts,
    /// Runs of the stable version in all bands.
    pub stable: Counts,
    /// What the rule of the policy made of them.
    pub test: Test,
}

/// What follows from a run or from time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Consequence {
    /// The canary's share has grown.
    Advance {
        /// The band before, 0 before the first.
        from: u16,
    },
    /// The rule speaks against the canary: take it back.
    RollbackByRule,
    /// The period is over and all is well.
    Promote,
    /// The period is over, and there are fewer judged runs than `min_signals`: as the policy says.
    Insufficient(OnInsufficient),
    /// The period is over; the runs are below the threshold, too few of them to call it proven.
    HoldBelowThreshold,
}

/// A running canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    schedule: Schedule,
    bands: Vec<BandCounts>,
    /// The last band that a decision told of; 0 before the first.
    announced_band: u16,
    /// Whether the end of the period was reached and the canary is held.
    is_held: bool,
    /// Whether each version has ever been reported, in this rollout or before.
    canary_was_seen: bool,
    stable_was_seen: bool,
    /// Highest evidence of the floor so far, `ln E`.
    max_log_e: f64,
}

impl Rollout {
    /// Begins the rollout of a canary; `stable_was_seen` says whether the stable version has ever
    /// been reported.
    #[must_use]
    pub fn new(release: &Release, stable_was_seen: bool) -> Self {
        let schedule =
            Schedule::new(release.release_date, release.canary_period, release.band_count);
        Self {
            bands: vec![BandCounts::default(); usize::from(schedule.count())],
            schedule,
            announced_band: 0,
            is_held: false,
            canary_was_seen: false,
            stable_was_seen,
            max_log_e: 0.0,
        }
    }

    /// When each band begins and the last one ends.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Runs of both arms, band by band.
    #[must_use]
    pub fn bands(&self) -> &[BandCounts] {
        &self.bands
    }

    /// Whether the period is over and the canary waits for evidence.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.is_held
    }

    /// Whether a version has ever been reported.
    #[must_use]
    pub const fn was_seen(&self, arm: Arm) -> bool {
        match arm {
            Arm::Canary => self.canary_was_seen,
            Arm::Stable => self.stable_was_seen,
        }
    }

    /// The canary's share at `now`: nothing before the first band and while paused.
    #[must_use]
    pub fn share_at(&self, now: Timestamp) -> Share {
        if self.schedule.paused_at().is_some() {
            return Share::NONE;
        }
        self.schedule.share(self.schedule.band_at(now))
    }

    /// Runs of both arms in a band; none in band 0.
    #[must_use]
    pub fn counts_in(&self, band: u16) -> BandCounts {
        let index = usize::from(band).checked_sub(1);
        index.and_then(|index| self.bands.get(index)).copied().unwrap_or_default()
    }

    /// Runs of both arms in all bands.
    #[must_use]
    pub fn counts(&self) -> BandCounts {
        self.bands.iter().fold(BandCounts::default(), |sum, band| BandCounts {
            canary: sum.canary.plus(&band.canary),
            stable: sum.stable.plus(&band.stable),
        })
    }

    /// What is known at `now`.
    #[must_use]
    pub fn evidence(&self, release: &Release, now: Timestamp) -> Evidence {
        let band = self.schedule.band_at(now);
        let BandCounts { canary, stable } = self.counts();
        let test = self.test(release, canary);
        Evidence { band, share: self.schedule.share(band), canary, stable, test }
    }

    /// Whether nothing speaks against the canary, and enough runs speak for it.
    #[must_use]
    pub fn is_healthy(&self, release: &Release) -> bool {
        let canary = self.counts().canary;
        canary.judged() >= u64::from(release.policy.min_signals.get())
            && canary.judged() > 0
            && release.threshold.is_met_by(canary.success, canary.judged())
            && !self.test(release, canary).is_crossed()
    }

    /// Stops the schedule.
    pub fn pause(&mut self, now: Timestamp) {
        self.schedule.pause(now);
    }

    /// Goes on with the schedule where it stopped.
    pub fn resume(&mut self, now: Timestamp) {
        self.schedule.resume(now);
    }

    /// Counts one run, and says what follows from it.
    ///
    /// A run before the first band counts in the first.
    pub fn observe(
        &mut self,
        arm: Arm,
        status: Status,
        release: &Release,
        now: Timestamp,
    ) -> Option<Consequence> {
        let index = usize::from(self.schedule.band_at(now).max(1)) - 1;
        let band = self.bands.get_mut(index)?;
        match arm {
            Arm::Canary => {
                band.canary.add(status);
                self.canary_was_seen = true;
            }
            Arm::Stable => {
                band.stable.add(status);
                self.stable_was_seen = true;
            }
        }
        if arm == Arm::Stable || status == Status::Neutral {
            return None;
        }
        let canary = self.counts().canary;
        let test = self.test(release, canary);
        if let Test::Threshold(reading) = test {
            self.max_log_e = reading.max_log_e;
        }
        if test.is_crossed() {
            return Some(Consequence::RollbackByRule);
        }
        self.at_the_end(release, now)
    }

    /// Says what follows from time alone; called again it says nothing new.
    pub fn tick(&mut self, release: &Release, now: Timestamp) -> Option<Consequence> {
        if self.schedule.is_over(now) {
            return self.at_the_end(release, now);
        }
        let band = self.schedule.band_at(now);
        let from = self.announced_band;
        if band <= from {
            return None;
        }
        self.announced_band = band;
        // That a canary begins with its first band is no news: it was registered so.
        (band > 1).then_some(Consequence::Advance { from })
    }

    /// What the end of the period asks for; a hold is said once.
    fn at_the_end(&mut self, release: &Release, now: Timestamp) -> Option<Consequence> {
        if !self.schedule.is_over(now) {
            return None;
        }
        let canary = self.counts().canary;
        let consequence = if canary.judged() < u64::from(release.policy.min_signals.get()) {
            Consequence::Insufficient(release.policy.on_insufficient)
        } else if release.threshold.is_met_by(canary.success, canary.judged()) {
            Consequence::Promote
        } else {
            Consequence::HoldBelowThreshold
        };
        let holds = matches!(
            consequence,
            Consequence::HoldBelowThreshold | Consequence::Insufficient(OnInsufficient::Hold)
        );
        if holds && std::mem::replace(&mut self.is_held, true) {
            return None;
        }
        Some(consequence)
    }

    fn test(&self, release: &Release, canary: Counts) -> Test {
        let Release { threshold, policy, .. } = release;
        match policy.rule {
            ThresholdRule::Threshold => Test::Threshold(floor::Reading::of(
                *threshold,
                canary.success,
                canary.failed,
                self.max_log_e,
            )),
            ThresholdRule::Ratio => Test::Ratio(ratio::Reading {
                succeeded: canary.success,
                runs: canary.judged(),
                min_signals: u64::from(policy.min_signals.get()),
                threshold: *threshold,
            }),
        }
    }
}
