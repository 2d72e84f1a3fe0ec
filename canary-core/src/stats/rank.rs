//! What follows from values in order, with how often each was seen.

use super::counts::Slot;

/// The row that holds the value of this place, counted from 0 in ascending order.
pub(super) fn nth<T>(rows: impl Iterator<Item = (T, Slot)>, place: u64) -> Option<(T, Slot)> {
    let mut before = 0_u64;
    for (value, slot) in rows {
        before = before.saturating_add(slot.count);
        if place < before {
            return Some((value, slot));
        }
    }
    None
}

/// The row that was seen most often; the first of several.
pub(super) fn fullest<T>(rows: impl Iterator<Item = (T, Slot)>) -> Option<T> {
    let mut found = None;
    let mut most = 0;
    for (value, slot) in rows {
        if slot.count > most {
            (found, most) = (Some(value), slot.count);
        }
    }
    found
}

/// The point between two values, `part` from the lower to the upper, 0 to 1.
pub(super) fn between(lower: f64, upper: f64, part: f64) -> f64 {
    // Both products are finite, where the difference of the two might not be.
    (lower * (1.0 - part) + upper * part).max(lower).min(upper)
}
