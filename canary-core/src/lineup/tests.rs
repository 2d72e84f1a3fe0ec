//! What the whole of the core promises, with a clock that is an argument.

use std::time::Duration;

use super::*;
use crate::policy::{MinSignals, OnInsufficient, OnSupersede, Policy, ThresholdRule};
use crate::product::ProductId;
use crate::release::{BandCount, CanaryPeriod, State, Threshold};
use crate::select::quota::RunKey;
use crate::signal::InstanceId;
use crate::version::Version;

const START: Timestamp = Timestamp::from_seconds(1_672_569_000);

/// A product with a clock of its own, driven as a caller would: ask, run, report.
struct Product {
    lineup: Lineup,
    outstanding: Outstanding,
    effects: Effects,
    now: Timestamp,
    registered: u8,
}

impl Product {
    fn new() -> Self {
        Self {
            lineup: Lineup::default(),
            outstanding: Outstanding::default(),
            effects: Effects::default(),
            now: START,
            registered: 0,
        }
    }

    /// A product with a stable 0.0.1 and the canary 0.0.2.
    fn with_canary(policy: Policy) -> Self {
        let mut product = Self::new();
        product.register("0.0.1", State::Stable, Policy::default());
        product.register("0.0.2", State::Running, policy);
        product
    }

    fn release(&mut self, version: &str, state: State, policy: Policy) -> Release {
        self.registered += 1;
        Release {
            id: ReleaseId::from_bytes([self.registered; 16]),
            product: ProductId::from_bytes([0; 16]),
            version: Version::parse(version).unwrap(),
            state,
            is_canary: state == State::Running,
            threshold: Threshold::DEFAULT,
            canary_period: CanaryPeriod::DEFAULT,
            band_count: BandCount::DEFAULT,
            release_date: self.now,
            registered_at: self.now,
            policy,
        }
    }

    fn register(&mut self, version: &str, state: State, policy: Policy) {
        let release = self.release(version, state, policy);
        self.lineup.register(release, self.now, &mut self.effects).unwrap();
    }

    fn ask(&mut self, asker: Asker<'_>) -> (String, Reason) {
        let selection =
            self.lineup.select(asker, &mut self.outstanding, self.now).expect("an active release");
        (selection.release.version.to_string(), selection.reason)
    }

    fn poll(&mut self) -> String {
        self.ask(Asker::Run(None)).0
    }

    fn id_of(&self, version: &str) -> ReleaseId {
        let all = self.effects.releases.iter().rev();
        all.clone().find(|release| release.version.as_str() == version).expect("registered").id
    }

    fn report(&mut self, version: &str, status: Status) -> Option<u16> {
        let release = self.id_of(version);
        if let Some(arm) = self.lineup.arm(release) {
            self.outstanding.report(arm);
        }
        self.lineup.observe(release, status, self.now, &mut self.effects)
    }

    /// Polls, runs and reports `times` times; how often each version was handed out.
    fn poll_and_report(&mut self, times: u32) -> std::collections::BTreeMap<String, u32> {
        let mut handed_out = std::collections::BTreeMap::new();
        for _ in 0..times {
            let version = self.poll();
            self.report(&version, Status::Success);
            *handed_out.entry(version).or_default() += 1;
        }
        handed_out
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
    }

    fn tick(&mut self) {
        self.lineup.tick(self.now, &mut self.effects);
    }

    fn state_of(&self, version: &str) -> State {
        let all = self.effects.releases.iter().rev();
        all.clone().find(|release| release.version.as_str() == version).expect("registered").state
    }

    fn act(&mut self, request: Request, version: &str) -> Result<(), ActionError> {
        let all = self.effects.releases.iter().rev();
        let release =
            all.clone().find(|release| release.version.as_str() == version).unwrap().clone();
        self.lineup.act(request, &release, "because", self.now, &mut self.effects)
    }

    fn sentences(&self) -> Vec<&str> {
        self.effects.decisions.iter().map(|decision| decision.sentence.as_str()).collect()
    }

    fn last_sentence(&self) -> &str {
        self.sentences().last().copied().unwrap_or_default()
    }
}

fn policy_of(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}

#[test]
fn a_hundred_polls_in_band_1_are_eighty_stable_and_twenty_canary() {
    let handed_out = Product::with_canary(Policy::default()).poll_and_report(100);
    assert_eq!((handed_out["0.0.1"], handed_out["0.0.2"]), (80, 20));
}

#[test]
fn six_hundred_polls_over_the_whole_period_are_201_stable_and_399_canary() {
    let mut product = Product::with_canary(Policy::default());
    let (mut stable, mut canary) = (0, 0);
    for hundred in 0..6 {
        if hundred > 0 {
            product.pass(Duration::from_secs_f64(86_400.0 * (2.0 / 5.0 + 1.0 / 20_000.0)));
        }
        let handed_out = product.poll_and_report(100);
        stable += handed_out.get("0.0.1").unwrap_or(&0);
        canary += handed_out.get("0.0.2").unwrap_or(&0);
    }
    assert_eq!((stable, canary), (201, 399));
    assert_eq!(product.state_of("0.0.2"), State::Promoted);
    assert_eq!(product.state_of("0.0.1"), State::Retired);
}

#[test]
fn three_releases_one_after_another_leave_16_20_and_4_signals_in_band_1() {
    let mut product = Product::with_canary(Policy::default());
    let mut in_band_1 = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..2 {
        if round == 1 {
            product.register("0.0.3", State::Running, Policy::default());
        }
        for _ in 0..20 {
            let version = product.poll();
            if product.report(&version, Status::Success) == Some(1) {
                *in_band_1.entry(version).or_default() += 1;
            }
        }
    }
    let counts: Vec<u32> = ["0.0.1", "0.0.2", "0.0.3"].map(|version| in_band_1[version]).into();
    assert_eq!(counts, [16, 20, 4]);
}

#[test]
fn a_thousand_pollers_at_once_get_the_canary_at_most_share_times_thousand_plus_one_times() {
    let mut product = Product::with_canary(Policy::default());
    let answers: Vec<String> = (0..1_000).map(|_| product.poll()).collect();
    let canary = answers.iter().filter(|version| *version == "0.0.2").count();
    assert!((200..=201).contains(&canary), "{canary}");

    // What nobody reports stops to count after a minute, and somebody must begin again.
    product.pass(Duration::from_secs(60));
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.2".into(), Reason::FirstCanaryRun));
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::FirstStableRun));
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::StableShare));
}

#[test]
fn the_same_run_gets_the_same_answer() {
    let mut product = Product::with_canary(Policy::default());
    let mut ask = |run: &str| product.ask(Asker::Run(Some(RunKey::of(run))));
    let first: Vec<_> = (0..100).map(|run| ask(&run.to_string())).collect();
    let again: Vec<_> = (0..100).map(|run| ask(&run.to_string())).collect();
    assert_eq!(first, again);
    assert_eq!(first.iter().filter(|(version, _)| version == "0.0.2").count(), 20);
}

#[test]
fn a_canary_that_always_fails_is_out_after_four_failed_runs() {
    let mut product = Product::with_canary(Policy::default());
    let mut failed = 0;
    while product.state_of("0.0.2") == State::Running {
        match product.poll().as_str() {
            "0.0.2" => {
                failed += 1;
                product.report("0.0.2", Status::Failed);
            }
            stable => {
                product.report(stable, Status::Success);
            }
        }
        assert!(failed <= 4, "a fifth failure was let happen");
    }
    assert_eq!(
        product.last_sentence(),
        "rolled back 0.0.2: 4 of 4 runs failed, where at least 80 % must succeed (p ≤ 0.0038)"
    );
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::RolledBack));
    assert_eq!(product.report("0.0.2", Status::Success), None, "what comes late is no evidence");
}

#[test]
fn the_first_release_is_judged_without_a_baseline() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, Policy::default());
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::OnlyCanary));
    for _ in 0..4 {
        product.report("0.0.1", Status::Failed);
    }
    assert_eq!(
        product.last_sentence(),
        "rolled back 0.0.1: 4 of 4 runs failed, where at least 80 % must succeed (p ≤ 0.0038); \
         there is no stable version to fall back on"
    );
    let Product { lineup, outstanding, now, .. } = &mut product;
    assert_eq!(lineup.select(Asker::Run(None), outstanding, *now), None);
}

#[test]
fn no_signal_no_promotion() {
    let mut product = Product::with_canary(Policy::default());
    product.pass(Duration::from_secs(2 * 86_400));
    product.tick();
    product.tick();
    assert_eq!(product.state_of("0.0.2"), State::Running);
    assert_eq!(
        product.sentences(),
        ["held 0.0.2: no run was reported by the end of its period, where at least 1 must be; \
          it stays a canary until enough are"],
        "a hold is said once"
    );
    product.report("0.0.2", Status::Neutral);
    assert_eq!(product.state_of("0.0.2"), State::Running, "neutral signals are no evidence");
    product.report("0.0.2", Status::Success);
    assert_eq!(product.state_of("0.0.2"), State::Promoted);
    assert_eq!(
        product.last_sentence(),
        "retired 0.0.1: 0.0.2 was promoted",
        "both timelines tell of it"
    );
}

#[test]
fn the_end_of_the_period_follows_the_policy_and_the_runs() {
    struct Case {
        name: &'static str,
        policy: Policy,
        success: u32,
        failed: u32,
        want: State,
        sentence: &'static str,
    }
    let cases = [
        Case {
            name: "good",
            policy: Policy::default(),
            success: 99,
            failed: 1,
            want: State::Promoted,
            sentence: "promoted 0.0.2: 99 of 100 runs succeeded over its period of 2 days, where \
                       at least 80 % must succeed; it replaces 0.0.1",
        },
        Case {
            name: "below the threshold, and too few to call it proven",
            policy: Policy::default(),
            success: 1,
            failed: 2,
            want: State::Running,
            sentence: "held 0.0.2: at the end of its period 1 of 3 runs succeeded, where at least \
                       80 % must succeed; too few runs to call it proven, so it stays a canary \
                       until they do, or somebody promotes it or rolls it back",
        },
        Case {
            name: "too few for the policy",
            policy: policy_of(|policy| policy.min_signals = MinSignals::parse(10).unwrap()),
            success: 9,
            failed: 0,
            want: State::Running,
            sentence: "held 0.0.2: only 9 runs were reported by the end of its period, where at \
                       least 10 must be; it stays a canary until enough are",
        },
        Case {
            name: "unproven, and the policy promotes",
            policy: policy_of(|policy| policy.on_insufficient = OnInsufficient::Promote),
            success: 0,
            failed: 0,
            want: State::Promoted,
            sentence: "promoted 0.0.2: no run was reported by the end of its period, where at \
                       least 1 must be, and its policy promotes the unproven; it replaces 0.0.1",
        },
        Case {
            name: "unproven, and the policy rolls back",
            policy: policy_of(|policy| policy.on_insufficient = OnInsufficient::Rollback),
            success: 0,
            failed: 0,
            want: State::RolledBack,
            sentence: "rolled back 0.0.2: no run was reported by the end of its period, where at \
                       least 1 must be, and its policy rolls the unproven back",
        },
        Case {
            name: "the ratio waits for enough, and rolls back",
            policy: policy_of(|policy| {
                policy.rule = ThresholdRule::Ratio;
                policy.min_signals = MinSignals::parse(10).unwrap();
            }),
            success: 7,
            failed: 3,
            want: State::RolledBack,
            sentence: "rolled back 0.0.2: 7 of 10 runs succeeded, 70 %, where at least 80 % must succeed",
        },
    ];
    for Case { name, policy, success, failed, want, sentence } in cases {
        let mut product = Product::with_canary(policy);
        for _ in 0..success {
            product.report("0.0.2", Status::Success);
        }
        for _ in 0..failed {
            product.report("0.0.2", Status::Failed);
        }
        product.pass(Duration::from_secs(2 * 86_400));
        product.tick();
        assert_eq!(product.state_of("0.0.2"), want, "{name}");
        assert!(product.sentences().contains(&sentence), "{name}: {:#?}", product.sentences());
    }
}

#[test]
fn a_newer_release_does_to_the_running_canary_what_its_policy_says() {
    let reject = policy_of(|policy| policy.on_supersede = OnSupersede::Reject);
    let abort = policy_of(|policy| policy.on_supersede = OnSupersede::Abort);
    let cases = [
        (
            Policy::default(),
            Some(Status::Success),
            State::Promoted,
            "promoted 0.0.2: 0.0.3 was registered, and the only run succeeded, where at least 80 % \
             must succeed; it replaces 0.0.1",
        ),
        (
            Policy::default(),
            None,
            State::Superseded,
            "superseded 0.0.2: 0.0.3 was registered before it was judged healthy: no run was \
             reported, where at least 80 % must succeed",
        ),
        (
            abort,
            Some(Status::Success),
            State::Superseded,
            "superseded 0.0.2: 0.0.3 was registered, and its policy gives way to newer releases",
        ),
    ];
    for (policy, status, want, sentence) in cases {
        let mut product = Product::with_canary(policy);
        if let Some(status) = status {
            product.report("0.0.2", status);
        }
        product.register("0.0.3", State::Running, Policy::default());
        assert_eq!(product.state_of("0.0.2"), want, "{sentence}");
        assert!(product.sentences().contains(&sentence), "{:#?}", product.sentences());
    }

    let mut product = Product::with_canary(reject);
    let newer = product.release("0.0.3", State::Running, Policy::default());
    let before = product.lineup.clone();
    let error = product.lineup.register(newer, product.now, &mut product.effects).unwrap_err();
    assert_eq!(
        error.to_string(),
        "canary `0.0.2` is running and its policy rejects new releases: promote it or roll it back first"
    );
    assert_eq!(product.lineup, before);
}

#[test]
fn a_canary_without_a_stable_release_is_superseded_and_not_promoted() {
    let mut product = Product::new();
    product.register("0.0.1", State::Running, Policy::default());
    product.report("0.0.1", Status::Success);
    product.register("0.0.2", State::Running, Policy::default());
    assert_eq!(product.state_of("0.0.1"), State::Superseded);
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.2".into(), Reason::OnlyCanary));
}

#[test]
fn the_highest_stable_version_is_the_one_handed_out() {
    let mut product = Product::new();
    product.register("1.10.0", State::Stable, Policy::default());
    product.register("1.9.0", State::Stable, Policy::default());
    assert_eq!(product.poll(), "1.10.0");
    assert_eq!(
        product.last_sentence(),
        "retired 1.9.0: 1.10.0, a higher version, is stable; promote 1.9.0 to hand it out all the same"
    );
    product.act(Request::Promote, "1.9.0").unwrap();
    assert_eq!(product.ask(Asker::Run(None)), ("1.9.0".into(), Reason::Promoted));
    product.register("nightly", State::Stable, Policy::default());
    assert_eq!(product.ask(Asker::Run(None)), ("nightly".into(), Reason::OnlyStable));
}

#[test]
fn every_action_in_every_state_does_changes_nothing_or_says_why_not() {
    use Request::{Pause, Promote, Resume, Rollback};
    use State::{Paused, Promoted, Retired, RolledBack, Running, Stable};
    let cases = [
        (Running, Promote, Ok(Promoted)),
        (Running, Rollback, Ok(RolledBack)),
        (Running, Pause, Ok(Paused)),
        (Running, Resume, Ok(Running)),
        (Paused, Promote, Ok(Promoted)),
        (Paused, Rollback, Ok(RolledBack)),
        (Paused, Pause, Ok(Paused)),
        (Paused, Resume, Ok(Running)),
        (Stable, Promote, Ok(Stable)),
        (
            Stable,
            Rollback,
            Err("cannot rollback `0.0.1`, it is stable: promote the version to go back to instead"),
        ),
        (
            Stable,
            Pause,
            Err(
                "cannot pause `0.0.1`, it is stable: only a running canary can be paused and resumed",
            ),
        ),
        (Promoted, Promote, Ok(Promoted)),
        (
            Promoted,
            Rollback,
            Err(
                "cannot rollback `0.0.2`, it is promoted: promote the version to go back to instead",
            ),
        ),
        (Retired, Promote, Ok(Promoted)),
        (Retired, Rollback, Err("cannot rollback `0.0.1`, it is retired: it is not handed out")),
        (RolledBack, Rollback, Ok(RolledBack)),
        (
            RolledBack,
            Promote,
            Err(
                "cannot promote `0.0.2`, it is rolled_back: its verdict stands, register the mended software as a new version",
            ),
        ),
        (
            RolledBack,
            Resume,
            Err(
                "cannot resume `0.0.2`, it is rolled_back: its verdict stands, register the mended software as a new version",
            ),
        ),
    ];
    for (state, request, want) in cases {
        let mut product = Product::with_canary(Policy::default());
        let version = match state {
            Stable | Retired => "0.0.1",
            _ => "0.0.2",
        };
        match state {
            Paused => product.act(Pause, version).unwrap(),
            Promoted | Retired => product.act(Promote, "0.0.2").unwrap(),
            RolledBack => product.act(Rollback, version).unwrap(),
            _ => {}
        }
        assert_eq!(product.state_of(version), state);
        let (before, told) = (product.lineup.clone(), product.effects.decisions.len());
        let got = product.act(request, version);
        match want {
            Ok(want) => {
                assert_eq!(got, Ok(()), "{request:?} on {state:?}");
                assert_eq!(product.state_of(version), want, "{request:?} on {state:?}");
                let is_told = product.effects.decisions.len() > told;
                assert_eq!(is_told, want != state, "{request:?} on {state:?}");
            }
            Err(want) => {
                assert_eq!(got.unwrap_err().to_string(), want);
                assert_eq!(product.lineup, before);
            }
        }
    }
}

#[test]
fn a_paused_canary_is_not_handed_out_and_loses_no_time() {
    let mut product = Product::with_canary(Policy::default());
    product.poll_and_report(10);
    product.act(Request::Pause, "0.0.2").unwrap();
    product.pass(Duration::from_secs(10 * 86_400));
    product.tick();
    let instance = InstanceId::parse("any").unwrap();
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::Paused));
    assert_eq!(product.ask(Asker::Instance(&instance)), ("0.0.1".into(), Reason::Paused));
    product.act(Request::Resume, "0.0.2").unwrap();
    product.tick();
    assert_eq!(product.last_sentence(), "resumed 0.0.2: by an operator, because");
    let open = product.lineup.open().unwrap();
    assert_eq!(open.rollout.schedule().band_at(product.now), 1);
}

#[test]
fn a_paused_canary_that_fails_is_still_rolled_back() {
    let mut product = Product::with_canary(Policy::default());
    product.act(Request::Pause, "0.0.2").unwrap();
    for _ in 0..4 {
        product.report("0.0.2", Status::Failed);
    }
    assert_eq!(product.state_of("0.0.2"), State::RolledBack);
}

#[test]
fn bands_are_told_of_once_and_only_as_they_come() {
    let mut product = Product::with_canary(Policy::default());
    product.tick();
    assert_eq!(product.sentences(), Vec::<&str>::new());
    product.pass(Duration::from_secs(86_400));
    product.tick();
    product.tick();
    assert_eq!(
        product.sentences(),
        ["advanced 0.0.2 to band 3 of 5: 60 % of the runs from now on"]
    );
    let next = product.lineup.next_change_at(product.now).unwrap();
    assert_eq!(next, START.after(Duration::from_secs(3 * 2 * 86_400 / 5)));
}

#[test]
fn a_release_of_tomorrow_waits_for_its_date() {
    let mut product = Product::with_canary(Policy::default());
    product.now = Timestamp::from_micros(START.as_micros() - 1);
    let instance = InstanceId::parse("any").unwrap();
    assert_eq!(product.ask(Asker::Run(None)), ("0.0.1".into(), Reason::StableShare));
    assert_eq!(product.ask(Asker::Instance(&instance)), ("0.0.1".into(), Reason::StableShare));
    assert_eq!(product.lineup.next_change_at(product.now), Some(START));
}

#[test]
fn a_failing_stable_version_is_no_evidence_against_the_canary() {
    let mut product = Product::with_canary(Policy::default());
    for _ in 0..1_000 {
        product.report("0.0.1", Status::Failed);
    }
    assert_eq!(product.state_of("0.0.2"), State::Running);
    assert_eq!(product.sentences(), Vec::<&str>::new());
}
