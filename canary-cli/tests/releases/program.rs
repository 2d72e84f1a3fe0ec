//! The program itself, and what it said.

use std::io::Write as _;
use std::process::{Command, Stdio};

use canary_tests::Http;
use serde_json::Value;

/// What the program did: its exit code, what it said, and what it complained of.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
    pub(crate) complaint: String,
}

impl Said {
    /// What was said, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.fine()).expect("JSON")
    }

    /// What was said by a program that did what it was asked for.
    #[track_caller]
    pub(crate) fn fine(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}{}", self.text, self.complaint);
        &self.text
    }

    /// The complaint of a program that refused with this code.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{}{}", self.text, self.complaint);
        &self.complaint
    }
}

/// Runs the program with the words of a line, with nothing set but the server.
pub(crate) fn canary(server: &Http, line: &str) -> Said {
    canary_fed(&server.url(), line, "")
}

/// Runs the program with something on its standard input.
pub(crate) fn canary_fed(url: &str, line: &str, input: &str) -> Said {
    let mut program = Command::new(env!("CARGO_BIN_EXE_canary"))
        .args(line.split_whitespace())
        .env_clear()
        .env("CANARY_URL", url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    // A program that does not read what it is given is fine.
    let _ = program.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = program.wait_with_output().expect("the program ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), text: text(output.stdout), complaint: text(output.stderr) }
}
