//! Where a test server keeps its data: in a file, or in a database of its own on PostgreSQL.
//!
//! The tests in `whole_postgres` are those in `whole`, on PostgreSQL: at `CANARY_TEST_POSTGRES_URL`,
//! whose user may create databases, or on a cluster that is made for the run and ends with it.

use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use canary_server::DatabaseUrl;
use sea_orm::{ConnectionTrait as _, Database as Connection, DbBackend, DbErr, Statement};
use tempfile::TempDir;

use crate::{Cluster, block_on};

/// Where servers keep their data; it goes when this is dropped.
#[derive(Clone)]
pub struct SharedDatabase(Arc<Database>);

impl SharedDatabase {
    /// An empty one, of the kind that this program is to test.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Database::new()))
    }

    /// An empty one in a file, whatever this program is to test.
    ///
    /// # Panics
    ///
    /// If there is no folder for it.
    #[must_use]
    pub fn in_a_file() -> Self {
        Self(Arc::new(Database::in_a_file()))
    }

    /// That of a cluster, which may be stopped and started.
    #[must_use]
    pub fn in_cluster(cluster: &Arc<Cluster>) -> Self {
        Self(Arc::new(Database::Cluster(cluster.clone())))
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        self.0.url()
    }

    /// The identifiers of all signals that are stored in it.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    #[must_use]
    pub fn signals(&self) -> Vec<String> {
        let url = self.url();
        block_on(async {
            let connection = Connection::connect(url.reveal()).await?;
            let statement =
                Statement::from_string(DbBackend::Postgres, "SELECT id::text AS id FROM signal");
            let rows = connection.query_all_raw(statement).await?;
            connection.close().await?;
            rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, DbErr>>()
        })
        .expect("the signals can be read")
    }
}

impl Default for SharedDatabase {
    fn default() -> Self {
        Self::new()
    }
}

/// Where servers keep their data.
enum Database {
    /// A file in a folder.
    File(TempDir),
    /// A database with this name.
    Postgres(String),
    /// The first one of a cluster.
    Cluster(Arc<Cluster>),
}

impl Database {
    /// A new one, of the kind that this program is to test.
    fn new() -> Self {
        if !is_for_postgres() {
            return Self::in_a_file();
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("canary_test_{}_{number}", std::process::id());
        SERVER.run(&format!("CREATE DATABASE {name}"));
        Self::Postgres(name)
    }

    fn in_a_file() -> Self {
        Self::File(tempfile::tempdir().expect("a folder for the database"))
    }

    /// Its address.
    fn url(&self) -> DatabaseUrl {
        match self {
            Self::File(folder) => {
                let path = folder.path().join("canary.db");
                DatabaseUrl::new(format!("sqlite://{}?mode=rwc", path.display()))
            }
            Self::Postgres(name) => DatabaseUrl::new(SERVER.url(name)),
            Self::Cluster(cluster) => cluster.url(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres(name) = self {
            // Connections that are about to end are waited for: PostgreSQL 15 may hang for ever
            // where it ends a connection by force in the moment in which its client does.
            let sql = format!("DROP DATABASE {name}");
            if SERVER.try_to_run(&sql).is_err() {
                SERVER.run(&format!("{sql} WITH (FORCE)"));
            }
        }
    }
}

/// Whether this program is the one that tests on PostgreSQL.
fn is_for_postgres() -> bool {
    let program = env::current_exe().ok();
    program
        .as_deref()
        .and_then(Path::file_name)
        .is_some_and(|name| name.to_string_lossy().contains("_postgres"))
}

static SERVER: LazyLock<Server> = LazyLock::new(Server::find);

/// A PostgreSQL server.
struct Server {
    /// Its address before the name of a database, and after it.
    before: String,
    after: String,
    _cluster: Option<Cluster>,
}

impl Server {
    fn find() -> Self {
        let Some(url) = env::var_os("CANARY_TEST_POSTGRES_URL") else {
            let cluster = Cluster::new();
            cluster.start();
            let (before, after) = cluster.address();
            return Self { before, after, _cluster: Some(cluster) };
        };
        let url = url.into_string().expect("CANARY_TEST_POSTGRES_URL is a text");
        let (url, query) = url.split_once('?').unwrap_or((&url, ""));
        let place = url.rsplit_once('/').expect("CANARY_TEST_POSTGRES_URL names a database").0;
        let after = if query.is_empty() { String::new() } else { format!("?{query}") };
        Self { before: place.to_owned(), after, _cluster: None }
    }

    fn url(&self, database: &str) -> String {
        format!("{}/{database}{}", self.before, self.after)
    }

    /// Runs a statement that stands alone.
    fn run(&self, sql: &str) {
        self.try_to_run(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn try_to_run(&self, sql: &str) -> Result<(), DbErr> {
        run(&self.url("postgres"), sql)
    }
}

/// Runs a statement that stands alone.
pub(crate) fn run(url: &str, sql: &str) -> Result<(), DbErr> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let connection = Connection::connect(url).await?;
        connection.execute_unprepared(sql).await?;
        connection.close().await
    })
}
