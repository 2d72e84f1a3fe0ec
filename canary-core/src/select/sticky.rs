//! Sticky selection: the same instance gets the same answer.
//!
//! A salted hash puts the instance at a fixed place in 0..1, and it gets the canary when that place
//! is below the canary's share.
//! The share only grows, so widening never takes the canary away from an instance.
//! The salt is the canary's own identifier: the next canary meets other instances first.
//!
//! The hash is SipHash-2-4 of [Aumasson & Bernstein 2012](https://www.aumasson.jp/siphash/siphash.pdf)
//! with that identifier as its key.
//! It is part of the contract: with another one, instances would change sides in mid-rollout.

use siphasher::sip::SipHasher24;

use super::{Choice, Reason};
use crate::band::Share;
use crate::release::ReleaseId;
use crate::signal::InstanceId;

/// The place of an instance in the rollout of a canary, as a fraction of 2^64.
#[must_use]
pub fn place(canary: ReleaseId, instance: &InstanceId) -> u64 {
    SipHasher24::new_with_key(canary.as_bytes()).hash(instance.as_str().as_bytes())
}

/// Chooses for an instance while the canary has `share`.
#[must_use]
pub fn choose(canary: ReleaseId, instance: &InstanceId, share: Share) -> Choice {
    if share.contains_place(place(canary, instance)) {
        Choice::canary(Reason::CanaryShare)
    } else {
        Choice::stable(Reason::StableShare)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::band::Schedule;
    use crate::release::{BandCount, CanaryPeriod};
    use crate::rollout::Arm;
    use crate::time::Timestamp;

    fn schedule(bands: i64) -> Schedule {
        let bands = BandCount::parse(bands).unwrap();
        Schedule::new(Timestamp::from_seconds(0), CanaryPeriod::DEFAULT, bands)
    }

    fn instance(name: impl Into<Box<str>>) -> InstanceId {
        InstanceId::parse(name).unwrap()
    }

    proptest! {
        #[test]
        fn widening_never_takes_the_canary_away(
            name in "[a-z0-9-]{1,40}",
            canary: [u8; 16],
            bands in 1_i64..=100,
        ) {
            let (schedule, canary) = (schedule(bands), ReleaseId::from_bytes(canary));
            let arms: Vec<Arm> = (0..=schedule.count())
                .map(|band| choose(canary, &instance(name.as_str()), schedule.share(band)).arm)
                .collect();
            let changes = arms.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert_eq!(arms[0], Arm::Stable);
            prop_assert_eq!(arms[arms.len() - 1], Arm::Canary);
            prop_assert_eq!(changes, 1);
        }
    }

    #[test]
    fn the_share_of_a_hundred_thousand_instances_is_within_three_standard_deviations() {
        let schedule = schedule(5);
        let canary = ReleaseId::from_bytes(*b"a canary's bytes");
        let instances = 100_000_u32;
        for band in 1..=schedule.count() {
            let share = schedule.share(band);
            let with_canary = (0..instances)
                .filter(|number| {
                    choose(canary, &instance(format!("instance-{number}")), share).arm
                        == Arm::Canary
                })
                .count();
            let expected = share.as_f64() * f64::from(instances);
            let deviation = (expected * (1.0 - share.as_f64())).sqrt();
            assert!(
                (with_canary as f64 - expected).abs() <= 3.0 * deviation,
                "band {band}: {with_canary} of {instances}, expected {expected}"
            );
        }
    }

    /// Places are kept for ever: another hash would move running instances to the other version.
    #[test]
    fn places_never_move() {
        let canary = ReleaseId::from_bytes([7; 16]);
        let places = ["a", "instance-1", "Ünïcode"].map(|name| place(canary, &instance(name)));
        assert_eq!(
            places,
            [10_865_672_725_185_979_706, 2_599_513_993_395_757_872, 13_163_136_550_469_982_462,]
        );
    }
}
