//! `canary release watch`: waits for the verdict on a canary.

use std::thread;
use std::time::{Duration, Instant};

use canary_client::{Arm, Client, Release};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::show::band_of;
use super::target::Target;
use super::timeline;
use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

/// Waits for the verdict on a canary
///
/// Prints each decision as it is taken and, at a terminal, the counts in a line that changes.
/// Ends with 0 when the release is what everybody gets, with 1 when it was taken back, replaced or
/// retired, and with 75 when --timeout is over before.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary release watch 0192f0c1-7e9b-7cc3-98c4-dc0c0c07398f
  canary release watch --product etl --version 1.5.0 --interval 30 --timeout 86400 && ./announce")]
pub(crate) struct Watch {
    #[command(flatten)]
    target: Target,
    /// How often to ask, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    interval: f64,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<f64>,
}

impl Watch {
    pub(super) fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<Ending, Failure> {
        let id = self.target.id(client)?;
        let begin = Instant::now();
        let live = live_line();
        let mut seen = 0;
        loop {
            // The release first: a verdict that is in it is also among the decisions.
            let release = client.release(&id)?;
            let decisions = client.decisions(&id)?;
            for decision in decisions.iter().skip(seen) {
                live.suspend(|| output.event(decision, timeline::line))?;
            }
            seen = decisions.len();
            if let Some(ending) = ending(&release.state) {
                live.finish_and_clear();
                output.note(&format!("{} is {}", release.semver_version, release.state))?;
                return Ok(ending);
            }
            live.set_message(counts(&release));
            if self.timeout.is_some_and(|timeout| begin.elapsed().as_secs_f64() >= timeout) {
                live.finish_and_clear();
                output.note(&format!("no verdict on {} yet", release.semver_version))?;
                return Ok(Ending::Later);
            }
            thread::sleep(Duration::from_secs_f64(self.interval));
        }
    }
}

/// How the watch ends in a state; nothing while the canary is on its way.
fn ending(state: &str) -> Option<Ending> {
    match state {
        "running" | "paused" => None,
        "promoted" | "stable" => Some(Ending::Done),
        _ => Some(Ending::Refused),
    }
}

/// Counts in one line: "running, band 2 of 5, share 40 %, canary 9 of 10 succeeded, 90 %; …".
fn counts(release: &Release) -> String {
    let of = |arm: fn(&canary_client::Band) -> Arm| {
        let (mut success, mut failed) = (0, 0);
        for band in &release.bands {
            success += arm(band).success;
            failed += arm(band).failed;
        }
        output::succeeded(success, failed)
    };
    format!(
        "{}, band {}, share {}; canary {}; stable {}",
        release.state,
        band_of(release),
        output::or_dash(release.share.map(output::percent)),
        of(|band| band.canary),
        of(|band| band.stable),
    )
}

/// A line on standard error that is hidden where that is no terminal.
fn live_line() -> ProgressBar {
    // Unwrap safety: the template is a constant, and a test makes it.
    #[expect(clippy::unwrap_used, reason = "the line above")]
    let style = ProgressStyle::with_template("{spinner} {wide_msg}").unwrap();
    let line = ProgressBar::new_spinner().with_style(style);
    line.enable_steady_tick(Duration::from_millis(200));
    line
}

/// Seconds from a tenth to a year.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=31_536_000.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number of seconds from 0.1 to 31536000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_ends_with_the_state() {
        let cases = [
            ("running", None),
            ("paused", None),
            ("promoted", Some(Ending::Done)),
            ("stable", Some(Ending::Done)),
            ("rolled_back", Some(Ending::Refused)),
            ("superseded", Some(Ending::Refused)),
            ("retired", Some(Ending::Refused)),
        ];
        for (state, want) in cases {
            assert_eq!(ending(state), want, "{state}");
        }
    }

    #[test]
    fn intervals_are_neither_zero_nor_endless() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for text in ["0", "-1", "NaN", "inf", "1e9", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_live_line_can_be_made() {
        live_line().finish_and_clear();
    }
}
