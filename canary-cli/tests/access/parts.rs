//! Servers of which each does a part of the work, under the names that `CanaryPy` gives them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use canary_server::DatabaseUrl;
use canary_tests::{Http, Product, SharedDatabase, eventually};

/// The program as a server; it ends with this.
struct Running {
    program: Child,
    http: Http,
    /// Held open: a server that logs more must not fail of it.
    _log: BufReader<ChildStderr>,
}

impl Running {
    fn start(database: &DatabaseUrl, words: &str) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_canary"))
            .args(words.split_whitespace())
            .args(["--api-port", "0", "--db-conn-string", database.reveal()])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut log = BufReader::new(program.stderr.take().expect("a pipe"));
        let mut said = String::new();
        let url = loop {
            assert!(log.read_line(&mut said).expect("UTF-8") > 0, "it has ended: {said}");
            if let Some((_, url)) = said.split_once("listening on http://") {
                let end = url.find(|letter: char| {
                    letter != ':' && letter != '.' && !letter.is_ascii_digit()
                });
                break format!("http://{}", &url[..end.unwrap_or(url.len())]);
            }
        };
        Self { program, http: Http::to(url), _log: log }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn the_api_and_the_dashboard_can_be_two_programs() {
    let kept = SharedDatabase::new();
    let api = Running::start(&kept.url(), "api start");
    let web = Running::start(&kept.url(), "web start");
    let product = Product::register(&api.http, "etl");
    product.release("1.2.3").create();
    eventually("the release on the page of the other", || {
        web.http.get("/").text.contains("1.2.3").then_some(())
    });
    api.http.get("/").expect_problem(421, "misdirected");
    web.http.get("/product").expect_problem(421, "misdirected");
}

#[test]
fn a_part_that_needs_others_is_refused_on_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite://{}?mode=rwc", folder.path().join("canary.db").display());
    let refused = Command::new(env!("CARGO_BIN_EXE_canary"))
        .args(["serve", "--role", "ingest", "--db-conn-string", &database])
        .env_clear()
        .output()
        .expect("the program runs");
    let told = String::from_utf8(refused.stderr).expect("UTF-8");
    assert_eq!(refused.status.code(), Some(2));
    assert!(told.contains("setting `role` is `ingest`, on a file it must be all, "), "{told}");
}
