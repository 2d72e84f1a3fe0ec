//! How changes are written: all in one transaction.

use std::sync::atomic::Ordering;
use std::time::Duration;

use canary_core::product::Product;
use canary_core::select::Reason;
use canary_core::time::Timestamp;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Statement};

use super::backend::Mark;
use super::entity::{decision, idempotency, policy, product, release};
use super::{
    Answered, Changes, Dialect, Hold, LineupRow, NewProduct, News, ReadingChanges, Store,
    StoreError, audit, backend, changes,
};

/// How long a request that was answered is known by its key.
const KEYS_ARE_KEPT: Duration = Duration::from_secs(7 * 86_400);

impl Store {
    /// Writes everything in one transaction; once this returns it survives a loss of power.
    ///
    /// # Errors
    ///
    /// [`StoreError::KnownSignal`] if a signal is stored already, [`StoreError::Stale`] if a product
    /// is not at the revision that the changes were made from, or something else of it exists
    /// already; [`StoreError::LockNeeded`] instead if nothing was locked that could have been.
    /// Whatever the error, nothing was stored; but for [`StoreError::OutcomeUnknown`].
    pub(crate) async fn commit(
        &self,
        hold: Hold,
        changes: &Changes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let dialect = self.dialect();
        let is_optimistic = matches!(hold, Hold::Optimistic);
        if is_optimistic && changes.need_lock() {
            return Err(StoreError::LockNeeded);
        }
        let mark = self.next_mark();
        let last = || {
            let news = News::of(changes, self.name).to_string();
            dialect.tell_and_mark((&self.news_channel(), &news), mark, now)
        };
        let mut statements = statements(dialect, changes, now);
        if is_optimistic && !changes.readings.blocks.is_empty() {
            statements.push(dialect.hold_fold(changes.readings.fold));
        }
        let lineups =
            changes.lineups.iter().chain(changes.unchanged.iter().filter(|_| is_optimistic));
        statements.extend(update_products(dialect, lineups));
        let Err(broken) = hold.commit(self, statements, changes.are_apart(), last).await else {
            return Ok(());
        };
        if broken.is_unknown && self.was_committed(mark, now).await? {
            return Ok(());
        }
        match backend::refused(broken.error) {
            StoreError::Stale if is_optimistic => Err(StoreError::LockNeeded),
            error => Err(error),
        }
    }

    /// A mark that is higher than all before it.
    pub(super) fn next_mark(&self) -> Mark {
        Mark { server: self.name, number: self.tried.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

/// What a commit says to the database: a fixed number of statements, whatever the number of rows.
fn statements(dialect: Dialect, changes: &Changes, now: Timestamp) -> Vec<Statement> {
    let mut statements = products_and_releases(dialect, changes);
    if !changes.signals.is_empty() {
        statements.push(dialect.insert_signals(&changes.signals));
    }
    let counts = changes.counts_rows();
    if !counts.is_empty() {
        statements.push(dialect.update_counts(&counts));
    }
    if !changes.decisions.is_empty() {
        let rows = changes.decisions.iter().map(decision::ActiveModel::from);
        statements.push(dialect.build(&decision::Entity::insert_many(rows)));
    }
    if !changes.answered.is_empty() {
        let rows = changes.answered.iter().map(|answered| answered_row(answered, now));
        statements.push(dialect.build(&idempotency::Entity::insert_many(rows)));
        let forgotten = now.as_micros() - KEYS_ARE_KEPT.as_micros() as i64;
        let forget =
            idempotency::Entity::delete_many().filter(idempotency::Column::At.lt(forgotten));
        statements.push(dialect.build(&forget));
    }
    statements.extend(readings(dialect, changes));
    statements.extend(changes.audit.iter().map(|entry| audit::insert(dialect, entry)));
    for (product, settings) in &changes.policies {
        let update = product::Entity::update_many()
            .col_expr(product::Column::Policy, policy::write(settings).into())
            .filter(product::Column::Id.eq(Uuid::from_bytes(*product.as_bytes())));
        statements.push(dialect.build(&update));
    }
    statements
}

/// Sets where lineups stand, as the last statement before the mark; nothing if there are none.
fn update_products<'a>(
    dialect: Dialect,
    lineups: impl Iterator<Item = &'a LineupRow>,
) -> Option<Statement> {
    let row = |row: &LineupRow| {
        let LineupRow { product, before, revision, settled } = row;
        (changes::hex(product.as_bytes()), *before, *revision, settled.as_str())
    };
    let rows: Vec<_> = lineups.map(row).collect();
    (!rows.is_empty()).then(|| dialect.update_products(&rows))
}

/// What a commit says of readings.
fn readings(dialect: Dialect, changes: &Changes) -> Vec<Statement> {
    let ReadingChanges { types, series, blocks, fold: _, step } = &changes.readings;
    let mut statements: Vec<Statement> =
        types.iter().map(|(id, kind)| dialect.put_type(*id, kind)).collect();
    if !series.is_empty() {
        statements.push(dialect.insert_series(series));
    }
    statements.extend(blocks.iter().map(|block| dialect.insert_block(block)));
    if let Some(step) = step {
        statements.push(dialect.step_fold(step.from.revision, &step.to));
        if !step.chunks.is_empty() {
            statements.push(dialect.put_chunks(&step.chunks));
        }
        if !step.rollups.is_empty() {
            statements.push(dialect.put_rollups(&step.rollups));
        }
        if !step.gone.is_empty() {
            statements.push(dialect.delete_blocks(&step.gone));
        }
    }
    statements
}

fn products_and_releases(dialect: Dialect, changes: &Changes) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !changes.products.is_empty() {
        let rows = changes.products.iter().map(product_row);
        statements.push(dialect.build(&product::Entity::insert_many(rows)));
    }
    let mut changed = changes.releases.clone();
    let registered = changes.registered.iter().filter_map(|id| changed.remove(id));
    let rows: Vec<_> = registered.map(|release| release::ActiveModel::from(&release)).collect();
    if !rows.is_empty() {
        statements.push(dialect.build(&release::Entity::insert_many(rows)));
    }
    for release in changed.values() {
        let update = release::Entity::update_many()
            .col_expr(release::Column::State, release.state.as_str().into())
            .col_expr(release::Column::IsCanary, release.is_canary.into())
            .filter(release::Column::Id.eq(Uuid::from_bytes(*release.id.as_bytes())));
        statements.push(dialect.build(&update));
    }
    statements
}

fn product_row(new: &NewProduct) -> product::ActiveModel {
    let Product { id, name, repository_url, artifact_url } = &new.product;
    product::ActiveModel {
        id: Set(Uuid::from_bytes(*id.as_bytes())),
        name: Set(name.as_str().to_owned()),
        repository_url: Set(repository_url.as_str().to_owned()),
        artifact_url: Set(artifact_url.as_str().to_owned()),
        registered_at: Set(new.registered_at.as_micros()),
        revision: Set(0),
        settled_reason: Set(Reason::OnlyStable.as_str().to_owned()),
        policy: Set(None),
    }
}

fn answered_row(answered: &Answered, now: Timestamp) -> idempotency::ActiveModel {
    idempotency::ActiveModel {
        operation: Set(answered.operation.to_owned()),
        key: Set(answered.key.clone()),
        fingerprint: Set(answered.fingerprint.to_be_bytes().to_vec()),
        receipt: Set(answered.receipt.clone()),
        at: Set(now.as_micros()),
    }
}
