//! Many signals in few requests.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Client, Target};
use crate::error::Result;
use crate::transport::Body;
use crate::types::signal::{BatchOutcome, Rejection, Signal};

/// The most signals that the server takes in one request.
pub(super) const MOST_SIGNALS: usize = 10_000;
/// A request is closed when it has grown to this many bytes before compression.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The word for a measurement that is no finite number.
pub(super) const NOT_FINITE: &str = "not_finite";

pub(super) fn send(client: &Client, signals: impl Iterator<Item = Signal>) -> Result<BatchOutcome> {
    let target = Target::of(&["signal", "batch"])?;
    let mut outcome = BatchOutcome::default();
    let mut chunk = Chunk::default();
    for (index, signal) in signals.enumerate() {
        if let Err(field) = signal.check() {
            let detail = format!("`{}` {}", field.pointer, field.detail);
            outcome.rejected.push(Rejection { index, code: NOT_FINITE.to_owned(), detail });
            continue;
        }
        chunk.push(index, signal);
        if chunk.is_full() {
            std::mem::take(&mut chunk).send(client, &target, &mut outcome)?;
        }
    }
    if !chunk.indices.is_empty() {
        chunk.send(client, &target, &mut outcome)?;
    }
    outcome.rejected.sort_by_key(|rejection| rejection.index);
    Ok(outcome)
}

/// What becomes one request.
#[derive(Default)]
struct Chunk {
    /// The place of each signal in the whole.
    indices: Vec<usize>,
    lines: Option<GzEncoder<Vec<u8>>>,
    bytes: usize,
}

impl Chunk {
    fn push(&mut self, index: usize, signal: Signal) {
        // Unwrap safety: strings and finite numbers always have a JSON form.
        #[expect(clippy::unwrap_used, reason = "the line above")]
        let mut line = serde_json::to_vec(&signal.with_id()).unwrap();
        line.push(b'\n');
        self.indices.push(index);
        self.bytes += line.len();
        let lines =
            self.lines.get_or_insert_with(|| GzEncoder::new(Vec::new(), Compression::fast()));
        // Unwrap safety: writing to a vector cannot fail.
        #[expect(clippy::unwrap_used, reason = "the line above")]
        lines.write_all(&line).unwrap();
    }

    fn is_full(&self) -> bool {
        self.indices.len() >= MOST_SIGNALS || self.bytes >= MOST_BYTES
    }

    fn send(self, client: &Client, target: &Target, outcome: &mut BatchOutcome) -> Result<()> {
        let Self { indices, lines, .. } = self;
        // Unwrap safety: writing to a vector cannot fail.
        #[expect(clippy::unwrap_used, reason = "the line above")]
        let bytes = lines.map(|lines| lines.finish().unwrap()).unwrap_or_default();
        let content_type = "application/x-ndjson";
        let body = Body { content_type, is_gzip: true, bytes, idempotency_key: None };
        let answer: BatchOutcome = client.post_body(target, body)?;
        outcome.accepted += answer.accepted;
        outcome.duplicates += answer.duplicates;
        for rejection in answer.rejected {
            let Some(&index) = indices.get(rejection.index) else {
                return Err(client.bad_answer("it rejects a signal that was not sent"));
            };
            outcome.rejected.push(Rejection { index, ..rejection });
        }
        Ok(())
    }
}
