//! Whether a database is away for a while, or does not let us do what we ask.

use std::io::ErrorKind;

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

/// What an error says of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Says {
    /// It cannot be reached, starts, stops, has no connection left, or somebody else was in the way:
    /// later it may be done.
    Later,
    /// It took longer than it may.
    TooSlow,
    /// Something else, that will not mend itself.
    No,
}

/// What an error says of the database.
pub(in crate::store) fn says(error: &DbErr) -> Says {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Says::Later,
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => driver_says(cause),
        _ => Says::No,
    }
}

fn driver_says(error: &SqlxError) -> Says {
    match error {
        SqlxError::PoolTimedOut => Says::Later,
        // A socket that we may not use, an address that is none, and a certificate that is wrong
        // stay so.
        SqlxError::Io(cause) => match cause.kind() {
            ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                Says::No
            }
            _ => Says::Later,
        },
        SqlxError::Database(cause) => code_says(cause.code().as_deref().unwrap_or_default()),
        _ => Says::No,
    }
}

/// What a SQLSTATE of PostgreSQL says. Codes of SQLite are numbers of one to four digits.
fn code_says(code: &str) -> Says {
    match code {
        // It is told to stop, crashes, starts, ends what waits in a transaction, or is full; then a
        // serialization failure, and a deadlock.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" | "40001" | "40P01" => {
            Says::Later
        }
        code if code.len() == 5 && code.starts_with("08") => Says::Later,
        "57014" => Says::TooSlow,
        _ => Says::No,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_mends_itself_is_told_from_what_does_not() {
        let io = |kind| SqlxError::Io(io::Error::from(kind));
        let cases = [
            (io(ErrorKind::ConnectionRefused), Says::Later),
            (io(ErrorKind::ConnectionReset), Says::Later),
            (io(ErrorKind::UnexpectedEof), Says::Later),
            // The socket of a server that does not run, and a name that is unknown.
            (io(ErrorKind::NotFound), Says::Later),
            (SqlxError::Io(io::Error::other("failed to lookup address")), Says::Later),
            (SqlxError::PoolTimedOut, Says::Later),
            (io(ErrorKind::PermissionDenied), Says::No),
            (io(ErrorKind::InvalidData), Says::No),
            (SqlxError::PoolClosed, Says::No),
            (SqlxError::Tls("invalid peer certificate".into()), Says::No),
        ];
        for (error, wanted) in cases {
            let told = error.to_string();
            assert_eq!(
                says(&DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))),
                wanted,
                "{told}"
            );
        }
        let timeout = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        assert_eq!(says(&timeout), Says::Later);
        assert_eq!(says(&DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)), Says::No);
    }

    #[test]
    fn codes_of_postgres_say_what_they_mean() {
        let cases = [
            ("57P01", Says::Later),
            ("57P02", Says::Later),
            ("57P03", Says::Later),
            ("08006", Says::Later),
            ("53300", Says::Later),
            ("40001", Says::Later),
            ("57014", Says::TooSlow),
            // A wrong password, an unknown database, no permission, a disk that is full.
            ("28P01", Says::No),
            ("3D000", Says::No),
            ("42501", Says::No),
            ("53100", Says::No),
            // SQLite.
            ("08", Says::No),
            ("2067", Says::No),
        ];
        for (code, wanted) in cases {
            assert_eq!(code_says(code), wanted, "{code}");
        }
    }
}
