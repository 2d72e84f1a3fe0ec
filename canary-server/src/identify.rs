//! Identifiers that never were and never will be: UUIDs of version 7, in the order in which they
//! were made, so that rows which come together lie together.

use std::sync::atomic::{AtomicU64, Ordering};

use canary_core::time::Timestamp;
use siphasher::sip::SipHasher24;
use uuid::{Builder, Uuid};

/// Makes identifiers; two of them never make the same.
///
/// After the millisecond stands a counter that begins anywhere (42 bits), and 32 bits of a keyed
/// hash of it: one question to the system at the start, and none for each identifier.
pub(crate) struct Identifiers {
    key: [u8; 16],
    next: AtomicU64,
}

impl Identifiers {
    /// With a random key, counting from a random number.
    pub(crate) fn new() -> Self {
        let (_, start) = Uuid::new_v4().as_u64_pair();
        // Half of the counter's range is left to count.
        Self { key: Uuid::new_v4().into_bytes(), next: AtomicU64::new(start >> 23) }
    }

    /// The next identifier.
    pub(crate) fn next(&self, now: Timestamp) -> [u8; 16] {
        let counter = self.next.fetch_add(1, Ordering::Relaxed);
        let hash = SipHasher24::new_with_key(&self.key).hash(&counter.to_le_bytes());
        // The builder overwrites 4 bits of the first byte and 2 of the third.
        let [.., a, b, c, d, e, f] =
            ((counter >> 30 << 32) | (counter & 0x3FFF_FFFF)).to_be_bytes();
        let [w, x, y, z, ..] = hash.to_le_bytes();
        let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, w, x, y, z])
            .into_uuid()
            .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_differ_and_are_in_the_order_of_their_making() {
        let (identifiers, others) = (Identifiers::new(), Identifiers::new());
        let at = |millis: i64| Timestamp::from_micros(1_700_000_000_000_000 + 1000 * millis);
        let ids: Vec<[u8; 16]> =
            (0..20_000).map(|number| identifiers.next(at(number / 10_000))).collect();
        assert!(ids.is_sorted());
        let theirs = (0..20_000).map(|number| others.next(at(number / 10_000)));
        assert_eq!(ids.iter().copied().chain(theirs).collect::<HashSet<_>>().len(), 40_000);
        assert_eq!(Uuid::from_bytes(ids[0]).get_version_num(), 7);
    }

    #[test]
    fn the_order_holds_where_the_counter_carries() {
        let identifiers = Identifiers { key: [1; 16], next: AtomicU64::new((1 << 30) - 2) };
        let ids: Vec<[u8; 16]> =
            (0..4).map(|_| identifiers.next(Timestamp::from_seconds(1))).collect();
        assert!(ids.is_sorted(), "{ids:x?}");
    }
}
