//! A PostgreSQL cluster of our own, which is stopped and started as a test wants it.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use canary_server::DatabaseUrl;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::{database, eventually, postgres_programs};

/// A cluster, reached through a Unix socket.
///
/// It ends with this process, however that ends: a shell stops it when the pipe to it closes.
pub struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    owner: Option<(u32, u32)>,
    settings: Vec<String>,
    shell: Mutex<Option<Child>>,
}

/// How a cluster ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Connections are ended, and all is in order: `pg_ctl stop -m fast`.
    Fast,
    /// In the middle of everything, as if it were killed: the next start has to recover.
    Immediate,
}

/// Who vouches for a cluster that is reached by TLS.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new one, whom nobody knows.
    ///
    /// # Panics
    ///
    /// If there is no random number.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate") }
    }

    /// Writes its certificate.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, file: &Path) {
        fs::write(file, self.issuer.pem()).expect("a file can be written");
    }
}

impl Cluster {
    /// An empty one, still to be started.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        // What is lost when the machine fails need not be kept for a test.
        Self::in_folder(
            tempfile::tempdir().expect("a folder for the cluster"),
            &["fsync=off", "log_min_messages=fatal"],
        )
    }

    /// One below this folder, with settings as they are installed: what is committed is on disk;
    /// still to be started.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn durable(parent: &Path) -> Self {
        Self::in_folder(tempfile::tempdir_in(parent).expect("a folder for the cluster"), &[])
    }

    fn in_folder(folder: TempDir, settings: &[&str]) -> Self {
        let programs = postgres_programs::folder().expect("the programs of PostgreSQL");
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).expect("the folder changes hands");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))
            .expect("the folder is for its owner alone");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(folder.path().join("data"));
        initdb.args(["-U", "canary", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        initdb.args(["--locale=C.UTF-8"]).stdout(Stdio::null());
        assert!(own(&mut initdb, owner).status().expect("initdb runs").success(), "initdb failed");
        let settings =
            settings.iter().chain(&["listen_addresses="]).map(|setting| (*setting).to_owned());
        let settings = settings.collect();
        Self { programs, folder, owner, settings, shell: Mutex::default() }
    }

    /// One that is also reached by TLS, and only by TLS, at 127.0.0.1; still to be started.
    ///
    /// Gives it with the port.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn with_tls(authority: &Authority) -> (Self, u16) {
        let mut cluster = Self::new();
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
        let certificate = params.signed_by(&key, &authority.issuer).expect("a certificate");
        cluster.put("data/server.crt", &certificate.pem());
        cluster.put("data/server.key", &key.serialize_pem());
        cluster
            .put("data/pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 trust\n");
        // Whoever takes it before PostgreSQL does makes the test fail, and not pass.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a port").port();
        cluster.settings.extend([
            "listen_addresses=127.0.0.1".to_owned(),
            "ssl=on".to_owned(),
            format!("port={port}"),
        ]);
        (cluster, port)
    }

    /// Writes a file that is for PostgreSQL alone.
    fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is for its owner");
        if let Some((user, group)) = self.owner {
            chown(&path, Some(user), Some(group)).expect("the file changes hands");
        }
    }

    /// Its address before the name of a database, and after it.
    pub(crate) fn address(&self) -> (String, String) {
        let port = self.settings.iter().find_map(|setting| setting.strip_prefix("port="));
        let port = port.unwrap_or("5432");
        let after = format!("?host={}&port={port}", self.folder.path().display());
        ("postgres://canary@localhost".to_owned(), after)
    }

    /// Makes a database in it; its address.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn make(&self, database: &str) -> DatabaseUrl {
        let sql = format!("CREATE DATABASE {database}");
        database::run(self.url().reveal(), &sql).expect("a database");
        self.url_of(database)
    }

    /// The address of its first database.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        self.url_of("postgres")
    }

    /// The address of a database that there may be in it.
    #[must_use]
    pub fn url_of(&self, database: &str) -> DatabaseUrl {
        let (before, after) = self.address();
        DatabaseUrl::new(format!("{before}/{database}{after}"))
    }

    /// Runs a statement that stands alone.
    ///
    /// # Panics
    ///
    /// If it cannot be run.
    pub fn run(&self, sql: &str) {
        database::run(self.url().reveal(), sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The socket at which it answers.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }

    fn shell(&self) -> MutexGuard<'_, Option<Child>> {
        self.shell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it does not within 10 s.
    pub fn start(&self) {
        let mut command = Command::new("/bin/sh");
        // What is lost when the machine fails need not be kept for a test; what nobody has waited
        // for is written late, so that a crash loses it.
        let script = "program=$1; data=$2; socket=$3; shift 3; \
            \"$program\" -D \"$data\" -k \"$socket\" -c fsync=off -c max_connections=200 \
            -c log_min_messages=fatal -c wal_writer_delay=10s \"$@\" & server=$!; \
            read -r signal || signal=INT; kill -$signal $server; wait $server";
        command.args(["-c", script, "sh"]).arg(self.programs.join("postgres"));
        command.arg(self.folder.path().join("data")).arg(self.folder.path());
        command.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let shell = own(&mut command, self.owner).spawn().expect("a shell runs");
        *self.shell() = Some(shell);
        eventually("a PostgreSQL that answers", || {
            database::run(self.url().reveal(), "SELECT 1").ok()
        });
    }

    /// Stops it, and waits until it has ended.
    ///
    /// # Panics
    ///
    /// If it has not within 10 s, or was not started.
    pub fn stop(&self, ending: Ending) {
        let mut shell = self.shell().take().expect("a cluster that runs");
        let signal = match ending {
            Ending::Fast => "INT\n",
            Ending::Immediate => "QUIT\n",
        };
        let mut pipe = shell.stdin.take().expect("a pipe to the shell");
        pipe.write_all(signal.as_bytes()).expect("the shell reads");
        eventually("the end of PostgreSQL", || shell.try_wait().expect("its status"));
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell().take() {
            // Its folder goes with it, so it must have ended before.
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
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
