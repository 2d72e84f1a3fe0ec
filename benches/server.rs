//! A server under measurement, as the parent sees it: an address, a process, its use of memory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;

/// How long a server may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(30);

/// The file of Canary's database, in its directory.
pub const DATABASE: &str = "canary.db";

/// A child process that listens; it is killed when dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// Held open: a child that prints more must not fail of it.
    _output: Option<BufReader<ChildStdout>>,
}

/// Resident memory of a process, in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Now.
    pub resident_kib: u64,
    /// The most there ever was.
    pub peak_kib: u64,
}

impl Server {
    /// Starts the bare poem.
    pub fn hello(directory: &Path) -> Result<Self, Failure> {
        Self::start(&["hello"], directory)
    }

    /// Starts the poem that takes any `POST /readings` for so many good readings.
    pub fn stub(directory: &Path, accepted: usize) -> Result<Self, Failure> {
        Self::start(&["stub", &accepted.to_string()], directory)
    }

    /// Starts Canary on the database of this directory, which it makes if there is none.
    pub fn canary(directory: &Path) -> Result<Self, Failure> {
        let database = directory.join(DATABASE);
        Self::canary_on(&format!("sqlite://{}?mode=rwc", database.display()), directory)
    }

    /// Starts Canary on the database with this address; its log goes into this directory.
    pub fn canary_on(database: &str, directory: &Path) -> Result<Self, Failure> {
        Self::start(&["canary", database], directory)
    }

    fn start(arguments: &[&str], directory: &Path) -> Result<Self, Failure> {
        let log = File::options().create(true).append(true).open(log_path(directory))?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--child")
            .args(arguments)
            // Settings of whoever runs this would make another server.
            .env_clear()
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut first_line = String::new();
        let mut output = child.stdout.take().map(BufReader::new);
        if let Some(output) = &mut output {
            output.read_line(&mut first_line)?;
        }
        let url = first_line.trim().trim_end_matches('/');
        match url.strip_prefix("http://").unwrap_or(url).parse() {
            Ok(address) => Ok(Self { child, address, _output: output }),
            Err(_) => {
                child.kill()?;
                child.wait()?;
                Err(format!("child {arguments:?} printed `{url}`, which is no address").into())
            }
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long it has kept processors busy since it began.
    pub fn busy(&self) -> Result<Duration, Failure> {
        busy(self.child.id())
    }

    /// How much memory it has.
    pub fn memory(&self) -> Result<Memory, Failure> {
        let field = |name| self.number("status", name);
        Ok(Memory { resident_kib: field("VmRSS:")?, peak_kib: field("VmHWM:")? })
    }

    /// How many bytes it has caused to be written to disk since it began.
    pub fn written_bytes(&self) -> Result<u64, Failure> {
        self.number("io", "write_bytes:")
    }

    /// The number behind this name in a file of proc(5).
    fn number(&self, file: &str, name: &str) -> Result<u64, Failure> {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?;
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        let number = value.and_then(|value| value.trim_end_matches("kB").trim().parse().ok());
        number.ok_or_else(|| format!("no `{name}` in the {file} of the server").into())
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    eprintln!("warning: the server ended with {status}");
                }
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        eprintln!("warning: the server did not end within {PATIENCE:?}, and is killed");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long this process has kept processors busy since it began.
pub fn own_busy() -> Result<Duration, Failure> {
    busy(std::process::id())
}

fn busy(process: u32) -> Result<Duration, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name before it may hold anything, also blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // Fields 14 and 15 of proc(5): user and system time.
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// The end of what the servers logged, for whoever looks for the cause.
pub fn last_words(directory: &Path) -> String {
    let log = fs::read_to_string(log_path(directory)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

fn log_path(directory: &Path) -> std::path::PathBuf {
    directory.join("servers.log")
}
