//! What became of a file.

use std::fs::File;
use std::path::Path;

use canary_client::Rejection;
use serde::Serialize;

use self::reasons::Reasons;
use crate::failure::Failure;

mod reasons;

/// How many refusals programs get; all of them go to the file of `--refused`.
const FIRST: usize = 20;

/// One row that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    pub(crate) line: u64,
    code: String,
    reason: String,
}

impl Refusal {
    /// The code of a row that was not sent.
    const UNREADABLE: &str = "unreadable_row";

    /// A row that was not sent.
    pub(crate) fn here(line: u64, reason: String) -> Self {
        Self { line, code: Self::UNREADABLE.to_owned(), reason }
    }

    /// A row that the server refused.
    pub(crate) fn of_server(line: u64, rejection: Rejection) -> Self {
        Self { line, code: rejection.code, reason: rejection.detail }
    }

    /// "line 7: no value for `status`".
    pub(crate) fn text(&self) -> String {
        format!("line {}: {}", self.line, self.reason)
    }
}

/// Counts of rows, and the first refusals.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) read: u64,
    pub(crate) accepted: u64,
    /// Where the server tells them from new ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<u64>,
    pub(crate) refused: u64,
    refusals: Vec<Refusal>,
    /// For people.
    #[serde(skip)]
    reasons: Reasons,
    #[serde(skip)]
    file: Option<csv::Writer<File>>,
}

impl Summary {
    /// Counts from zero; every refusal goes to `file` too.
    pub(crate) fn new(file: Option<&Path>, tells_duplicates: bool) -> Result<Self, Failure> {
        let create = |path: &Path| {
            File::create(path).map_err(|error| Failure::from(error).while_doing(path.display()))
        };
        let file = file.map(create).transpose()?.map(csv::Writer::from_writer);
        let duplicates = tells_duplicates.then_some(0);
        let (refusals, reasons) = (Vec::new(), Reasons::default());
        Ok(Self { read: 0, accepted: 0, duplicates, refused: 0, refusals, reasons, file })
    }

    /// Counts those that the server knew already.
    pub(crate) fn known_already(&mut self, count: u64) {
        *self.duplicates.get_or_insert(0) += count;
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) -> Result<(), Failure> {
        self.refused += 1;
        if let Some(file) = &mut self.file {
            file.serialize(&refusal).map_err(|error| Failure::refused(error.to_string()))?;
        }
        self.reasons.count(&refusal);
        if self.refusals.len() < FIRST {
            self.refusals.push(refusal);
        }
        Ok(())
    }

    /// Whether a part of the file has reached the server.
    pub(crate) fn has_sent(&self) -> bool {
        self.accepted + self.duplicates.unwrap_or(0) > 0
    }

    /// Writes out what is still in memory.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.file.as_mut().map_or(Ok(()), csv::Writer::flush)?)
    }

    pub(crate) fn text(&self) -> String {
        let Self { read, accepted, duplicates, refused, .. } = self;
        let known = duplicates.map(|count| format!(", known already {count}")).unwrap_or_default();
        let counts = format!("read {read}, accepted {accepted}{known}, refused {refused}");
        let lines = [counts].into_iter().chain(self.reasons.lines());
        lines.collect::<Vec<_>>().join("\n")
    }
}
