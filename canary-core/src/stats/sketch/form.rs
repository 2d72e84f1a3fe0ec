//! The bytes of a sketch, of which `stats/codec.rs` has the layout.

use super::{HIGHEST_KEY, Sketch};
use crate::stats::Observed;
use crate::stats::counts::Slot;
use crate::stats::moments::Moments;
use crate::stats::table::{Rows, put_table};
use crate::stats::varint::{Reader, put, put_signed};

impl Sketch {
    /// Appends the ends, the moments and the bins.
    pub(in crate::stats) fn encode(&self, bytes: &mut Vec<u8>) {
        for Observed { value, newest } in [self.lowest, self.highest] {
            bytes.extend(value.to_le_bytes());
            put_signed(bytes, newest);
        }
        bytes.extend(self.moments.mean.to_le_bytes());
        bytes.extend(self.moments.squares.to_le_bytes());
        put(bytes, self.zero.count);
        if self.zero.count > 0 {
            put_signed(bytes, self.zero.newest);
        }
        for counts in [&self.negative, &self.positive] {
            put_table(bytes, counts.rows().map(|(key, slot)| (u64::from(key), slot)));
        }
    }
}

/// A sketch whose bins are still bytes.
pub(in crate::stats) struct SketchForm<'a> {
    lowest: Observed,
    highest: Observed,
    mean: f64,
    squares: f64,
    negative: Rows<'a>,
    zero: Slot,
    positive: Rows<'a>,
}

impl<'a> SketchForm<'a> {
    pub(in crate::stats) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let mut observed = || {
            let value = reader.float().filter(|value| value.is_finite())?;
            Some(Observed { value: value + 0.0, newest: reader.signed()? })
        };
        let (lowest, highest) = (observed()?, observed()?);
        let mean = reader.float().filter(|mean| mean.is_finite())?;
        let squares = reader.float().filter(|squares| *squares >= 0.0)?;
        let zero = match reader.number()? {
            0 => Slot::EMPTY,
            count => Slot { count, newest: reader.signed()? },
        };
        let mut bins = || Rows::read(reader, u64::from(HIGHEST_KEY) + 1, HIGHEST_KEY.into());
        let (negative, positive) = (bins()?, bins()?);
        let is_empty = zero.count == 0 && negative.is_empty() && positive.is_empty();
        Some(Self { lowest, highest, mean, squares, negative, zero, positive })
            .filter(|_| lowest.value <= highest.value && !is_empty)
    }

    pub(in crate::stats) fn merge_into(&self, sketch: &mut Sketch) {
        sketch.widen(self.lowest);
        sketch.widen(self.highest);
        let negative = sketch.negative.merge_rows(self.negative);
        sketch.zero.add(self.zero);
        let positive = sketch.positive.merge_rows(self.positive);
        let count = negative.saturating_add(self.zero.count).saturating_add(positive);
        let Self { mean, squares, .. } = *self;
        sketch.moments.merge(&Moments { count, mean, squares });
    }

    pub(in crate::stats) fn to_sketch(&self) -> Sketch {
        let mut sketch = Sketch::empty(self.lowest, self.highest);
        self.merge_into(&mut sketch);
        sketch
    }
}
