//! Rows of (key, count, newest) in as few bits as the widest of them needs.
//!
//! ```text
//! rows n; nothing follows if 0
//! first key, greatest newest (signed)
//! three bytes: how many bits a gap, a count and an age take, each 0 to 64
//! per row, low bits first, the last byte filled up with zeros:
//!   gap: the key − the key before − 1, 0 for the first
//!   count − 1
//!   age: the greatest newest − this newest
//! ```
//!
//! One width per column makes reading free of branches, which a byte form that is merged by the
//! thousand repays; for the idea see [Lemire & Boytsov 2015] (binary packing, frame of reference).
//! What it costs: a single far-off number widens its whole column.
//!
//! [Lemire & Boytsov 2015]: https://arxiv.org/abs/1209.2137

use super::counts::Slot;
use super::varint::{Reader, put, put_signed};

/// Most bits of a row that are surely within eight bytes, wherever in a byte they begin.
const NARROW: usize = 57;

/// Appends a table; the keys ascend.
pub(super) fn put_table(bytes: &mut Vec<u8>, rows: impl Iterator<Item = (u64, Slot)> + Clone) {
    let Some((first, _)) = rows.clone().next() else {
        return put(bytes, 0);
    };
    let greatest = rows.clone().map(|(_, slot)| slot.newest).max().unwrap_or(i64::MIN);
    let fields = rows.scan(first, |next, (key, slot)| {
        let gap = key - *next;
        *next = key.saturating_add(1);
        Some([gap, slot.count.saturating_sub(1), greatest.abs_diff(slot.newest)])
    });
    let (mut count, mut all) = (0, [0; 3]);
    for row in fields.clone() {
        count += 1;
        for (all, field) in all.iter_mut().zip(row) {
            *all |= field;
        }
    }
    let widths = all.map(|field| u64::BITS - field.leading_zeros());
    put(bytes, count);
    put(bytes, first);
    put_signed(bytes, greatest);
    bytes.extend(widths.map(|width| width as u8));

    let (mut filling, mut filled) = (0_u128, 0);
    for (field, width) in fields.flat_map(|row| row.into_iter().zip(widths)) {
        filling |= u128::from(field) << filled;
        filled += width;
        while filled >= 8 {
            bytes.push(filling as u8);
            filling >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        bytes.push(filling as u8);
    }
}

/// The widths of the three columns, in bits.
#[derive(Debug, Clone, Copy, Default)]
struct Widths {
    gap: u32,
    count: u32,
    age: u32,
}

impl Widths {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut width = || Some(u32::from(reader.byte().filter(|width| *width <= 64)?));
        Some(Self { gap: width()?, count: width()?, age: width()? })
    }

    const fn row(self) -> usize {
        (self.gap + self.count + self.age) as usize
    }
}

/// A table that was checked: the keys ascend and none is above the limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    bits: &'a [u8],
    /// The last eight of the bytes, or all with zeros behind them.
    tail: u64,
    left: usize,
    /// In `bits`, of the next row.
    bit: usize,
    /// The least key that the next row can have.
    next: u64,
    last: u64,
    greatest: i64,
    widths: Widths,
}

impl<'a> Rows<'a> {
    const NONE: Self = Self {
        bits: &[],
        tail: 0,
        left: 0,
        bit: 0,
        next: 0,
        last: 0,
        greatest: i64::MIN,
        widths: Widths { gap: 0, count: 0, age: 0 },
    };

    /// Reads a table of at most `most` rows with keys from 0 to `limit`.
    pub(super) fn read(reader: &mut Reader<'a>, most: u64, limit: u64) -> Option<Self> {
        let left = reader.number().filter(|rows| *rows <= most)?;
        if left == 0 {
            return Some(Self::NONE);
        }
        let (next, greatest) = (reader.number()?, reader.signed()?);
        let (left, widths) = (usize::try_from(left).ok()?, Widths::read(reader)?);
        let bits = reader.bytes(left.checked_mul(widths.row())?.div_ceil(8))?;
        let tail = match bits.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => u64::from_le_bytes(filled_up(bits)),
        };
        let mut rows = Self { bits, tail, left, next, greatest, widths, ..Self::NONE };
        rows.last = rows.last_key().filter(|last| *last <= limit)?;
        Some(rows)
    }

    /// The first and the last key.
    pub(super) fn span(mut self) -> Option<(u64, u64)> {
        let last = self.last;
        let (first, _) = self.next()?;
        Some((first, last))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Adds up the gaps; nothing if a key has no 64 bits.
    fn last_key(&self) -> Option<u64> {
        let last = self.next.checked_add(self.left as u64 - 1)?;
        if self.widths.gap == 0 {
            return Some(last);
        }
        let mut ats = (0..self.left).map(|row| row * self.widths.row());
        if self.widths.gap as usize > NARROW {
            return ats
                .try_fold(last, |last, at| last.checked_add(self.field(at, self.widths.gap)));
        }
        ats.try_fold(last, |last, at| last.checked_add(self.word(at) & mask(self.widths.gap)))
    }

    /// `width` bits from bit `at` on, wherever in a byte they begin.
    fn field(&self, at: usize, width: u32) -> u64 {
        let bits = self.bits.get(at / 8..).unwrap_or_default();
        let bytes = bits.first_chunk().copied().unwrap_or_else(|| filled_up::<16>(bits));
        (u128::from_le_bytes(bytes) >> (at % 8)) as u64 & mask(width)
    }

    /// At least 57 bits from bit `at` on.
    #[inline]
    fn word(&self, at: usize) -> u64 {
        let byte = at / 8;
        let word = match self.bits.get(byte..).and_then(|bits| bits.first_chunk()) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.tail >> (8 * (byte - self.bits.len().saturating_sub(8)) as u32 % 64),
        };
        word >> (at % 8)
    }

    /// The gap, the count − 1 and the age of the next row, at once.
    #[inline]
    fn narrow(&self) -> [u64; 3] {
        let Widths { gap, count, age } = self.widths;
        let row = self.word(self.bit);
        [row & mask(gap), (row >> gap) & mask(count), (row >> (gap + count)) & mask(age)]
    }

    /// The same of a row that may be wider than a word.
    fn wide(&self) -> [u64; 3] {
        let Widths { gap, count, age } = self.widths;
        let (count_at, age_at) = (self.bit + gap as usize, self.bit + (gap + count) as usize);
        [self.field(self.bit, gap), self.field(count_at, count), self.field(age_at, age)]
    }

    /// Goes on by one row.
    #[inline]
    fn row(&mut self, [gap, count, age]: [u64; 3]) -> (u64, Slot) {
        self.bit += self.widths.row();
        let key = self.next.wrapping_add(gap);
        self.next = key.wrapping_add(1);
        let newest = self.greatest.saturating_sub_unsigned(age);
        (key, Slot { count: count.saturating_add(1), newest })
    }
}

impl Iterator for Rows<'_> {
    type Item = (u64, Slot);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let fields = if self.widths.row() <= NARROW { self.narrow() } else { self.wide() };
        Some(self.row(fields))
    }

    /// What `for_each` goes through: which kind of rows it has is asked once.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(mut self, first: B, mut f: F) -> B {
        let mut folded = first;
        if self.widths.row() <= NARROW {
            for _ in 0..self.left {
                let fields = self.narrow();
                folded = f(folded, self.row(fields));
            }
        } else {
            for _ in 0..self.left {
                let fields = self.wide();
                folded = f(folded, self.row(fields));
            }
        }
        folded
    }
}

#[inline]
const fn mask(width: u32) -> u64 {
    if width == 0 { 0 } else { u64::MAX >> (64 - width) }
}

/// Bytes with zeros behind them.
fn filled_up<const LENGTH: usize>(bits: &[u8]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    for (byte, bits) in bytes.iter_mut().zip(bits) {
        *byte = *bits;
    }
    bytes
}
