//! Every answer equals that of a plain sort: before, during and after folding, with late, repeated
//! and disordered readings, after restarts, and with rounds of folding that were interrupted.

use std::collections::BTreeSet;

use canary_core::stats::Summary;

use super::super::Span;
use super::super::point::HOUR;
use super::super::unfolded::Backlog;
use super::rig::{DEVICES, HOURS, KINDS, Known, Numbers, Rig, START, VERSIONS, value_of};

impl Numbers {
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

impl Rig {
    pub(super) async fn check(&self, known: &BTreeSet<Known>, numbers: &mut Numbers) {
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
