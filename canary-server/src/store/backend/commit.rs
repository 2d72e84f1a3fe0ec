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

/// Puts statements before the last one into it: on PostgreSQL each one is a visit, and a commit is
/// as quick as its visits are few. They see what was there before all of them, so none may write a
/// row of another one.
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
