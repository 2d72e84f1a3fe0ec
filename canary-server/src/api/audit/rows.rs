//! The audit as CSV, RFC 4180.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use poem::{IntoResponse, Response};

use crate::api::moment;
use crate::api::problem::ApiError;
use crate::audit::{Actor, Entry};

/// The names of the columns.
const COLUMNS: [&str; 16] = [
    "id",
    "at",
    "action",
    "about_kind",
    "about_id",
    "about_name",
    "actor",
    "key_id",
    "key_name",
    "key_prefix",
    "user",
    "remote_address",
    "request_id",
    "reason",
    "before",
    "after",
];

/// Entries as rows.
pub(super) struct Rows {
    bytes: Vec<u8>,
    has_names: bool,
}

impl Rows {
    pub(super) const CONTENT_TYPE: &'static str = "text/csv";

    /// Writes entries, under the names of the columns if these are wanted.
    pub(super) fn of(
        entries: impl Iterator<Item = Entry>,
        has_names: bool,
    ) -> Result<Self, ApiError> {
        let bytes = write(entries, has_names).map_err(|error| ApiError::internal(&error))?;
        Ok(Self { bytes, has_names })
    }
}

impl IntoResponse for Rows {
    fn into_response(self) -> Response {
        let header = if self.has_names { "present" } else { "absent" };
        let content_type = format!("{}; charset=utf-8; header={header}", Self::CONTENT_TYPE);
        Response::builder()
            .content_type(&content_type)
            .header("Content-Disposition", "attachment; filename=\"audit.csv\"")
            .body(self.bytes)
    }
}

fn write(entries: impl Iterator<Item = Entry>, has_names: bool) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    if has_names {
        writer.write_record(COLUMNS)?;
    }
    for entry in entries {
        let row = row(&entry);
        writer.write_record(row.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// In the order of [`COLUMNS`]; what is absent is empty.
fn row(entry: &Entry) -> [String; 16] {
    let Entry { id, at, action, origin, about, change } = entry;
    let (actor, holder, user) = match &origin.actor {
        Actor::Anybody => ("anybody", None, None),
        Actor::Holder(holder) => ("key", Some(holder), None),
        Actor::CommandLine { user } => ("command_line", None, user.clone()),
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    [
        id.to_string(),
        moment::show(*at),
        action.to_string(),
        entry.kind().to_owned(),
        about.id.clone(),
        about.name.clone(),
        actor.to_owned(),
        text(holder.map(|holder| holder.key.to_string())),
        text(holder.map(|holder| holder.name.to_string())),
        text(holder.map(|holder| holder.prefix.to_string())),
        text(user),
        text(origin.remote_address.map(|address| address.to_string())),
        text(origin.request_id.clone()),
        text(change.reason.clone()),
        text(change.before.as_ref().map(ToString::to_string)),
        text(change.after.as_ref().map(ToString::to_string)),
    ]
}

/// A cell that no spreadsheet takes for a formula: an apostrophe says that it is text. Those of a
/// tabulator and a line break are passed over by some of them, and forms of full width are read by
/// others.
fn harmless(cell: &str) -> Cow<'_, str> {
    const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(FORMULA) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use canary_core::time::Timestamp;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::audit::{About, Action, Change, Origin};

    fn entry(name: &str, reason: &str) -> Entry {
        let (before, after) = (json!({"state": "running"}), json!({"state": "promoted"}));
        let change = Change::of(Some(before), after).because(reason);
        let origin = Origin { request_id: Some("=r".into()), ..Origin::command_line() };
        let id = Uuid::from_u128(7).into_bytes();
        let at = Timestamp::from_seconds(1_672_569_000);
        Entry::new(id, at, Action::Promote, &origin, About::new(&"r1", &name), change)
    }

    fn read(bytes: &[u8], has_names: bool) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(has_names).from_reader(bytes);
        let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
        rows.collect()
    }

    #[test]
    fn what_is_written_can_be_read_whatever_it_is() {
        for text in ["plain", "a, b", "\"quoted\"", "two\r\nlines", "a=b", "ünïcode", "'x", ""] {
            let bytes = write([entry(text, text)].into_iter(), true).unwrap();
            let rows = read(&bytes, true);
            assert_eq!((rows.len(), rows[0].len()), (1, COLUMNS.len()));
            assert_eq!((rows[0][5].as_str(), rows[0][13].as_str()), (text, text));
            let after: serde_json::Value = serde_json::from_str(&rows[0][15]).unwrap();
            assert_eq!(after, json!({"state": "promoted"}));
        }
    }

    #[test]
    fn no_cell_is_a_formula() {
        let formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "-", "="];
        for formula in formulas {
            assert_eq!(harmless(formula), format!("'{formula}"));
            let bytes = write([entry(formula, formula)].into_iter(), false).unwrap();
            let rows = read(&bytes, false);
            let cells = rows[0].iter();
            assert!(cells.clone().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '＝'])));
            assert_eq!(cells.filter(|cell| **cell == format!("'{formula}")).count(), 2);
            assert_eq!(rows[0][12], "'=r");
        }
        for text in ["a=1", "'=1", " =1", "1-2", "{\"a\":1}", "::1", ""] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn names_come_once_before_all_rows() {
        let page = |has_names| write([entry("a", "b")].into_iter(), has_names).unwrap();
        let whole = [page(true), page(false)].concat();
        let rows = read(&whole, true);
        assert_eq!((rows.len(), &rows[0]), (2, &rows[1]));
        assert!(whole.starts_with(b"id,at,action,") && whole.ends_with(b"\r\n"));
        assert_eq!(
            write(std::iter::empty(), true).unwrap(),
            COLUMNS.join(",").into_bytes().into_iter().chain(*b"\r\n").collect::<Vec<_>>()
        );
    }
}
