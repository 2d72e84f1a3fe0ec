//! What a change of the canary's share does, and what is held back of it.

use super::*;
use crate::judge::blocks::open::Block;

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
        ["advanced 0.0.2 to band 3 of 5: 60 % of the runs from now on (rule schedule)"]
    );
    let next = product.lineup.next_change_at(product.now).unwrap();
    assert_eq!(next, START.after(Duration::from_secs(3 * 2 * 86_400 / 5)));
}

/// The time of a band of five over two days.
const BAND: Duration = Duration::from_secs(2 * 86_400 / 5);

/// A change of the canary's share, by name.
type Change = (&'static str, fn(&mut Product));

/// Each way in which the canary's share changes.
const CHANGES: [Change; 3] = [
    ("a band", |product| {
        product.pass(BAND);
        product.tick();
    }),
    ("a pause", |product| product.act(Request::Pause, "0.0.2").unwrap()),
    ("a resumption", |product| product.act(Request::Resume, "0.0.2").unwrap()),
];

/// A product whose canary's share can change so.
fn before(change: &str, policy: Policy) -> Product {
    let mut product = Product::with_canary(policy);
    if change == "a resumption" {
        product.act(Request::Pause, "0.0.2").unwrap();
    }
    product
}

impl Product {
    /// The open block of runs, and the sums of those that were closed.
    fn blocks(&self) -> (Block, [f64; 5]) {
        let canary = &self.lineup.open().expect("an open canary").release;
        let baseline = self.rollout().evidence(canary, self.now).findings.baseline.unwrap();
        (baseline.open, baseline.logs)
    }
}

#[test]
fn every_change_of_the_share_ends_the_open_block() {
    for (name, change) in CHANGES {
        let mut product = before(name, Policy::default());
        product.report("0.0.1", Status::Success);
        product.report("0.0.2", Status::Failed);
        let (open, logs) = product.blocks();
        assert_eq!((open.canary.failed, open.baseline.runs, logs), (1, 1, [0.0; 5]), "{name}");
        change(&mut product);
        let (open, logs) = product.blocks();
        assert_eq!(open, Block::default(), "{name}");
        assert!(logs[0] > 0.0, "{name}: a block of both versions counts");
        product.report("0.0.1", Status::Success);
        product.tick();
        assert_eq!(product.blocks().0.baseline.runs, 1, "{name}: it changes but once");
    }
}

#[test]
fn a_block_does_not_reach_over_bands_that_nobody_was_there_to_tell_of() {
    let mut product = Product::with_canary(policy(|settings| settings.min_signals = Some(10)));
    product.report("0.0.1", Status::Success);
    product.report("0.0.2", Status::Failed);
    product.end();
    assert!(product.rollout().is_held());
    let (open, logs) = product.blocks();
    assert_eq!(open, Block::default());
    assert!(logs[0] > 0.0);
}

#[test]
fn a_change_of_the_share_drops_a_block_of_one_version() {
    for (name, change) in CHANGES {
        let mut product = before(name, Policy::default());
        product.report("0.0.2", Status::Failed);
        change(&mut product);
        assert_eq!(product.blocks(), (Block::default(), [0.0; 5]), "{name}");
    }
}

/// Runs by turns until the open block, closed as it is, would be the last word.
fn on_the_edge(name: &str, change: fn(&mut Product)) -> Product {
    let sharp = policy(|settings| settings.alpha_floor = Some(0.0));
    let edge = |failures: u64| {
        let mut product = before(name, sharp.clone());
        for turn in 0..500 {
            let failed = turn * 37 % 100 < failures;
            product.report("0.0.1", Status::Success);
            product.report("0.0.2", if failed { Status::Failed } else { Status::Success });
            product.lineup.open()?;
            let mut changed = product.clone();
            change(&mut changed);
            if changed.lineup.open().is_none() {
                return Some(product);
            }
        }
        None
    };
    (10..90).find_map(edge).expect("an open block that is the last word")
}

#[test]
fn a_block_that_a_change_of_the_share_closes_can_be_the_last_word() {
    for (name, change) in CHANGES {
        let mut product = on_the_edge(name, change);
        let told = product.sentences().len();
        change(&mut product);
        assert_eq!(product.state_of("0.0.2"), State::RolledBack, "{name}");
        assert_eq!(product.decision_of("0.0.2").rule, Rule::Baseline, "{name}");
        let last = "rolled back 0.0.2: 6 of 58 runs failed, and with 0.0.1 meanwhile 0 of 58: \
                    0.0.2 fails more often (rule baseline, p ≤ 0.049); everybody gets 0.0.1 \
                    again; register the mended software as a new version";
        match (name, &product.sentences()[told..]) {
            ("a pause", [first, end]) => {
                let paused = "paused 0.0.2: by an operator, because; everybody gets 0.0.1 until it \
                              is resumed";
                assert_eq!([*first, end], [paused, last], "{name}");
            }
            ("a resumption", [first, end]) => {
                let resumed =
                    "resumed 0.0.2: by an operator, because; it gets 20 % of the runs again";
                assert_eq!([*first, end], [resumed, last], "{name}");
            }
            ("a band", [end]) => assert_eq!(*end, last, "{name}"),
            (_, told) => panic!("{name}: {told:#?}"),
        }
    }
}

#[test]
fn what_is_held_back_never_gets_the_canary() {
    let held_back = policy(|settings| {
        settings.holdback = Some(0.05);
        settings.at_end = Some(AtEnd::Hold);
        settings.min_signals = Some(1_000_000);
    });
    let mut product = Product::with_canary(held_back);
    let want = [0.2, 0.4, 0.6, 0.8, 0.95, 0.95, 0.95];
    for (band, want) in (1..).zip(want) {
        assert_eq!(product.rollout().share_at(product.now).as_f64(), want, "band {band}");
        let before = product.rollout().counts_in(5).canary.total();
        let handed_out = product.poll_and_report(1_000);
        let canary = handed_out["0.0.2"];
        // A run more than its share, of the first that nobody has reported yet.
        let most = (want * 1_000.0) as u32 + 1;
        assert!((most - 5..=most).contains(&canary), "band {band}: {canary} of 1000, {before}");
        product.pass(BAND);
        product.tick();
    }
    assert!(product.rollout().is_held());
    assert_eq!(
        product.sentences()[3],
        "advanced 0.0.2 to band 5 of 5: 95 % of the runs from now on (rule schedule)"
    );
}

#[test]
fn the_same_instances_are_held_back_to_the_end_and_after() {
    let held_back = policy(|settings| settings.holdback = Some(0.05));
    let mut product = Product::with_canary(held_back);
    let instances: Vec<InstanceId> =
        (0..2_000).map(|name| InstanceId::parse(format!("i{name}")).unwrap()).collect();
    let mut stable = |days: f64| {
        product.now = START.after(Duration::from_secs_f64(86_400.0 * days));
        product.tick();
        let all = instances.iter().enumerate();
        let stable = all.filter(|(_, name)| product.ask(Asker::Instance(name)).0 == "0.0.1");
        stable.map(|(index, _)| index).collect::<Vec<_>>()
    };
    let (in_the_last_band, after) = (stable(1.7), stable(9.0));
    assert_eq!(in_the_last_band, after);
    assert!((70..=130).contains(&after.len()), "{} of 2000", after.len());
}
