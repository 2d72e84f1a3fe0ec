//! What is foretold is what comes.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::judge::rules::Before;
use crate::lineup::{Effects, Lineup, Open};
use crate::policy::{AtEnd, OnInsufficient, Policy, Settings, ThresholdRule};
use crate::release::{ReleaseId, State};
use crate::testing::release;
use crate::version::Version;

const DAY_S: f64 = 86_400.0;

/// A canary on its way, and the stable version beside it if there is one.
#[derive(Debug, Clone)]
struct Play {
    lineup: Lineup,
    stable: ReleaseId,
    now: Timestamp,
}

impl Play {
    fn new(settings: &Settings, is_compared: bool) -> Self {
        let (mut lineup, now) = (Lineup::default(), release().release_date);
        let canary = Release { policy: Policy::default().with(settings).unwrap(), ..release() };
        let stable = Release {
            id: ReleaseId::from_bytes([1; 16]),
            version: Version::parse("0.0.1").unwrap(),
            state: State::Stable,
            is_canary: false,
            ..release()
        };
        let id = stable.id;
        for release in [Some(stable).filter(|_| is_compared), Some(canary)].into_iter().flatten() {
            let mut effects = Effects::default();
            lineup.register(release, &Before::default(), now, &mut effects).unwrap();
        }
        Self { lineup, stable: id, now }
    }

    fn report(&mut self, arm: Arm, status: Status) {
        let canary = self.open().map_or(self.stable, |open| open.release.id);
        let release = if arm == Arm::Canary { canary } else { self.stable };
        self.lineup.observe(release, status, self.now, &mut Effects::default());
    }

    fn wait_until(&mut self, days: f64) {
        self.now = release().release_date.after(Duration::from_secs_f64(days * DAY_S));
        self.lineup.tick(self.now, &mut Effects::default());
    }

    fn open(&self) -> Option<&Open> {
        self.lineup.open()
    }

    fn outlook(&self) -> Outlook {
        let Open { release, rollout } = self.open().unwrap();
        Outlook::of(rollout, release, self.now)
    }

    /// Runs of the canary that all end so, and what the quota leaves for the stable version; after
    /// how many of them the canary became that.
    fn until(mut self, status: Status, want: State) -> Option<u64> {
        let share = self.open()?.rollout.share_at(self.now).as_f64();
        let is_compared = self.lineup.stable().is_some() && share > 0.0;
        let (others, mut due) = (if is_compared { (1.0 - share) / share } else { 0.0 }, 0.0);
        for runs in 1..=LOOK_AHEAD {
            due += others;
            while due >= 1.0 {
                due -= 1.0;
                if let Some(is_wanted) = self.step(Arm::Stable, Status::Success, want) {
                    return is_wanted.then_some(runs - 1);
                }
            }
            if let Some(is_wanted) = self.step(Arm::Canary, status, want) {
                return is_wanted.then_some(runs);
            }
        }
        None
    }

    /// One run; if it ends the canary, whether as wanted.
    fn step(&mut self, arm: Arm, status: Status, want: State) -> Option<bool> {
        let canary = self.open()?.release.id;
        let release = if arm == Arm::Canary { canary } else { self.stable };
        let mut effects = Effects::default();
        self.lineup.observe(release, status, self.now, &mut effects);
        let mut ended = effects.releases.iter().filter(|release| release.id == canary);
        ended.next().map(|release| release.state == want)
    }
}

prop_compose! {
    fn settings()(
        is_ratio in prop::bool::weighted(0.2),
        early_promotion: bool,
        q in proptest::option::of(0.02..0.3),
        holdback in 0.0..0.5,
        min_signals in select(vec![0_i64, 1, 10, 50]),
        at_end in select(vec![AtEnd::Promote, AtEnd::Hold, AtEnd::Rollback]),
        on_insufficient in select(vec![OnInsufficient::Hold, OnInsufficient::Rollback]),
        report_within in proptest::option::of(Just(60.0)),
    ) -> Settings {
        Settings {
            rule: Some(if is_ratio { ThresholdRule::Ratio } else { ThresholdRule::Threshold }),
            early_promotion: Some(early_promotion),
            q,
            holdback: Some(holdback),
            min_signals: Some(min_signals),
            at_end: Some(at_end),
            on_insufficient: Some(on_insufficient),
            report_within,
            ..Settings::default()
        }
    }
}

prop_compose! {
    /// A canary in some band, or held after its period, or ended.
    fn plays()(
        settings in settings(),
        is_compared in prop::bool::weighted(0.8),
        runs in vec((any::<bool>(), prop::bool::weighted(0.1)), 0..60),
        unreported in 0_u64..3,
        days in select(vec![0.0, 0.5, 1.7, 2.5]),
    ) -> Play {
        let mut play = Play::new(&settings, is_compared);
        for (is_canary, is_failed) in runs {
            let arm = if is_canary { Arm::Canary } else { Arm::Stable };
            play.report(arm, if is_failed { Status::Failed } else { Status::Success });
        }
        let (now, none) = (play.now, &mut Effects::default());
        play.lineup.observe_unreported(Arm::Canary, unreported, now, none);
        play.wait_until(days);
        play
    }
}

proptest! {
    #[test]
    fn it_takes_exactly_as_many_runs_as_it_says(play in plays()) {
        let Some(Open { release, rollout }) = play.open() else { return Ok(()) };
        let before = rollout.clone();
        let outlook = play.outlook();
        prop_assert_eq!(rollout, &before, "to look changes nothing");
        prop_assert_eq!(outlook, play.outlook());
        prop_assert_eq!(
            outlook.failures_to_rollback,
            play.clone().until(Status::Failed, State::RolledBack)
        );
        if release.policy.early_promotion || rollout.is_held() {
            let promoted = play.clone().until(Status::Success, State::Promoted);
            prop_assert_eq!(outlook.successes_to_promotion, promoted);
        } else {
            prop_assert_eq!(outlook.successes_to_promotion, None);
        }
    }

    #[test]
    fn as_many_judged_runs_are_missing_as_keep_a_canary_from_its_verdict(play in plays()) {
        let Some(Open { release, .. }) = play.open() else { return Ok(()) };
        let missing = play.outlook().signals_missing;
        let needed = release.policy.min_signals.get();
        let mut ended = play.clone();
        for _ in 0..missing {
            ended.report(Arm::Canary, Status::Success);
        }
        if let Some(Open { release, rollout }) = ended.open() {
            prop_assert!(rollout.judged(release).judged() >= u64::from(needed));
        }
    }
}

fn play(change: impl FnOnce(&mut Settings)) -> Play {
    let mut settings = Settings::default();
    change(&mut settings);
    Play::new(&settings, true)
}

#[test]
fn it_says_what_is_missing() {
    let mut early = play(|settings| {
        settings.early_promotion = Some(true);
        settings.q = Some(0.1);
        settings.min_signals = Some(3);
    });
    let mut told = vec![early.outlook().to_string()];
    for (arm, status) in [(Arm::Canary, Status::Failed), (Arm::Canary, Status::Failed)] {
        early.report(arm, status);
    }
    told.push(early.outlook().to_string());
    early.report(Arm::Canary, Status::Failed);
    told.push(early.outlook().to_string());
    assert_eq!(
        told,
        [
            "if its next 4 runs fail it is rolled back, if its next 44 runs succeed it is promoted; \
             a verdict at the end of its period needs 3 more judged runs",
            "if its next 2 runs fail it is rolled back, if its next 92 runs succeed it is promoted; \
             a verdict at the end of its period needs 1 more judged run",
            "if its next run fails it is rolled back, if its next 111 runs succeed it is promoted",
        ]
    );
}

#[test]
fn a_held_canary_is_foretold_its_end_by_the_policy_too() {
    let mut held = play(|settings| {
        settings.at_end = Some(AtEnd::Rollback);
        settings.min_signals = Some(2);
    });
    held.report(Arm::Canary, Status::Success);
    held.wait_until(2.0);
    assert_eq!(
        held.outlook().to_string(),
        "if its next run fails it is rolled back; a verdict at the end of its period needs 1 more \
         judged run"
    );
}

#[test]
fn what_was_not_reported_in_time_is_not_missing_where_it_counts() {
    for (report_within, missing) in [(None, 10), (Some(60.0), 8)] {
        let mut waiting = play(|settings| {
            settings.report_within = report_within;
            settings.min_signals = Some(10);
        });
        let (now, none) = (waiting.now, &mut Effects::default());
        waiting.lineup.observe_unreported(Arm::Canary, 2, now, none);
        assert_eq!(waiting.outlook().signals_missing, missing);
    }
}

#[test]
fn a_threshold_of_nothing_is_never_broken() {
    let mut play = play(|settings| settings.alpha_floor = Some(0.0));
    play.wait_until(1.7);
    let outlook = play.outlook();
    assert_eq!(outlook.failures_to_rollback, None, "everybody gets it: nothing to compare with");
    assert!(outlook.to_string().starts_with("even 2000 failed runs would not roll it back"));
}
