//! What goes to standard output: tables for people, JSON for programs.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Row, Table};
use serde::Serialize;

use crate::failure::Failure;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    // Aligned columns and sentences; a comment of the other kind would be in every help.
    Table,
    // One JSON document, with the names of the API.
    Json,
}

/// Prints in one of the forms.
pub(crate) struct Output<'a> {
    format: Format,
    writer: &'a mut dyn Write,
}

impl<'a> Output<'a> {
    pub(crate) fn new(format: Format, writer: &'a mut dyn Write) -> Self {
        Self { format, writer }
    }

    /// Prints a value: as JSON, or as the text that `for_people` makes of it.
    pub(crate) fn show<T: Serialize>(
        &mut self,
        value: &T,
        for_people: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.line(&for_people(value)),
            Format::Json => {
                serde_json::to_writer_pretty(&mut *self.writer, value).map_err(io::Error::from)?;
                self.line("")
            }
        }
    }

    /// Prints something that happens while others wait for more: one line of text, or one line of
    /// JSON.
    pub(crate) fn event<T: Serialize>(
        &mut self,
        value: &T,
        for_people: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.line(&for_people(value)),
            Format::Json => {
                serde_json::to_writer(&mut *self.writer, value).map_err(io::Error::from)?;
                self.line("")
            }
        }
    }

    /// Prints a line for people; programs do not get it.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.line(text),
            Format::Json => Ok(()),
        }
    }

    /// Where the content of a file goes, whatever the form of other answers.
    pub(crate) fn bytes(&mut self) -> &mut dyn Write {
        self.writer
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.writer, "{text}")?;
        Ok(self.writer.flush()?)
    }
}

/// Tells a person something beside the answer, which goes to standard output alone.
pub(crate) fn aside(text: &str) {
    // There is no one left to tell if standard error is closed too.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Columns under their names, without lines; those that `right` names are aligned to the right.
pub(crate) fn columns(
    names: &[&str],
    right: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut table = bare();
    table.set_header(names.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (column, name) in table.column_iter_mut().zip(names) {
        if right.contains(name) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    trimmed(&table)
}

/// Names on the left, values on the right.
pub(crate) fn pairs<'a>(entries: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = bare();
    for (name, value) in entries {
        table.add_row(Row::from(vec![Cell::new(name), Cell::new(value)]));
    }
    trimmed(&table)
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    // A table that is piped into a file must not depend on the width of a screen.
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Without the blanks at both ends of the lines.
fn trimmed(table: &Table) -> String {
    let lines = table.lines().map(|line| {
        let line = line.trim_end();
        line.strip_prefix(' ').unwrap_or(line).to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// How wide sentences are, in columns.
const WIDTH: usize = 80;

/// A text behind its beginning, in lines that a terminal shows whole: the ones after the first are
/// indented to stand below the text.
pub(crate) fn hanging(beginning: &str, text: &str) -> String {
    let indent = beginning.chars().count();
    let lines = lines(text, WIDTH.saturating_sub(indent));
    format!("{beginning}{}", lines.join(&format!("\n{:indent$}", "")))
}

/// A text in lines of at most so many columns, if its words are that short.
pub(crate) fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in unbroken(text) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + part.chars().count() <= width => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

/// The words of a text; what is read as one, as `80 %` and `p ≤ 0.01`, stays together.
fn unbroken(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_tail = word.starts_with(['%', '≤', '<']);
        match parts.last_mut().filter(|part| is_tail || part.ends_with(['≤', '<'])) {
            Some(part) => {
                part.push(' ');
                part.push_str(word);
            }
            None => parts.push(word.to_owned()),
        }
    }
    parts
}

/// 0.2 as "20 %".
pub(crate) fn percent(part: f64) -> String {
    let tenths = (part * 1000.0).round() / 10.0;
    format!("{tenths} %")
}

/// "117 of 120 succeeded, 97.5 %", or that there was nothing.
pub(crate) fn succeeded(success: u64, failed: u64) -> String {
    match success.saturating_add(failed) {
        0 => "no runs".to_owned(),
        runs => {
            format!("{success} of {runs} succeeded, {}", percent(success as f64 / runs as f64))
        }
    }
}

/// "117 of 120, 97.5 %", or a dash where there was nothing.
pub(crate) fn part(success: u64, failed: u64) -> String {
    match success.saturating_add(failed) {
        0 => "-".to_owned(),
        runs => format!("{success} of {runs}, {}", percent(success as f64 / runs as f64)),
    }
}

/// "1 run", "2 runs".
pub(crate) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// A period in days as people would say it: "20 s", "90 min", "12 h", "2 days".
pub(crate) fn period(days: f64) -> String {
    let seconds = days * 86_400.0;
    let (value, unit) = match seconds {
        ..120.0 => (seconds, "s"),
        ..7_200.0 => (seconds / 60.0, "min"),
        ..172_800.0 => (seconds / 3_600.0, "h"),
        _ => (days, "days"),
    };
    format!("{} {unit}", (value * 100.0).round() / 100.0)
}

/// A number with at most nine digits that say something: 48.3333333, 0.3; whole numbers with all
/// of theirs.
pub(crate) fn number(value: f64) -> String {
    // Beyond these, zeros would fill the line.
    const SHORT: std::ops::Range<f64> = 1e-5..1e15;
    if value.fract() == 0.0 && value.abs() < SHORT.end {
        return value.to_string();
    }
    let rounded = format!("{value:.8e}").parse().unwrap_or(value);
    if SHORT.contains(&f64::abs(rounded)) { rounded.to_string() } else { format!("{rounded:e}") }
}

/// A number with the four digits that a person compares: 48.33, 251.3, 12350, 0.00001234.
pub(crate) fn digits(value: f64) -> String {
    let rounded = format!("{value:.3e}").parse().unwrap_or(value);
    if value.abs() >= 1e4 { number(value.round()) } else { number(rounded) }
}

/// A value that may be missing.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_without_lines() {
        let row = |name: &str, runs: &str| vec![name.to_owned(), runs.to_owned()];
        let text = columns(&["NAME", "RUNS"], &["RUNS"], [row("etl", "7"), row("x", "12000")]);
        assert_eq!(text, "NAME   RUNS\netl       7\nx     12000");
        let text = pairs([("state", "running".to_owned()), ("id", "1".to_owned())]);
        assert_eq!(text, "state  running\nid     1");
    }

    #[test]
    fn sentences_are_broken_between_words_that_can_be_read_apart() {
        let text = "4 of 4 runs failed, where at least 80 % must succeed (p ≤ 0.0038)";
        let want = ["4 of 4 runs failed,", "where at least 80 %", "must succeed", "(p ≤ 0.0038)"];
        assert_eq!(lines(text, 19), want);
        for width in 1..40 {
            let is_apart = |line: &String| line.starts_with(['%', '≤']) || line.ends_with('≤');
            assert!(!lines(text, width).iter().any(is_apart), "{width}");
        }
        assert_eq!(lines("", 10), [""; 0]);
        assert_eq!(lines("incomprehensibilities", 4), ["incomprehensibilities"]);
        let text = hanging("  at ten  ", &"word ".repeat(20));
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(
            text.lines().nth(1).is_some_and(|line| line.starts_with("          word")),
            "{text}"
        );
    }

    #[test]
    fn shares_and_rates_are_read_as_percentages() {
        let cases = [(0.2, "20 %"), (1.0, "100 %"), (1.0 / 3.0, "33.3 %"), (0.0, "0 %")];
        for (part, want) in cases {
            assert_eq!(percent(part), want);
        }
        assert_eq!(succeeded(117, 3), "117 of 120 succeeded, 97.5 %");
        assert_eq!(succeeded(0, 0), "no runs");
        assert_eq!((part(117, 3).as_str(), part(0, 0).as_str()), ("117 of 120, 97.5 %", "-"));
    }

    #[test]
    fn periods_are_said_in_a_unit_that_fits() {
        let cases = [
            (20.0 / 86_400.0, "20 s"),
            (1.5 / 24.0, "90 min"),
            (0.5, "12 h"),
            (2.0, "2 days"),
            (2.25, "2.25 days"),
        ];
        for (days, want) in cases {
            assert_eq!(period(days), want);
        }
    }

    #[test]
    fn numbers_have_no_more_digits_than_can_be_read() {
        let cases = [
            (0.1 + 0.2, "0.3"),
            (145.0 / 3.0, "48.3333333"),
            (-0.5, "-0.5"),
            (0.0, "0"),
            (123_456_789_012.0, "123456789012"),
            (1e300, "1e300"),
            (1.0 / 3e20, "3.33333333e-21"),
        ];
        for (value, want) in cases {
            assert_eq!(number(value), want);
        }
    }

    #[test]
    fn numbers_to_be_compared_have_four_digits() {
        let cases = [
            (145.0 / 3.0, "48.33"),
            (251.25, "251.2"),
            (12_345.6, "12346"),
            (0.0, "0"),
            (-0.000_012_345, "-0.00001234"),
            (1e-9, "1e-9"),
            (1e20, "1e20"),
        ];
        for (value, want) in cases {
            assert_eq!(digits(value), want);
        }
    }

    #[test]
    fn programs_get_json_and_no_notes() {
        let mut bytes = Vec::new();
        let mut output = Output::new(Format::Json, &mut bytes);
        output.note("a note").unwrap();
        output.event(&[1, 2], |_| String::new()).unwrap();
        output.show(&[1], |_| String::new()).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "[1,2]\n[\n  1\n]\n");
    }
}
