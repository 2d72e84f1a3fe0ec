//! Measurements: latencies with a lognormal law, as canaries that are slower, or not.

use canary_core::judge::blocks::open::Open;
use canary_core::judge::compare::means::{Sample, Welch};
use canary_core::judge::measurement::{Direction, Measurement, Thresholds};
use canary_core::judge::sequential::Alpha;
use canary_core::rollout::Arm;
use canary_core::stats::{Domain, Summary};

use super::cells::{Cells, in_parallel};
use super::path::Random;
use super::report::rate;

const SIGNALS: u32 = 10_000;

/// The spread of the logarithm of a latency.
const SPREAD: f64 = 0.5;

pub(crate) fn tables(cells: &mut Cells, rollouts: u64) {
    println!("## Measurements\n");
    println!(
        "{rollouts} rollouts per cell, half of the runs are the canary's, latencies lognormal with \
         a spread of {SPREAD}, thresholds from 1 000 earlier runs, alpha 0.05. \
         Beside it Welch's test at 0.05, looked at every 100 signals.\n"
    );
    println!("| canary | found | median signal | Welch, every 100 |\n| --- | --- | --- | --- |");
    let kinds = [
        ("as fast", 1.0, 1.0, 0.0),
        ("as fast, both ramp to 5×", 1.0, 5.0, 0.0),
        ("10 % slower", 1.1, 1.0, 0.0),
        ("50 % slower", 1.5, 1.0, 0.0),
        ("as fast, a tenth of its values missing", 1.0, 1.0, 0.1),
    ];
    for (name, factor, ramp, missing) in kinds {
        let (seed, cell) = cells.take();
        let outs = in_parallel(rollouts, |rollout| {
            one(Random::of(seed, cell, rollout), factor, ramp, missing)
        });
        let mut at: Vec<u32> = outs.iter().map(|out| out.0.unwrap_or(u32::MAX)).collect();
        at.sort_unstable();
        let middle = at[at.len() / 2];
        let middle = if middle == u32::MAX { "none".to_owned() } else { middle.to_string() };
        let found = outs.iter().filter(|out| out.0.is_some()).count() as u64;
        let welch = outs.iter().filter(|out| out.1).count() as u64;
        println!(
            "| {name} | {} | {middle} | {:.3} |",
            rate(found, rollouts),
            welch as f64 / rollouts as f64
        );
    }
}

/// When the measurement speaks, if it does, and whether Welch's test ever does.
fn one(mut random: Random, factor: f64, ramp: f64, missing: f64) -> (Option<u32>, bool) {
    let mut earlier = Summary::new(Domain::Continuous);
    (0..1_000).for_each(|_| earlier.observe(latency(&mut random), 0).unwrap());
    let thresholds = Thresholds::of(Direction::HighIsBad, &earlier).unwrap();
    let (mut open, mut measurement) = (Open::default(), Measurement::new(thresholds));
    let alpha = Alpha::parse(0.05).unwrap();
    let (mut canary, mut baseline) = (Moments::default(), Moments::default());
    let (mut found, mut welch) = (None, false);
    for at in 1..=SIGNALS {
        let is_canary = random.one_in(2);
        let slope = 1.0 + (ramp - 1.0) * f64::from(at) / f64::from(SIGNALS);
        let value = latency(&mut random) * slope * if is_canary { factor } else { 1.0 };
        let is_missing = is_canary && random.uniform() < missing;
        if !is_missing {
            if is_canary { &mut canary } else { &mut baseline }.add(value);
        }
        let arm = if is_canary { Arm::Canary } else { Arm::Stable };
        let step = open.observe(arm, false, None);
        measurement.observe(arm, (!is_missing).then_some(value));
        if step.closed.is_some() {
            measurement.close();
            if found.is_none() && measurement.reading(alpha).is_crossed() {
                found = Some(at);
            }
        }
        if at % 100 == 0 && !welch {
            let test = Welch::of(&canary.sample(), &baseline.sample());
            welch = test.is_some_and(|test| test.p_two_sided < 0.05);
        }
    }
    (found, welch)
}

/// In some unit, by the method of [Box & Muller 1958](https://doi.org/10.1214/aoms/1177706645).
fn latency(random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * random.uniform()).cos();
    (SPREAD * normal).exp()
}

/// Welford's sums, <https://doi.org/10.1080/00401706.1962.10490022>.
#[derive(Default)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    fn sample(&self) -> Sample {
        let variance = self.squares / (self.count.max(2) - 1) as f64;
        Sample { count: self.count, mean: self.mean, variance }
    }
}
