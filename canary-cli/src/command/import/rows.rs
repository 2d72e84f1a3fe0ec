//! The rows of a file, one at a time: CSV or NDJSON.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::rc::Rc;

use csv::StringRecord;
use serde_json::{Map, Value};

use super::Format;
use crate::failure::Failure;

/// The longest line of NDJSON that is read, in bytes.
const LONGEST_LINE: u64 = 1024 * 1024;

/// One row of a file.
pub(crate) struct Row {
    /// Its line in the file, from 1.
    pub(crate) line: u64,
    /// What it says, or why it cannot be read.
    pub(crate) content: Result<Record, String>,
}

/// The values of a row, by the names of their columns.
pub(crate) enum Record {
    Csv { columns: Rc<HashMap<String, usize>>, values: StringRecord },
    Json { raw: String, values: Map<String, Value> },
}

impl Record {
    /// The value in a column; an empty one counts as absent.
    pub(crate) fn get(&self, column: &str) -> Option<Cow<'_, str>> {
        let value = match self {
            Self::Csv { columns, values } => Cow::Borrowed(values.get(*columns.get(column)?)?),
            Self::Json { values, .. } => plain(values.get(column)?)?,
        };
        (!value.is_empty()).then_some(value)
    }

    /// The values of a family of fields under their own names: columns `FAMILY.NAME`, and in JSON
    /// also the members of `FAMILY`.
    pub(crate) fn family(&self, family: &str) -> Vec<(String, Cow<'_, str>)> {
        let named = |column: &str| {
            let name = column.strip_prefix(family)?.strip_prefix('.')?.to_owned();
            Some((name, self.get(column)?))
        };
        match self {
            Self::Csv { columns, .. } => columns.keys().filter_map(|name| named(name)).collect(),
            Self::Json { values, .. } => {
                let inner = values.get(family).and_then(Value::as_object);
                let inner = inner.into_iter().flatten();
                let inner = inner.filter_map(|(name, value)| Some((name.clone(), plain(value)?)));
                inner.chain(values.keys().filter_map(|name| named(name))).collect()
            }
        }
    }

    /// The row as it is in the file, whatever is mapped.
    pub(crate) fn raw(&self) -> Cow<'_, str> {
        match self {
            // The separator is one that text does not hold.
            Self::Csv { values, .. } => {
                Cow::Owned(values.iter().collect::<Vec<_>>().join("\u{1f}"))
            }
            Self::Json { raw, .. } => Cow::Borrowed(raw),
        }
    }
}

/// A JSON value as the text that a CSV file would hold.
fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// Reads rows; an error is that the file cannot be read on.
pub(crate) enum Rows {
    Csv {
        records: csv::StringRecordsIntoIter<Box<dyn BufRead>>,
        columns: Rc<HashMap<String, usize>>,
    },
    Ndjson {
        bytes: Box<dyn BufRead>,
        line: u64,
    },
}

impl Rows {
    pub(crate) fn read(format: Format, bytes: Box<dyn BufRead>) -> Result<Self, Failure> {
        if format == Format::Ndjson {
            return Ok(Self::Ndjson { bytes, line: 0 });
        }
        let mut reader = csv::Reader::from_reader(bytes);
        let names = reader.headers().map_err(|error| Failure::refused(error.to_string()))?;
        let columns = names.iter().enumerate().map(|(place, name)| (name.trim().to_owned(), place));
        let columns = Rc::new(columns.collect());
        Ok(Self::Csv { records: reader.into_records(), columns })
    }

    /// The names of the columns, where the format has them before the rows.
    pub(crate) fn names(&self) -> Option<Vec<&str>> {
        match self {
            Self::Csv { columns, .. } => {
                let mut names: Vec<_> = columns.iter().collect();
                names.sort_by_key(|(_, place)| **place);
                Some(names.into_iter().map(|(name, _)| name.as_str()).collect())
            }
            Self::Ndjson { .. } => None,
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Csv { records, columns } => match records.next()? {
                Ok(values) => {
                    let line = values.position().map_or(0, csv::Position::line);
                    let content = Ok(Record::Csv { columns: Rc::clone(columns), values });
                    Some(Ok(Row { line, content }))
                }
                Err(error) => Some(unreadable(&error)),
            },
            Self::Ndjson { bytes, line } => next_line(bytes, line).transpose(),
        }
    }
}

/// A row that is no CSV does not keep the others from being read; a broken file does.
fn unreadable(error: &csv::Error) -> Result<Row, Failure> {
    let refused = |line, reason| Ok(Row { line, content: Err(reason) });
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            refused(line, format!("{len} values under {expected_len} names"))
        }
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            refused(line, "not UTF-8".to_owned())
        }
        _ => Err(Failure::refused(error.to_string())),
    }
}

fn next_line(bytes: &mut dyn BufRead, line: &mut u64) -> Result<Option<Row>, Failure> {
    loop {
        let mut text = Vec::new();
        let mut limited = bytes.take(LONGEST_LINE);
        if limited.read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        *line += 1;
        let is_cut = text.len() as u64 == LONGEST_LINE && !text.ends_with(b"\n");
        if is_cut {
            bytes.skip_until(b'\n')?;
            let content = Err(format!("longer than {LONGEST_LINE} bytes"));
            return Ok(Some(Row { line: *line, content }));
        }
        if !text.trim_ascii().is_empty() {
            return Ok(Some(Row { line: *line, content: object(text) }));
        }
    }
}

fn object(bytes: Vec<u8>) -> Result<Record, String> {
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let raw = text.trim().to_owned();
    match serde_json::from_str(&raw) {
        Ok(Value::Object(values)) => Ok(Record::Json { raw, values }),
        Ok(_) => Err("not a JSON object".to_owned()),
        Err(error) => Err(format!("not JSON: {error}")),
    }
}
