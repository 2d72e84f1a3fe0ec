//! How to commit: statements that are run all or not at all.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};

use super::away::{Says, says};
use super::locks::Locks;

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

/// Puts statements before the last one into it: on PostgreSQL each one is a visit, and a commit is
/// as quick as its visits are few. They see what was there before all of them, so none may write a
/// row of another one. PostgreSQL runs those that are not read from in the reverse order, products
/// before releases, as the locks of others are taken; if it did not, it would end one of two that
/// wait for each other, and that one would be tried again.
pub(in crate::store) fn at_once(statements: Vec<Statement>, last: Statement) -> Statement {
    let (mut sql, mut parameters) = (String::from("WITH "), Vec::new());
    for (place, Statement { sql: own, values, .. }) in statements.into_iter().enumerate() {
        sql.push_str(&format!("part_{place} AS ("));
        push_shifted(&mut sql, &own, parameters.len());
        sql.push_str("), ");
        parameters.extend(values.into_iter().flat_map(|values| values.0));
    }
    let own = last.sql.strip_prefix("WITH ").unwrap_or(&last.sql);
    push_shifted(&mut sql, own, parameters.len());
    parameters.extend(last.values.into_iter().flat_map(|values| values.0));
    Statement::from_sql_and_values(DbBackend::Postgres, sql, parameters)
}

/// Adds a text whose parameters have so many others before them. Texts of ours have no `$` but for
/// parameters: values are never in them.
fn push_shifted(sql: &mut String, own: &str, by: usize) {
    let mut parts = own.split('$');
    sql.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = part[..digits].parse().unwrap_or_default();
        sql.push_str(&format!("${}{}", number + by, &part[digits..]));
    }
}

/// A commit that failed.
#[derive(Debug)]
pub(in crate::store) struct Broken {
    pub(in crate::store) error: DbErr,
    /// Whether the answer may have been lost with the connection: nobody here knows what became of
    /// the commit.
    pub(in crate::store) is_unknown: bool,
}

impl Broken {
    /// What was said to the statement that commits, if it was said: not to who got no connection.
    pub(super) fn at_the_end(error: DbErr) -> Self {
        let was_said = !matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_));
        let is_unknown = was_said && says(&error) != Says::No;
        Self { error, is_unknown }
    }
}

impl From<DbErr> for Broken {
    fn from(error: DbErr) -> Self {
        Self { error, is_unknown: false }
    }
}

/// Runs one statement, which is a transaction of its own.
pub(in crate::store) async fn by_itself(
    statement: Statement,
    writer: &DatabaseConnection,
) -> Result<(), Broken> {
    writer.query_one_raw(statement).await.map(|_| ()).map_err(Broken::at_the_end)
}

/// Runs the statements in a transaction that has begun.
pub(in crate::store) async fn one_by_one(
    statements: Vec<Statement>,
    mut locks: Locks,
) -> Result<(), Broken> {
    for statement in statements {
        if let Err(error) = locks.execute(statement).await {
            // With a connection that is gone, there is nothing to let go of.
            let _ = locks.let_go().await;
            return Err(error.into());
        }
    }
    locks.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_at_once_keep_their_parameters() {
        let statement = |sql: &str, values: &[i32]| {
            let values = values.iter().map(|value| (*value).into());
            Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
        };
        let parts = vec![
            statement("INSERT INTO a SELECT $1::json", &[1]),
            statement("UPDATE b SET c = $2 WHERE d = $1 AND e < $12", &[2, 3]),
        ];
        let last = statement("WITH mark AS (INSERT INTO f VALUES ($1)) SELECT $2", &[4, 5]);
        let joined = at_once(parts, last);
        assert_eq!(
            joined.sql,
            "WITH part_0 AS (INSERT INTO a SELECT $1::json), \
             part_1 AS (UPDATE b SET c = $3 WHERE d = $2 AND e < $13), \
             mark AS (INSERT INTO f VALUES ($4)) SELECT $5"
        );
        let values = joined.values.map(|values| values.0).unwrap_or_default();
        assert_eq!(values, [1, 2, 3, 4, 5].map(sea_orm::Value::from));
    }
}
