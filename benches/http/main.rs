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

mod child;
mod load;
mod report;
mod rounds;
mod server;
mod traffic;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::report::Report;
use crate::rounds::Rounds;
use crate::server::Server;
use crate::traffic::{Scenario, Setup};

/// What ends the benchmark early.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: cargo bench -p canary-benches --bench http -- [--quick] [--only NAME]\n\
    names: hello, quota, sticky, signal, million (these again when filled), memory";

/// What is measured, and how long.
struct Plan {
    only: Option<String>,
    rounds: Rounds,
    setup: Setup,
}

impl Plan {
    fn full() -> Self {
        let (warm_up, measured) = (Duration::from_secs(1), Duration::from_secs(3));
        let rounds = Rounds { pairs: 5, warm_up, measured };
        Self { only: None, rounds, setup: Setup { products: 1_000, signals: 1_000_000 } }
    }

    fn quick() -> Self {
        let (warm_up, measured) = (Duration::from_millis(300), Duration::from_secs(1));
        let rounds = Rounds { pairs: 3, warm_up, measured };
        Self { only: None, rounds, setup: Setup { products: 1_000, signals: 100_000 } }
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let plan = match words.as_slice() {
        ["--child", "hello"] => return ended(child::hello()),
        ["--child", "canary", database] => return ended(child::canary(database)),
        // `cargo bench` passes `--bench`; tests of all targets do not, and should not wait for it.
        words if !words.contains(&"--bench") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        words => plan(words),
    };
    let Some(plan) = plan else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    ended(measure(&plan))
}

fn plan(words: &[&str]) -> Option<Plan> {
    let mut plan = if words.contains(&"--quick") { Plan::quick() } else { Plan::full() };
    let mut words = words.iter().filter(|word| !matches!(**word, "--bench" | "--quick"));
    while let Some(word) = words.next() {
        const NAMES: [&str; 6] = ["hello", "quota", "sticky", "signal", "million", "memory"];
        let name = (*word == "--only").then(|| words.next())?;
        plan.only = Some((*name.filter(|name| NAMES.contains(name))?).to_owned());
    }
    Some(plan)
}

fn ended(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn measure(plan: &Plan) -> Result<(), Failure> {
    // Below the target directory: a temporary directory in memory would make commits free.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut report = Report::new(plan.rounds);
    let hello = Server::hello(directory.path())?;
    let outcome = measure_all(plan, &hello, directory.path(), &mut report).await;
    if outcome.is_err() {
        eprintln!("{}", server::last_words(directory.path()));
    }
    outcome?;
    println!("\n{report}");
    match report.errors() {
        0 => Ok(()),
        errors => Err(format!("{errors} requests failed").into()),
    }
}

async fn measure_all(
    plan: &Plan,
    hello: &Server,
    directory: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    let Plan { rounds, setup, .. } = plan;
    if plan.wants("hello") {
        report.hello(rounds.alone(hello).await?);
    }
    if plan.only.as_deref() == Some("hello") {
        return Ok(());
    }

    let canary = Server::canary(directory)?;
    setup.register_measured(&canary).await?;
    for scenario in Scenario::ALL {
        if plan.wants(scenario.name()) || plan.wants("million") {
            report.first(scenario, rounds.pairs(hello, &canary, scenario).await?);
        }
    }
    if !plan.wants("million") && !plan.wants("memory") {
        return canary.stop();
    }

    report.filled(*setup, setup.fill(&canary).await?);
    if plan.wants("million") {
        for scenario in Scenario::ALL {
            report.again(scenario, rounds.pairs(hello, &canary, scenario).await?);
        }
    }
    if plan.wants("memory") {
        report.memory("after filling and all load so far", canary.memory()?);
    }
    canary.stop()?;
    if plan.wants("memory") {
        let canary = Server::canary(directory)?;
        report.memory("after a fresh start on that database", canary.memory()?);
        for scenario in Scenario::ALL {
            report.count_errors(&rounds.once(&canary, scenario).await?);
        }
        setup.ask_everywhere(&canary).await?;
        report.memory("after that start and load on every product", canary.memory()?);
        canary.stop()?;
    }
    Ok(())
}
