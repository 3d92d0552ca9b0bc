//! The actions: what stands between GitHub's runner and the stages.
//!
//! [`declaration`] says what each action takes and gives, [`protocol`] how text has to look that the runner reads; both
//! are pure. The rest is the edge: it reads variables and files, builds a train and hands back what came of it. Beside
//! the command line it is the only part of chartflow that knows [`crate::io`].

mod check;
pub mod checked;
pub mod console;
pub mod declaration;
mod dry;
pub mod environment;
pub mod error;
pub mod event_file;
mod heads;
pub mod identity;
pub mod inputs;
pub mod outcome;
pub mod protocol;
pub mod signing;
pub mod stage;
pub mod step;
pub mod summary;
#[cfg(test)]
mod tests;
mod tools;
pub mod watch;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::domain::event::StageName;
use crate::domain::markdown::escape;
use crate::domain::ruleset::Mode;
use console::Console;
pub use declaration::Verb;
use environment::Environment;
use error::ActionError;
use event_file::EventFile;
use inputs::Inputs;
use outcome::Ending;
use protocol::command::{Annotation, Level};
use stage::Context;
use watch::Watch;

/// How long a request that is under way may take when the run is cancelled. The runner sends SIGINT, after 7.5 seconds
/// SIGTERM, and kills 2.5 seconds later (actions/runner, `ProcessInvoker.cs`).
const GRACE: Duration = Duration::from_secs(5);

/// How long a cancelled run may then still take to give back its token.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Being told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The signal's name.
    pub name: &'static str,
    /// Its number.
    pub number: u8,
}

/// Runs an action as the runner starts it, with the variables, files and signals of this process.
#[must_use]
pub fn main(verb: Verb) -> ExitCode {
    // A name or value that is not UTF-8 is none of the runner's.
    let variables: BTreeMap<String, String> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    std::panic::set_hook(Box::new(bug(variables.clone())));
    let console = Console::new(Box::new(std::io::stdout()), &variables);
    ExitCode::from(run_blocking(verb, &variables, &console))
}

/// Says what a panic was, and ends the program: the images' programs cannot unwind.
fn bug(variables: BTreeMap<String, String>) -> impl Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync {
    move |information| {
        let report = concat!("this is a bug in chartflow ", env!("CARGO_PKG_VERSION"), "; please report it at ", env!("CARGO_PKG_REPOSITORY"), "/issues");
        let message = format!("{report}\n{information}");
        // The other console may be locked by what panicked.
        let console = Console::new(Box::new(std::io::stdout()), &variables);
        console.annotate(&[Annotation { level: Level::Error, title: "bug".to_owned(), message, file: None, line: None }]);
        #[expect(clippy::exit, reason = "nothing after a panic can be relied on, and the exit code is promised")]
        std::process::exit(70);
    }
}

fn run_blocking(verb: Verb, variables: &BTreeMap<String, String>, console: &Console) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return fail(console, &ActionError::Setup { source }, Mode::WorkflowToken, None),
    };
    let code = runtime.block_on(async {
        // As process 1 of its container a program has no default reaction to signals, so both are caught at once.
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(mut interrupt), Ok(mut terminate)) => {
                let stop = async move {
                    tokio::select! {
                        _ = interrupt.recv() => Stop { name: "SIGINT", number: 2 },
                        _ = terminate.recv() => Stop { name: "SIGTERM", number: 15 },
                    }
                };
                run(verb, variables, console, stop).await
            }
            (Err(source), _) | (_, Err(source)) => fail(console, &ActionError::Setup { source }, Mode::WorkflowToken, None),
        }
    });
    // A thread that still looks up a name must not keep the container.
    runtime.shutdown_background();
    code
}

/// Runs an action with these variables until it ends or `stop` does; the exit code. Must be called within a tokio runtime.
pub async fn run(verb: Verb, variables: &BTreeMap<String, String>, console: &Console, stop: impl Future<Output = Stop>) -> u8 {
    let declaration = verb.declaration();
    // Before anything else is printed, errors about inputs included.
    inputs::secrets(&declaration, variables).into_iter().for_each(|secret| console.mask(secret));
    let context = match prepare(&declaration, variables, console) {
        Ok(context) => context,
        Err(error) => return fail(console, &error, Mode::WorkflowToken, None),
    };
    let result = until_stopped(&context, verb, stop).await;
    // A cancelled run has little time left; what is not taken back ends by itself within the hour.
    let patience = if context.watch.is_stopped() { LAST_WORD } else { Duration::from_secs(60) };
    if tokio::time::timeout(patience, context.give_back()).await.is_err() {
        console.say("a token of the App could not be given back in time; it ends by itself within the hour");
    }
    let mode = context.mode.get().copied().unwrap_or(Mode::WorkflowToken);
    let stage = match verb {
        Verb::Stage(stage) => Some(stage),
        _ => None,
    };
    let mut ending = match result {
        Ok(ending) => ending,
        Err(error) => {
            let code = fail(console, &error, mode, stage);
            let unfinished = unfinished(&context, verb, &error.told(mode, stage), error.hint(mode, stage).as_deref());
            // The first failure is the one to tell.
            let _ = console.summary(&unfinished);
            return code;
        }
    };
    ending.outputs.extend(without_content(&declaration, &ending, &context.watch));
    match hand_over(console, &ending) {
        Ok(()) => u8::from(ending.refused),
        Err(error) => fail(console, &error, mode, stage),
    }
}

fn prepare(declaration: &declaration::Declaration, variables: &BTreeMap<String, String>, console: &Console) -> Result<Context, ActionError> {
    let inputs = Inputs::read(declaration, variables)?;
    let environment = Environment::read(variables)?;
    let event = EventFile::read(&environment.event_name, environment.event_path.as_deref())?;
    let watch = Watch::new(inputs.flag("dry-run"));
    Ok(Context { inputs, environment, event, console: console.clone(), watch, mode: OnceLock::new(), owed: Mutex::default() })
}

async fn until_stopped(context: &Context, verb: Verb, stop: impl Future<Output = Stop>) -> Result<Ending, ActionError> {
    let work = async {
        match verb {
            Verb::Stage(stage) => stage::run(context, stage).await,
            Verb::Detect => tools::detect::run(context).await,
            Verb::Attest => tools::attest::run(context).await,
            Verb::Verify => tools::verify::run(context).await,
            Verb::Rulesets => tools::rulesets::run(context).await,
        }
    };
    tokio::pin!(work);
    let Stop { name, number } = tokio::select! {
        result = &mut work => return result,
        stop = stop => stop,
    };
    context.watch.stop();
    match tokio::time::timeout(GRACE, &mut work).await {
        // It was as good as done.
        Ok(Ok(ending)) => Ok(ending),
        _ => Err(ActionError::Cancelled { signal: name, number }),
    }
}

/// The page of a run that came to no end: what it did until then.
fn unfinished(context: &Context, verb: Verb, message: &str, hint: Option<&str>) -> String {
    let links = context.links();
    let page = summary::Page { verb: verb.as_str(), reports: &[], watch: &context.watch, links: &links, names: None, stopped_by: Some(message) };
    let hint = hint.map(|hint| format!("\nWhat to do: {}\n", escape(hint))).unwrap_or_default();
    format!("{}{hint}", page.markdown())
}

/// Outputs that every action has, and this one has nothing to put into.
fn without_content(declaration: &declaration::Declaration, ending: &Ending, watch: &Watch) -> Vec<(&'static str, String)> {
    let absent = declaration.outputs.iter().filter(|output| !ending.outputs.iter().any(|(name, _)| *name == output.name));
    let empty = |name: &str| match name {
        "charts" => "[]".to_owned(),
        "plan" => outcome::plan(watch, None),
        _ => String::new(),
    };
    // The output `checks` is the one job's alone.
    absent.filter(|output| output.name != "checks").map(|output| (output.name, empty(output.name))).collect()
}

fn hand_over(console: &Console, ending: &Ending) -> Result<(), ActionError> {
    ending.log.iter().for_each(|(title, text)| console.group(title, text));
    console.annotate(&ending.annotations);
    for (name, value) in &ending.outputs {
        console.output(name, value)?;
    }
    console.summary(&ending.summary)
}

/// Says why there is no result; the exit code.
fn fail(console: &Console, error: &ActionError, mode: Mode, stage: Option<StageName>) -> u8 {
    let hint = error.hint(mode, stage).map(|hint| format!("\nWhat to do: {hint}")).unwrap_or_default();
    let message = format!("{}{hint}", error.told(mode, stage));
    let title = if matches!(error, ActionError::Cancelled { .. }) { "cancelled" } else { "chartflow" };
    console.annotate(&[Annotation { level: Level::Error, title: title.to_owned(), message, file: None, line: None }]);
    error.exit()
}
