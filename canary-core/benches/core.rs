//! The functions that run once per request or once per signal.
//!
//! Names are paths, `area/operation`; everything is seeded, and every result is asserted.
#![expect(clippy::unwrap_used, reason = "a value that is refused here ends the benchmark")]

#[path = "core/judge.rs"]
mod judge;
#[path = "core/judging.rs"]
mod judging;

use std::hint::black_box;
use std::time::Duration;

use canary_core::judge::rules::Before;
use canary_core::lineup::{Effects, Lineup};
use canary_core::policy::Policy;
use canary_core::product::ProductId;
use canary_core::release::{BandCount, CanaryPeriod, Release, ReleaseId, State, Threshold};
use canary_core::rollout::{Arm, Rollout};
use canary_core::select::Asker;
use canary_core::select::quota::Outstanding;
use canary_core::signal::{InstanceId, Status};
use canary_core::stats::{Accuracy, Domain, Summary};
use canary_core::time::Timestamp;
use canary_core::version::Version;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const START: Timestamp = Timestamp::from_seconds(1_700_000_000);
const STABLE: ReleaseId = ReleaseId::from_bytes([1; 16]);
const CANARY: ReleaseId = ReleaseId::from_bytes([2; 16]);

/// Signals of one pass of `lineup/observe`, of which 1 % failed and 20 % are the canary's.
const SIGNALS: u64 = 10_000;

/// Instances that ask in turn: many, and still few enough to stay in the caches.
const INSTANCES: usize = 4096;

fn release(id: ReleaseId, version: &str, state: State) -> Release {
    Release {
        id,
        product: ProductId::from_bytes([0; 16]),
        version: Version::parse(version).unwrap(),
        state,
        is_canary: state == State::Running,
        threshold: Threshold::parse(50.0).unwrap(),
        canary_period: CanaryPeriod::DEFAULT,
        band_count: BandCount::DEFAULT,
        release_date: START,
        registered_at: START,
        policy: Policy::default(),
    }
}

/// A stable version and a canary in its first band, of which nothing was seen yet.
fn fresh() -> Lineup {
    let (mut lineup, mut effects) = (Lineup::default(), Effects::default());
    for release in
        [release(STABLE, "1.0.0", State::Stable), release(CANARY, "1.1.0", State::Running)]
    {
        lineup.register(release, &Before::default(), START, &mut effects).unwrap();
    }
    lineup
}

/// The signal with this number: who ran, and how it ended.
fn signal(number: u64) -> (ReleaseId, Status) {
    let release = if number.is_multiple_of(5) { CANARY } else { STABLE };
    // 101 and 5 have no common divisor, so that both versions fail as often.
    let status = if number % 101 == 7 { Status::Failed } else { Status::Success };
    (release, status)
}

fn observe_all(lineup: &mut Lineup, effects: &mut Effects) {
    for number in 0..SIGNALS {
        let (release, status) = signal(number);
        let now = START.after(Duration::from_millis(number));
        lineup.observe(black_box(release), status, now, effects);
    }
}

/// A lineup in the middle of its work.
fn running() -> Lineup {
    let mut lineup = fresh();
    observe_all(&mut lineup, &mut Effects::default());
    lineup
}

fn rollout(lineup: &Lineup) -> &Rollout {
    &lineup.open().unwrap().rollout
}

/// `select/quota`: one answer to one who tells nothing, a million times per second of the clock.
fn quota(criterion: &mut Criterion) {
    let lineup = running();
    let mut outstanding = Outstanding::default();
    let (mut asked, mut with_canary) = (0_u64, 0_u64);
    criterion.benchmark_group("select").throughput(Throughput::Elements(1)).bench_function(
        "quota",
        |bencher| {
            bencher.iter(|| {
                let now = START.after(Duration::from_micros(asked));
                let selection = lineup.select(black_box(Asker::Run(None)), &mut outstanding, now);
                asked += 1;
                with_canary += u64::from(selection.unwrap().release.id == CANARY);
            });
        },
    );
    assert_share(with_canary, asked);
}

/// `select/sticky`: one answer to one who gives its name, each time another.
fn sticky(criterion: &mut Criterion) {
    let lineup = running();
    let instances: Vec<InstanceId> = (0..INSTANCES)
        .map(|number| InstanceId::parse(format!("instance-{number}")).unwrap())
        .collect();
    let mut turn = instances.iter().cycle();
    let mut outstanding = Outstanding::default();
    let (mut asked, mut with_canary) = (0_u64, 0_u64);
    criterion.benchmark_group("select").throughput(Throughput::Elements(1)).bench_function(
        "sticky",
        |bencher| {
            bencher.iter(|| {
                let instance = turn.next().unwrap();
                let asker = black_box(Asker::Instance(instance));
                let selection = lineup.select(asker, &mut outstanding, START);
                asked += 1;
                with_canary += u64::from(selection.unwrap().release.id == CANARY);
            });
        },
    );
    assert_share(with_canary, asked);
}

/// The first band of five gives the canary a fifth; a filtered run asks nobody.
fn assert_share(with_canary: u64, asked: u64) {
    if asked > 0 {
        let share = with_canary as f64 / asked as f64;
        assert!((share - 0.2).abs() < 0.02, "{with_canary} of {asked} got the canary");
    }
}

/// `lineup/observe`: cost of one signal, over ten thousand of them.
fn observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lineup");
    group.throughput(Throughput::Elements(SIGNALS)).bench_function("observe", |bencher| {
        bencher.iter_batched_ref(
            || (fresh(), Effects::default()),
            |(lineup, effects)| {
                observe_all(lineup, effects);
                let counts = rollout(lineup).counts();
                assert_eq!(counts.canary.total() + counts.stable.total(), SIGNALS);
                assert_eq!(lineup.arm(CANARY), Some(Arm::Canary));
                assert!(effects.decisions.is_empty());
            },
            BatchSize::SmallInput,
        );
    });
}

/// `rollout/codec/encode` and `rollout/codec/decode`: the byte form of five bands.
fn codec(criterion: &mut Criterion) {
    let lineup = running();
    let release = release(CANARY, "1.1.0", State::Running);
    let rollout = rollout(&lineup);
    let bytes = rollout.encode();
    let mut group = criterion.benchmark_group("rollout/codec");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| assert_eq!(black_box(rollout).encode(), bytes));
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            assert_eq!(Rollout::decode(black_box(&bytes), &release).as_ref(), Ok(rollout));
        });
    });
}

/// Readings of one sensor in one hour, one per second.
const READINGS: u64 = 3_600;

/// Hours of a year.
const HOURS: u64 = 8_760;

/// The reading with this number, spread over 0 to 100 as a hash spreads.
fn percent(number: u64) -> f64 {
    ((number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 101) as f64
}

/// The same with a fraction, 800 different ones.
fn eighths(number: u64) -> f64 {
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as f64 % 800.0 / 8.0
}

/// 1 100 different ones within an hour, too many to be kept one by one; each has its own bin.
fn powers(number: u64) -> f64 {
    1.02_f64.powi((number * 7 % 1_100) as i32)
}

/// How values are kept, the values, and how many different ones an hour has.
type Stream = (&'static str, Domain, fn(u64) -> f64, u64);

const STREAMS: [Stream; 3] = [
    ("counted", Domain::of_integers(0, 100), percent, 101),
    ("exact", Domain::Continuous, eighths, 800),
    ("bins", Domain::Continuous, powers, 1_100),
];

fn summary_of(domain: Domain, start: u64, value: impl Fn(u64) -> f64) -> Summary {
    let mut summary = Summary::new(domain);
    for number in start..start + READINGS {
        summary.observe(value(number), number as i64).unwrap();
    }
    summary
}

/// `stats/observe/*`: one value, of which others were seen before.
fn observe_value(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stats/observe");
    group.throughput(Throughput::Elements(READINGS));
    for (name, domain, value, _) in STREAMS {
        let mut summary = summary_of(domain, 0, value);
        let values: Vec<f64> = (0..READINGS).map(value).collect();
        assert_eq!(summary.accuracy() == Accuracy::Exact, name != "bins");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let before = summary.count();
                for (at, value) in (0..).zip(&values) {
                    summary.observe(*value, at).unwrap();
                }
                assert_eq!(summary.count(), before + READINGS);
            });
        });
    }
}

/// `stats/merge/*` and `stats/merge_encoded/*`: hours into a year, per value or bin that is kept.
fn merge_hours(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stats");
    for (name, domain, value, kept) in STREAMS {
        // A year, and a hundred times 88 KB where an hour keeps more.
        let count = if name == "counted" { HOURS } else { HOURS / 80 };
        let hours: Vec<Summary> =
            (0..count).map(|hour| summary_of(domain, hour * READINGS, value)).collect();
        let bytes: Vec<Vec<u8>> = hours.iter().map(encoded).collect();
        group.throughput(Throughput::Elements(count * kept)).sample_size(20);
        group.bench_function(format!("merge/{name}"), |bencher| {
            bencher.iter(|| {
                let mut year = Summary::new(domain);
                hours.iter().for_each(|hour| year.merge(hour).unwrap());
                assert_eq!(year.count(), count * READINGS);
            });
        });
        group.bench_function(format!("merge_encoded/{name}"), |bencher| {
            bencher.iter(|| {
                let mut year = Summary::new(domain);
                bytes.iter().for_each(|hour| year.merge_encoded(hour).unwrap());
                assert_eq!(year.count(), count * READINGS);
            });
        });
    }
}

fn encoded(summary: &Summary) -> Vec<u8> {
    let mut bytes = Vec::new();
    summary.encode(&mut bytes);
    bytes
}

criterion_group!(
    benches,
    quota,
    sticky,
    observe,
    codec,
    judge::blocks,
    judge::promotion,
    judge::measurement,
    judge::codec,
    judging::judging,
    observe_value,
    merge_hours
);
criterion_main!(benches);
