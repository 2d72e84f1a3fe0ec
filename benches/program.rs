//! What both benchmarks do with their command line, and how they end.

use std::path::Path;
use std::process::ExitCode;

use crate::{Failure, child, server};

/// A benchmark as it is called.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    pub usage: &'static str,
    /// What `--only` may name.
    pub names: &'static [&'static str],
}

/// What is wanted of a benchmark.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Shorter, for a look.
    pub is_quick: bool,
    pub only: Option<String>,
}

impl Wish {
    /// Whether this part was asked for, alone or with all others.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }
}

impl Program {
    /// Is a server if the command line says so, else measures.
    pub fn run(self, measure: impl FnOnce(&Wish) -> Result<(), Failure>) -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let wish = match words.as_slice() {
            ["--child", "hello"] => return ended(child::hello()),
            ["--child", "stub", accepted] => return ended(child::stub(accepted)),
            ["--child", "canary", database] => return ended(child::canary(database)),
            // `cargo bench` passes `--bench`; tests of all targets do not, and should not wait.
            words if !words.contains(&"--bench") => {
                println!("{}", self.usage);
                return ExitCode::SUCCESS;
            }
            words => self.wish(words),
        };
        let Some(wish) = wish else {
            eprintln!("{}", self.usage);
            return ExitCode::from(2);
        };
        ended(measure(&wish))
    }

    fn wish(self, words: &[&str]) -> Option<Wish> {
        let mut wish = Wish { is_quick: words.contains(&"--quick"), only: None };
        let mut words = words.iter().filter(|word| !matches!(**word, "--bench" | "--quick"));
        while let Some(word) = words.next() {
            let name = (*word == "--only").then(|| words.next())?;
            wish.only = Some((*name.filter(|name| self.names.contains(name))?).to_owned());
        }
        Some(wish)
    }
}

/// Hands a failure on, after the end of what the servers in this directory logged.
pub fn explained<T>(outcome: Result<T, Failure>, directory: &Path) -> Result<T, Failure> {
    if outcome.is_err() {
        eprintln!("{}", server::last_words(directory));
    }
    outcome
}

fn ended(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
