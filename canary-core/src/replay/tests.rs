//! A replay is a live canary, gone through again.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::decision::Rule;
use crate::judge::measurement::Direction;
use crate::policy::{AtEnd, OnInsufficient, Settings, ThresholdRule};
use crate::signal::{InstanceId, MeasurementName, Measurements};
use crate::stats::{Domain, Summary};

const START: Timestamp = Timestamp::from_seconds(1_672_569_000);

fn policy(change: impl FnOnce(&mut Settings)) -> Policy {
    let mut settings = Settings::default();
    change(&mut settings);
    Policy::default().with(&settings).unwrap()
}

fn plan(policy: Policy) -> Plan {
    Plan {
        stable: Version::parse("0.0.1").unwrap(),
        canary: Version::parse("0.0.2").unwrap(),
        threshold: Threshold::DEFAULT,
        canary_period: CanaryPeriod::DEFAULT,
        band_count: BandCount::DEFAULT,
        begins_at: START,
        policy,
    }
}

/// A run of the past: which version, how it ended, who ran it, what it measured, and how long after
/// the one before.
#[derive(Debug, Clone)]
struct Past {
    arm: Arm,
    status: Status,
    instance: InstanceId,
    measured: Measurements,
    wait_s: u64,
}

impl Past {
    fn run(&self) -> Run<'_> {
        let Self { status, instance, measured, .. } = self;
        Run { status: *status, instance: Some(instance), measurements: Some(measured) }
    }
}

prop_compose! {
    fn pasts()(
        rate in 0.0..0.6_f64,
        runs in vec((any::<bool>(), 0.0..1.0_f64, 0_u8..30, 0.0..100.0_f64, 0_u64..4_000), 0..200),
    ) -> Vec<Past> {
        let past = |(is_canary, place, name, value, wait_s): (bool, f64, u8, f64, u64)| Past {
            arm: if is_canary { Arm::Canary } else { Arm::Stable },
            status: match place {
                place if place < rate => Status::Failed,
                place if place > 0.95 => Status::Neutral,
                _ => Status::Success,
            },
            instance: InstanceId::parse(format!("i{name}")).unwrap(),
            measured: Measurements::parse([("m".to_owned(), value)]).unwrap(),
            wait_s,
        };
        runs.into_iter().map(past).collect()
    }
}

prop_compose! {
    fn policies()(
        is_ratio in prop::bool::weighted(0.2),
        is_measured: bool,
        early_promotion: bool,
        min_signals in 0_i64..20,
        at_end in select(vec![AtEnd::Promote, AtEnd::Hold, AtEnd::Rollback]),
        on_insufficient in select(vec![OnInsufficient::Hold, OnInsufficient::Promote]),
        holdback in 0.0..0.5,
    ) -> Policy {
        policy(|settings| {
            settings.rule = is_ratio.then_some(ThresholdRule::Ratio);
            settings.early_promotion = Some(early_promotion);
            settings.q = Some(0.2);
            settings.min_signals = Some(min_signals);
            settings.at_end = Some(at_end);
            settings.on_insufficient = Some(on_insufficient);
            settings.holdback = Some(holdback);
            if is_measured {
                let name = MeasurementName::parse("m").unwrap();
                settings.measurements = Some([(name, Direction::HighIsBad)].into());
            }
        })
    }
}

/// What the stable version has measured before.
fn measured(values: &[f64]) -> Before {
    let mut summary = Summary::new(Domain::Continuous);
    values.iter().for_each(|value| summary.observe(*value, 0).unwrap());
    let name = MeasurementName::parse("m").unwrap();
    Before { measurements: vec![(name, summary)], readings: Vec::new() }
}

/// What a live lineup decides on the canary, with the releases of a replay.
fn live(policy: &Policy, before: &Before, pasts: &[Past]) -> Vec<Decision> {
    let (mut lineup, mut effects) = (Lineup::default(), Effects::default());
    for (id, version, state) in
        [(STABLE, "0.0.1", State::Stable), (CANARY, "0.0.2", State::Running)]
    {
        let release = Release {
            id,
            version: Version::parse(version).unwrap(),
            state,
            is_canary: state.is_open(),
            policy: policy.clone(),
            ..crate::testing::release()
        };
        lineup.register(release, before, START, &mut effects).unwrap();
    }
    let mut now = START;
    for past in pasts {
        let at = now.after(Duration::from_secs(past.wait_s));
        // A server wakes up when something is due.
        while let Some(due) = lineup.next_change_at(now).filter(|due| *due <= at) {
            lineup.tick(due, &mut effects);
            now = due;
        }
        now = at;
        let release = if past.arm == Arm::Canary { CANARY } else { STABLE };
        lineup.observe(release, past.run(), now, &mut effects);
    }
    effects.decisions.retain(|decision| decision.release == CANARY);
    effects.decisions
}

fn replayed(policy: &Policy, pasts: &[Past]) -> Outcome {
    gone_through(Replay::new(plan(policy.clone())), pasts)
}

fn gone_through(mut replay: Replay, pasts: &[Past]) -> Outcome {
    let mut now = START;
    for past in pasts {
        now = now.after(Duration::from_secs(past.wait_s));
        replay.observe(past.arm, past.run(), now);
    }
    replay.finish()
}

proptest! {
    #[test]
    fn it_decides_as_a_live_canary_does(
        policy in policies(), before in vec(0.0..100.0_f64, 0..200), pasts in pasts(),
    ) {
        let before = measured(&before);
        let outcome = gone_through(Replay::knowing(plan(policy.clone()), &before), &pasts);
        prop_assert_eq!(&outcome.decisions, &live(&policy, &before, &pasts));
        let count = |arm| pasts.iter().filter(|past| past.arm == arm).count() as u64;
        prop_assert_eq!(outcome.canary.total(), count(Arm::Canary));
        prop_assert_eq!(outcome.stable.total(), count(Arm::Stable));
        let ends = |decision: &&Decision| {
            matches!(decision.action, Action::Promote | Action::Rollback)
        };
        prop_assert_eq!(outcome.end.as_ref(), outcome.decisions.iter().find(ends));
        if let Some(evidence) = outcome.end.as_ref().and_then(|end| end.evidence.as_ref()) {
            prop_assert_eq!(outcome.suffered, evidence.canary.failed);
            prop_assert_eq!(outcome.runs, evidence.canary.total() + evidence.stable.total());
        } else {
            prop_assert_eq!(outcome.suffered, outcome.canary.failed);
            prop_assert_eq!(outcome.runs, pasts.len() as u64);
        }
    }
}

/// Runs by turns, one second after another: so many of a hundred of the canary's fail, and two of
/// the stable version's if any do.
fn past_of(failures: u64, runs: u64) -> Vec<Past> {
    let past = |turn: u64| {
        let (arm, failing) = if turn.is_multiple_of(2) {
            (Arm::Canary, failures)
        } else {
            (Arm::Stable, 2.min(failures))
        };
        let is_failed = turn / 2 * 37 % 100 < failing;
        Past {
            arm,
            status: if is_failed { Status::Failed } else { Status::Success },
            instance: InstanceId::parse(format!("i{turn}")).unwrap(),
            measured: Measurements::default(),
            wait_s: 1,
        }
    };
    (0..runs).map(past).collect()
}

#[test]
fn a_stricter_policy_ends_a_bad_canary_no_later() {
    let pasts = past_of(12, 4_000);
    let runs = [0.001, 0.01, 0.05, 0.2].map(|alpha| {
        let outcome = replayed(&policy(|settings| settings.alpha = Some(alpha)), &pasts);
        let end = outcome.end.expect("a canary that fails so often is found");
        assert_eq!((end.action, end.rule), (Action::Rollback, Rule::Baseline), "{alpha}");
        outcome.runs
    });
    assert!(runs.is_sorted_by(|careful, strict| careful >= strict), "{runs:?}");
    assert!(runs[0] > runs[3], "{runs:?}");

    let lenient = policy(|settings| settings.rho0 = Some(50.0));
    let outcome = replayed(&lenient, &pasts);
    assert_eq!((outcome.end, outcome.runs), (None, 4_000), "fifty times the odds are fine");
}

#[test]
fn time_passes_without_runs() {
    let hold = policy(|settings| settings.at_end = Some(AtEnd::Rollback));
    let cases = [
        (Policy::default(), 0, "held 0.0.2: no run was reported"),
        (Policy::default(), 20, "promoted 0.0.2: 10 of 10 runs succeeded"),
        (hold, 20, "rolled back 0.0.2: at the end of its period 10 of 10 runs succeeded"),
    ];
    for (policy, runs, want) in cases {
        let mut replay = Replay::new(plan(policy));
        for (second, past) in (1..).zip(past_of(0, runs)) {
            replay.observe(past.arm, past.run(), START.after(Duration::from_secs(second)));
        }
        replay.pass(START.after(Duration::from_secs(50 * 3_600)));
        let outcome = replay.finish();
        let actions: Vec<Action> = outcome.decisions.iter().map(|told| told.action).collect();
        assert_eq!(actions[..4], [Action::Advance; 4], "{want}");
        let last = outcome.decisions.last().unwrap();
        assert!(last.sentence.starts_with(want), "{}", last.sentence);
        assert_eq!(last.at, START.after(Duration::from_secs(48 * 3_600)), "{want}");
        assert_eq!(outcome.runs, runs);
    }
}

#[test]
fn what_comes_after_the_end_is_counted_and_does_nothing() {
    let pasts = past_of(100, 100);
    let outcome = replayed(&Policy::default(), &pasts);
    assert_eq!((outcome.suffered, outcome.canary.failed, outcome.stable.total()), (4, 50, 50));
    assert_eq!(outcome.decisions.len(), 1);
}

#[test]
fn limits_are_those_of_what_the_stable_version_measured_before() {
    let name = MeasurementName::parse("m").unwrap();
    let judging =
        policy(|settings| settings.measurements = Some([(name, Direction::HighIsBad)].into()));
    let run = past_of(0, 1).remove(0);
    let past = |turn: u32| {
        let value = f64::from(turn / 2 * 37 % 100);
        let is_canary = turn.is_multiple_of(2);
        let value = if is_canary { value + 30.0 } else { value };
        Past {
            arm: if is_canary { Arm::Canary } else { Arm::Stable },
            measured: Measurements::parse([("m".to_owned(), value)]).unwrap(),
            ..run.clone()
        }
    };
    let pasts: Vec<Past> = (0..2_000).map(past).collect();
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let end = |before: &Before| {
        let replay = Replay::knowing(plan(judging.clone()), before);
        let end = gone_through(replay, &pasts).end.expect("it is slower");
        assert_eq!(end.rule, Rule::Measurement);
        let evidence = end.evidence.unwrap();
        (evidence.stable.total(), evidence.findings.measurements[0].compared.unwrap().limits)
    };
    let (known, limits) = end(&measured(&values));
    let (learned, the_same) = end(&Before::default());
    assert!(known < 100 && learned > 100, "{known} and {learned}");
    assert_eq!(limits, the_same);
    let (_, others) = end(&measured(&values.iter().map(|value| value - 5.0).collect::<Vec<_>>()));
    assert_eq!(others.map(|limit| limit + 5.0), limits);
}
