//! Any finite numbers, as long as there are few different ones: each is kept with its count.

use super::counts::Slot;

/// Values in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Distinct {
    entries: Vec<(f64, Slot)>,
}

impl Distinct {
    /// Most different values that are kept.
    pub(super) const MOST: usize = 1024;

    /// How many different values.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn total(&self) -> u64 {
        self.entries.iter().fold(0, |sum, (_, slot)| sum.saturating_add(slot.count))
    }

    /// Adds a finite value that is not −0, which is not before the place `from`; the place after it.
    ///
    /// So ascending values are each looked for where the last one was found.
    pub(super) fn add(&mut self, from: usize, value: f64, slot: Slot) -> usize {
        let rest = self.entries.get_mut(from..).unwrap_or_default();
        let found = match rest.first_mut() {
            Some((kept, _)) if *kept == value => Ok(0),
            _ => rest.binary_search_by(|(kept, _)| kept.total_cmp(&value)),
        };
        match found {
            Ok(place) => {
                if let Some((_, kept)) = rest.get_mut(place) {
                    kept.add(slot);
                }
                from + place + 1
            }
            Err(place) => {
                self.entries.insert(from + place, (value, slot));
                from + place + 1
            }
        }
    }

    /// The values that were seen, ascending.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = (f64, Slot)> + Clone {
        self.entries.iter().copied()
    }
}
