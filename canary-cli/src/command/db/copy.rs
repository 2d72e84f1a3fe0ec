//! `canary db copy`: a whole installation into another database.

use std::ops::ControlFlow;

use canary_server::DatabaseUrl;
use canary_server::copy::{self, CopiedTable, CopyError, Options, Progress, Report, Stage};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::command::serve::block_on;
use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

/// How many digits of a checksum people are shown.
const SHOWN: usize = 16;

/// Copies a whole installation into another database, of either kind
///
/// Organizations, keys, and all that every organization has: counted, and with a checksum for each
/// table. No server may run on either database. Run again after an interruption it goes on where it
/// was; until it is finished no server starts on the target. The source stays as it is. A password
/// of PostgreSQL may stand in PGPASSWORD or ~/.pgpass instead of the address.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary db copy --from sqlite:///var/lib/canary.db --to postgres://canary@db.example/canary \\
      --verify
  canary db copy --from postgres://canary@db.example/canary --to sqlite:///var/lib/copy.db")]
pub(crate) struct Copy {
    /// Address of the database that is read
    #[arg(long, value_name = "URL")]
    from: String,
    /// Address of the database that is written: a file that may be new, or a database on PostgreSQL
    #[arg(long, value_name = "URL")]
    to: String,
    /// Read the target again, whole, and compare it with what was read from the source
    #[arg(long)]
    verify: bool,
}

/// What was copied, as programs see it.
#[derive(Serialize)]
struct Copied {
    tables: Vec<TableLine>,
    is_verified: bool,
}

#[derive(Serialize)]
struct TableLine {
    organization: String,
    table: &'static str,
    rows: u64,
    found: u64,
    checksum: String,
}

impl From<Report> for Copied {
    fn from(report: Report) -> Self {
        let line = |table: CopiedTable| TableLine {
            organization: table.organization.to_string(),
            table: table.name,
            rows: table.rows,
            found: table.found,
            checksum: table.checksum.to_string(),
        };
        let tables = report.tables.into_iter().map(line).collect();
        Self { tables, is_verified: report.is_verified }
    }
}

impl Copy {
    pub(crate) fn run(self, output: &mut Output<'_>) -> Result<Ending, Failure> {
        let (from, to) = (address("--from", self.from)?, address("--to", self.to)?);
        let options = Options { verify: self.verify };
        let bar = bar();
        let report = block_on(async {
            let mut show = |progress: &Progress<'_>| {
                show(&bar, progress);
                ControlFlow::Continue(())
            };
            copy::run(&from, &to, options, &mut show).await.map_err(|error| failure(&error))
        });
        bar.finish_and_clear();
        output.show(&report?.into(), text)?;
        Ok(Ending::Done)
    }
}

fn address(flag: &str, url: String) -> Result<DatabaseUrl, Failure> {
    DatabaseUrl::parse(url).map_err(|error| Failure::usage(format!("{flag}: {error}")))
}

fn failure(error: &CopyError) -> Failure {
    let failure = Failure::refused(error.to_string());
    match error {
        CopyError::SameDatabase { .. } => Failure::usage(error.to_string()),
        CopyError::Source { .. } | CopyError::Target { .. } => {
            failure.hint("run it again when the cause is gone: nothing is copied twice")
        }
        _ => failure,
    }
}

/// A bar on standard error that is hidden where that is no terminal.
fn bar() -> ProgressBar {
    // Unwrap safety: the template is a constant, and a test makes it.
    #[expect(clippy::unwrap_used, reason = "the line above")]
    let style = ProgressStyle::with_template(
        "{msg} {wide_bar} {human_pos} of {human_len} rows, {eta} left",
    )
    .unwrap();
    ProgressBar::new(0).with_style(style)
}

fn show(bar: &ProgressBar, progress: &Progress<'_>) {
    let Progress { stage, organization, table, done, all } = progress;
    let doing = match stage {
        Stage::Copying => "copying",
        Stage::Verifying => "verifying",
    };
    bar.set_message(format!("{doing} {table} of {organization}"));
    bar.set_length(*all);
    bar.set_position(*done);
}

fn text(copied: &Copied) -> String {
    let row = |line: &TableLine| {
        vec![
            line.organization.clone(),
            line.table.to_owned(),
            line.rows.to_string(),
            line.found.to_string(),
            line.checksum.chars().take(SHOWN).collect(),
        ]
    };
    let names = ["ORGANIZATION", "TABLE", "ROWS", "FOUND", "CHECKSUM"];
    let table = output::columns(&names, &["ROWS", "FOUND"], copied.tables.iter().map(row));
    let rows: u64 = copied.tables.iter().map(|line| line.rows).sum();
    let found: u64 = copied.tables.iter().map(|line| line.found).sum();
    let of_before = match found {
        0 => String::new(),
        found => format!(", {found} of them by a run before"),
    };
    let verified = if copied.is_verified { ", and read again: nothing differs" } else { "" };
    format!("{table}\n{rows} rows copied{of_before}{verified}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(found: u64, is_verified: bool) -> Copied {
        let line = |organization: &str, table, rows| TableLine {
            organization: organization.to_owned(),
            table,
            rows,
            found,
            checksum: "0123456789abcdef".repeat(4),
        };
        Copied {
            tables: vec![line("default", "product", 12), line("acme", "signal", 3)],
            is_verified,
        }
    }

    #[test]
    fn tables_are_shown_with_their_rows_and_the_beginning_of_their_checksum() {
        assert_eq!(
            text(&copied(0, false)),
            "ORGANIZATION  TABLE    ROWS  FOUND  CHECKSUM\n\
            default       product    12      0  0123456789abcdef\n\
            acme          signal      3      0  0123456789abcdef\n\
            15 rows copied"
        );
        let last = text(&copied(2, true)).lines().last().map(str::to_owned);
        assert_eq!(
            last.as_deref(),
            Some("15 rows copied, 4 of them by a run before, and read again: nothing differs")
        );
    }

    #[test]
    fn the_bar_can_be_drawn() {
        assert_eq!(bar().position(), 0);
    }

    #[test]
    fn an_address_is_checked_and_its_password_not_shown() {
        assert!(address("--from", "sqlite://canary.db".to_owned()).is_ok());
        assert!(address("--to", "postgres://me:secret@db/canary".to_owned()).is_ok());
        let failure = address("--to", "mysql://me:secret@db/canary".to_owned()).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert_eq!(
            failure.text(),
            "error: --to: `mysql://me:***@db/canary` is no database for this program, \
            it must begin with sqlite:// or postgres://\n"
        );
    }
}
