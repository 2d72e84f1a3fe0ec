//! The way out: statistics and lists of a device, and summaries of all devices.
//!
//! A question about a whole hour is answered by the head of its chunk. Only where an hour is asked
//! for in part, or holds readings that were not folded yet and may have come before, are its
//! readings looked at.

mod all;
mod device;
mod list;

use canary_core::stats::Summary;

pub(crate) use self::list::{Cursor, Listed};
use super::point::HOUR;
use crate::store::StoreError;

/// A stretch of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Seconds since 1970.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// All time.
    #[cfg(test)]
    pub(crate) const ALL: Self = Self { start: 0, end: u32::MAX };

    pub(crate) const fn contains(self, second: u32) -> bool {
        self.start <= second && second <= self.end
    }

    /// The hours that it touches, both ends included.
    const fn hours(self) -> (u32, u32) {
        (self.start / HOUR, self.end / HOUR)
    }

    /// Whether it holds only a part of an hour that it touches.
    const fn cuts(self, hour: u32) -> bool {
        let start = hour * HOUR;
        // The last hour of all ends with the last second, wherever that lies in it.
        let is_cut_at_end =
            self.end != u32::MAX && self.end / HOUR == hour && self.end % HOUR != HOUR - 1;
        self.start > start || is_cut_at_end
    }
}

/// An answer to a question about many readings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summed {
    pub(crate) summary: Summary,
    /// Whether readings that are no longer kept were asked for by less than the hour: then their
    /// whole hours were taken.
    pub(crate) is_rounded: bool,
}

impl Summed {
    fn new(summary: Summary) -> Self {
        Self { summary, is_rounded: false }
    }
}

/// A chunk that this program cannot read.
fn damaged(id: i64) -> StoreError {
    StoreError::Corrupt { table: "reading_chunk", column: "head", row: id.to_string() }
}

/// A block that this program cannot read.
fn damaged_block(id: i64) -> StoreError {
    StoreError::Corrupt { table: "reading_block", column: "bytes", row: id.to_string() }
}

/// A computation that ended with a fault of the program.
#[expect(clippy::needless_pass_by_value, reason = "it is the function of a `map_err`")]
fn fault(error: tokio::task::JoinError) -> StoreError {
    StoreError::Fault(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_knows_which_hours_it_cuts() {
        let span = |start, end| Span { start, end };
        let cases = [
            (Span::ALL, 0, false),
            (Span::ALL, u32::MAX / HOUR, false),
            (span(HOUR, 2 * HOUR - 1), 1, false),
            (span(HOUR + 1, 3 * HOUR - 1), 1, true),
            (span(HOUR + 1, 3 * HOUR - 1), 2, false),
            (span(0, HOUR), 0, false),
            (span(0, HOUR), 1, true),
            (span(10, 20), 0, true),
        ];
        for (span, hour, want) in cases {
            assert_eq!(span.cuts(hour), want, "{span:?} {hour}");
        }
    }
}
