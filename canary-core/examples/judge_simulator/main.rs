//! What the judge promises, played out: seeded rollouts, as Markdown tables.
//!
//! ```text
//! cargo run --release -p canary-core --example judge_simulator -- [--rollouts N] [--seed S]
//! ```
//!
//! `--rollouts` is the number per cell of the tables of promises, 20 000 unless told; a quarter of it
//! plays the slower tables. Figures do not depend on the machine or its number of cores.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fault of the simulator ends it"
)]

mod cells;
mod latency;
mod path;
mod report;
mod rules;

use self::cells::Cells;
use self::path::{Badness, Drift, Paths, Scenario, Split};
use self::report::{median, range, rate};

const SIGNALS: u32 = 10_000;
const RATES: [f64; 4] = [0.001, 0.01, 0.05, 0.3];
const SPLITS: [(&str, Split); 4] = [
    ("20…100 % in bands", Split::Bands),
    ("fixed 5 %", Split::Fixed(0.05)),
    ("fixed 50 %", Split::Fixed(0.5)),
    ("quota, in bands", Split::Quota),
];
const DRIFTS: [(&str, Drift); 5] = [
    ("none", Drift::None),
    ("outage ×8", Drift::Outage),
    ("ramp 1→5", Drift::Ramp),
    ("decay 5→1", Drift::Decay),
    ("bursts ×10", Drift::Bursts),
];

fn main() {
    let (rollouts, seed) = arguments();
    println!("{rollouts} rollouts per cell, {SIGNALS} signals each, seed {seed}.");
    println!("Rates stand before their 99 % intervals.\n");
    let mut cells = Cells::new(seed);
    false_rollbacks(&mut cells, rollouts);
    failures_suffered(&mut cells, rollouts / 4);
    other_rules(&mut cells, rollouts / 4);
    early_promotions(&mut cells, rollouts / 4);
    latency::tables(&mut cells, rollouts / 10);
}

/// The number of rollouts and the seed.
fn arguments() -> (u64, u64) {
    let (mut rollouts, mut seed) = (20_000, 1);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|number| number.parse().ok());
        let number = number.unwrap_or_else(|| panic!("`{word}` needs a number"));
        match word.as_str() {
            "--rollouts" => rollouts = number,
            "--seed" => seed = number,
            _ => panic!("`{word}` is unknown, there are --rollouts and --seed"),
        }
    }
    (rollouts, seed)
}

fn scenario(rate: f64, badness: Badness, split: Split, drift: Drift) -> Paths {
    Paths::of(Scenario { rate, badness, split, drift, signals: SIGNALS })
}

fn false_rollbacks(cells: &mut Cells, rollouts: u64) {
    println!("## G1: good canaries that are rolled back\n");
    println!("Blocks at alpha 0.05, a look after every signal. Promised: at most 0.055.\n");
    let heads = DRIFTS.map(|(name, _)| name).join(" | ");
    println!("| baseline fails | split | {heads} |\n| --- | --- | --- | --- | --- | --- | --- |");
    let mut worst = (0.0, 0.0);
    for failing in RATES {
        for (name, split) in SPLITS {
            print!("| {failing} | {name} |");
            for (_, drift) in DRIFTS {
                let paths = scenario(failing, Badness::Rate(1.0), split, drift);
                let outs = cells.rollbacks(&paths, rollouts, |_| rules::Judge::of(0.05));
                let bad = outs.iter().filter(|out| out.is_rolled_back).count() as u64;
                let (_, high) = range(bad, rollouts);
                worst = if high > worst.1 { (bad as f64 / rollouts as f64, high) } else { worst };
                print!(" {} |", rate(bad, rollouts));
            }
            println!();
        }
    }
    println!("\nWorst cell: {:.4}, upper 99 % limit {:.4}.\n", worst.0, worst.1);
}

fn failures_suffered(cells: &mut Cells, rollouts: u64) {
    println!("## G2: failures of a bad canary until it is out\n");
    println!(
        "Median of {rollouts} rollouts, and the part rolled back, without drift. \
         Promised in bands: for 5× at most 7 from 0.01 on, for 20× and for always failing at most 4.\n"
    );
    let badness =
        [("5×", Badness::Rate(5.0)), ("20×", Badness::Rate(20.0)), ("always", Badness::Always)];
    for (title, alpha, has_floor) in [
        ("Blocks at alpha 0.05", 0.05, false),
        ("Blocks at 0.04, floor of 80 % at 0.01", 0.04, true),
    ] {
        println!("{title}:\n");
        let heads = SPLITS.map(|(name, _)| name).join(" | ");
        println!("| baseline fails | canary | {heads} |\n| --- | --- | --- | --- | --- | --- |");
        for failing in RATES {
            for (name, badness) in badness {
                print!("| {failing} | {name} |");
                for (_, split) in SPLITS {
                    let paths = scenario(failing, badness, split, Drift::None);
                    let outs = cells.rollbacks(&paths, rollouts, |_| {
                        rules::Floored::of(rules::Judge::of(alpha), has_floor)
                    });
                    print!(" {} |", median(&outs));
                }
                println!();
            }
        }
        println!();
    }
}

fn other_rules(cells: &mut Cells, rollouts: u64) {
    println!("## Other rules on the same paths\n");
    println!(
        "{rollouts} rollouts, bands 20 to 100 %, baseline fails 0.01; rate of rollbacks, and median \
         failures of the canary until then or until the end.\n"
    );
    let kinds = [
        ("good canary", Badness::Rate(1.0), Drift::None),
        ("5× worse", Badness::Rate(5.0), Drift::None),
        ("20× worse", Badness::Rate(20.0), Drift::None),
        ("good, both drift 1→5×", Badness::Rate(1.0), Drift::Ramp),
        ("good, both decay 5→1×", Badness::Rate(1.0), Drift::Decay),
    ];
    let heads = kinds.map(|(name, _, _)| name).join(" | ");
    println!("| rule | {heads} |\n| --- | --- | --- | --- | --- | --- |");
    let first = cells.next();
    for row in rules::ROWS {
        print!("| {} |", row.name);
        for (kind, (_, badness, drift)) in kinds.into_iter().enumerate() {
            let paths = scenario(0.01, badness, Split::Bands, drift);
            let odds = match badness {
                Badness::Rate(ratio) if ratio > 1.0 => {
                    0.01 * ratio / (1.0 - 0.01 * ratio) / (0.01 / 0.99)
                }
                _ => 5.0,
            };
            let outs =
                cells.rollbacks_at(first + kind as u64, &paths, rollouts, |_| (row.make)(odds));
            print!(" {} |", median(&outs));
        }
        println!();
    }
    println!();
    cells.skip(kinds.len() as u64);
}

fn early_promotions(cells: &mut Cells, rollouts: u64) {
    println!("## G5: early promotion\n");
    println!(
        "{rollouts} rollouts per cell, baseline fails 0.01, rho 2, beta 0.05. At the limit the odds \
         of the canary are twice the baseline's, and q is its failure rate. \
         Promised: good at a median of at most 3 800 signals, at the limit at most 0.05.\n"
    );
    let limit = 0.02 / 1.01;
    let kinds = [
        ("good, P alone", Badness::Odds(1.0), None, Drift::None),
        ("good, with q", Badness::Odds(1.0), Some(limit), Drift::None),
        ("at the limit, P alone", Badness::Odds(2.0), None, Drift::None),
        ("at the limit, with q", Badness::Odds(2.0), Some(limit), Drift::None),
        ("at the limit, P alone, ramp 1→5", Badness::Odds(2.0), None, Drift::Ramp),
        ("at the limit, P alone, bursts", Badness::Odds(2.0), None, Drift::Bursts),
    ];
    println!("| canary | split | promoted | median signal |\n| --- | --- | --- | --- |");
    for (name, badness, acceptable, drift) in kinds {
        for (split_name, split) in SPLITS {
            let paths = scenario(0.01, badness, split, drift);
            let outs = cells.promotions(&paths, rollouts, acceptable);
            let promoted = outs.iter().flatten().count() as u64;
            let mut at: Vec<u32> = outs.iter().map(|out| out.unwrap_or(u32::MAX)).collect();
            at.sort_unstable();
            let middle = at[at.len() / 2];
            let middle = if middle == u32::MAX { "none".to_owned() } else { middle.to_string() };
            println!("| {name} | {split_name} | {} | {middle} |", rate(promoted, rollouts));
        }
    }
    println!();
}
