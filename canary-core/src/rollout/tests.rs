//! What a rollout has found, and what it makes of it.

use super::*;
use crate::judge::rules::findings::Findings;
use crate::policy::{Policy, Settings};
use crate::testing::release;

const SUCCESS: Status = Status::Success;
const FAILED: Status = Status::Failed;

fn canary(change: impl FnOnce(&mut Settings)) -> Release {
    let mut settings = Settings::default();
    change(&mut settings);
    Release { policy: Policy::default().with(&settings).unwrap(), ..release() }
}

/// A rollout beside a stable version, and a caller who does nothing of what follows.
struct Idle {
    release: Release,
    rollout: Rollout,
}

impl Idle {
    fn new(release: Release) -> Self {
        let stable = Some(ReleaseId::from_bytes([1; 16]));
        let rollout = Rollout::new(&release, stable, true, &Before::default());
        Self { release, rollout }
    }

    fn report(&mut self, arm: Arm, status: Status) -> Option<Consequence> {
        let Self { release, rollout } = self;
        rollout.observe(arm, &status.into(), release, release.release_date)
    }

    /// Runs of both versions by turns; what follows from the last that has a consequence.
    fn report_both(&mut self, times: u32, canary: Status, stable: Status) -> Option<Consequence> {
        let runs = (0..times).flat_map(|_| [(Arm::Stable, stable), (Arm::Canary, canary)]);
        runs.filter_map(|(arm, status)| self.report(arm, status)).last()
    }

    fn findings(&self) -> Findings {
        self.rollout.evidence(&self.release, self.release.release_date).findings
    }
}

#[test]
fn what_was_found_stays_found_though_the_runs_get_better() {
    let found_by_the_floor: fn(&mut Settings) = |_| {};
    let found_by_the_blocks: fn(&mut Settings) = |settings| settings.alpha_floor = Some(0.0);
    for change in [found_by_the_floor, found_by_the_blocks] {
        let mut idle = Idle::new(canary(change));
        assert_eq!(idle.report_both(10, FAILED, SUCCESS), Some(Consequence::RollbackByRule));
        let found = idle.findings();
        assert_eq!(idle.report_both(5_000, SUCCESS, FAILED), Some(Consequence::RollbackByRule));
        assert!(idle.rollout.is_rejected(&idle.release));
        assert!(!idle.rollout.is_healthy(&idle.release));
        let now = idle.findings();
        let (before, after) = (found.baseline.unwrap().reading, now.baseline.unwrap().reading);
        assert!(after.is_crossed() && after.log_e < before.log_e);
        assert_eq!(after.p_value(), before.p_value(), "a p-value never grows");
        assert!(now.against().is_some(), "there is a sentence for it");

        let Idle { release, rollout } = &idle;
        let read = Rollout::decode(&rollout.encode(), release).unwrap();
        assert!(read.is_rejected(release), "written and read again too");
    }
}

#[test]
fn what_is_proven_stays_proven_until_there_are_enough_runs() {
    let mut idle = Idle::new(canary(|settings| {
        settings.early_promotion = Some(true);
        settings.q = Some(0.2);
        settings.min_signals = Some(200);
    }));
    assert_eq!(idle.report_both(60, SUCCESS, SUCCESS), None, "proven, and not enough");
    assert!(idle.findings().proof.unwrap().reading.is_crossed());
    // Many failures, and still above the threshold.
    assert_eq!(idle.report_both(15, FAILED, FAILED), None);
    assert!(idle.findings().proof.unwrap().reading.log_e < 0.0);
    assert_eq!(idle.report_both(125, SUCCESS, SUCCESS), Some(Consequence::PromoteEarly));
}

#[test]
fn what_speaks_against_a_canary_comes_before_what_speaks_for_it() {
    let mut idle = Idle::new(canary(|settings| {
        settings.early_promotion = Some(true);
        settings.q = Some(0.9);
    }));
    assert_eq!(idle.report_both(10, FAILED, SUCCESS), Some(Consequence::RollbackByRule));
    idle.report_both(1_000, SUCCESS, FAILED);
    assert!(idle.findings().proof.unwrap().reading.is_crossed());
    assert_eq!(idle.report(Arm::Canary, Status::Success), Some(Consequence::RollbackByRule));
}

#[test]
fn the_sum_of_all_bands_is_kept() {
    let mut idle = Idle::new(release());
    let begins: Vec<Timestamp> = idle.rollout.schedule().starts().to_vec();
    for (runs, begin) in (1..).zip(begins) {
        for _ in 0..runs {
            let Idle { release, rollout } = &mut idle;
            rollout.observe(Arm::Canary, &Status::Success.into(), release, begin);
            rollout.observe(Arm::Stable, &Status::Neutral.into(), release, begin);
        }
    }
    let bands = idle.rollout.bands().iter().map(|band| (band.canary.success, band.stable.neutral));
    assert_eq!(bands.collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    let all = idle.rollout.counts();
    assert_eq!((all.canary.total(), all.stable.total(), all.stable.judged()), (15, 15, 0));
}
