//! What a commit has for itself, from before it is worked out until it is through.
//!
//! On SQLite one process writes, and a revision that is another one than expected shows the rare
//! second one. On PostgreSQL several servers step the same rollouts: each locks those that it steps,
//! and looks whether they still are as it knows them. As long as nobody else steps them it need not:
//! the revision shows the other one there as well.

use std::collections::HashMap;

use canary_core::product::ProductId;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult as _,
    QueryFilter as _, QueryResult, Statement,
};

use super::backend::{Broken, Found, Locks};
use super::entity::{product, release};
use super::{Store, StoreError, StoredProduct, assemble, backend};

/// What a commit has for itself.
pub(crate) enum Hold {
    /// Nothing, and needs nothing: one process writes to a file.
    File,
    /// Nothing, because nobody else is likely to step the same: on PostgreSQL, in one visit.
    Optimistic,
    /// The locks of a transaction that has begun.
    Locks(Locks),
}

/// How far the readings of all servers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadingsAt {
    /// The highest number that a block has had; 0 if there never was one.
    pub(crate) block: i64,
    /// How many series there are.
    pub(crate) series: i64,
    /// The number that the next type will have: one that is declared anew gets another number.
    pub(crate) next_type: i64,
}

/// What was found when the locks were held.
#[derive(Debug)]
pub(crate) struct Held {
    /// The products that others have changed, as they are stored.
    pub(crate) changed: Vec<StoredProduct>,
    /// How far readings are, if they are to be changed.
    pub(crate) readings: Option<ReadingsAt>,
}

impl Store {
    /// Begins a commit that steps these products, known at these revisions, and readings if it says
    /// so; PostgreSQL only.
    pub(crate) async fn hold(
        &self,
        products: &[(ProductId, i64)],
        with_readings: bool,
    ) -> Result<(Hold, Held), StoreError> {
        let (locks, found) = Locks::take(self.writer(), products, with_readings).await?;
        let Found { products, releases, readings } = found;
        let products = products.iter().map(|row| product::Model::from_query_result(row, ""));
        let releases = releases.iter().map(|row| release::Model::from_query_result(row, ""));
        let held = Held {
            changed: assemble(
                products.collect::<Result<_, _>>()?,
                releases.collect::<Result<_, _>>()?,
            )?,
            readings: readings.as_ref().map(readings_at).transpose()?,
        };
        Ok((Hold::Locks(locks), held))
    }

    /// Some products as they are stored.
    pub(crate) async fn load_products(
        &self,
        ids: &[ProductId],
    ) -> Result<Vec<StoredProduct>, StoreError> {
        let ids = ids.iter().map(|id| Uuid::from_bytes(*id.as_bytes()));
        let products = product::Entity::find().filter(product::Column::Id.is_in(ids.clone()));
        let products = products.all(self.readers()).await?;
        let releases = release::Entity::find().filter(release::Column::ProductId.is_in(ids));
        assemble(products, releases.all(self.readers()).await?)
    }

    /// The revision of every product.
    pub(crate) async fn revisions(&self) -> Result<HashMap<ProductId, i64>, StoreError> {
        let statement = self.dialect().plain("SELECT id, revision FROM product", []);
        let rows = self.readers().query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                let id = ProductId::from_bytes(row.try_get::<Uuid>("", "id")?.into_bytes());
                Ok((id, row.try_get("", "revision")?))
            })
            .collect()
    }
}

impl Hold {
    /// Runs the statements of a commit, all or none; `last` is that of PostgreSQL alone. Those that
    /// are apart, no row being meant by two of them, are run at once there.
    pub(super) async fn commit(
        self,
        store: &Store,
        mut statements: Vec<Statement>,
        are_apart: bool,
        last: impl FnOnce() -> Statement,
    ) -> Result<(), Broken> {
        match self {
            Self::File => Ok(backend::at_one_visit(statements, store.writer()).await?),
            Self::Optimistic => {
                backend::by_itself(backend::at_once(statements, last()), store.writer()).await
            }
            Self::Locks(locks) => {
                let last = last();
                if are_apart {
                    statements = vec![backend::at_once(statements, last)];
                } else {
                    statements.push(last);
                }
                backend::one_by_one(statements, locks).await
            }
        }
    }

    /// Lets go of what was held, with nothing changed.
    pub(crate) async fn let_go(self) -> Result<(), StoreError> {
        match self {
            Self::File | Self::Optimistic => Ok(()),
            Self::Locks(locks) => Ok(locks.let_go().await?),
        }
    }
}

fn readings_at(row: &QueryResult) -> Result<ReadingsAt, StoreError> {
    Ok(ReadingsAt {
        block: row.try_get("", "block")?,
        series: row.try_get("", "series")?,
        next_type: row.try_get("", "next_type")?,
    })
}
