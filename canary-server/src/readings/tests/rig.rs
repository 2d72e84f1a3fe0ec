//! The engine of readings, without a network.

use std::sync::Arc;

use canary_core::reading::{ReadingType, TypeName, Unit};
use canary_core::time::Timestamp;
use tokio::sync::Notify;

use super::super::fold::{FoldError, Job};
use super::super::point::HOUR;
use super::super::{Folder, Given, Readings};
use crate::audit::Origin;
use crate::clock::{Clock, Manual};
use crate::config::DatabaseUrl;
use crate::ingest::{Ingest, IngestError, Receipt, Work};
use crate::live::Directory;
use crate::store::{Place, Store};

pub(super) const DEVICES: [&str; 3] = ["d1", "d2", "d3"];
pub(super) const KINDS: [&str; 3] = ["temperature", "humidity", "load"];
pub(super) const VERSIONS: [&str; 3] = ["", "1.0.0", "2.0.0"];
pub(super) const START: u32 = 1_700_000_000 - 1_700_000_000 % HOUR;
pub(super) const HOURS: u32 = 40;

/// Numbers that look random and are the same each time (splitmix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % u64::from(limit)) as u32
    }
}

/// A reading as the oracle knows it: device, type, second, value, version.
pub(super) type Known = (usize, usize, u32, u32, usize);

/// The engine of readings, without a network.
pub(super) struct Rig {
    _folder: tempfile::TempDir,
    pub(super) clock: Manual,
    pub(super) store: Arc<Store>,
    pub(super) readings: Arc<Readings>,
    pub(super) ingest: Ingest,
    pub(super) folder: Folder,
}

impl Rig {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Manual::at(Timestamp::from_seconds(i64::from(START + HOURS * HOUR)));
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("canary.db").display());
        let store = Store::connect(&Place::of_default(&DatabaseUrl::new(url))).await.unwrap();
        store.upgrade_all().await.unwrap();
        let store = Arc::new(store);
        let (readings, ingest, fold) = Self::load(&store, &clock, None).await;
        let rig = Self { _folder: folder, clock, store, readings, ingest, folder: fold };
        let (name, unit) = (TypeName::parse("load").unwrap(), Unit::parse("").unwrap());
        let kind = ReadingType::declare(name, unit, -10.0, 10.0, false).unwrap();
        let work = Work::DeclareType { kind, origin: Origin::command_line().into() };
        rig.ingest.submit(work, None).await.unwrap();
        rig
    }

    pub(super) async fn load(
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
    pub(super) async fn restart(&mut self, retention_s: Option<u32>) {
        let (readings, ingest, folder) = Self::load(&self.store, &self.clock, retention_s).await;
        (self.readings, self.ingest, self.folder) = (readings, ingest, folder);
    }

    pub(super) async fn send(&self, batch: &[Known]) {
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
    pub(super) async fn fold(&mut self, turns: Option<u32>, with_late: bool) {
        loop {
            let blocks = self.readings.unfolded.all();
            let Some(last) = blocks.last().map(|block| block.id) else { return };
            let last_block = last.max(self.readings.fold().last_block);
            let job = Job::Fold { last_block, with_late };
            tokio::select! {
                biased;
                done = self.folder.do_job(&job) => match done {
                    Ok(()) => return,
                    // A step of a round that was cut off was still on its way.
                    Err(FoldError::Ingest(IngestError::FoldedElsewhere)) => {
                        self.folder.forget();
                    }
                    Err(error) => panic!("{error}"),
                },
                () = after(turns) => return,
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

pub(super) fn value_of(kind: usize, value: u32) -> f64 {
    if kind == 2 { (f64::from(value) - 50.0) / 8.0 } else { f64::from(value) }
}
