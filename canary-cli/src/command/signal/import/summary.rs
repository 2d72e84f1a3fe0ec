//! What became of a file.

use std::fs::File;
use std::path::Path;

use canary_client::Rejection;
use serde::Serialize;

use crate::failure::Failure;

/// How many refusals are shown; all of them go to the file of `--refused`.
const SHOWN: usize = 20;

/// One row that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    pub(super) line: u64,
    code: String,
    reason: String,
}

impl Refusal {
    /// A row that was not sent.
    pub(super) fn here(line: u64, reason: String) -> Self {
        Self { line, code: "unreadable_row".to_owned(), reason }
    }

    /// A row that the server refused.
    pub(super) fn of_server(line: u64, rejection: Rejection) -> Self {
        Self { line, code: rejection.code, reason: rejection.detail }
    }
}

/// Counts of rows, and the first refusals.
#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) read: u64,
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) refused: u64,
    refusals: Vec<Refusal>,
    #[serde(skip)]
    file: Option<csv::Writer<File>>,
}

impl Summary {
    /// Counts from zero; every refusal goes to `file` too.
    pub(super) fn new(file: Option<&Path>) -> Result<Self, Failure> {
        let create = |path: &Path| {
            File::create(path).map_err(|error| Failure::from(error).while_doing(path.display()))
        };
        let file = file.map(create).transpose()?.map(csv::Writer::from_writer);
        Ok(Self { read: 0, accepted: 0, duplicates: 0, refused: 0, refusals: Vec::new(), file })
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) -> Result<(), Failure> {
        self.refused += 1;
        if let Some(file) = &mut self.file {
            file.serialize(&refusal).map_err(|error| Failure::refused(error.to_string()))?;
        }
        if self.refusals.len() < SHOWN {
            self.refusals.push(refusal);
        }
        Ok(())
    }

    /// Whether a part of the file has reached the server.
    pub(super) fn has_sent(&self) -> bool {
        self.accepted + self.duplicates > 0
    }

    /// Writes out what is still in memory.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.file.as_mut().map_or(Ok(()), csv::Writer::flush)?)
    }

    pub(super) fn text(&self) -> String {
        let Self { read, accepted, duplicates, refused, .. } = self;
        let mut text = format!(
            "read {read}, accepted {accepted}, known already {duplicates}, refused {refused}"
        );
        for Refusal { line, reason, .. } in &self.refusals {
            text.push_str(&format!("\nline {line}: {reason}"));
        }
        let shown = self.refusals.len() as u64;
        if *refused > shown {
            let more = refused - shown;
            text.push_str(&format!("\n… and {more} more, --refused FILE writes all of them"));
        }
        text
    }
}
