//! What one commit writes: collected by the steps, written by one transaction.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use canary_core::decision::Decision;
use canary_core::lineup::Effects;
use canary_core::policy::Settings;
use canary_core::product::{Product, ProductId};
use canary_core::reading::ReadingType;
use canary_core::release::{Release, ReleaseId};
use canary_core::rollout::{Counts, Rollout};
use canary_core::select::Reason;
use canary_core::signal::Signal;
use canary_core::time::Timestamp;
use serde::Serialize;

use crate::audit::Entry;
use crate::readings::{SeriesRow, Step, TypeId};

/// A product as it is registered.
#[derive(Debug, Clone)]
pub(crate) struct NewProduct {
    pub(crate) product: Product,
    pub(crate) registered_at: Timestamp,
}

/// A signal with where it was counted.
#[derive(Debug, Clone)]
pub(crate) struct CountedSignal {
    pub(crate) signal: Signal,
    pub(crate) band: Option<u16>,
    pub(crate) received_at: Timestamp,
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) operation: &'static str,
    pub(crate) key: String,
    pub(crate) fingerprint: u64,
    pub(crate) receipt: String,
}

/// Where a product's lineup stands after a commit.
#[derive(Debug, Clone)]
pub(crate) struct LineupRow {
    pub(crate) product: ProductId,
    /// The revision that it was made from.
    pub(crate) before: i64,
    pub(crate) revision: i64,
    pub(crate) settled: Reason,
}

/// The readings of a commit, or those of several blocks, as one.
#[derive(Debug)]
pub(crate) struct PackedBlock {
    pub(crate) id: i64,
    pub(crate) readings: u32,
    pub(crate) bytes: Vec<u8>,
}

/// What a commit writes of readings.
#[derive(Default)]
pub(crate) struct ReadingChanges {
    pub(crate) types: Vec<(TypeId, ReadingType)>,
    pub(crate) series: Vec<SeriesRow>,
    pub(crate) blocks: Vec<PackedBlock>,
    /// The revision of the folding that numbers of blocks were given after.
    pub(crate) fold: i64,
    pub(crate) step: Option<Arc<Step>>,
}

impl ReadingChanges {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { types, series, blocks, fold: _, step } = self;
        types.is_empty() && series.is_empty() && blocks.is_empty() && step.is_none()
    }
}

/// All that one commit writes.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) products: Vec<NewProduct>,
    /// Releases that were registered.
    pub(crate) registered: Vec<ReleaseId>,
    /// Releases as they are now, registered or changed.
    pub(crate) releases: HashMap<ReleaseId, Release>,
    pub(crate) counts: HashMap<ReleaseId, Counts>,
    pub(crate) rollouts: HashMap<ReleaseId, Rollout>,
    pub(crate) signals: Vec<CountedSignal>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) lineups: Vec<LineupRow>,
    /// Those that were looked at and have not changed: without a lock they must still be so.
    pub(crate) unchanged: Vec<LineupRow>,
    /// What releases of products are judged by where they say nothing.
    pub(crate) policies: HashMap<ProductId, Settings>,
    pub(crate) answered: Vec<Answered>,
    pub(crate) readings: ReadingChanges,
    /// Who asked for which of all that.
    pub(crate) audit: Vec<Entry>,
}

impl Changes {
    /// Whether no row is written by two of the statements, as in most commits: signals, counts, and
    /// blocks of readings.
    pub(super) fn are_apart(&self) -> bool {
        self.products.is_empty()
            && self.releases.is_empty()
            && self.policies.is_empty()
            && self.answered.is_empty()
            && self.readings.types.is_empty()
            && self.readings.step.is_none()
    }

    /// Whether it must lock: it may write a row twice, or gives numbers to series, whose types must
    /// not be declared anew meanwhile.
    pub(super) fn need_lock(&self) -> bool {
        !self.are_apart() || !self.readings.series.is_empty()
    }

    /// Takes over what a step did.
    pub(crate) fn absorb(&mut self, effects: Effects) {
        for release in effects.releases {
            self.releases.insert(release.id, Release::clone(&release));
        }
        self.rollouts.extend(effects.ended);
        self.decisions.extend(effects.decisions);
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Self { products, releases, signals, decisions, lineups, .. } = self;
        let Self { policies, answered, readings, audit, .. } = self;
        products.is_empty()
            && policies.is_empty()
            && releases.is_empty()
            && signals.is_empty()
            && decisions.is_empty()
            && lineups.is_empty()
            && answered.is_empty()
            && readings.is_empty()
            && audit.is_empty()
    }

    /// Counts and rollouts by release, for one statement.
    pub(super) fn counts_rows(&self) -> Vec<CountsRow> {
        let with_rollout_alone = self.rollouts.keys().filter(|id| !self.counts.contains_key(id));
        self.counts
            .keys()
            .chain(with_rollout_alone)
            .map(|id| {
                let counts = self.counts.get(id).copied().unwrap_or_default();
                let rollout = self.rollouts.get(id).map(|rollout| hex(&rollout.encode()));
                CountsRow(
                    hex(id.as_bytes()),
                    counts.success,
                    counts.failed,
                    counts.neutral,
                    rollout,
                )
            })
            .collect()
    }
}

/// Release, success, failed, neutral, rollout.
#[derive(Debug, Serialize)]
pub(super) struct CountsRow(String, u64, u64, u64, Option<String>);

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
