//! Time as a value: microseconds since 1970, always an argument and never asked for.

use std::time::Duration;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates: the ends are 290 000 years away and no schedule reaches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970; negative ones lie before it.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, at least 0 and at most those of a reading.
    #[must_use]
    pub fn as_seconds(self) -> u32 {
        let seconds = self.0.div_euclid(1_000_000).max(0);
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }

    /// This point, `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}
