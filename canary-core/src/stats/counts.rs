//! Counts by number: one slot per key, dense over the span of keys that were seen.

use super::table::Rows;

/// What is kept of one value, or of one bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// How often; stays at its greatest number rather than wrap.
    pub count: u64,
    /// When last; the earliest time there is while `count` is 0, so that any time is later.
    pub newest: i64,
}

impl Slot {
    pub(super) const EMPTY: Self = Self { count: 0, newest: i64::MIN };

    /// One observation.
    pub(super) const fn once(at: i64) -> Self {
        Self { count: 1, newest: at }
    }

    #[inline]
    pub(super) fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.newest = self.newest.max(other.newest);
    }
}

/// Slots by key.
///
/// Grows by at least its own length downwards, and as a `Vec` does upwards, so that growing costs
/// a constant time per key in the long run; slots that nobody asked for are empty and do not
/// count when two are compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// The key of the first slot.
    first: u32,
    slots: Vec<Slot>,
    total: u64,
}

impl Counts {
    /// How often all keys together.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    #[inline]
    pub(super) fn add(&mut self, key: u32, slot: Slot) {
        // A key below the first wraps to a place far behind the last.
        let index = key.wrapping_sub(self.first) as usize;
        if let Some(kept) = self.slots.get_mut(index) {
            kept.add(slot);
        } else {
            self.add_outside(key, slot);
        }
        self.total = self.total.saturating_add(slot.count);
    }

    #[cold]
    fn add_outside(&mut self, key: u32, slot: Slot) {
        self.cover(key, key);
        if let Some(kept) = self.slots.get_mut((key - self.first) as usize) {
            kept.add(slot);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (key, slot) in other.rows() {
            self.add(key, slot);
        }
    }

    /// Adds the rows of a byte form, whose keys were checked to have 32 bits; how often all of
    /// them together.
    pub(super) fn merge_rows(&mut self, rows: Rows<'_>) -> u64 {
        let Some((lowest, highest)) = rows.span() else { return 0 };
        self.cover(lowest as u32, highest as u32);
        let first = u64::from(self.first);
        let mut added = 0_u64;
        rows.for_each(|(key, slot)| {
            if let Some(kept) = self.slots.get_mut((key - first) as usize) {
                kept.add(slot);
            }
            added = added.saturating_add(slot.count);
        });
        self.total = self.total.saturating_add(added);
        added
    }

    /// Makes slots for all keys from `lowest` to `highest`.
    fn cover(&mut self, lowest: u32, highest: u32) {
        let length = self.slots.len() as u32;
        if length == 0 {
            self.first = lowest;
        } else if lowest < self.first {
            let first = lowest.min(self.first.saturating_sub(length));
            let more = (self.first - first) as usize;
            self.slots.splice(..0, std::iter::repeat_n(Slot::EMPTY, more));
            self.first = first;
        }
        let needed = (highest - self.first) as usize + 1;
        if needed > self.slots.len() {
            self.slots.resize(needed, Slot::EMPTY);
        }
    }

    /// The keys that were seen, ascending.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = (u32, Slot)> + Clone {
        self.slots
            .iter()
            .enumerate()
            .map(|(index, slot)| (self.first + index as u32, *slot))
            .filter(|(_, slot)| slot.count > 0)
    }
}

/// Two counts are equal if the same keys were seen as often and as late.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.total == other.total && self.rows().eq(other.rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_any_order_end_in_their_own_slots() {
        let mut counts = Counts::default();
        for key in [500, 3, 2, 900, 0, 3] {
            counts.add(key, Slot::once(i64::from(key)));
        }
        let rows: Vec<_> = counts.rows().map(|(key, slot)| (key, slot.count)).collect();
        assert_eq!(rows, [(0, 1), (2, 1), (3, 2), (500, 1), (900, 1)]);
        assert_eq!(counts.total(), 6);
    }

    #[test]
    fn slots_that_were_only_prepared_do_not_count() {
        let (mut downwards, mut upwards) = (Counts::default(), Counts::default());
        for key in 0..100 {
            upwards.add(key, Slot::once(0));
            downwards.add(99 - key, Slot::once(0));
        }
        assert_eq!(downwards, upwards);
    }

    #[test]
    fn a_count_stays_at_its_greatest_rather_than_wrap() {
        let mut counts = Counts::default();
        for _ in 0..2 {
            counts.add(1, Slot { count: u64::MAX - 1, newest: 0 });
        }
        assert_eq!(counts.total(), u64::MAX);
        assert_eq!(counts.rows().next(), Some((1, Slot { count: u64::MAX, newest: 0 })));
    }
}
