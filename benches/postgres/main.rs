//! The same work on PostgreSQL, by one server and by two together, beside a file.
//!
//! ```text
//! cargo bench -p canary-benches --bench postgres
//! cargo bench -p canary-benches --bench postgres -- --quick --only signal
//! ```
//!
//! What gathers while one commit runs is the next one, so a commit is for more the more callers wait:
//! two servers share the callers of one, and each of them commits for half as many. So all is
//! measured with few callers and with many.
//!
//! PostgreSQL is a cluster of this run's own, with its settings as they are installed: each commit
//! is on disk before it is answered. It shares the processors with the servers and the load.
//! Parts take turns, round by round, so that what else the machine does meets all alike.

mod report;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use canary_benches::Failure;
use canary_benches::bulk::{self, Load};
use canary_benches::fleet::Shape;
use canary_benches::post::Writer;
use canary_benches::program::{Program, Wish, explained};
use canary_benches::rounds::{CONNECTIONS, Rounds};
use canary_benches::server::Server;
use canary_benches::traffic::{self, Scenario, Setup};
use canary_server::DatabaseUrl;
use canary_tests::Cluster;

use crate::report::{Bulk, Report, Signals, TITLES};

const PROGRAM: Program = Program {
    usage: "usage: cargo bench -p canary-benches --bench postgres -- [--quick] [--only NAME]\n\
        names: signal, bulk",
    names: &["signal", "bulk"],
};

/// Callers of signals, and of readings: few, and many.
const CALLERS: [u64; 2] = [CONNECTIONS, 512];
const BULK_CALLERS: [u32; 2] = [8, 32];

/// What is measured, and how long.
struct Plan {
    rounds: Rounds,
    bulk: Duration,
}

impl Plan {
    const FULL: Self = Self { rounds: Rounds::FULL, bulk: Duration::from_secs(60) };
    const QUICK: Self = Self { rounds: Rounds::QUICK, bulk: Duration::from_secs(10) };
}

fn main() -> ExitCode {
    PROGRAM.run(measure)
}

fn measure(wish: &Wish) -> Result<(), Failure> {
    // Below the target directory: a temporary directory in memory would make commits free.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let plan = if wish.is_quick { Plan::QUICK } else { Plan::FULL };
    let cluster = Cluster::durable(Path::new(env!("CARGO_TARGET_TMPDIR")));
    cluster.start();
    let databases = Databases::of(&cluster);
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measuring = measure_all(wish, &plan, &databases, directory.path(), &mut report);
    let outcome = runtime.block_on(measuring);
    // What was measured before a failure is worth knowing.
    println!("\n{report}");
    explained(outcome, directory.path())
}

async fn measure_all(
    wish: &Wish,
    plan: &Plan,
    databases: &Databases,
    directory: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    if wish.wants("signal") {
        report.signals = signals(&plan.rounds, databases, directory).await?;
    }
    if wish.wants("bulk") {
        let file = vec![Server::canary(directory)?];
        let one = servers(&databases.readings_of_one, 1, directory)?;
        let two = servers(&databases.readings_of_two, 2, directory)?;
        for callers in BULK_CALLERS {
            for (title, servers) in TITLES.into_iter().zip([&file, &one, &two]) {
                report.bulk.push(bulk(title, servers, callers, plan.bulk).await?);
            }
        }
    }
    Ok(())
}

/// Empty databases, one for each thing that is measured.
struct Databases {
    signals_of_one: DatabaseUrl,
    signals_of_two: DatabaseUrl,
    readings_of_one: DatabaseUrl,
    readings_of_two: DatabaseUrl,
}

impl Databases {
    fn of(cluster: &Cluster) -> Self {
        Self {
            signals_of_one: cluster.make("signals_of_one"),
            signals_of_two: cluster.make("signals_of_two"),
            readings_of_one: cluster.make("readings_of_one"),
            readings_of_two: cluster.make("readings_of_two"),
        }
    }
}

/// So many servers on a database.
fn servers(database: &DatabaseUrl, count: usize, directory: &Path) -> Result<Vec<Server>, Failure> {
    (0..count).map(|_| Server::canary_on(database.reveal(), directory)).collect()
}

/// Durable `POST /signal`: hello, a file, one server, two servers, hello, …; with few callers, then
/// with many.
async fn signals(
    rounds: &Rounds,
    databases: &Databases,
    directory: &Path,
) -> Result<Vec<Signals>, Failure> {
    let hello = Server::hello(directory)?;
    let file = Server::canary(directory)?;
    let one = servers(&databases.signals_of_one, 1, directory)?;
    let two = servers(&databases.signals_of_two, 2, directory)?;
    let setup = Setup { products: 1, signals: 0 };
    for server in [&file, &one[0], &two[0]] {
        setup.register_measured(server).await?;
        traffic::check_choice(server).await?;
    }
    let groups = [vec![&file], one.iter().collect(), two.iter().collect()];
    let mut all = Vec::new();
    for connections in CALLERS {
        all.push(turns(&Rounds { connections, ..*rounds }, &hello, &groups).await?);
    }
    Ok(all)
}

/// As many turns as there are pairs.
async fn turns(
    rounds: &Rounds,
    hello: &Server,
    groups: &[Vec<&Server>; 3],
) -> Result<Signals, Failure> {
    let mut signals = Signals::of(*rounds);
    for _ in 0..rounds.pairs {
        signals.hello.push(rounds.greet(hello).await?);
        for (place, group) in groups.iter().enumerate() {
            let (requests, first) = (Scenario::Signal.requests(), Scenario::Signal.first_number());
            let round = rounds.round(group, &requests, first).await?;
            signals.ours[place].push(round);
        }
        println!("{}", signals.last());
    }
    Ok(signals)
}

/// Readings of 10 000 devices, 10 000 in each request.
async fn bulk(
    title: &'static str,
    servers: &[Server],
    callers: u32,
    time: Duration,
) -> Result<Bulk, Failure> {
    let addresses: Vec<_> = servers.iter().map(Server::address).collect();
    let load = Load::unpaced(time).over(callers);
    let sent = bulk::send(&addresses, Writer::new(Shape::EASY), load).await?;
    println!("{title}, {callers} connections: {:.2} M readings/s", sent.per_second() / 1e6);
    Ok(Bulk { title, callers, sent })
}
