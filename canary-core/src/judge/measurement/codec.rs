//! The byte form of the comparison of one measurement.
//!
//! Layout of version 1, as in [`blocks`](crate::judge::blocks::codec):
//!
//! ```text
//! 'M' 1
//! direction (0 high is bad, 1 low is bad), three thresholds (floats), highest ln E (float)
//! four times, for the three thresholds and what is missing: the sum of each odds ratio
//! open block, canary then baseline: runs with a value, without one, beyond each threshold
//! the same of the blocks that have ended
//! ```
//!
//! About 230 bytes. Every released version stays readable, and no bytes make the reader panic.

use super::{Arms, Direction, Measured, Measurement, Thresholds};
use crate::judge::blocks::sums::Sums;
use crate::judge::codec::{CodecError, put_float, put_steps, read_form, steps};
use crate::stats::varint::{Reader, put};

const TAG: u8 = b'M';
const VERSION: u8 = 1;

impl Measurement {
    /// Writes the byte form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { thresholds: Thresholds { direction, limits }, .. } = self;
        let mut bytes = vec![TAG, VERSION];
        put(&mut bytes, u64::from(*direction == Direction::LowIsBad));
        limits.iter().for_each(|limit| put_float(&mut bytes, *limit));
        put_float(&mut bytes, self.max_log_e);
        self.sums.iter().for_each(|sums| put_steps(&mut bytes, &sums.steps));
        let Arms { canary, baseline } = self.ended;
        for Measured { present, missing, beyond } in [self.canary, self.baseline, canary, baseline]
        {
            put(&mut bytes, present);
            put(&mut bytes, missing);
            beyond.iter().for_each(|count| put(&mut bytes, *count));
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
            let direction = match reader.number()? {
                0 => Direction::HighIsBad,
                1 => Direction::LowIsBad,
                _ => return None,
            };
            let limits = [reader.float()?, reader.float()?, reader.float()?];
            let mut measurement = Self::new(Thresholds::new(direction, limits).ok()?);
            measurement.max_log_e = reader.float().filter(|log| *log >= 0.0)?;
            for sums in &mut measurement.sums {
                *sums = Sums { steps: steps(reader)? };
            }
            measurement.canary = measured(reader)?;
            measurement.baseline = measured(reader)?;
            measurement.ended = Arms { canary: measured(reader)?, baseline: measured(reader)? };
            Some(measurement)
        })
    }
}

fn measured(reader: &mut Reader<'_>) -> Option<Measured> {
    let (present, missing) = (reader.number()?, reader.number()?);
    let beyond = [reader.number()?, reader.number()?, reader.number()?];
    let is_possible = beyond.iter().all(|count| *count <= present);
    is_possible.then_some(Measured { present, missing, beyond })
}
