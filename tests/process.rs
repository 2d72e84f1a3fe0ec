//! A server in a process of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::ops::Deref;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use canary_server::DatabaseUrl;
use rustix::process::{Pid, Signal, kill_process};

use crate::{Http, SharedDatabase, eventually};

/// A child process that serves; it is killed when it is dropped.
pub struct ServerProcess {
    child: Child,
    http: Http,
    /// Held open: a child that prints more must not fail of it.
    _output: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts `program`, which is `canary-test-server`, on a database.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(program: &str, database: &SharedDatabase) -> Self {
        Self::start_in_haste(program, database, 1)
    }

    /// Starts it on a database that need not be there.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_on(program: &str, database: &DatabaseUrl) -> Self {
        Self::run(Command::new(program).arg(database.reveal()).arg("1"))
    }

    /// Starts it with a clock that runs `times` faster than that of the machine.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_in_haste(program: &str, database: &SharedDatabase, times: u32) -> Self {
        Self::run(Command::new(program).arg(database.url().reveal()).arg(times.to_string()))
    }

    /// Starts it with a log of everything that is ever logged, in `log`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_telling_all(program: &str, database: &SharedDatabase, log: File) -> Self {
        // A filter with a name in it is for all libraries, too.
        let level = "trace,canary_server=trace";
        let mut command = Command::new(program);
        Self::run(command.arg(database.url().reveal()).args(["1", level]).stderr(log))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command
            // Settings of whoever runs this would make another server.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut first_line = String::new();
        output.read_line(&mut first_line).expect("its first line");
        let http = Http::to(first_line.trim());
        Self { child, http, _output: output }
    }

    /// Ends it in the middle of whatever it does.
    ///
    /// # Panics
    ///
    /// If it cannot be killed.
    pub fn kill(&self) {
        kill_process(Pid::from_child(&self.child), Signal::KILL).expect("the server can be killed");
    }

    /// Asks it to end.
    ///
    /// # Panics
    ///
    /// If it cannot be asked.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the server can be asked");
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    ///
    /// If it has not after 10 s.
    pub fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the end of the server", || child.try_wait().expect("its status"))
    }
}

impl Deref for ServerProcess {
    type Target = Http;

    fn deref(&self) -> &Http {
        &self.http
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
