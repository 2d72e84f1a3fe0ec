//! Equal readings without a time that come in one second.
//!
//! A reading with a time that comes again is the same reading: the device has sent it again.
//! Two readings without one are two, even if device, type and value are the same and both came in
//! the same second.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::RandomState;

use super::point::Point;

/// Most different readings of a second that are remembered; more of them are few alike.
const MOST: usize = 1 << 18;

/// The readings without a time of one second, by a hash of device, type, version and value.
///
/// Two that have the same hash are numbered as if they were equal, which does no harm: a number
/// only has to be another one for an equal reading.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    second: u32,
    hasher: RandomState,
    seen: HashMap<u64, u8, RandomState>,
}

impl Arrivals {
    /// How many equal readings came before in this second, at most [`Point::MOST_REPEATED`].
    pub(super) fn before(&mut self, second: u32, reading: &impl Hash) -> u8 {
        if self.second != second {
            self.second = second;
            self.seen = HashMap::default();
        }
        let hash = self.hasher.hash_one(reading);
        if self.seen.len() >= MOST && !self.seen.contains_key(&hash) {
            return 0;
        }
        let count = self.seen.entry(hash).or_insert(0);
        let before = *count;
        *count = before.saturating_add(1).min(Point::MOST_REPEATED);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_readings_of_a_second_are_numbered() {
        let mut arrivals = Arrivals::default();
        let mut before = |second, value: u64| arrivals.before(second, &("d1", value));
        assert_eq!([before(5, 22), before(5, 22), before(5, 50), before(5, 22)], [0, 1, 0, 2]);
        assert_eq!(before(6, 22), 0);
        let last = (0..40).map(|_| before(6, 22)).last();
        assert_eq!(last, Some(Point::MOST_REPEATED));
    }
}
