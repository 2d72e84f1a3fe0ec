//! How to commit: statements that are run all or not at all.

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
};

use super::away::{Says, says};

/// Puts the statements into one text: on SQLite a commit is one visit to the thread of the
/// connection, not one per statement.
pub(in crate::store) async fn at_one_visit(
    statements: Vec<Statement>,
    writer: &DatabaseConnection,
) -> Result<(), DbErr> {
    let (mut text, mut parameters) = ("BEGIN IMMEDIATE; ".to_owned(), Vec::new());
    for Statement { sql, values, .. } in statements {
        text.push_str(&sql);
        text.push_str("; ");
        parameters.extend(values.into_iter().flat_map(|values| values.0));
    }
    text.push_str("COMMIT");
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, text, parameters);
    let outcome = writer.execute_raw(statement).await;
    if outcome.is_err() {
        // Whether the transaction is still open depends on where it failed.
        let _ = writer.execute_unprepared("ROLLBACK").await;
    }
    outcome.map(|_| ())
}

/// A commit that failed.
#[derive(Debug)]
pub(in crate::store) struct Broken {
    pub(in crate::store) error: DbErr,
    /// The number of the transaction, if the answer to COMMIT was lost with the connection: nobody
    /// here knows what became of it.
    pub(in crate::store) unknown: Option<String>,
}

impl From<DbErr> for Broken {
    fn from(error: DbErr) -> Self {
        Self { error, unknown: None }
    }
}

/// Runs the statements in a transaction that has begun; `last` answers with its number.
pub(in crate::store) async fn one_by_one(
    statements: Vec<Statement>,
    last: Statement,
    transaction: DatabaseTransaction,
) -> Result<(), Broken> {
    for statement in statements {
        // Left early, it is rolled back when it is dropped.
        transaction.execute_raw(statement).await?;
    }
    let row = transaction.query_one_raw(last).await?;
    let number = row.ok_or_else(|| DbErr::RecordNotFound("the transaction's number".to_owned()))?;
    let number: String = number.try_get("", "transaction")?;
    transaction.commit().await.map_err(|error| {
        let unknown = (says(&error) != Says::No).then_some(number);
        Broken { error, unknown }
    })
}
