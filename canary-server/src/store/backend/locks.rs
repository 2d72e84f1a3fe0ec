//! Transactions that lock what a commit steps; PostgreSQL only.
//!
//! Whoever holds a lock keeps other servers waiting, for as long as its visits to the database take.
//! So a transaction is begun, its locks are taken, and what others have changed is read, in one
//! visit. A text of several statements has no parameters: all that is in it are numbers of ours.

use canary_core::product::ProductId;
use futures_util::TryStreamExt as _;
use sea_orm::prelude::Uuid;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Either, Executor as _, Postgres};
use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DbErr, QueryResult, RuntimeErr, SqlxError, Statement,
};
use sea_query_sqlx::SqlxValues;

use super::commit::Broken;

/// A transaction that has begun. Dropped before its end, it ends with its connection.
pub(crate) struct Locks(Option<PoolConnection<Postgres>>);

/// What was found when the locks were held.
#[derive(Default)]
pub(in crate::store) struct Found {
    /// Rows of products that are at another revision.
    pub(in crate::store) products: Vec<QueryResult>,
    /// Rows of all their releases.
    pub(in crate::store) releases: Vec<QueryResult>,
    /// How far readings are.
    pub(in crate::store) readings: Option<QueryResult>,
}

/// What the rows of a statement are.
enum Rows {
    Nothing,
    Products,
    Releases,
    Readings,
}

impl Locks {
    /// Begins a transaction, locks these products, and readings if it says so, and finds out which
    /// of the products are at another revision.
    pub(in crate::store) async fn take(
        writer: &DatabaseConnection,
        products: &[(ProductId, i64)],
        with_readings: bool,
    ) -> Result<(Self, Found), DbErr> {
        let statements = statements(products, with_readings);
        let texts: Vec<&str> = statements.iter().map(|(_, text)| text.as_str()).collect();
        let texts = sqlx::raw_sql(AssertSqlSafe(texts.join("; ")));
        let acquired = writer.get_postgres_connection_pool().acquire().await;
        let mut locks = Self(Some(acquired.map_err(not_acquired)?));
        let (mut found, mut at) = (Found::default(), statements.iter().map(|(rows, _)| rows));
        let mut rows = at.next();
        let mut answers = locks.connection()?.fetch_many(texts);
        while let Some(answer) = answers.try_next().await.map_err(failed)? {
            match (answer, rows) {
                (Either::Left(_), _) => rows = at.next(),
                (Either::Right(row), Some(Rows::Products)) => found.products.push(row.into()),
                (Either::Right(row), Some(Rows::Releases)) => found.releases.push(row.into()),
                (Either::Right(row), Some(Rows::Readings)) => found.readings = Some(row.into()),
                (Either::Right(_), Some(Rows::Nothing) | None) => {}
            }
        }
        drop(answers);
        Ok((locks, found))
    }

    /// Runs a statement; after an error, the transaction can only be let go of.
    pub(in crate::store) async fn execute(&mut self, statement: Statement) -> Result<(), DbErr> {
        let Statement { sql, values, .. } = statement;
        let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
        let query = sqlx::query_with(AssertSqlSafe(sql), values);
        self.connection()?.execute(query).await.map(|_| ()).map_err(failed)
    }

    /// Commits.
    pub(in crate::store) async fn commit(mut self) -> Result<(), Broken> {
        let committed = self.connection()?.execute("COMMIT").await;
        committed.map_err(|error| Broken::at_the_end(failed(error)))?;
        self.0 = None;
        Ok(())
    }

    /// Lets go of the locks, with nothing changed.
    pub(in crate::store) async fn let_go(mut self) -> Result<(), DbErr> {
        self.connection()?.execute("ROLLBACK").await.map_err(failed)?;
        self.0 = None;
        Ok(())
    }

    /// It is there until the end.
    fn connection(&mut self) -> Result<&mut sqlx::PgConnection, DbErr> {
        self.0.as_deref_mut().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        // Given back, it would go on in the middle of a transaction.
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

/// Products are locked in the order of their identifiers, and readings after them, so that two
/// servers never wait for each other. Blocks are folded in the order of their numbers, so they must
/// be committed in that order.
fn statements(products: &[(ProductId, i64)], with_readings: bool) -> Vec<(Rows, String)> {
    let mut statements = vec![(Rows::Nothing, "BEGIN".to_owned())];
    if !products.is_empty() {
        let list = |each: &dyn Fn(&(ProductId, i64)) -> String| -> String {
            products.iter().map(each).collect::<Vec<_>>().join(", ")
        };
        let id = |product: &ProductId| Uuid::from_bytes(*product.as_bytes());
        let ids = list(&|(product, _)| format!("'{}'", id(product)));
        let known = list(&|(product, revision)| format!("('{}'::uuid, {revision})", id(product)));
        let others = format!(
            "product.id IN ({ids}) AND (product.id, product.revision) NOT IN (VALUES {known})"
        );
        statements.extend([
            (
                Rows::Nothing,
                format!("SELECT id FROM product WHERE id IN ({ids}) ORDER BY id FOR UPDATE"),
            ),
            (Rows::Products, format!("SELECT product.* FROM product WHERE {others}")),
            (
                Rows::Releases,
                format!(
                    "SELECT release.* FROM release JOIN product \
                     ON product.id = release.product_id WHERE {others}"
                ),
            ),
        ]);
    }
    if with_readings {
        const LOCK: &str = "SELECT id FROM reading_fold WHERE id = 1 FOR UPDATE";
        const AT: &str = "SELECT \
            greatest(last_block, (SELECT max(id) FROM reading_block)) AS block, \
            (SELECT coalesce(max(id) + 1, 0) FROM reading_series) AS series, \
            (SELECT coalesce(max(id) + 1, 0)::bigint FROM reading_type) AS next_type \
            FROM reading_fold WHERE id = 1";
        statements.extend([(Rows::Nothing, LOCK.to_owned()), (Rows::Readings, AT.to_owned())]);
    }
    statements
}

/// As sea-orm tells of it.
fn not_acquired(error: SqlxError) -> DbErr {
    match error {
        SqlxError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        SqlxError::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
