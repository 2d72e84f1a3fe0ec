//! What the judge costs per signal, in the mix of both versions that the quota gives.

use std::hint::black_box;

use canary_core::judge::blocks::Blocks;
use canary_core::judge::blocks::open::Open;
use canary_core::judge::measurement::{Direction, Measurement, Thresholds};
use canary_core::judge::promotion::Promotion;
use canary_core::judge::sequential::Alpha;
use canary_core::rollout::Arm;
use criterion::{BatchSize, Criterion, Throughput};

/// Signals of one pass.
const SIGNALS: u64 = 10_000;

/// A hash of the number of a signal, for instances and values.
const fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The signal with this number: one in five is the canary's, and of both versions so many in a
/// thousand fail.
fn signal(number: u64, failing: u64) -> (Arm, bool) {
    let arm = if number.is_multiple_of(5) { Arm::Canary } else { Arm::Stable };
    (arm, (spread(number) >> 32) % 1_000 < failing)
}

/// `judge/blocks/*`: the comparison with the baseline, where 1 % and 30 % fail, and with instances.
pub(crate) fn blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge/blocks");
    group.throughput(Throughput::Elements(SIGNALS));
    for (name, failing, is_named) in [("1%", 10, false), ("30%", 300, false), ("named", 10, true)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || Blocks::new(1.0).unwrap(),
                |blocks| {
                    for number in 0..SIGNALS {
                        let (arm, is_failed) = signal(number, failing);
                        let instance = is_named.then(|| spread(number));
                        blocks.observe(black_box(arm), is_failed, instance);
                    }
                    assert!(!blocks.reading(Alpha::BASELINE).is_crossed());
                },
                BatchSize::SmallInput,
            );
        });
    }
}

/// `judge/promotion/*`: what early promotion adds, without and with a service level.
pub(crate) fn promotion(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge/promotion");
    group.throughput(Throughput::Elements(SIGNALS));
    for (name, acceptable) in [("relative", None), ("service", Some(0.02))] {
        let fresh = || (Open::default(), Promotion::new(Promotion::RHO, acceptable).unwrap());
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                fresh,
                |(open, promotion)| {
                    let (mut succeeded, mut failed) = (0, 0);
                    for number in 0..SIGNALS {
                        let (arm, is_failed) = signal(number, 10);
                        if arm == Arm::Canary {
                            succeeded += u64::from(!is_failed);
                            failed += u64::from(is_failed);
                        }
                        let step = open.observe(black_box(arm), is_failed, None);
                        if arm == Arm::Canary || step.closed.is_some() {
                            promotion.observe(step.closed.as_ref(), succeeded, failed);
                        }
                    }
                    assert!(promotion.max_log_e() > 0.5);
                },
                BatchSize::SmallInput,
            );
        });
    }
}

/// `judge/measurement`: one measurement through blocks of its own.
pub(crate) fn measurement(criterion: &mut Criterion) {
    let thresholds = Thresholds::new(Direction::HighIsBad, [500.0, 900.0, 990.0]).unwrap();
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(SIGNALS)).bench_function("measurement", |bencher| {
        bencher.iter_batched_ref(
            || (Open::default(), Measurement::new(thresholds)),
            |(open, measurement)| {
                for number in 0..SIGNALS {
                    let (arm, _) = signal(number, 0);
                    let step = open.observe(black_box(arm), false, None);
                    let value = (spread(number) >> 32) % 1_000;
                    measurement.observe(arm, Some(value as f64));
                    if step.closed.is_some() {
                        measurement.close();
                    }
                }
                assert!(!measurement.reading(Alpha::BASELINE).is_crossed());
            },
            BatchSize::SmallInput,
        );
    });
}

/// `judge/codec/*`: the byte form of the comparison with the baseline.
pub(crate) fn codec(criterion: &mut Criterion) {
    let mut blocks = Blocks::new(1.0).unwrap();
    for number in 0..SIGNALS + 9 {
        let (arm, is_failed) = signal(number, 10);
        blocks.observe(arm, is_failed, Some(spread(number)));
    }
    let bytes = blocks.encode();
    assert!(bytes.len() <= 256);
    let mut group = criterion.benchmark_group("judge/codec");
    group.bench_function("encode", |bencher| {
        bencher.iter(|| assert_eq!(black_box(&blocks).encode(), bytes));
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| assert_eq!(Blocks::decode(black_box(&bytes)).as_ref(), Ok(&blocks)));
    });
}
