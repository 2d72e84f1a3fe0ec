//! What the whole of the core promises, with a clock that is an argument.

mod actions;
mod ends;
mod proofs;
mod registering;
mod rules;
mod selection;
mod shares;
mod unreported;

use std::time::Duration;

use super::*;
use crate::decision::Rule;
use crate::judge::rules::Before;
use crate::policy::{AtEnd, OnInsufficient, OnSupersede, Policy, Settings, ThresholdRule};
use crate::product::ProductId;
use crate::release::{BandCount, CanaryPeriod, State, Threshold};
use crate::select::quota::RunKey;
use crate::signal::{InstanceId, Measurements, Status};
use crate::version::Version;

const START: Timestamp = Timestamp::from_seconds(1_672_569_000);

/// A product with a clock of its own, driven as a caller would: ask, run, report.
#[derive(Clone)]
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

    /// The same, with a threshold of the canary in percent.
    fn with_threshold(percent: f64) -> Self {
        let mut product = Self::new();
        product.register("0.0.1", State::Stable, Policy::default());
        let canary = product.release("0.0.2", State::Running, Policy::default());
        product.add(Release { threshold: Threshold::parse(percent).unwrap(), ..canary });
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
        self.add(release);
    }

    fn add(&mut self, release: Release) {
        self.lineup.register(release, &Before::default(), self.now, &mut self.effects).unwrap();
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

    /// Reports runs of the canary: successes, then failures.
    fn canary(&mut self, success: u32, failed: u32) {
        for run in 0..success + failed {
            self.report("0.0.2", if run < success { Status::Success } else { Status::Failed });
        }
    }

    /// Reports runs of both versions by turns, of which so many of a hundred fail; ends when the
    /// canary does.
    fn by_turns(&mut self, turns: u64, canary: u64, stable: u64) {
        for turn in 0..turns {
            // Spread over the hundred, not one after another.
            let place = turn * 37 % 100;
            let status = |failures| if place < failures { Status::Failed } else { Status::Success };
            self.report("0.0.1", status(stable));
            self.report("0.0.2", status(canary));
            if self.lineup.open().is_none() {
                return;
            }
        }
    }

    /// Reports a run that succeeded and what it measured.
    fn measure(&mut self, version: &str, value: Option<f64>) {
        let entry = value.map(|value| ("latency_ms".to_owned(), value));
        let measured = Measurements::parse(entry).unwrap();
        let run = Run { measurements: Some(&measured), ..Status::Success.into() };
        self.lineup.observe(self.id_of(version), run, self.now, &mut self.effects);
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
    }

    /// Lets the period of two days pass.
    fn end(&mut self) {
        self.pass(Duration::from_secs(2 * 86_400));
        self.tick();
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

    /// The last decision about a release.
    fn decision_of(&self, version: &str) -> &Decision {
        let release = self.id_of(version);
        let all = self.effects.decisions.iter().rev();
        all.clone().find(|decision| decision.release == release).expect("a decision")
    }

    fn rollout(&self) -> &Rollout {
        &self.lineup.open().expect("an open canary").rollout
    }

    fn last_sentence(&self) -> &str {
        self.sentences().last().copied().unwrap_or_default()
    }
}

fn policy(change: impl FnOnce(&mut Settings)) -> Policy {
    let mut settings = Settings::default();
    change(&mut settings);
    Policy::default().with(&settings).unwrap()
}

/// Plays a canary to its end, or to where it is held: what became of it, on what ground, and what a
/// person is told.
fn check(
    name: &str,
    policy: Policy,
    play: impl FnOnce(&mut Product),
    end: (State, Rule),
    sentence: &str,
) {
    let mut product = Product::with_canary(policy);
    play(&mut product);
    let decision = product.decision_of("0.0.2");
    assert_eq!(decision.sentence, sentence, "{name}");
    assert_eq!((product.state_of("0.0.2"), decision.rule), end, "{name}");
    assert!(decision.evidence.is_some(), "{name}");
}
