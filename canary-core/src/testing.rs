//! What the tests of several modules share.

use crate::policy::Policy;
use crate::product::ProductId;
use crate::release::{BandCount, CanaryPeriod, Release, ReleaseId, State, Threshold};
use crate::time::Timestamp;
use crate::version::Version;

/// A running canary with every default.
pub(crate) fn release() -> Release {
    let at = Timestamp::from_seconds(1_672_569_000);
    Release {
        id: ReleaseId::from_bytes([2; 16]),
        product: ProductId::from_bytes([0; 16]),
        version: Version::parse("0.0.2").unwrap(),
        state: State::Running,
        is_canary: true,
        threshold: Threshold::DEFAULT,
        canary_period: CanaryPeriod::DEFAULT,
        band_count: BandCount::DEFAULT,
        release_date: at,
        registered_at: at,
        policy: Policy::default(),
    }
}
