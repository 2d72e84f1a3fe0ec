//! The rollout: a canary as a hypothesis under test.
//!
//! A pure value of counts per band and arm, a schedule, and what the judge has seen.
//! [`Rollout::observe`] and [`Rollout::tick`] say what follows; they do nothing themselves, and the
//! [lineup](crate::lineup) turns what follows into decisions.

pub mod codec;
mod counts;
mod evidence;

use self::counts::Bands;
pub use self::counts::{BandCounts, Counts};
use self::evidence::judged;
pub use self::evidence::{Evidence, Unreported};
use crate::band::{Schedule, Share};
use crate::judge::rules::{Before, Rules, Run};
use crate::policy::{AtEnd, OnInsufficient};
use crate::reading::TypeName;
use crate::release::{Release, ReleaseId};
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

/// What follows from a run or from time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Consequence {
    /// The canary's share has grown.
    Advance {
        /// The band before, 0 before the first.
        from: u16,
    },
    /// A rule speaks against the canary: take it back.
    RollbackByRule,
    /// The canary is proven good before its period is over.
    PromoteEarly,
    /// The period is over and all is well.
    Promote,
    /// The period is over and nothing speaks against the canary, but it is not proven good.
    Unproven(AtEnd),
    /// The period is over, and there are fewer judged runs than `min_signals`: as the policy says.
    Insufficient(OnInsufficient),
    /// The period is over; the runs are below the threshold, too few of them to call it proven.
    BelowThreshold(AtEnd),
}

impl Consequence {
    /// Whether the canary stays a canary past its period.
    const fn is_hold(self) -> bool {
        matches!(
            self,
            Self::Insufficient(OnInsufficient::Hold)
                | Self::BelowThreshold(AtEnd::Promote | AtEnd::Hold)
                | Self::Unproven(AtEnd::Hold)
        )
    }

    /// Whether the canary is taken back.
    pub(crate) const fn is_rollback(self) -> bool {
        matches!(
            self,
            Self::RollbackByRule
                | Self::Insufficient(OnInsufficient::Rollback)
                | Self::BelowThreshold(AtEnd::Rollback)
                | Self::Unproven(AtEnd::Rollback)
        )
    }

    /// Whether the canary becomes stable.
    pub(crate) const fn is_promotion(self) -> bool {
        matches!(
            self,
            Self::PromoteEarly | Self::Promote | Self::Insufficient(OnInsufficient::Promote)
        )
    }
}

/// A reading of a type that is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedReading<'a> {
    /// The type.
    pub kind: &'a str,
    /// Who measured it: a number that is the same in every process and over restarts.
    pub device: u64,
    /// The value, in the unit of its type.
    pub value: f64,
}

/// A running canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    schedule: Schedule,
    bands: Bands,
    /// The last band that a decision told of; 0 before the first.
    announced_band: u16,
    /// Whether the end of the period was reached and the canary is held.
    is_held: bool,
    /// Whether each version has ever been reported, in this rollout or before.
    canary_was_seen: bool,
    stable_was_seen: bool,
    /// The version that it is compared with.
    stable: Option<ReleaseId>,
    unreported: Unreported,
    rules: Rules,
}

impl Rollout {
    /// Begins the rollout of a canary beside a stable version, if there is one; `stable_was_seen`
    /// says whether that has ever been reported, `before` what it has measured.
    #[must_use]
    pub fn new(
        release: &Release,
        stable: Option<ReleaseId>,
        stable_was_seen: bool,
        before: &Before,
    ) -> Self {
        let schedule =
            Schedule::new(release.release_date, release.canary_period, release.band_count)
                .holding_back(release.policy.holdback);
        Self {
            bands: Bands::of(vec![BandCounts::default(); usize::from(schedule.count())]),
            schedule,
            announced_band: 0,
            is_held: false,
            canary_was_seen: false,
            stable_was_seen,
            stable,
            unreported: Unreported::default(),
            rules: Rules::new(release, before),
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
        self.bands.each()
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
        index.and_then(|index| self.bands.each().get(index)).copied().unwrap_or_default()
    }

    /// Runs of both arms in all bands.
    #[must_use]
    pub const fn counts(&self) -> BandCounts {
        *self.bands.total()
    }

    /// What is known at `now`.
    #[must_use]
    pub fn evidence(&self, release: &Release, now: Timestamp) -> Evidence {
        let band = self.schedule.band_at(now);
        let BandCounts { canary, stable } = self.counts();
        Evidence {
            band,
            share: self.schedule.share(band),
            canary,
            stable,
            unreported: self.unreported,
            is_unreported_failed: release.policy.report_within.is_some(),
            findings: self.rules.findings(self.judged(release)),
        }
    }

    /// The version that it is compared with.
    #[must_use]
    pub const fn stable(&self) -> Option<ReleaseId> {
        self.stable
    }

    /// Answers that were handed out and not reported in time.
    #[must_use]
    pub const fn unreported(&self) -> Unreported {
        self.unreported
    }

    /// Types of readings that are judged.
    pub fn judged_readings(&self) -> impl Iterator<Item = &TypeName> {
        self.rules.judged_readings()
    }

    /// Whether a rule speaks against the canary.
    #[must_use]
    pub fn is_rejected(&self, release: &Release) -> bool {
        self.rules.is_crossed(self.judged(release))
    }

    /// The runs of the canary that are judged.
    pub(crate) fn judged(&self, release: &Release) -> Counts {
        let is_failed = release.policy.report_within.is_some();
        judged(self.counts().canary, self.unreported.canary, is_failed)
    }

    /// Whether nothing speaks against the canary, and enough runs speak for it.
    #[must_use]
    pub fn is_healthy(&self, release: &Release) -> bool {
        let canary = self.judged(release);
        canary.judged() >= u64::from(release.policy.min_signals.get())
            && canary.judged() > 0
            && release.threshold.is_met_by(canary.success, canary.judged())
            && !self.rules.is_crossed(canary)
    }

    /// Stops the schedule.
    pub fn pause(&mut self, release: &Release, now: Timestamp) {
        self.schedule.pause(now);
        self.rules.change_share(self.judged(release));
    }

    /// Goes on with the schedule where it stopped.
    pub fn resume(&mut self, release: &Release, now: Timestamp) {
        self.schedule.resume(now);
        self.rules.change_share(self.judged(release));
    }

    /// Counts one run, and says what follows from it.
    ///
    /// A run before the first band counts in the first.
    pub fn observe(
        &mut self,
        arm: Arm,
        run: &Run<'_>,
        release: &Release,
        now: Timestamp,
    ) -> Option<Consequence> {
        let index = usize::from(self.schedule.band_at(now).max(1)) - 1;
        self.bands.add(index, arm, run.status);
        match arm {
            Arm::Canary => self.canary_was_seen = true,
            Arm::Stable => self.stable_was_seen = true,
        }
        if run.status == Status::Neutral {
            return None;
        }
        let canary = self.judged(release);
        self.rules.observe(arm, run, canary);
        self.judge(release, canary, now)
    }

    /// Takes in a reading of a type that is judged, and says what follows from it.
    pub fn observe_reading(
        &mut self,
        arm: Arm,
        reading: &JudgedReading<'_>,
        release: &Release,
        now: Timestamp,
    ) -> Option<Consequence> {
        let JudgedReading { kind, device, value } = *reading;
        self.rules.observe_reading(arm, kind, device, value);
        self.judge(release, self.judged(release), now)
    }

    /// Takes in answers that were handed out and not reported in time, and says what follows.
    ///
    /// They count as failed runs if the policy has a `report_within`.
    pub fn observe_unreported(
        &mut self,
        arm: Arm,
        answers: u64,
        release: &Release,
        now: Timestamp,
    ) -> Option<Consequence> {
        for _ in 0..answers {
            match arm {
                Arm::Canary => self.unreported.canary += 1,
                Arm::Stable => self.unreported.stable += 1,
            }
            if release.policy.report_within.is_some() {
                self.rules.observe(arm, &Status::Failed.into(), self.judged(release));
            }
        }
        release.policy.report_within?;
        self.judge(release, self.judged(release), now)
    }

    /// What the rules and the end of the period ask for.
    fn judge(&mut self, release: &Release, canary: Counts, now: Timestamp) -> Option<Consequence> {
        if self.rules.is_crossed(canary) {
            return Some(Consequence::RollbackByRule);
        }
        if self.schedule.is_over(now) {
            return self.at_the_end(release, now);
        }
        let policy = &release.policy;
        let is_early = policy.early_promotion && self.schedule.paused_at().is_none();
        let is_enough = canary.judged() >= u64::from(policy.min_signals.get());
        (is_early && is_enough && self.rules.is_proven()).then_some(Consequence::PromoteEarly)
    }

    /// Says what follows from time alone; called again it says nothing new.
    pub fn tick(&mut self, release: &Release, now: Timestamp) -> Option<Consequence> {
        let band = self.schedule.band_at(now);
        let from = self.announced_band;
        if band > from {
            self.announced_band = band;
            self.rules.change_share(self.judged(release));
        }
        if self.schedule.is_over(now) {
            return self.at_the_end(release, now);
        }
        if band <= from {
            return None;
        }
        if self.is_rejected(release) {
            return Some(Consequence::RollbackByRule);
        }
        // That a canary begins with its first band is no news: it was registered so.
        (band > 1).then_some(Consequence::Advance { from })
    }

    /// What the end of the period asks for; a hold is said once.
    fn at_the_end(&mut self, release: &Release, now: Timestamp) -> Option<Consequence> {
        if !self.schedule.is_over(now) {
            return None;
        }
        let (canary, policy) = (self.judged(release), &release.policy);
        let consequence = if self.rules.is_crossed(canary) {
            Consequence::RollbackByRule
        } else if canary.judged() < u64::from(policy.min_signals.get()) {
            Consequence::Insufficient(policy.on_insufficient)
        } else if !release.threshold.is_met_by(canary.success, canary.judged()) {
            Consequence::BelowThreshold(policy.at_end)
        } else if policy.at_end == AtEnd::Promote || self.rules.is_proven() {
            Consequence::Promote
        } else {
            Consequence::Unproven(policy.at_end)
        };
        if consequence.is_hold() && std::mem::replace(&mut self.is_held, true) {
            return None;
        }
        Some(consequence)
    }
}

#[cfg(test)]
mod tests;
