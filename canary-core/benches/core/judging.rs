//! What judging one signal costs, with every rule that a policy asks for.

use std::hint::black_box;
use std::time::Duration;

use canary_core::judge::measurement::Direction;
use canary_core::judge::rules::{Before, Run};
use canary_core::policy::{Policy, Settings};
use canary_core::release::{BandCount, Release, State};
use canary_core::rollout::{Arm, Rollout};
use canary_core::signal::{InstanceId, MeasurementName, Measurements, Status};
use criterion::{BatchSize, Criterion, Throughput};

use super::{CANARY, INSTANCES, STABLE, START, release, signal};

/// Signals of one pass.
const SIGNALS: u64 = 10_000;

/// What each run measures.
const MEASURED: [&str; 4] = ["cpu_s", "errors", "latency_ms", "memory_mb"];

/// Who runs, and what is measured; each comes again and again.
struct Fleet {
    instances: Vec<InstanceId>,
    measured: Vec<Measurements>,
}

impl Fleet {
    fn new() -> Self {
        let instance = |number| InstanceId::parse(format!("instance-{number}")).unwrap();
        let measured = |number: usize| {
            let value = |name: usize| (number * (name + 7) * 37 % 1_000) as f64;
            let entries = MEASURED.iter().enumerate();
            Measurements::parse(entries.map(|(index, name)| ((*name).to_owned(), value(index))))
        };
        Self {
            instances: (0..INSTANCES).map(instance).collect(),
            measured: (0..1_000).map(|number| measured(number).unwrap()).collect(),
        }
    }

    /// The run with this number: one in five is the canary's, 1 % of both fail.
    fn run(&self, number: u64) -> (Arm, Run<'_>) {
        let (release, status) = signal(number);
        let arm = if release == CANARY { Arm::Canary } else { Arm::Stable };
        let place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let instance = self.instances.get(place as usize % self.instances.len());
        let measurements = self.measured.get(place as usize % self.measured.len());
        (arm, Run { status, instance, measurements })
    }
}

fn canary(change: impl FnOnce(&mut Settings)) -> Release {
    let mut settings = Settings::default();
    change(&mut settings);
    let policy = Policy::default().with(&settings).unwrap();
    Release { policy, ..release(CANARY, "1.1.0", State::Running) }
}

fn with_promotion(settings: &mut Settings) {
    settings.early_promotion = Some(true);
    settings.q = Some(0.02);
    // So that it goes on to look for the proof to the end.
    settings.beta = Some(1e-9);
}

fn with_measurements(settings: &mut Settings) {
    let named = MEASURED.map(|name| (MeasurementName::parse(name).unwrap(), Direction::HighIsBad));
    settings.measurements = Some(named.into());
}

/// `judging/*`: one signal through a rollout, amortised over ten thousand, with the default policy,
/// with more rules, and with the most bands.
pub(crate) fn judging(criterion: &mut Criterion) {
    let fleet = Fleet::new();
    let bands = BandCount::parse(i64::from(BandCount::MAXIMUM)).unwrap();
    let releases = [
        ("default", canary(|_| {})),
        ("promotion", canary(with_promotion)),
        ("measurements", canary(with_measurements)),
        ("promotion and measurements", {
            canary(|settings| {
                with_promotion(settings);
                with_measurements(settings);
            })
        }),
        ("hundred bands", Release { band_count: bands, ..canary(|_| {}) }),
    ];
    let mut group = criterion.benchmark_group("judging");
    group.throughput(Throughput::Elements(SIGNALS));
    for (name, release) in &releases {
        group.bench_function(*name, |bencher| {
            bencher.iter_batched_ref(
                || Rollout::new(release, Some(STABLE), true, &Before::default()),
                |rollout| {
                    for number in 0..SIGNALS {
                        let (arm, run) = fleet.run(number);
                        let now = START.after(Duration::from_millis(number));
                        let follows = rollout.observe(black_box(arm), &run, release, now);
                        assert_eq!(follows, None);
                    }
                    let counts = rollout.counts();
                    assert_eq!(counts.canary.total() + counts.stable.total(), SIGNALS);
                    assert!(counts.canary.failed > 0 && !rollout.is_rejected(release));
                },
                BatchSize::SmallInput,
            );
        });
    }
    nothing(&mut group, &fleet);
}

/// `judging/nothing`: the same loop without a rollout, to be taken off.
fn nothing(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    fleet: &Fleet,
) {
    group.bench_function("nothing", |bencher| {
        bencher.iter(|| {
            let failed = (0..SIGNALS).filter(|number| {
                let (_, run) = black_box(fleet.run(*number));
                black_box(START.after(Duration::from_millis(*number)));
                run.status == Status::Failed
            });
            assert!(failed.count() > 0);
        });
    });
}
