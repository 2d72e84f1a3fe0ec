//! How fast the server answers, beside a bare poem on the same machine.
//!
//! ```text
//! cargo bench -p canary-benches --bench http
//! cargo bench -p canary-benches --bench http -- --quick --only sticky
//! ```
//!
//! The servers are child processes, this program run again with `--child`; the parent makes the
//! load, with one thread.
//! Each round against Canary follows a round against the hello, and the ratio is the median over
//! such pairs: what else the machine does meets both alike.
//! A slow server is no failure here; a refused or wrong answer is.

mod report;

use std::path::Path;
use std::process::ExitCode;

use canary_benches::Failure;
use canary_benches::program::{Program, Wish, explained};
use canary_benches::rounds::{Asked, Pair, Rounds};
use canary_benches::server::Server;

use crate::report::Report;
use canary_benches::traffic::{self, Scenario, Setup};

const PROGRAM: Program = Program {
    usage: "usage: cargo bench -p canary-benches --bench http -- [--quick] [--only NAME]\n\
        names: hello, quota, sticky, signal, million (these again when filled), memory",
    names: &["hello", "quota", "sticky", "signal", "million", "memory"],
};

/// What is measured, and how long.
struct Plan<'a> {
    wish: &'a Wish,
    rounds: Rounds,
    setup: Setup,
}

impl<'a> Plan<'a> {
    const fn of(wish: &'a Wish) -> Self {
        let (rounds, signals) =
            if wish.is_quick { (Rounds::QUICK, 100_000) } else { (Rounds::FULL, 1_000_000) };
        Self { wish, rounds, setup: Setup { products: 1_000, signals } }
    }
}

fn main() -> ExitCode {
    PROGRAM.run(measure)
}

#[tokio::main(flavor = "current_thread")]
async fn measure(wish: &Wish) -> Result<(), Failure> {
    // Below the target directory: a temporary directory in memory would make commits free.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let plan = Plan::of(wish);
    let mut report = Report::new(plan.rounds);
    let outcome = measure_all(&plan, directory.path(), &mut report).await;
    explained(outcome, directory.path())?;
    println!("\n{report}");
    match report.errors() {
        0 => Ok(()),
        errors => Err(format!("{errors} requests failed").into()),
    }
}

async fn measure_all(
    plan: &Plan<'_>,
    directory: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    let Plan { wish, rounds, setup } = plan;
    let hello = Server::hello(directory)?;
    if wish.wants("hello") {
        report.hello(rounds.alone(&hello).await?);
    }
    if wish.only.as_deref() == Some("hello") {
        return Ok(());
    }

    let canary = Server::canary(directory)?;
    setup.register_measured(&canary).await?;
    for scenario in Scenario::ALL {
        if wish.wants(scenario.name()) || wish.wants("million") {
            report.first(scenario, pairs(plan, &hello, &canary, scenario).await?);
        }
    }
    if !wish.wants("million") && !wish.wants("memory") {
        return canary.stop();
    }

    report.filled(*setup, setup.fill(&canary).await?);
    if wish.wants("million") {
        for scenario in Scenario::ALL {
            report.again(scenario, pairs(plan, &hello, &canary, scenario).await?);
        }
    }
    if wish.wants("memory") {
        report.memory("after filling and all load so far", canary.memory()?);
    }
    canary.stop()?;
    if wish.wants("memory") {
        let canary = Server::canary(directory)?;
        report.memory("after a fresh start on that database", canary.memory()?);
        for scenario in Scenario::ALL {
            let (requests, first) = (scenario.requests(), scenario.first_number());
            report.count_errors(&rounds.round(&[&canary], &requests, first).await?);
        }
        setup.ask_everywhere(&canary).await?;
        report.memory("after that start and load on every product", canary.memory()?);
        canary.stop()?;
    }
    Ok(())
}

async fn pairs(
    plan: &Plan<'_>,
    hello: &Server,
    canary: &Server,
    scenario: Scenario,
) -> Result<Vec<Pair>, Failure> {
    traffic::check_choice(canary).await?;
    let (name, requests) = (scenario.name(), scenario.requests());
    let asked = Asked { name, requests, first_number: &|| scenario.first_number() };
    plan.rounds.pairs(hello, canary, &asked).await
}
