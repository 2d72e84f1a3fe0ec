//! What a commit has for itself, from before it is worked out until it is through.
//!
//! On SQLite one process writes, and a revision that is another one than expected shows the rare
//! second one. On PostgreSQL several servers step the same rollouts: each locks those that it steps,
//! and looks whether they still are as it knows them.

use std::collections::HashMap;

use canary_core::product::ProductId;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, QueryFilter as _,
    Statement, TransactionTrait as _,
};

use super::backend::Broken;
use super::entity::{product, release};
use super::{Store, StoreError, StoredProduct, assemble, backend};

/// A transaction that has begun; nothing on SQLite, where a commit is one visit.
pub(crate) struct Hold(Option<DatabaseTransaction>);

/// How far the readings of all servers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadingsAt {
    /// Revision of the folding.
    pub(crate) fold: i64,
    /// The highest number of a block; 0 if there is none.
    pub(crate) block: i64,
    /// How many series there are.
    pub(crate) series: i64,
    /// How many types there are.
    pub(crate) types: i64,
}

/// What was found when the locks were held.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Revisions of the products.
    pub(crate) revisions: HashMap<ProductId, i64>,
    /// How far readings are, if they are to be changed.
    pub(crate) readings: Option<ReadingsAt>,
}

impl Store {
    /// Begins a commit that steps these products, and readings if it says so; PostgreSQL only.
    pub(crate) async fn hold(
        &self,
        products: impl Iterator<Item = ProductId>,
        with_readings: bool,
    ) -> Result<(Hold, Held), StoreError> {
        let dialect = self.dialect();
        let transaction = self.writer().begin().await?;
        let mut held = Held::default();
        let ids: Vec<String> = products.map(|id| super::changes::hex(id.as_bytes())).collect();
        if !ids.is_empty() {
            for row in transaction.query_all_raw(dialect.lock_products(&ids)).await? {
                let id = ProductId::from_bytes(row.try_get::<Uuid>("", "id")?.into_bytes());
                held.revisions.insert(id, row.try_get("", "revision")?);
            }
        }
        if with_readings {
            transaction.execute_raw(dialect.lock_readings()).await?;
            if let Some(row) = transaction.query_one_raw(dialect.readings_at()).await? {
                held.readings = Some(ReadingsAt {
                    fold: row.try_get("", "fold")?,
                    block: row.try_get("", "block")?,
                    series: row.try_get("", "series")?,
                    types: row.try_get("", "types")?,
                });
            }
        }
        Ok((Hold(Some(transaction)), held))
    }

    /// Some products as they are stored.
    pub(crate) async fn load_products(
        &self,
        ids: &[ProductId],
    ) -> Result<Vec<StoredProduct>, StoreError> {
        load_products(self.readers(), ids).await
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
    /// Nothing is locked: the way of SQLite.
    pub(crate) const fn nothing() -> Self {
        Self(None)
    }

    /// Some products as they are stored; nobody changes those that are locked.
    pub(crate) async fn load_products(
        &self,
        ids: &[ProductId],
    ) -> Result<Vec<StoredProduct>, StoreError> {
        match &self.0 {
            None => Ok(Vec::new()),
            Some(transaction) => load_products(transaction, ids).await,
        }
    }

    /// Runs the statements of a commit, all or none; `last` is that of PostgreSQL alone. Those that
    /// are apart, no row being meant by two of them, are run at once there.
    pub(super) async fn commit(
        self,
        store: &Store,
        mut statements: Vec<Statement>,
        are_apart: bool,
        last: impl FnOnce() -> Statement,
    ) -> Result<(), Broken> {
        match self.0 {
            None => Ok(backend::at_one_visit(statements, store.writer()).await?),
            Some(transaction) => {
                let mut last = last();
                if are_apart {
                    last = backend::at_once(std::mem::take(&mut statements), last);
                }
                backend::one_by_one(statements, last, transaction).await
            }
        }
    }

    /// Lets go of what was held, with nothing changed.
    pub(crate) async fn let_go(self) -> Result<(), StoreError> {
        match self.0 {
            None => Ok(()),
            Some(transaction) => Ok(transaction.rollback().await?),
        }
    }
}

async fn load_products(
    connection: &impl ConnectionTrait,
    ids: &[ProductId],
) -> Result<Vec<StoredProduct>, StoreError> {
    let ids = ids.iter().map(|id| Uuid::from_bytes(*id.as_bytes()));
    let products = product::Entity::find().filter(product::Column::Id.is_in(ids.clone()));
    let products = products.all(connection).await?;
    let releases = release::Entity::find().filter(release::Column::ProductId.is_in(ids));
    assemble(products, releases.all(connection).await?)
}
