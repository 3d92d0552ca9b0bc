//! `chartflow completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::Answer;
use crate::error::CommandError;
use crate::output::{Format, Output, write_result};

/// Print the script that completes chartflow's arguments in a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chartflow completions bash > ~/.local/share/bash-completion/completions/chartflow
  chartflow completions zsh > \"${fpath[1]}/_chartflow\"
  chartflow completions fish > ~/.config/fish/completions/chartflow.fish")]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::Arguments::command(), "chartflow", &mut script);
    if output.format() == Format::Json {
        output.document(&json!({ "shell": arguments.shell.to_string(), "script": String::from_utf8_lossy(&script) }))?;
    } else {
        // Not escaped: the script is chartflow's own text, and shells need it as it is.
        write_result(&script)?;
    }
    Ok(Answer::Yes)
}
