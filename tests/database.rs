//! Where a test server keeps its data: in a file, or in a database of its own on PostgreSQL.
//!
//! The tests in `whole_postgres` are those in `whole`, on PostgreSQL: at `CANARY_TEST_POSTGRES_URL`,
//! whose user may create databases, or on a cluster that is made for the run and ends with it.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use canary_server::DatabaseUrl;
use sea_orm::{ConnectionTrait as _, Database as Connection};
use tempfile::TempDir;

use crate::{eventually, postgres_programs};

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

    /// Its address.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        self.0.url()
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
    #[expect(clippy::disallowed_methods, reason = "no setting of the server, but of its tests")]
    fn find() -> Self {
        let Ok(url) = env::var("CANARY_TEST_POSTGRES_URL") else { return Cluster::start() };
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

    fn try_to_run(&self, sql: &str) -> Result<(), sea_orm::DbErr> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let connection = Connection::connect(self.url("postgres")).await?;
            connection.execute_unprepared(sql).await?;
            connection.close().await
        })
    }
}

/// A cluster of our own, reached through a Unix socket.
///
/// It ends with this process, however that ends: a shell stops it when the pipe to it closes.
struct Cluster {
    _shell: Child,
    _folder: TempDir,
}

impl Cluster {
    fn start() -> Server {
        let programs = postgres_programs::folder().expect("the programs of PostgreSQL");
        let folder = tempfile::tempdir().expect("a folder for the cluster");
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).expect("the folder changes hands");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))
            .expect("the folder is for its owner alone");
        let data = folder.path().join("data");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(&data).args([
            "-U",
            "canary",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]);
        initdb.args(["--locale=C.UTF-8"]).stdout(Stdio::null());
        assert!(own(&mut initdb, owner).status().expect("initdb runs").success(), "initdb failed");

        let mut shell = Command::new("/bin/sh");
        // What is lost when the machine fails need not be kept for a test.
        let script = "\"$0\" -D \"$1\" -k \"$2\" -c listen_addresses= -c fsync=off \
            -c max_connections=200 -c log_min_messages=fatal & server=$!; cat > /dev/null; \
            kill -INT $server; wait $server";
        shell.args(["-c", script]).arg(programs.join("postgres")).arg(&data).arg(folder.path());
        shell.stdin(Stdio::piped()).stdout(Stdio::null());
        let shell = own(&mut shell, owner).spawn().expect("a shell runs");
        let server = Server {
            before: "postgres://canary@localhost".to_owned(),
            after: format!("?host={}", folder.path().display()),
            _cluster: Some(Self { _shell: shell, _folder: folder }),
        };
        eventually("a PostgreSQL that answers", || server.try_to_run("SELECT 1").ok());
        server
    }
}

/// Who the cluster belongs to: PostgreSQL refuses to run as root.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let id = |what: &str| {
        let told = Command::new("id").args([what, "postgres"]).output().ok()?.stdout;
        String::from_utf8(told).ok()?.trim().parse().ok()
    };
    // Where the package did not make its user, nobody is.
    Some(id("-u").zip(id("-g")).unwrap_or((65_534, 65_534)))
}

fn own(command: &mut Command, owner: Option<(u32, u32)>) -> &mut Command {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group).current_dir("/");
    }
    command
}
