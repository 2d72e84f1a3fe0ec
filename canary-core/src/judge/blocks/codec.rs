//! The byte form of the comparison with the baseline: tag, version, and its numbers.
//!
//! Layout of version 1; numbers are LEB128, signed ones zigzag, floats IEEE 754 and hashes with the
//! little end first:
//!
//! ```text
//! 'B' 1
//! rho0 (float), highest ln E (float)
//! the sum of each odds ratio in steps of 2^-48 (signed, up to 128 bits)
//! open block: size, runs and failures of the canary, of the baseline, runs that do not count
//! instances n, n hashes of 8 bytes
//! names: 0 none, 1 one in its first block, 2 one alone, 3 many; of 1 and 2 the hash, 8 bytes
//! ```
//!
//! All that the next signal can change is there: a comparison that was written and read again goes
//! on as if nothing had happened, to the bit.
//! A usual one takes less than 256 bytes. With an open block that remembers 64 instances, because
//! one arm stays away, it is about 600.
//!
//! Every released version stays readable, and no bytes make the reader panic.

use super::names::Names;
use super::open::{Block, Open, Runs};
use super::sums::Sums;
use super::{Blocks, Closed};
use crate::judge::codec::{CodecError, put_float, put_steps, read_form, steps};
use crate::stats::varint::{Reader, put};

const TAG: u8 = b'B';
const VERSION: u8 = 1;

impl Blocks {
    /// Writes the byte form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { closed, open, names, max_log_e } = self;
        let mut bytes = Vec::with_capacity(80 + 8 * open.seen.len());
        bytes.extend([TAG, VERSION]);
        put_float(&mut bytes, closed.rho0);
        put_float(&mut bytes, *max_log_e);
        put_steps(&mut bytes, &closed.sums.steps);
        let Block { canary, baseline } = open.counts;
        for number in [
            open.size,
            canary.runs,
            canary.failed,
            baseline.runs,
            baseline.failed,
            open.repeats,
            open.seen.len() as u64,
        ] {
            put(&mut bytes, number);
        }
        bytes.extend(open.seen.iter().flat_map(|hash| hash.to_le_bytes()));
        match names {
            Names::None => put(&mut bytes, 0),
            Names::First(name) => put_name(&mut bytes, 1, *name),
            Names::One(name) => put_name(&mut bytes, 2, *name),
            Names::Many => put(&mut bytes, 3),
        }
        bytes
    }

    /// Reads the byte form.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are not, from the first to the last, those of a comparison that
    /// this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        read_form(bytes, TAG, VERSION, |reader| {
            let mut closed = Closed::new(reader.float()?).ok()?;
            let max_log_e = reader.float().filter(|log| *log >= 0.0)?;
            closed.sums = Sums { steps: steps(reader)? };
            Some(Self { closed, max_log_e, open: open(reader)?, names: names(reader)? })
        })
    }
}

fn put_name(bytes: &mut Vec<u8>, kind: u64, name: u64) {
    put(bytes, kind);
    bytes.extend(name.to_le_bytes());
}

fn names(reader: &mut Reader<'_>) -> Option<Names> {
    let kind = reader.number()?;
    let mut name = || Some(u64::from_le_bytes(reader.bytes(8)?.try_into().ok()?));
    match kind {
        0 => Some(Names::None),
        1 => name().map(Names::First),
        2 => name().map(Names::One),
        3 => Some(Names::Many),
        _ => None,
    }
}

fn open(reader: &mut Reader<'_>) -> Option<Open> {
    let mut open = Open::of_size(reader.number().filter(|size| *size >= 2)?);
    open.counts = Block { canary: runs(reader)?, baseline: runs(reader)? };
    open.repeats = reader.number()?;
    let count = usize::try_from(reader.number()?).ok()?;
    if count as u64 > 2 * Open::REMEMBERED {
        return None;
    }
    let hashes = reader.bytes(8 * count)?.chunks_exact(8);
    open.seen = hashes.filter_map(|hash| Some(u64::from_le_bytes(hash.try_into().ok()?))).collect();
    // A full block would have been closed.
    (!open.is_full()).then_some(open)
}

fn runs(reader: &mut Reader<'_>) -> Option<Runs> {
    let runs = Runs { runs: reader.number()?, failed: reader.number()? };
    (runs.failed <= runs.runs).then_some(runs)
}
