//! The action `attest`.

use std::process::ExitCode;

use chartflow_core::action::{Verb, main as run};

fn main() -> ExitCode {
    run(Verb::Attest)
}
