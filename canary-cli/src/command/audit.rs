//! `canary audit`: who did what, when and from where.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use canary_client::{AuditActor, AuditEntry, AuditFilter, Client};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::time;
use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary audit list --since 2031-05-01
  canary audit export --since 2031-01-01 --until 2031-12-31 --file audit.csv";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Export(Export),
}

/// From when to when.
#[derive(Debug, Args)]
struct Period {
    /// Only entries from this moment on, in RFC 3339 or epoch seconds; a date alone, as in 2031-05-07,
    /// is the beginning of that day (UTC)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<String>,
    /// Only entries before this moment; a date alone is the end of that day (UTC)
    #[arg(long, value_name = "TIME", value_parser = end)]
    until: Option<String>,
}

/// Lists who did what, the newest first
///
/// Every change that somebody asked for: what was registered, promoted, rolled back, paused, resumed
/// and set, and what was done to keys and organizations. It needs a token with the scope admin.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary audit list
  canary audit list --since 2031-05-01 --action release.promote
  canary audit list --about 0196a8f0-6d5c-7000-8000-000000000000 --output json")]
pub(crate) struct List {
    #[command(flatten)]
    period: Period,
    /// Only this action, as release.promote
    #[arg(long)]
    action: Option<String>,
    /// Only what was done to the product, release, key or organization with this id, or to the type of
    /// readings with this name
    #[arg(long, value_name = "ID")]
    about: Option<String>,
    /// Only what was done with the key that has this id
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// The most entries to list
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
}

/// Writes who did what as CSV, the newest first
///
/// With what was before and after each change, as JSON in a cell. A cell that a spreadsheet would
/// take for a formula begins with an apostrophe.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canary audit export > audit.csv
  canary audit export --since 2031-01-01 --until 2031-12-31 --file audit.csv")]
pub(crate) struct Export {
    #[command(flatten)]
    period: Period,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What is said about a file that was written.
#[derive(Serialize)]
struct Exported<'a> {
    file: &'a Path,
}

pub(crate) fn run(
    command: Command,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Ending, Failure> {
    match command {
        Command::List(list) => {
            let entries: Vec<AuditEntry> =
                client.audit(&list.filter()).take(list.limit).collect::<Result<_, _>>()?;
            output.show(&entries, |entries| table(entries))?;
        }
        Command::Export(export) => export.run(client, output)?,
    }
    Ok(Ending::Done)
}

impl Period {
    fn filter(&self) -> AuditFilter {
        let mut filter = AuditFilter::default();
        if let Some(since) = &self.since {
            filter = filter.since(since);
        }
        if let Some(until) = &self.until {
            filter = filter.until(until);
        }
        filter
    }
}

impl List {
    fn filter(&self) -> AuditFilter {
        let mut filter = self.period.filter();
        if let Some(action) = &self.action {
            filter = filter.action(action);
        }
        if let Some(about) = &self.about {
            filter = filter.about(about);
        }
        if let Some(key) = &self.key {
            filter = filter.key(key);
        }
        filter
    }
}

impl Export {
    fn run(&self, client: &Client, output: &mut Output<'_>) -> Result<(), Failure> {
        let pages = client.audit_csv(&self.period.filter());
        let Some(file) = &self.file else { return write(pages, output.bytes()) };
        write_file(file, pages).map_err(|failure| failure.while_doing(file.display()))?;
        output.show(&Exported { file }, |exported| format!("wrote {}", exported.file.display()))
    }
}

/// Makes a file, once there is something to write.
fn write_file(
    path: &Path,
    mut pages: impl Iterator<Item = canary_client::Result<Vec<u8>>>,
) -> Result<(), Failure> {
    // What is refused must not cost the file of the last time.
    let first = pages.next().transpose()?;
    let mut file = File::create(path)?;
    file.write_all(&first.unwrap_or_default())?;
    write(pages, &mut file)
}

fn write(
    pages: impl Iterator<Item = canary_client::Result<Vec<u8>>>,
    bytes: &mut dyn Write,
) -> Result<(), Failure> {
    for page in pages {
        bytes.write_all(&page?)?;
    }
    Ok(bytes.flush().or_else(ignore_closed)?)
}

/// Who does not read any more has read enough.
fn ignore_closed(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

/// A moment as the server reads it.
fn moment(text: &str) -> Result<String, String> {
    time::timestamp(text).map(|moment| moment.to_string())
}

/// The first moment that is not meant any more: after a date alone, the next day.
fn end(text: &str) -> Result<String, String> {
    const DAY_S: i64 = 86_400;
    let first = time::timestamp(text)?;
    if !time::is_date(text) {
        return Ok(first.to_string());
    }
    // A day of UTC has as many seconds as any other.
    Ok(time::rfc_3339(first.as_second() + DAY_S))
}

fn table(entries: &[AuditEntry]) -> String {
    if entries.is_empty() {
        return "no entries".to_owned();
    }
    let row = |entry: &AuditEntry| {
        vec![
            time::to_the_second(&entry.at),
            who(&entry.actor),
            output::or_dash(entry.remote_address.as_deref()),
            entry.action.clone(),
            entry.about.name.clone(),
            output::or_dash(entry.reason.as_deref().map(one_line)),
        ]
    };
    output::columns(
        &["AT", "WHO", "FROM", "ACTION", "ABOUT", "REASON"],
        &[],
        entries.iter().map(row),
    )
}

/// Who did it, as people call them.
fn who(actor: &AuditActor) -> String {
    match (&actor.name, &actor.user) {
        (Some(name), _) => name.clone(),
        (None, Some(user)) => format!("{user} (command line)"),
        (None, None) => actor.kind.replace('_', " "),
    }
}

/// A text that does not break the table.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use canary_client::Error;

    use super::*;

    fn entry(actor: &str, reason: &str) -> AuditEntry {
        let text = format!(
            r#"{{"id":"e","at":"2031-05-07T10:00:00.5Z","action":"release.pause","actor":{actor},
            "remote_address":null,"about":{{"kind":"release","id":"r","name":"etl 1.5.0"}},
            "reason":{reason}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_table_says_who_did_what_in_one_line_each() {
        let entries = [
            entry(r#"{"kind":"key","name":"ci","id":"k"}"#, r#""too\nslow""#),
            entry(r#"{"kind":"command_line","user":"ann"}"#, "null"),
            entry(r#"{"kind":"anybody"}"#, "null"),
        ];
        let text = table(&entries);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
            .collect();
        assert_eq!(lines[0], ["AT", "WHO", "FROM", "ACTION", "ABOUT", "REASON"]);
        let same = ["-", "release.pause", "etl 1.5.0"];
        let at = "2031-05-07T10:00:00Z";
        assert_eq!(lines[1], [&[at, "ci"][..], &same, &["too slow"]].concat());
        assert_eq!(lines[2], [&[at, "ann (command line)"][..], &same, &["-"]].concat());
        assert_eq!(lines[3], [&[at, "anybody"][..], &same, &["-"]].concat());
        assert_eq!(table(&[]), "no entries");
    }

    #[test]
    fn a_date_alone_is_the_whole_day() {
        let cases = [
            ("2031-05-07", "2031-05-07T00:00:00Z", "2031-05-08T00:00:00Z"),
            ("2028-02-28", "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("2031-05-07T10:00:00+02:00", "2031-05-07T08:00:00Z", "2031-05-07T08:00:00Z"),
            ("1700000000.25", "2023-11-14T22:13:20.25Z", "2023-11-14T22:13:20.25Z"),
        ];
        for (text, first, last) in cases {
            assert_eq!((moment(text), end(text)), (Ok(first.into()), Ok(last.into())), "{text}");
        }
        assert!(moment("soon").is_err() && end("soon").is_err());
    }

    #[test]
    fn a_file_stays_if_the_first_page_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.csv");
        let lost = || Err(Error::Unreachable { url: "http://x".into(), reason: "refused".into() });
        write_file(&path, [Ok(b"id\r\n".to_vec()), Ok(b"1\r\n".to_vec())].into_iter()).unwrap();
        assert!(write_file(&path, [lost()].into_iter()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"id\r\n1\r\n");
        assert!(write_file(&path, [Ok(b"id\r\n".to_vec()), lost()].into_iter()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"id\r\n");
    }
}
