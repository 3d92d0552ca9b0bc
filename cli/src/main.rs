//! `chartflow`, the laptop command: arguments in, library calls, text or JSON out.
//!
//! Each command is one module with an `Arguments` type and a `run` function; a new one is a `mod` line, a variant of
//! [`Command`] and an arm in [`run`].

mod completions;
mod configuration;
mod detect;
mod error;
mod index;
mod init;
mod interruption;
mod lint;
mod options;
mod output;
mod package;
mod rehearse;
mod rulesets;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use error::{CommandError, Kind};
use options::{Color, GlobalOptions};
use output::{Format, Output};

/// Releases Helm charts from GitHub through an attested train.
#[derive(Debug, Parser)]
#[command(name = "chartflow", version, arg_required_else_help = true, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chartflow detect --base main
  chartflow package charts/web -d packages
  chartflow verify web-1.3.0.tgz --trust trust
  chartflow completions bash > ~/.local/share/bash-completion/completions/chartflow

Exit codes: 0 done, 1 the answer is no, 2 the request was wrong, 3 the outside world failed, 70 a bug in chartflow";

// Deferred: only the arguments of the command that runs are set up. The line in the list of commands is therefore here.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Run the whole train for a contribution, against an embedded GitHub and registry.
    Rehearse(rehearse::Arguments),
    /// List the charts that a branch changes.
    Detect(detect::Arguments),
    /// Make the package of each chart, as `helm package` does, byte for byte the same every time.
    Package(package::Arguments),
    /// Add packages to a Helm repository index, or prove one.
    Index(index::Arguments),
    /// Verify a package, a tag or a chart's directory against its lineage.
    Verify(verify::Arguments),
    /// Run the checks of charts that need no pull request.
    Lint(lint::Arguments),
    /// Show how the branch and tag rules differ from what the train needs, or apply them.
    Rulesets(rulesets::Arguments),
    /// Bring a repository of charts under the train: workflow files, configuration, adoption baseline.
    Init(init::Arguments),
    /// Print the script that completes chartflow's arguments in a shell.
    Completions(completions::Arguments),
}

impl Command {
    /// Whether the command knows `--format matrix`.
    fn prints_matrix(&self) -> bool {
        matches!(self, Self::Detect(_))
    }
}

/// What a command that ran to its end has to say; a command that could not run returns a [`CommandError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Exit code 0.
    Yes,
    /// The command has printed why; exit code 1.
    No,
    /// The command was ended from outside and has put everything away; exit code 128 and the signal's number, as shells have it.
    Stopped {
        /// The signal's number.
        signal: u8,
    },
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

fn run(arguments: Arguments, output: &Output) -> Result<Answer, CommandError> {
    match arguments.command {
        Command::Rehearse(arguments) => rehearse::run(&arguments, output),
        Command::Detect(arguments) => detect::run(&arguments, output),
        Command::Package(arguments) => package::run(&arguments, output),
        Command::Index(arguments) => index::run(&arguments, output),
        Command::Verify(arguments) => verify::run(&arguments, output),
        Command::Lint(arguments) => lint::run(&arguments, output),
        Command::Rulesets(arguments) => rulesets::run(&arguments, output),
        Command::Init(arguments) => init::run(&arguments, output),
        Command::Completions(arguments) => completions::run(&arguments, output),
    }
}

fn main() -> ExitCode {
    let raw: Vec<OsString> = std::env::args_os().collect();
    // A usage error must already be printed as asked for, so these two are looked for before anything is parsed.
    let (format, color) = options::peek(&raw);
    ExitCode::from(error::catch_panics(format, || start(raw, format, color)))
}

fn start(raw: Vec<OsString>, format: Format, color: Color) -> u8 {
    let parsed = Arguments::command().color(color.into()).try_get_matches_from(raw).and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return error::report_usage(&error, format),
    };
    let output = Output::new(&arguments.global);
    match arguments.global.check(arguments.command.prints_matrix()).and_then(|()| run(arguments, &output)) {
        Ok(Answer::Yes) => 0,
        Ok(Answer::No) => Kind::AnswerNo.exit(),
        Ok(Answer::Stopped { signal }) => 128 + signal,
        Err(error) => error.report(&output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_s_help_has_examples() {
        fn look(command: &clap::Command, above: &str, without: &mut Vec<String>) {
            let name = format!("{above} {}", command.get_name());
            if !command.get_after_help().is_some_and(|help| help.to_string().contains("Examples:\n  ")) {
                without.push(name.clone());
            }
            command.get_subcommands().filter(|below| below.get_name() != "help").for_each(|below| look(below, &name, without));
        }
        let mut command = Arguments::command();
        command.build();
        let mut without = Vec::new();
        look(&command, "", &mut without);
        assert!(without.is_empty(), "{without:?}");
        assert!(command.find_subcommand("index").unwrap().find_subcommand("add").is_some());
    }
}
