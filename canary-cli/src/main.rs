//! The program `canary`: asks a Canary server, and is one.

use std::process::ExitCode;

mod command;
mod failure;
mod output;

fn main() -> ExitCode {
    command::main()
}
