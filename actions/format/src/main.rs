//! The action `format`.

use std::process::ExitCode;

use chartflow_core::action::{Verb, main as run};
use chartflow_core::domain::event::StageName;

fn main() -> ExitCode {
    run(Verb::Stage(StageName::Format))
}
