//! What the judge promises, played out: the short form of the example `judge_simulator`.
//!
//! Rates are judged by what chance allows if the promise is just kept: a test here fails by chance
//! once in a thousand seeds, and the seed is fixed.

#[path = "../../examples/judge_simulator/path.rs"]
mod path;

use canary_core::judge::blocks::Blocks;
use canary_core::judge::blocks::open::Open;
use canary_core::judge::floor;
use canary_core::judge::measurement::{Direction, Measurement, Thresholds};
use canary_core::judge::promotion::Promotion;
use canary_core::judge::rules::Before;
use canary_core::judge::sequential::Alpha;
use canary_core::policy::Policy;
use canary_core::product::ProductId;
use canary_core::release::{BandCount, CanaryPeriod, Release, ReleaseId, State, Threshold};
use canary_core::rollout::{Arm, Consequence, Rollout};
use canary_core::signal::Status;
use canary_core::time::Timestamp;
use canary_core::version::Version;

use self::path::{Badness, Drift, Paths, Random, Scenario, Signal, Split};

const SEED: u64 = 20_240_229;

/// Both rules against a canary with their shares of 0.05: the floor of 80 %, and the blocks.
struct Judge {
    blocks: Blocks,
    succeeded: u64,
    failed: u64,
    floor: f64,
}

impl Judge {
    fn new() -> Self {
        Self { blocks: Blocks::new(1.0).unwrap(), succeeded: 0, failed: 0, floor: 0.0 }
    }

    fn rolls_back(&mut self, signal: Signal) -> bool {
        if signal.is_new_band {
            self.blocks.close_at_share_change();
        }
        self.blocks.observe(arm(signal), signal.is_failed, None);
        if signal.is_canary {
            self.succeeded += u64::from(!signal.is_failed);
            self.failed += u64::from(signal.is_failed);
        }
        let (threshold, alpha) = (Threshold::DEFAULT, Alpha::FLOOR);
        let below = floor::Reading::of(threshold, self.succeeded, self.failed, self.floor, alpha);
        self.floor = below.max_log_e;
        below.is_crossed() || self.blocks.reading(Alpha::BASELINE).is_crossed()
    }
}

fn arm(signal: Signal) -> Arm {
    if signal.is_canary { Arm::Canary } else { Arm::Stable }
}

/// Most of `count` that a chance of 0.05 gives, but for one time in a thousand.
fn most_of(count: u64) -> u64 {
    let mean = 0.05 * count as f64;
    (mean + 3.09 * (0.95 * mean).sqrt() + 1.0) as u64
}

fn paths(rate: f64, badness: Badness, split: Split, drift: Drift, signals: u32) -> Paths {
    Paths::of(Scenario { rate, badness, split, drift, signals })
}

fn release() -> Release {
    let at = Timestamp::from_seconds(1_700_000_000);
    Release {
        id: ReleaseId::from_bytes([2; 16]),
        product: ProductId::from_bytes([0; 16]),
        version: Version::parse("1.1.0").unwrap(),
        state: State::Running,
        is_canary: true,
        threshold: Threshold::DEFAULT,
        canary_period: CanaryPeriod::DEFAULT,
        band_count: BandCount::DEFAULT,
        release_date: at,
        registered_at: at,
        policy: Policy::default(),
    }
}

/// Both rules as a rollout with the default policy applies them, with its bands and its clock.
struct Wired {
    release: Release,
    rollout: Rollout,
    band: usize,
}

impl Wired {
    fn new() -> Self {
        let release = release();
        let stable = Some(ReleaseId::from_bytes([1; 16]));
        let rollout = Rollout::new(&release, stable, true, &Before::default());
        Self { release, rollout, band: 0 }
    }

    fn rolls_back(&mut self, signal: Signal) -> bool {
        self.band += usize::from(signal.is_new_band);
        let now = self.rollout.schedule().starts()[self.band];
        let status = if signal.is_failed { Status::Failed } else { Status::Success };
        let by_time = self.rollout.tick(&self.release, now);
        let by_run = self.rollout.observe(arm(signal), &status.into(), &self.release, now);
        [by_time, by_run].contains(&Some(Consequence::RollbackByRule))
    }
}

#[test]
fn a_rollout_takes_a_canary_back_at_the_very_run_at_which_its_rules_speak() {
    let cases = [(0.01, 1.0), (0.01, 5.0), (0.15, 1.0), (0.15, 2.0), (0.3, 1.5)];
    let (mut rolled_back, mut stayed) = (0, 0);
    for (cell, (rate, worse)) in (400..).zip(cases) {
        let paths = paths(rate, Badness::Rate(worse), Split::Bands, Drift::Bursts, 2_000);
        for rollout in 0..40 {
            let (mut judge, mut wired) = (Judge::new(), Wired::new());
            let at = paths.play(Random::of(SEED, cell, rollout)).position(|signal| {
                let is_over = judge.rolls_back(signal);
                assert_eq!(wired.rolls_back(signal), is_over, "{rate} {worse}");
                is_over
            });
            *if at.is_some() { &mut rolled_back } else { &mut stayed } += 1;
        }
    }
    assert!(rolled_back > 20 && stayed > 20, "{rolled_back} and {stayed}");
}

#[test]
fn at_most_one_good_canary_in_twenty_is_rolled_back() {
    let drifts = [Drift::None, Drift::Outage, Drift::Ramp, Drift::Decay, Drift::Bursts];
    let splits = [Split::Bands, Split::Fixed(0.05), Split::Fixed(0.5), Split::Quota];
    let (rollouts, mut all) = (1_000, 0);
    let cells = drifts.into_iter().flat_map(|drift| splits.map(|split| (drift, split)));
    for (cell, (drift, split)) in (0..).zip(cells) {
        let rate = [0.001, 0.01, 0.05, 0.15][cell as usize % 4];
        let paths = paths(rate, Badness::Rate(1.0), split, drift, 5_000);
        // The blocks with the whole chance: the floor would rightly speak where rates drift above it.
        let rolled_back = (0..rollouts).filter(|rollout| {
            let mut blocks = Blocks::new(1.0).unwrap();
            for signal in paths.play(Random::of(SEED, cell, *rollout)) {
                if signal.is_new_band {
                    blocks.close_at_share_change();
                }
                blocks.observe(arm(signal), signal.is_failed, None);
            }
            blocks.reading(Alpha::parse(0.05).unwrap()).is_crossed()
        });
        let rolled_back = rolled_back.count() as u64;
        assert!(rolled_back <= most_of(rollouts), "{rolled_back}: {rate} {split:?} {drift:?}");
        all += rolled_back;
    }
    assert!(all > 0, "a rule that never fires shows nothing");
}

#[test]
fn a_bad_canary_is_out_after_few_failures() {
    // At 0.04 the blocks alone need a failure more than at 0.05 where one in a hundred runs fails.
    let cases = [
        (0.01, Badness::Rate(5.0), 8),
        (0.05, Badness::Rate(5.0), 7),
        (0.001, Badness::Rate(20.0), 4),
        (0.01, Badness::Rate(20.0), 4),
        (0.05, Badness::Rate(20.0), 4),
        (0.3, Badness::Rate(20.0), 4),
        (0.001, Badness::Always, 4),
        (0.3, Badness::Always, 4),
    ];
    for (cell, (rate, badness, most)) in (100..).zip(cases) {
        let paths = paths(rate, badness, Split::Bands, Drift::None, 10_000);
        let mut failures: Vec<u64> = (0..301)
            .map(|rollout| {
                let mut judge = Judge::new();
                let mut signals = paths.play(Random::of(SEED, cell, rollout));
                assert!(signals.any(|signal| judge.rolls_back(signal)), "{rate} {badness:?}");
                judge.failed
            })
            .collect();
        failures.sort_unstable();
        assert!(failures[150] <= most, "{} failures: {rate} {badness:?}", failures[150]);
    }
}

#[test]
fn a_good_canary_is_promoted_early_and_one_at_the_limit_is_not() {
    let limit = 0.02 / 1.01;
    let promoted = |cell: u64, odds: f64| -> Vec<u32> {
        let paths = paths(0.01, Badness::Odds(odds), Split::Bands, Drift::None, 10_000);
        let one = |rollout: u64| {
            let mut promotion = Promotion::new(Promotion::RHO, Some(limit)).unwrap();
            let (mut open, mut succeeded, mut failed) = (Open::default(), 0, 0);
            let mut signals = paths.play(Random::of(SEED, cell, rollout)).zip(1..);
            let found = signals.find(|(signal, _)| {
                if signal.is_new_band {
                    promotion.observe(open.close().as_ref(), succeeded, failed);
                }
                succeeded += u64::from(signal.is_canary && !signal.is_failed);
                failed += u64::from(signal.is_canary && signal.is_failed);
                let step = open.observe(arm(*signal), signal.is_failed, None);
                promotion.observe(step.closed.as_ref(), succeeded, failed);
                promotion.reading(Alpha::PROMOTION, succeeded, failed).is_crossed()
            });
            found.map_or(u32::MAX, |(_, at)| at)
        };
        (0..401).map(one).collect()
    };
    let mut good = promoted(200, 1.0);
    good.sort_unstable();
    assert!(good[200] <= 3_800, "half of the good ones are promoted at signal {}", good[200]);
    let at_the_limit = promoted(201, 2.0).iter().filter(|at| **at < u32::MAX).count() as u64;
    assert!(at_the_limit <= most_of(401), "{at_the_limit} of 401 at the limit were promoted");
}

/// A fleet in which each fault is reported six times: the run and five retries of it.
fn rolled_back_with_retries(is_named: bool) -> u64 {
    let one = |rollout: &u64| {
        let mut random = Random::of(SEED, 300, *rollout);
        let mut blocks = Blocks::new(1.0).unwrap();
        for _ in 0..3_000 {
            let instance = random.next() % 500;
            let arm = if random.one_in(5) { Arm::Canary } else { Arm::Stable };
            let is_failed = random.one_in(50);
            for _ in 0..if is_failed { 6 } else { 1 } {
                blocks.observe(arm, is_failed, is_named.then_some(instance));
            }
        }
        blocks.reading(Alpha::parse(0.05).unwrap()).is_crossed()
    };
    (0..400).filter(one).count() as u64
}

#[test]
fn named_instances_keep_the_promise_where_faults_are_retried() {
    let (named, unnamed) = (rolled_back_with_retries(true), rolled_back_with_retries(false));
    assert!(named <= most_of(400), "{named} of 400 good canaries were rolled back");
    assert!(unnamed > 60, "{unnamed} of 400: without names retries are no evidence");
}

/// One pipeline runs both versions, eight of ten runs the canary's: the share per instance differs.
#[test]
fn a_single_instance_with_most_runs_on_the_canary_keeps_the_promise() {
    let one = |rollout: &u64| {
        let mut random = Random::of(SEED, 301, *rollout);
        let mut blocks = Blocks::new(1.0).unwrap();
        for _ in 0..5_000 {
            let arm = if random.one_in(5) { Arm::Stable } else { Arm::Canary };
            blocks.observe(arm, random.one_in(20), Some(7));
        }
        blocks.reading(Alpha::parse(0.05).unwrap()).is_crossed()
    };
    let rolled_back = (0..400).filter(one).count() as u64;
    assert!(rolled_back <= most_of(400), "{rolled_back} of 400 good canaries were rolled back");
}

#[test]
fn at_most_one_canary_as_fast_as_the_baseline_in_twenty_is_called_slow() {
    let one = |rollout: &u64| {
        let mut random = Random::of(SEED, 302, *rollout);
        let thresholds = Thresholds::new(Direction::HighIsBad, [50.0, 90.0, 99.0]).unwrap();
        let (mut open, mut measurement) = (Open::default(), Measurement::new(thresholds));
        for at in 0..5_000 {
            let arm = if random.one_in(2) { Arm::Canary } else { Arm::Stable };
            // Both versions become twice as slow.
            let value = random.uniform() * (100.0 + f64::from(at) / 50.0);
            let step = open.observe(arm, false, None);
            measurement.observe(arm, (!random.one_in(50)).then_some(value));
            if step.closed.is_some() {
                measurement.close();
            }
        }
        measurement.reading(Alpha::parse(0.05).unwrap()).is_crossed()
    };
    let found = (0..400).filter(one).count() as u64;
    assert!(found <= most_of(400), "{found} of 400 canaries were called slow");
}
