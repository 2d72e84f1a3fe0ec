//! Written and read again; what older versions wrote.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::judge::measurement::Direction;
use crate::judge::rules::Run;
use crate::policy::{Policy, Settings};
use crate::reading::TypeName;
use crate::release::CanaryPeriod;
use crate::rollout::Arm;
use crate::signal::{InstanceId, MeasurementName, Measurements, Status};
use crate::testing::release;

prop_compose! {
    fn counts()(success: u64, failed in 0..u64::from(u32::MAX), neutral in 0_u64..300) -> Counts {
        Counts { success, failed, neutral }
    }
}

prop_compose! {
    fn rollouts()(
        bands in vec((counts(), counts()), 1..=100),
        release_date in -4_000_000_000_000_000_i64..4_000_000_000_000_000,
        days in 0.000_001_f64..3650.0,
        paused_at in proptest::option::of(any::<i64>()),
        announced_band: u16,
        flags in proptest::array::uniform3(any::<bool>()),
        unreported: (u64, u64),
        stable: Option<[u8; 16]>,
        runs in vec((any::<bool>(), any::<bool>(), 0_u8..20), 0..60),
    ) -> Rollout {
        let count = BandCount::parse(bands.len() as i64).unwrap();
        let period = CanaryPeriod::parse(days).unwrap();
        let mut schedule = Schedule::new(Timestamp::from_micros(release_date), period, count);
        if let Some(moment) = paused_at {
            schedule.pause(Timestamp::from_micros(moment));
        }
        let bands = bands.into_iter().map(|(canary, stable)| BandCounts { canary, stable });
        let mut rules = Rules::new(&release(), &Before::default());
        let mut canary = Counts::default();
        for (is_canary, is_failed, name) in runs {
            let status = if is_failed { Status::Failed } else { Status::Success };
            let arm = if is_canary { Arm::Canary } else { Arm::Stable };
            if is_canary {
                canary.add(status);
            }
            let instance = InstanceId::parse(format!("i{name}")).unwrap();
            rules.observe(arm, &Run { instance: Some(&instance), ..status.into() }, canary);
        }
        Rollout {
            schedule,
            bands: Bands::of(bands.collect()),
            announced_band,
            is_held: flags[0],
            canary_was_seen: flags[1],
            stable_was_seen: flags[2],
            stable: stable.map(ReleaseId::from_bytes),
            unreported: Unreported { canary: unreported.0, stable: unreported.1 },
            rules,
        }
    }
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(rollout in rollouts()) {
        let bytes = rollout.encode();
        prop_assert_eq!(Rollout::decode(&bytes, &release()), Ok(rollout));
        prop_assert_eq!(Rollout::decode(&bytes[..bytes.len() - 1], &release()), Err(CodecError::Damaged));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..256)) {
        let _ = Rollout::decode(&bytes, &release());
        for version in [1, VERSION] {
            let mut bytes = bytes.clone();
            bytes.splice(0..0, [TAG, version]);
            let _ = Rollout::decode(&bytes, &release());
        }
    }
}

/// Bytes as the first released version wrote them: they must stay readable for ever.
#[test]
fn the_bytes_of_version_1_stay_readable() {
    let mut schedule = Schedule::new(
        Timestamp::from_seconds(10),
        CanaryPeriod::DEFAULT,
        BandCount::parse(2).unwrap(),
    );
    schedule.pause(Timestamp::from_seconds(11));
    let counts = |success| Counts { success, failed: 1, neutral: 0 };
    let mut rules = Rules::new(&release(), &Before::default());
    rules.resume_floor(0.5);
    let rollout = Rollout {
        schedule,
        bands: Bands::of(vec![BandCounts { canary: counts(20), stable: counts(300) }; 2]),
        announced_band: 1,
        is_held: false,
        canary_was_seen: true,
        stable_was_seen: true,
        stable: None,
        unreported: Unreported::default(),
        rules,
    };
    let committed: &[u8] = &[
        82, 1, 2, 128, 218, 196, 9, 128, 192, 221, 238, 193, 2, 128, 192, 221, 238, 193, 2, 1, 128,
        227, 190, 10, 1, 6, 0, 0, 0, 0, 0, 0, 224, 63, 20, 1, 0, 172, 2, 1, 0, 20, 1, 0, 172, 2, 1,
        0,
    ];
    assert_eq!(Rollout::decode(committed, &release()), Ok(rollout));
    assert_eq!(Rollout::decode(b"R\x03", &release()), Err(CodecError::UnknownVersion(3)));
    assert_eq!(Rollout::decode(b"no", &release()), Err(CodecError::NotARollout));
}

/// A canary after some runs, with every rule that has bytes of its own.
fn watched() -> (Release, Rollout) {
    let name = MeasurementName::parse("m").unwrap();
    let kind = TypeName::parse("humidity").unwrap();
    let settings = Settings {
        early_promotion: Some(true),
        measurements: Some([(name, Direction::HighIsBad)].into()),
        readings: Some([(kind, Direction::LowIsBad)].into()),
        ..Settings::default()
    };
    let policy = Policy::default().with(&settings).unwrap();
    let release = Release { policy, ..release() };
    let stable = Some(ReleaseId::from_bytes([1; 16]));
    let mut rollout = Rollout::new(&release, stable, true, &Before::default());
    for run in 0..12_u8 {
        let arm = if run % 3 == 0 { Arm::Canary } else { Arm::Stable };
        let measured = Measurements::parse([("m".to_owned(), f64::from(run))]).unwrap();
        let instance = InstanceId::parse(format!("i{}", run % 4)).unwrap();
        let status = if run == 9 { Status::Failed } else { Status::Success };
        let run = Run { status, instance: Some(&instance), measurements: Some(&measured) };
        rollout.observe(arm, &run, &release, release.release_date);
    }
    rollout.unreported = Unreported { canary: 3, stable: 200 };
    (release, rollout)
}

/// The logarithms in it depend on the last digits of the machine, so it is read, not written.
#[test]
fn the_bytes_of_version_2_stay_readable() {
    let (release, rollout) = watched();
    let read = Rollout::decode(BYTES_OF_VERSION_2, &release).unwrap();
    assert_eq!(read.encode(), BYTES_OF_VERSION_2);
    assert_eq!(read.schedule(), rollout.schedule());
    assert_eq!((read.counts(), read.unreported()), (rollout.counts(), rollout.unreported()));
    assert_eq!(read.stable(), rollout.stable());
    let at = release.release_date;
    let evidence = [read.evidence(&release, at), rollout.evidence(&release, at)];
    let [read, made] = evidence.map(|evidence| evidence.findings);
    assert_eq!(read.measurements, made.measurements);
    for (read, made) in read.baseline.unwrap().logs.into_iter().zip(made.baseline.unwrap().logs) {
        assert!((read - made).abs() < 1e-12, "{read} and {made}");
    }
}

/// As the first version with a judge wrote them.
const BYTES_OF_VERSION_2: &[u8] = &[
    82, 2, 5, 128, 232, 219, 145, 170, 204, 248, 5, 128, 128, 191, 223, 128, 1, 128, 128, 191, 223,
    128, 1, 128, 128, 191, 223, 128, 1, 128, 128, 191, 223, 128, 1, 128, 128, 191, 223, 128, 1, 0,
    0, 14, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 200, 1, 3, 1, 0, 8, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 74, 1, 0, 0, 0, 0, 0, 0, 0, 0, 77,
    66, 1, 0, 0, 0, 0, 0, 0, 240, 63, 196, 171, 189, 82, 107, 107, 220, 63, 230, 214, 200, 167,
    251, 201, 26, 250, 147, 156, 201, 225, 211, 45, 196, 162, 160, 253, 174, 177, 65, 170, 206,
    145, 244, 143, 187, 80, 144, 226, 241, 209, 191, 185, 87, 10, 0, 0, 2, 0, 0, 2, 59, 74, 39,
    244, 202, 214, 104, 10, 17, 166, 187, 237, 69, 20, 208, 75, 3, 1, 55, 80, 1, 0, 0, 0, 0, 0, 0,
    0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 229, 233, 222, 252, 241, 141, 154, 1,
    185, 155, 205, 136, 226, 210, 73, 221, 205, 166, 132, 177, 233, 36, 145, 191, 162, 208, 227,
    139, 17, 1, 1, 109, 52, 87, 1, 0, 6, 0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0,
    0, 0, 0, 0, 16, 64, 0, 0, 0, 0, 0, 0, 28, 64, 0, 0, 0, 0, 0, 0, 36, 64, 0, 0, 0, 0, 0, 0, 38,
    64, 1, 8, 104, 117, 109, 105, 100, 105, 116, 121, 4, 87, 1, 1, 0, 31, 66, 1, 0, 0, 0, 0, 0, 0,
    240, 63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0,
];
