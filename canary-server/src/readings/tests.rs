//! Every answer equals that of a plain sort: before, during and after folding, with late, repeated
//! and disordered readings, after restarts, and with rounds of folding that were interrupted.

use std::collections::BTreeSet;
use std::sync::Arc;

use canary_core::reading::{ReadingType, TypeName, Unit};
use canary_core::stats::Summary;
use canary_core::time::Timestamp;
use tokio::sync::Notify;

use super::point::HOUR;
use super::unfolded::Backlog;
use super::*;
use crate::clock::{Clock, Manual};
use crate::config::DatabaseUrl;
use crate::ingest::{Ingest, IngestError, Receipt, Work};
use crate::live::Directory;

const DEVICES: [&str; 3] = ["d1", "d2", "d3"];
const KINDS: [&str; 3] = ["temperature", "humidity", "load"];
const VERSIONS: [&str; 3] = ["", "1.0.0", "2.0.0"];
const START: u32 = 1_700_000_000 - 1_700_000_000 % HOUR;
const HOURS: u32 = 40;

/// Numbers that look random and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % u64::from(limit)) as u32
    }

    fn span(&mut self) -> Span {
        let mut edge = || {
            let second = START + self.below(HOURS * HOUR);
            // Whole hours too.
            if self.below(3) == 0 { second - second % HOUR } else { second }
        };
        let (one, other) = (edge(), edge());
        match self.below(8) {
            0 => Span::ALL,
            _ => Span { start: one.min(other), end: one.max(other) },
        }
    }
}

/// A reading as the oracle knows it: device, type, second, value, version.
type Known = (usize, usize, u32, u32, usize);

/// The engine of readings, without a network.
struct Rig {
    _folder: tempfile::TempDir,
    clock: Manual,
    store: Arc<Store>,
    readings: Arc<Readings>,
    ingest: Ingest,
    folder: Folder,
}

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Manual::at(Timestamp::from_seconds(i64::from(START + HOURS * HOUR)));
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("canary.db").display());
        let store = Store::connect(&DatabaseUrl::new(url)).await.unwrap();
        store.upgrade().await.unwrap();
        let store = Arc::new(store);
        let (readings, ingest, fold) = Self::load(&store, &clock, None).await;
        let rig = Self { _folder: folder, clock, store, readings, ingest, folder: fold };
        let (name, unit) = (TypeName::parse("load").unwrap(), Unit::parse("").unwrap());
        let kind = ReadingType::declare(name, unit, -10.0, 10.0, false).unwrap();
        rig.ingest.submit(Work::DeclareType(kind), None).await.unwrap();
        rig
    }

    async fn load(
        store: &Arc<Store>,
        clock: &Manual,
        retention_s: Option<u32>,
    ) -> (Arc<Readings>, Ingest, Folder) {
        let readings = Readings::load(store, retention_s, clock.now()).await.unwrap();
        let readings = Arc::new(readings);
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let directory = Arc::new(Directory::default());
        let changed = Arc::new(Notify::new());
        let (ingest, _) =
            Ingest::start(store.clone(), directory, readings.clone(), clock.clone(), changed);
        let mut folder = Folder::new(readings.clone(), store.clone(), ingest.clone(), clock);
        folder.part = 2_000;
        (readings, ingest, folder)
    }

    /// As after a crash: what is in memory is gone.
    async fn restart(&mut self, retention_s: Option<u32>) {
        let (readings, ingest, folder) = Self::load(&self.store, &self.clock, retention_s).await;
        (self.readings, self.ingest, self.folder) = (readings, ingest, folder);
    }

    async fn send(&self, batch: &[Known]) {
        let mut intake = self.readings.intake(self.clock.now().as_seconds(), batch.len());
        for (device, kind, second, value, version) in batch {
            let version = VERSIONS[*version];
            intake
                .take(Given {
                    device: DEVICES[*device],
                    kind: KINDS[*kind],
                    value: value_of(*kind, *value),
                    date_created: Some(i64::from(*second)),
                    version: (!version.is_empty()).then_some(version),
                })
                .unwrap();
        }
        let work = Work::Readings { points: intake.finish(), rejected: Vec::new() };
        let receipt = self.ingest.submit(work, None).await.unwrap();
        assert!(
            matches!(receipt, Receipt::Readings { accepted, .. } if accepted == batch.len() as u64)
        );
    }

    /// Folds, or only a part of a round: so far as `turns` of the others let it come.
    async fn fold(&mut self, turns: Option<u32>, with_late: bool) {
        loop {
            let blocks = self.readings.unfolded.all();
            let Some(last) = blocks.last().map(|block| block.id) else { return };
            let last_block = last.max(self.readings.fold().last_block);
            let job = fold::Job::Fold { last_block, with_late };
            tokio::select! {
                biased;
                done = self.folder.do_job(&job) => match done {
                    Ok(()) => return,
                    // A step of a round that was cut off was still on its way.
                    Err(fold::FoldError::Ingest(IngestError::FoldedElsewhere)) => {
                        self.folder.forget();
                    }
                    Err(error) => panic!("{error}"),
                },
                () = after(turns) => return,
            }
        }
    }

    async fn check(&self, known: &BTreeSet<Known>, numbers: &mut Numbers) {
        let (device, kind) = (numbers.below(3) as usize, numbers.below(3) as usize);
        let span = numbers.span();
        let kind_id = self.readings.names().type_id(KINDS[kind]).unwrap();
        let is_asked = |known: &&Known| known.1 == kind && span.contains(known.2);
        match numbers.below(4) {
            0 => {
                let version = numbers.below(3) as usize;
                let version_of = (version > 0).then_some(VERSIONS[version]);
                let got = self.readings.sum_up_all(&self.store, kind_id, version_of, span);
                let got = got.await.unwrap().map(|summed| summed.summary);
                let of_version = |known: &&Known| version == 0 || known.4 == version;
                let want = known.iter().filter(is_asked).filter(of_version);
                let want: Vec<(u32, u32)> = want.map(|known| (known.2, known.3)).collect();
                assert_same(got, &want, kind);
            }
            1 => {
                let got =
                    self.readings.list(&self.store, DEVICES[device], Some(kind_id), span, None, 50);
                let (got, _) = got.await.unwrap();
                let want: BTreeSet<(u32, u32)> = known
                    .iter()
                    .filter(is_asked)
                    .filter(|known| known.0 == device)
                    .map(|known| (known.2, known.3))
                    .collect();
                let want: Vec<(u32, f64)> = want
                    .into_iter()
                    .map(|(second, value)| (second, value_of(kind, value)))
                    .take(50)
                    .collect();
                let got: Vec<(u32, f64)> =
                    got.into_iter().map(|listed| (listed.second, listed.value)).collect();
                assert_eq!(got, want);
            }
            _ => {
                let got = self.readings.sum_up(&self.store, DEVICES[device], kind_id, span);
                let got = got.await.unwrap().map(|summed| summed.summary);
                let want: BTreeSet<(u32, u32)> = known
                    .iter()
                    .filter(is_asked)
                    .filter(|known| known.0 == device)
                    .map(|known| (known.2, known.3))
                    .collect();
                assert_same(got, &want.into_iter().collect::<Vec<_>>(), kind);
            }
        }
    }
}

/// Ends after so many turns of the others, or never.
async fn after(turns: Option<u32>) {
    let Some(turns) = turns else { return std::future::pending().await };
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

fn value_of(kind: usize, value: u32) -> f64 {
    if kind == 2 { (f64::from(value) - 50.0) / 8.0 } else { f64::from(value) }
}

/// Compares a summary with a plain sort.
fn assert_same(got: Option<Summary>, want: &[(u32, u32)], kind: usize) {
    let mut values: Vec<f64> = want.iter().map(|(_, value)| value_of(kind, *value)).collect();
    values.sort_by(f64::total_cmp);
    let Some(got) = got else {
        assert!(values.is_empty());
        return;
    };
    assert_eq!(got.count(), values.len() as u64);
    if values.is_empty() {
        return;
    }
    let newest = |of: f64| {
        let seconds = want.iter().filter(|(_, value)| value_of(kind, *value) == of);
        seconds.map(|(second, _)| i64::from(*second)).max().unwrap()
    };
    let middle = |values: &[f64]| {
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        (low, (low + high) / 2.0)
    };
    let (min, max) = (got.min().unwrap(), got.max().unwrap());
    assert_eq!((min.value, min.newest), (values[0], newest(values[0])));
    let largest = values[values.len() - 1];
    assert_eq!((max.value, max.newest), (largest, newest(largest)));
    let (median, (low, want_median)) = (got.median().unwrap(), middle(&values));
    assert_eq!((median.value, median.newest), (want_median, newest(low)));
    let half = values.len().div_ceil(2);
    let hinges = got.hinges().unwrap();
    assert_eq!(hinges.lower, middle(&values[..half]).1);
    assert_eq!(hinges.upper, middle(&values[values.len() - half..]).1);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    assert!((got.mean().unwrap() - mean).abs() < 1e-9);
    let mut runs: Vec<(usize, f64)> =
        values.chunk_by(|one, next| one == next).map(|run| (run.len(), run[0])).collect();
    runs.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.total_cmp(&other.1)));
    assert_eq!(got.mode(), Some(runs[0].1));
}

/// A batch of readings: most of the hour that goes on, some late, some that were sent before.
fn batch(numbers: &mut Numbers, hour: u32, known: &BTreeSet<Known>) -> Vec<Known> {
    let size = 1 + numbers.below(800);
    let again: Vec<Known> = known.iter().copied().take(50).collect();
    (0..size)
        .map(|_| {
            let kind = numbers.below(3) as usize;
            let late = if numbers.below(20) == 0 { numbers.below(hour + 1) } else { 0 };
            let second = START + (hour - late) * HOUR + numbers.below(HOUR);
            // Few values in few seconds, so that there are ties and repetitions.
            let second = second - second % 7;
            let new = (
                numbers.below(3) as usize,
                kind,
                second,
                numbers.below(101),
                // Devices are updated; one goes back and forth.
                (hour / 14) as usize,
            );
            match (again.is_empty(), numbers.below(40)) {
                (false, 0) => again[numbers.below(again.len() as u32) as usize],
                _ => new,
            }
        })
        .collect()
}

#[tokio::test]
async fn every_answer_is_that_of_a_plain_sort_at_every_moment() {
    let mut rig = Rig::start().await;
    let mut numbers = Numbers(42);
    let mut known = BTreeSet::new();
    for round in 0..160_u32 {
        let hour = round * HOURS / 160;
        let batch = batch(&mut numbers, hour, &known);
        rig.send(&batch).await;
        known.extend(batch);
        match numbers.below(8) {
            0 => rig.fold(None, numbers.below(3) == 0).await,
            1 | 2 => {
                let turns = 1 + numbers.below(200);
                rig.fold(Some(turns), numbers.below(3) == 0).await;
                // A round was cut off: go on as the next one, or after a crash.
                if numbers.below(2) == 0 {
                    rig.restart(None).await;
                } else {
                    rig.folder.forget();
                }
            }
            3 => rig.restart(None).await,
            _ => {}
        }
        for _ in 0..20 {
            rig.check(&known, &mut numbers).await;
        }
    }
    rig.fold(None, true).await;
    assert_eq!(rig.readings.unfolded.backlog(), Backlog::default());
    rig.restart(None).await;
    for _ in 0..300 {
        rig.check(&known, &mut numbers).await;
    }
}

#[tokio::test]
async fn readings_that_are_too_old_go_and_their_summaries_stay() {
    const KEPT_HOURS: u32 = 10;
    let mut rig = Rig::start().await;
    rig.restart(Some(KEPT_HOURS * HOUR)).await;
    let mut sent: Vec<Known> = Vec::new();
    for hour in [30, 35] {
        for offset in 0..300 {
            sent.push((0, 0, START + hour * HOUR + offset, offset % 50, 0));
        }
        // Few readings lie in the head, and go all the same.
        sent.push((1, 1, START + hour * HOUR + 30, 7, 0));
    }
    rig.send(&sent).await;
    rig.fold(None, true).await;
    let ask = async |rig: &Rig, device: usize, span| {
        let summed = rig.readings.sum_up(&rig.store, DEVICES[device], device as TypeId, span);
        let summed = summed.await.unwrap().unwrap();
        (summed.summary.count(), summed.is_rounded)
    };
    let half = Span { start: START, end: START + 30 * HOUR + 149 };
    assert_eq!(ask(&rig, 0, half).await, (150, false));

    rig.clock.set(Timestamp::from_seconds(i64::from(START + (31 + KEPT_HOURS) * HOUR)));
    let job = rig.folder.job();
    assert_eq!(job, Some(fold::Job::Thin { before_hour: (START / HOUR) + 31 }));
    rig.folder.do_job(&job.unwrap()).await.unwrap();
    assert_eq!(rig.folder.job(), None);

    for _ in 0..2 {
        assert_eq!(ask(&rig, 0, Span::ALL).await, (600, false));
        assert_eq!(ask(&rig, 1, Span::ALL).await, (2, false));
        // Less than the hour can no longer be told apart.
        assert_eq!(ask(&rig, 0, half).await, (300, true));
        let (listed, _) =
            rig.readings.list(&rig.store, DEVICES[0], None, Span::ALL, None, 1_000).await.unwrap();
        assert_eq!(listed.len(), 300);
        let all = rig.readings.sum_up_all(&rig.store, 0, None, half).await.unwrap().unwrap();
        assert_eq!((all.summary.count(), all.is_rounded), (300, true));
        rig.restart(Some(KEPT_HOURS * HOUR)).await;
    }
    let mut intake = rig.readings.intake(rig.clock.now().as_seconds(), 1);
    let given = Given {
        device: "d1",
        kind: "temperature",
        value: 1.0,
        date_created: Some(i64::from(START + 31 * HOUR - 1)),
        version: None,
    };
    let refused = intake.take(given).unwrap_err();
    assert!(matches!(refused, Refusal::TooOld { .. }), "{refused}");
}

#[tokio::test]
async fn many_small_commits_become_one_block() {
    let mut rig = Rig::start().await;
    let mut known = BTreeSet::new();
    for offset in 0..600 {
        let reading = (offset % 3, 0, START + offset as u32, offset as u32 % 100, 0);
        rig.send(&[reading]).await;
        known.insert(reading);
    }
    let job = rig.folder.job();
    assert!(matches!(job, Some(fold::Job::Merge { .. })), "{job:?}");
    rig.folder.do_job(&job.unwrap()).await.unwrap();
    assert_eq!(rig.readings.unfolded.backlog().blocks, 1);
    assert_eq!(rig.readings.unfolded.backlog().readings, 600);
    let mut numbers = Numbers(7);
    for _ in 0..2 {
        for _ in 0..50 {
            rig.check(&known, &mut numbers).await;
        }
        rig.restart(None).await;
    }
}

#[tokio::test]
async fn equal_readings_without_a_time_are_all_counted() {
    let mut rig = Rig::start().await;
    let send = async |rig: &Rig, date_created: Option<i64>| {
        let mut intake = rig.readings.intake(rig.clock.now().as_seconds(), 1);
        let (device, kind) = ("d1", "temperature");
        for value in [22.0, 22.0, 50.0] {
            intake.take(Given { device, kind, value, date_created, version: None }).unwrap();
        }
        let work = Work::Readings { points: intake.finish(), rejected: Vec::new() };
        rig.ingest.submit(work, None).await.unwrap();
    };
    let count = async |rig: &Rig| {
        let summed = rig.readings.sum_up(&rig.store, "d1", 0, Span::ALL).await.unwrap().unwrap();
        let all = rig.readings.sum_up_all(&rig.store, 0, None, Span::ALL).await.unwrap().unwrap();
        let listed = rig.readings.list(&rig.store, "d1", None, Span::ALL, None, 100).await.unwrap();
        assert_eq!(all.summary.count(), summed.summary.count());
        assert_eq!(listed.0.len() as u64, summed.summary.count());
        summed.summary.count()
    };
    send(&rig, None).await;
    assert_eq!(count(&rig).await, 3);
    send(&rig, None).await;
    assert_eq!(count(&rig).await, 6);
    rig.fold(None, true).await;
    assert_eq!(count(&rig).await, 6);
    send(&rig, None).await;
    assert_eq!(count(&rig).await, 9);
    // With the time the same two readings come again, and nothing is new.
    send(&rig, Some(rig.clock.now().as_micros() / 1_000_000)).await;
    assert_eq!(count(&rig).await, 9);
    rig.fold(None, true).await;
    rig.restart(None).await;
    assert_eq!(count(&rig).await, 9);
}

#[tokio::test]
async fn a_reader_that_catches_up_loses_nothing_that_is_committed_meanwhile() {
    let rig = Rig::start().await;
    let writing = async {
        for offset in 0..300 {
            rig.send(&[(0, 0, START + offset, 7, 0)]).await;
            let summed = rig.readings.sum_up(&rig.store, "d1", 0, Span::ALL).await;
            let count = summed.unwrap().unwrap().summary.count();
            assert_eq!(count, u64::from(offset) + 1);
        }
    };
    let catching_up = async {
        loop {
            rig.readings.catch_up(&rig.store, rig.clock.now()).await.unwrap();
        }
    };
    tokio::select! {
        () = writing => {}
        () = catching_up => {}
    }
    let ids: Vec<i64> = rig.readings.unfolded.all().iter().map(|block| block.id).collect();
    assert_eq!(ids.len(), 300);
}
