//! The rules together: what speaks first, what is kept, what survives being written.

use super::*;
use crate::judge::rules::findings::Against;
use crate::policy::{Policy, Settings};
use crate::testing::release;

/// Drives rules as a rollout does.
struct Trial {
    release: Release,
    rules: Rules,
    canary: Counts,
}

impl Trial {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let policy = Policy::default().with(&settings).unwrap();
        let release = Release { policy, ..release() };
        let rules = Rules::new(&release, &Before::default());
        Self { release, rules, canary: Counts::default() }
    }

    fn run(&mut self, arm: Arm, run: &Run<'_>) {
        if arm == Arm::Canary {
            self.canary.add(run.status);
        }
        self.rules.observe(arm, run, self.canary);
    }

    fn name(&mut self, arm: Arm, status: Status, instance: &str) {
        let instance = InstanceId::parse(instance).unwrap();
        self.run(arm, &Run { instance: Some(&instance), ..status.into() });
    }

    /// Runs of both arms by turns until a rule speaks: failures of the canary, and of the stable
    /// version, out of a hundred. How many runs of the canary it took.
    fn until_crossed(&mut self, canary: u64, stable: u64, most: u64) -> Option<u64> {
        for turn in 0..most {
            // Spread over the hundred, not one after another.
            let place = turn * 37 % 100;
            let status = |failures| if place < failures { Status::Failed } else { Status::Success };
            self.run(Arm::Canary, &status(canary).into());
            self.run(Arm::Stable, &status(stable).into());
            if self.rules.is_crossed(self.canary) {
                return Some(turn + 1);
            }
        }
        None
    }

    fn against(&self) -> String {
        match self.rules.findings(self.canary).against() {
            None => "nothing".to_owned(),
            Some(Against::Threshold(_)) => "threshold".to_owned(),
            Some(Against::Baseline(_)) => "baseline".to_owned(),
            Some(Against::Measurement(found, _)) => found.name.clone(),
        }
    }
}

#[test]
fn a_canary_that_always_fails_is_out_by_its_threshold() {
    let mut trial = Trial::new(|_| {});
    assert!(trial.until_crossed(100, 0, 4).is_some());
    assert_eq!(trial.against(), "threshold");
}

#[test]
fn a_canary_above_its_threshold_and_worse_than_the_stable_version_is_out_by_the_comparison() {
    let mut trial = Trial::new(|_| {});
    assert!(trial.until_crossed(15, 1, 1_000).is_some());
    assert_eq!(trial.against(), "baseline");
}

#[test]
fn a_canary_as_bad_as_the_stable_version_stays() {
    let mut trial = Trial::new(|_| {});
    assert_eq!(trial.until_crossed(10, 10, 5_000), None);
    assert_eq!(trial.against(), "nothing");
}

#[test]
fn a_rule_that_gets_nothing_of_alpha_is_silent() {
    let mut trial = Trial::new(|settings| settings.alpha_floor = Some(0.05));
    assert_eq!(trial.until_crossed(15, 1, 2_000), None, "the comparison is off");
    assert!(trial.rules.findings(trial.canary).baseline.is_none());
    let mut trial = Trial::new(|settings| settings.alpha_floor = Some(0.0));
    assert!(trial.until_crossed(100, 0, 100).is_some());
    assert_eq!(trial.against(), "baseline", "the floor is off");
}

#[test]
fn a_higher_odds_ratio_may_be_called_fine() {
    let mut trial = Trial::new(|settings| settings.rho0 = Some(4.0));
    assert_eq!(trial.until_crossed(3, 1, 5_000), None);
}

#[test]
fn neutral_runs_say_nothing() {
    let mut trial = Trial::new(|_| {});
    let before = trial.rules.clone();
    trial.run(Arm::Canary, &Status::Neutral.into());
    assert_eq!(trial.rules, before);
}

#[test]
fn a_slower_canary_is_out_by_its_measurement() {
    let latency = || MeasurementName::parse("latency_ms").unwrap();
    let mut trial = Trial::new(|settings| {
        settings.measurements = Some([(latency(), Direction::HighIsBad)].into());
    });
    let runs = (0_u32..4_000).find(|turn| {
        // Latencies from 100 to 199, those of the canary 30 more.
        let base = f64::from(100 + turn * 37 % 100);
        for (arm, value) in [(Arm::Canary, base + 30.0), (Arm::Stable, base)] {
            let measured = Measurements::parse([("latency_ms".to_owned(), value)]).unwrap();
            let run = Run { measurements: Some(&measured), ..Status::Success.into() };
            trial.run(arm, &run);
        }
        trial.rules.is_crossed(trial.canary)
    });
    assert!(runs.is_some());
    assert_eq!(trial.against(), "latency_ms");
}

#[test]
fn readings_are_compared_in_blocks_of_their_own_and_a_device_counts_once() {
    let humidity = TypeName::parse("humidity").unwrap();
    let mut trial =
        Trial::new(|settings| settings.readings = Some([(humidity, Direction::HighIsBad)].into()));
    let before = trial.rules.clone();
    trial.rules.observe_reading(Arm::Canary, "temperature", 1, 99.0);
    assert_eq!(trial.rules, before, "a type that is not judged");
    let crossed = (0_u32..4_000).find(|turn| {
        let base = f64::from(turn * 37 % 60);
        let device = u64::from(turn % 200);
        for again in 0..3 {
            let value = base + 30.0 - f64::from(again);
            trial.rules.observe_reading(Arm::Canary, "humidity", device, value);
        }
        trial.rules.observe_reading(Arm::Stable, "humidity", device, base);
        trial.rules.is_crossed(trial.canary)
    });
    assert!(crossed.is_some());
    assert_eq!(trial.against(), "humidity");
}

#[test]
fn where_all_runs_are_of_one_instance_each_counts() {
    let found_after = |names: &dyn Fn(u64) -> String, repeats: bool| {
        let mut trial = Trial::new(|settings| settings.count_repeats = Some(repeats));
        (0..10_000).find(|turn| {
            let status = if turn % 7 == 0 { Status::Failed } else { Status::Success };
            trial.name(Arm::Canary, status, &names(*turn));
            trial.name(Arm::Stable, Status::Success, &names(*turn));
            trial.rules.is_crossed(trial.canary)
        })
    };
    let each = found_after(&|turn| format!("run-{turn}"), false).unwrap();
    let one = found_after(&|_| "pipeline".to_owned(), false).unwrap();
    let two = found_after(&|turn| format!("pipeline-{}", turn % 2), false).unwrap();
    let two_repeating = found_after(&|turn| format!("pipeline-{}", turn % 2), true).unwrap();
    assert!(one <= each + 20, "one name tells nothing apart: {one}, {each}");
    assert_eq!(two_repeating, each);
    assert!(two > each, "two instances fill a block with two runs each: {two}, {each}");
}

#[test]
fn retries_of_one_fault_do_not_end_a_canary_among_many_instances() {
    let mut trial = Trial::new(|settings| settings.alpha_floor = Some(0.0));
    for turn in 0..200 {
        trial.name(Arm::Stable, Status::Success, &format!("s{turn}"));
        if turn % 4 == 0 {
            trial.name(Arm::Canary, Status::Success, &format!("c{turn}"));
        }
    }
    for _ in 0..9 {
        trial.name(Arm::Canary, Status::Failed, "c1");
    }
    trial.name(Arm::Stable, Status::Success, "s1");
    assert_eq!(trial.against(), "nothing");
}

#[test]
fn a_proof_is_looked_for_only_where_the_policy_asks() {
    let mut silent = Trial::new(|_| {});
    let mut trial = Trial::new(|settings| {
        settings.early_promotion = Some(true);
        settings.q = Some(0.1);
    });
    let proven = (0..10_000).find(|_| {
        silent.run(Arm::Canary, &Status::Success.into());
        trial.run(Arm::Canary, &Status::Success.into());
        trial.rules.is_proven()
    });
    assert!(proven.is_some() && !silent.rules.is_proven());
    assert!(silent.rules.findings(silent.canary).proof.is_none());
}

#[test]
fn written_in_the_middle_and_read_again_they_go_on_to_the_bit() {
    let mut trial = Trial::new(|settings| {
        settings.early_promotion = Some(true);
        settings.measurements =
            Some([(MeasurementName::parse("m").unwrap(), Direction::LowIsBad)].into());
        settings.readings =
            Some([(TypeName::parse("humidity").unwrap(), Direction::LowIsBad)].into());
    });
    for turn in 0_u32..500 {
        let measured = Measurements::parse([("m".to_owned(), f64::from(turn % 90))]).unwrap();
        let instance = InstanceId::parse(format!("i{}", turn % 30)).unwrap();
        let arm = if turn % 3 == 0 { Arm::Canary } else { Arm::Stable };
        let status = if turn % 11 == 0 { Status::Failed } else { Status::Success };
        trial.run(arm, &Run { status, instance: Some(&instance), measurements: Some(&measured) });
        trial.rules.observe_reading(arm, "humidity", instance.key(), f64::from(turn % 50));
        let read = Rules::decode(&trial.rules.encode(), &trial.release).unwrap();
        assert_eq!(read, trial.rules, "turn {turn}");
        trial.rules = read;
    }
    let bytes = trial.rules.encode();
    assert!(bytes.len() < 4 * 256, "{} bytes for four rules and their blocks", bytes.len());
}
