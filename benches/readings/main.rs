//! How many readings of devices the server takes in, and how fast it sums them up.
//!
//! ```text
//! cargo bench -p canary-benches --bench readings
//! cargo bench -p canary-benches --bench readings -- --quick --only easy
//! ```
//!
//! Each part has a server and a database of its own; the server is a child process, this program
//! run again with `--child`, and the parent makes the load beside it, with one thread.
//! A reading counts once its request was answered with 200 and as accepted.
//! What the load alone could reach is part of the report: the same against a server that parses
//! nothing.
//! A slow server is no failure here; a wrong answer is, and ends the run.
//! So does an error, except for 503: that is retried when the server asks for it, and counted.

mod backlog;
mod disk;
mod ingest;
mod report;
mod scale;
mod single;
mod statistics;

use std::process::ExitCode;
use std::time::Duration;

use canary_benches::Failure;
use canary_benches::program::{Program, Wish, explained};
use canary_benches::rounds::Rounds;
use tempfile::TempDir;

use crate::report::Report;
use crate::statistics::Questions;
use canary_benches::bulk::Load;
use canary_benches::fleet::Shape;

const PROGRAM: Program = Program {
    usage: "usage: cargo bench -p canary-benches --bench readings -- [--quick] [--only NAME]\n\
        names: ceiling, easy, hard, paced, single, statistics, scale",
    names: &["ceiling", "easy", "hard", "paced", "single", "statistics", "scale"],
};

/// What is measured, and how long.
struct Plan {
    unpaced: Duration,
    paced: Duration,
    /// Of the ceiling, and of single rows.
    beside: Duration,
    rounds: Rounds,
    questions: Questions,
}

impl Plan {
    const FULL: Self = Self {
        unpaced: Duration::from_secs(60),
        paced: Duration::from_secs(30),
        beside: Duration::from_secs(10),
        rounds: Rounds::FULL,
        questions: Questions {
            idle: 2_000,
            beside: Duration::from_secs(10),
            year: 31_536_000,
            of_year: 200,
        },
    };

    const QUICK: Self = Self {
        unpaced: Duration::from_secs(10),
        paced: Duration::from_secs(5),
        beside: Duration::from_secs(2),
        rounds: Rounds::QUICK,
        questions: Questions {
            idle: 500,
            beside: Duration::from_secs(3),
            year: 3_153_600,
            of_year: 100,
        },
    };
}

fn main() -> ExitCode {
    PROGRAM.run(measure)
}

#[tokio::main(flavor = "current_thread")]
async fn measure(wish: &Wish) -> Result<(), Failure> {
    let plan = if wish.is_quick { Plan::QUICK } else { Plan::FULL };
    let mut report = Report::default();
    let outcome = measure_all(wish, &plan, &mut report).await;
    // What was measured before a failure is worth knowing.
    println!("\n{report}");
    outcome
}

async fn measure_all(wish: &Wish, plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    measure_ingests(wish, plan, report).await?;
    if wish.wants("single") {
        let place = place()?;
        let pairs = single::measure(place.path(), &plan.rounds).await;
        report.single = Some((plan.rounds, explained(pairs, place.path())?));
    }
    if wish.wants("statistics") {
        let place = place()?;
        let summaries = statistics::measure(place.path(), &plan.questions).await;
        report.statistics = explained(summaries, place.path())?;
    }
    if wish.wants("scale") {
        for (name, shape) in [("easy", Shape::EASY), ("hard", Shape::HARD)] {
            report.scale.push((name, scale::measure(place()?.path(), shape, plan.beside)?));
        }
    }
    Ok(())
}

/// Many readings in each request.
async fn measure_ingests(wish: &Wish, plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    if wish.wants("ceiling") {
        let place = place()?;
        report.ceiling =
            Some(explained(ingest::ceiling(place.path(), plan.beside).await, place.path())?);
    }
    for (name, title, shape) in [
        ("easy", "easy: 10 000 devices × 2 types, each second", Shape::EASY),
        ("hard", "hard: 200 000 devices, each minute", Shape::HARD),
    ] {
        if wish.wants(name) {
            let place = place()?;
            let load = Load::unpaced(plan.unpaced);
            let ingest = ingest::canary(title, place.path(), shape, load).await;
            report.ingests.push(explained(ingest, place.path())?);
        }
    }
    if wish.wants("paced") {
        let place = place()?;
        let load = Load::paced(1_000_000, plan.paced);
        let ingest = ingest::canary("easy, paced", place.path(), Shape::EASY, load).await;
        report.paced = Some(explained(ingest, place.path())?);
    }
    Ok(())
}

/// A directory for a server and its database, which ends with the part that needs it.
///
/// It is below the target directory: in memory, commits would be free.
fn place() -> Result<TempDir, Failure> {
    Ok(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}
