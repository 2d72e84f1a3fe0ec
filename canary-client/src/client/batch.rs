//! Many signals or readings in few requests.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use uuid::Uuid;

use super::{Client, Target};
use crate::error::{Error, FieldError, Result};
use crate::transport::Body;
use crate::types::reading::Reading;
use crate::types::signal::{BatchOutcome, Rejection, Signal};

/// The word for a value that is no finite number.
const NOT_FINITE: &str = "not_finite";

/// What goes to the server in numbers.
pub(super) trait Item: Serialize {
    /// The most that the server takes in one request.
    const MOST: usize;
    /// A request is closed when it has grown to this many bytes before compression.
    const MOST_BYTES: usize;

    /// The first value that JSON has no words for.
    fn check(&self) -> Result<(), FieldError>;

    /// Gives it what it needs for being sent twice and counted once.
    fn repeatable(self) -> Self;

    /// Whether it lacks that, so that its request needs a key.
    fn needs_key(&self) -> bool;
}

impl Item for Signal {
    const MOST: usize = 10_000;
    const MOST_BYTES: usize = 4 * 1024 * 1024;

    fn check(&self) -> Result<(), FieldError> {
        self.check()
    }

    fn repeatable(self) -> Self {
        self.with_id()
    }

    fn needs_key(&self) -> bool {
        false
    }
}

impl Item for Reading {
    const MOST: usize = 100_000;
    const MOST_BYTES: usize = 16 * 1024 * 1024;

    fn check(&self) -> Result<(), FieldError> {
        self.check()
    }

    fn repeatable(self) -> Self {
        self
    }

    fn needs_key(&self) -> bool {
        !self.has_date()
    }
}

/// A key that makes it safe to send a request twice.
pub(super) fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// What is said of a value that was not sent.
pub(super) fn refused(field: FieldError) -> Error {
    let detail = "a value cannot be sent".to_owned();
    Error::Invalid { code: NOT_FINITE.to_owned(), detail, errors: vec![field] }
}

/// Sends all items, with at most one request of them in memory.
pub(super) fn send<T: Item>(
    client: &Client,
    target: &Target,
    items: impl Iterator<Item = T>,
) -> Result<BatchOutcome> {
    let mut outcome = BatchOutcome::default();
    let mut chunk = Chunk::default();
    for (index, item) in items.enumerate() {
        if let Err(field) = item.check() {
            let detail = format!("`{}` {}", field.pointer, field.detail);
            outcome.rejected.push(Rejection { index, code: NOT_FINITE.to_owned(), detail });
            continue;
        }
        chunk.push(index, &item.repeatable());
        if chunk.indices.len() >= T::MOST || chunk.bytes >= T::MOST_BYTES {
            std::mem::take(&mut chunk).send(client, target, &mut outcome)?;
        }
    }
    if !chunk.indices.is_empty() {
        chunk.send(client, target, &mut outcome)?;
    }
    outcome.rejected.sort_by_key(|rejection| rejection.index);
    Ok(outcome)
}

/// What becomes one request.
#[derive(Default)]
struct Chunk {
    /// The place of each item in the whole.
    indices: Vec<usize>,
    lines: Option<GzEncoder<Vec<u8>>>,
    bytes: usize,
    needs_key: bool,
}

impl Chunk {
    fn push(&mut self, index: usize, item: &impl Item) {
        // Unwrap safety: strings and finite numbers always have a JSON form.
        #[expect(clippy::unwrap_used, reason = "the line above")]
        let mut line = serde_json::to_vec(item).unwrap();
        line.push(b'\n');
        self.needs_key |= item.needs_key();
        self.indices.push(index);
        self.bytes += line.len();
        let lines =
            self.lines.get_or_insert_with(|| GzEncoder::new(Vec::new(), Compression::fast()));
        // Unwrap safety: writing to a vector cannot fail.
        #[expect(clippy::unwrap_used, reason = "the line above")]
        lines.write_all(&line).unwrap();
    }

    fn send(self, client: &Client, target: &Target, outcome: &mut BatchOutcome) -> Result<()> {
        let Self { indices, lines, needs_key, .. } = self;
        // Unwrap safety: writing to a vector cannot fail.
        #[expect(clippy::unwrap_used, reason = "the line above")]
        let bytes = lines.map(|lines| lines.finish().unwrap()).unwrap_or_default();
        let content_type = "application/x-ndjson";
        let idempotency_key = needs_key.then(new_key);
        let body = Body { content_type, is_gzip: true, bytes, idempotency_key };
        let answer: BatchOutcome = client.post_body(target, body)?;
        outcome.accepted += answer.accepted;
        outcome.duplicates += answer.duplicates;
        for rejection in answer.rejected {
            let Some(&index) = indices.get(rejection.index) else {
                return Err(client.bad_answer("it rejects what was not sent"));
            };
            outcome.rejected.push(Rejection { index, ..rejection });
        }
        Ok(())
    }
}
