//! Markdown of rounds of load.

use std::fmt;

use crate::figures::median;
use crate::rounds::{Round, Rounds};

/// The machine, and how the rounds are to be read.
pub fn write_preface(formatter: &mut fmt::Formatter<'_>, rounds: &Rounds) -> fmt::Result {
    let Rounds { connections, pairs, warm_up, measured } = rounds;
    writeln!(
        formatter,
        "{}; servers and generator share them. {connections} connections, one request \
         in flight on each.\nFigures are medians of {pairs} rounds of {measured:?} after {warm_up:?} \
         of warm-up, the hello's of all its rounds; max is the worst of all rounds.\nA ratio is the \
         median over pairs of neighbouring rounds. `server µs` is the server's processor time for one \
         request, `generator` the part of one core that the load took.\n",
        machine()
    )
}

/// Processors and system.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The head of the table of rounds.
pub fn write_head(formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        formatter,
        "| what | req/s | ratio to hello | p50 ms | p99 ms | max ms | server µs | generator | target |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    )
}

/// One line of it.
pub fn write_row(
    formatter: &mut fmt::Formatter<'_>,
    title: &str,
    rounds: &[&Round],
    ratio: f64,
    target: &str,
) -> fmt::Result {
    let middle = |figure: fn(&Round) -> f64| median(rounds.iter().map(|round| figure(round)));
    writeln!(
        formatter,
        "| {title} | {:.0} | {ratio:.2} | {:.2} | {:.2} | {:.1} | {:.1} | {:.0} % | {target} |",
        middle(|round| round.per_second),
        middle(|round| round.p50_ms),
        middle(|round| round.p99_ms),
        rounds.iter().map(|round| round.max_ms).fold(0.0, f64::max),
        middle(|round| round.server_us),
        middle(|round| round.generator) * 100.0,
    )
}
