//! A reading as one number: series, second, value and repetition, in this order of comparison.
//!
//! Sorting, grouping by series and hour, and finding what came twice are operations on slices of
//! these.

use canary_core::reading::ReadingType;

/// Seconds of an hour.
pub(crate) const HOUR: u32 = 3600;

/// The number of a series: one device, type and version; it has 28 bits.
///
/// Numbers with the highest of them are provisional: the series was seen, and is not stored yet.
pub(crate) type SeriesId = u32;

/// Bits of a series and of a repetition.
pub(crate) const SERIES_BITS: u32 = 28;
const REPETITION_BITS: u32 = 4;

/// One reading of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Point(u128);

impl Point {
    /// Before and after all others.
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const LAST: Self = Self(u128::MAX);

    /// Most repetitions that are told apart.
    pub(crate) const MOST_REPEATED: u8 = (1 << REPETITION_BITS) - 1;

    /// `code` is the value as [`Coding`] writes it.
    pub(crate) const fn new(series: SeriesId, second: u32, code: u64) -> Self {
        let series_and_second = (series as u128) << 32 | second as u128;
        Self((series_and_second << 64 | code as u128) << REPETITION_BITS)
    }

    /// The same reading once more, as another one: how many there were before it, at most
    /// [`Self::MOST_REPEATED`].
    pub(crate) const fn repeated(self, repetition: u8) -> Self {
        let bits = Self::MOST_REPEATED as u128;
        Self(self.0 & !bits | repetition as u128 & bits)
    }

    pub(crate) const fn series(self) -> SeriesId {
        (self.0 >> (96 + REPETITION_BITS)) as u32
    }

    /// Seconds since 1970.
    pub(crate) const fn second(self) -> u32 {
        (self.0 >> (64 + REPETITION_BITS)) as u32
    }

    pub(crate) const fn code(self) -> u64 {
        (self.0 >> REPETITION_BITS) as u64
    }

    /// How many equal readings of this second came before: only those whose time is that of their
    /// arrival are told apart.
    pub(crate) const fn repetition(self) -> u8 {
        (self.0 & Self::MOST_REPEATED as u128) as u8
    }

    /// Hours since 1970.
    pub(crate) const fn hour(self) -> u32 {
        self.second() / HOUR
    }

    /// The same reading in another series.
    pub(crate) const fn in_series(self, series: SeriesId) -> Self {
        Self::new(series, self.second(), self.code()).repeated(self.repetition())
    }
}

/// How the values of a type become numbers without sign that are ordered as the values are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Coding {
    /// Distance from the smallest value: small numbers, that take a byte or two.
    Whole { minimum: i64 },
    /// The bits of the float, turned so that they sort.
    Float,
}

const SIGN: u64 = 1 << 63;

impl Coding {
    pub(crate) fn of(kind: &ReadingType) -> Self {
        if kind.is_integer() {
            // Whole and within 2⁵³: exact.
            Self::Whole { minimum: kind.minimum() as i64 }
        } else {
            Self::Float
        }
    }

    /// `value` was checked against the type.
    pub(crate) fn code(self, value: f64) -> u64 {
        match self {
            Self::Whole { minimum } => (value as i64).wrapping_sub(minimum) as u64,
            Self::Float => {
                let bits = value.to_bits();
                if bits & SIGN == 0 { bits | SIGN } else { !bits }
            }
        }
    }

    pub(crate) fn value(self, code: u64) -> f64 {
        match self {
            Self::Whole { minimum } => minimum.wrapping_add(code as i64) as f64,
            Self::Float => f64::from_bits(if code & SIGN == 0 { !code } else { code & !SIGN }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ordered_as_their_values_and_lead_back_to_them() {
        let whole = Coding::Whole { minimum: -40 };
        let values = [-40.0, -1.0, 0.0, 1.0, 9e15];
        let floats = [f64::MIN, -1e9, -0.25, 0.0, 1e-300, 0.25, 1e9, f64::MAX];
        for (coding, values) in [(whole, &values[..]), (Coding::Float, &floats[..])] {
            let codes: Vec<u64> = values.iter().map(|value| coding.code(*value)).collect();
            assert!(codes.is_sorted(), "{coding:?}: {codes:?}");
            let back: Vec<f64> = codes.iter().map(|code| coding.value(*code)).collect();
            assert_eq!(back, values);
        }
    }

    #[test]
    fn points_are_ordered_by_series_then_time_then_value() {
        let points = [
            Point::FIRST,
            Point::new(0, 0, 1),
            Point::new(0, 1, 0),
            Point::new(1, 0, u64::MAX),
            Point::new(1, u32::MAX, 0),
            Point::new(1, u32::MAX, 0).repeated(1),
            Point::new((1 << SERIES_BITS) - 1, 0, 0),
            Point::LAST,
        ];
        assert!(points.is_sorted());
        let point = Point::new(7, 7300, 22);
        assert_eq!((point.series(), point.second(), point.code(), point.hour()), (7, 7300, 22, 2));
        assert_eq!(point.in_series(9), Point::new(9, 7300, 22));
        let again = Point::new((1 << SERIES_BITS) - 1, u32::MAX, u64::MAX).repeated(15);
        assert_eq!(again, Point::LAST);
        assert_eq!((again.code(), again.repetition()), (u64::MAX, 15));
        assert_eq!(point.repeated(3).in_series(9).repetition(), 3);
    }
}
