//! What the user sees when a command fails: the kind alone decides the exit code, and every error of the library is
//! translated here and nowhere else.

use std::any::Any;
use std::error::Error;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use chartflow_core::domain::configuration::ConfigurationError;
use chartflow_core::domain::detection::{DetectionError, GlobError};
use chartflow_core::domain::shell::word;
use chartflow_core::flow::detect::DetectError;
use chartflow_core::io::git::GitError;
use chartflow_core::io::trust::TrustError;
use chartflow_core::port::objects::ObjectError;
use chartflow_sandbox::rehearsal::{OutputError, RehearsalError};
use serde::Serialize;

use crate::output::{Format, Output, Style, escape, write_error, write_result};

/// Why a command did not end with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// What was asked about does not hold.
    AnswerNo,
    /// The arguments, the configuration or an input were wrong.
    Request,
    /// GitHub, a registry, the network or another program failed.
    Outside,
    /// chartflow is wrong.
    Bug,
}

impl Kind {
    /// The exit code; scripts rely on it.
    pub(crate) const fn exit(self) -> u8 {
        match self {
            Self::AnswerNo => 1,
            Self::Request => 2,
            Self::Outside => 3,
            Self::Bug => 70,
        }
    }
}

/// A failure as the user sees it.
#[derive(Debug)]
pub(crate) struct CommandError {
    kind: Kind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
}

impl CommandError {
    /// A failure that says what happened, naming the value, file or line.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new() }
    }

    /// A failure whose message is an error's own; its causes are printed behind it.
    pub(crate) fn of(kind: Kind, error: impl Error + Send + Sync + 'static) -> Self {
        // The first cause repeats the message and is therefore not printed again.
        Self::new(kind, error.to_string()).because(error)
    }

    /// Adds the cause; it is printed with its own causes.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The causes, the nearest first. A cause that only repeats what was said before it is left out.
    fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> = self.source.as_deref().map(|error| error as &(dyn Error + 'static));
        while let Some(cause) = next {
            let text = cause.to_string();
            if causes.last().unwrap_or(&self.message) != &text {
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }

    /// What to do about it. Nobody is left with a wrong request alone.
    fn told_hints(&self) -> Vec<String> {
        if self.hints.is_empty() && self.kind == Kind::Request {
            return vec!["`chartflow help COMMAND` says what the command takes, with examples".to_owned()];
        }
        self.hints.clone()
    }

    /// Prints the failure in the format asked for; the exit code.
    pub(crate) fn report(&self, output: &Output) -> u8 {
        if output.format() == Format::Json {
            let message = std::iter::once(self.message.clone()).chain(self.causes()).collect::<Vec<_>>().join(": ");
            let hints = self.told_hints();
            write_document(self.kind, &message, (!hints.is_empty()).then(|| hints.join("\n")));
        } else {
            output.say(Style::Error, "error", &self.message);
            for cause in self.causes() {
                write_error(&format!("  caused by: {}\n", escape(&cause)));
            }
            for hint in &self.told_hints() {
                output.say(Style::Hint, "hint", hint);
            }
        }
        self.kind.exit()
    }
}

impl From<RehearsalError> for CommandError {
    fn from(error: RehearsalError) -> Self {
        let kind = match &error {
            RehearsalError::Git { .. } | RehearsalError::Object { .. } => Kind::Request,
            RehearsalError::File { source, .. } => file_kind(source),
            RehearsalError::GitProgram { .. } => Kind::Outside,
            _ => Kind::Bug,
        };
        let hint = if let RehearsalError::Object { source } = &error { object_hint(source) } else { None };
        let stopped = Self::new(kind, "the rehearsal stopped").because(error);
        match hint {
            Some(hint) => stopped.hint(hint),
            None => stopped,
        }
    }
}

impl From<TrustError> for CommandError {
    fn from(error: TrustError) -> Self {
        let kind = if matches!(error, TrustError::BuiltIn { .. }) { Kind::Bug } else { Kind::Request };
        let hint = error.hint();
        let failed = Self::of(kind, error);
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    }
}

impl From<OutputError> for CommandError {
    fn from(error: OutputError) -> Self {
        match &error {
            OutputError::File { source, .. } => Self::of(file_kind(source), error),
            _ => Self::of(Kind::Request, error).hint("name an absent or empty folder with --out"),
        }
    }
}

/// A path that was asked for and cannot be used is a wrong request. A disk that is full, over its quota or read-only is
/// the outside world's failure, like a server that does not answer: the same request succeeds once there is room.
pub(crate) fn file_kind(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge | io::ErrorKind::ReadOnlyFilesystem => Kind::Outside,
        _ => Kind::Request,
    }
}

#[derive(Serialize)]
struct Document<'a> {
    error: Description<'a>,
}

#[derive(Serialize)]
struct Description<'a> {
    kind: Kind,
    message: &'a str,
    hint: Option<String>,
    exit: u8,
}

fn write_document(kind: Kind, message: &str, hint: Option<String>) {
    let document = Document { error: Description { kind, message, hint, exit: kind.exit() } };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    if let Err(error) = write_result(format!("{text}\n").as_bytes()) {
        write_error(&format!("error: {}\n", escape(&error.message)));
    }
}

/// Prints what clap says about the command line: help and version are results, the rest is a wrong request.
pub(crate) fn report_usage(error: &clap::Error, format: Format) -> u8 {
    if !error.use_stderr() {
        return if error.print().is_ok() { 0 } else { Kind::Outside.exit() };
    }
    if format == Format::Json {
        let text = error.to_string();
        let mut paragraphs = text.trim().splitn(2, "\n\n");
        let message = paragraphs.next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        write_document(Kind::Request, message, paragraphs.next().map(ToOwned::to_owned));
    } else {
        // That standard error is closed can be told nobody.
        let _ = error.print();
    }
    Kind::Request.exit()
}

impl From<GitError> for CommandError {
    fn from(error: GitError) -> Self {
        let hint = match &error {
            GitError::Absent { .. } | GitError::NoRepository { above: None, .. } => "name the top of a git work tree or a bare repository".to_owned(),
            GitError::NoRepository { above: Some(above), .. } => format!("the repository's top is {}", above.display()),
            GitError::Ownership { path } => format!("if you trust it: git config --global --add safe.directory {}", word(&path.to_string_lossy())),
            GitError::Unwritable { .. } => return Self::of(Kind::Outside, error).hint("look at the permissions and the room below its .git"),
            GitError::Unreadable { .. } => "`git fsck` may say more".to_owned(),
            GitError::Unborn { .. } => "commit something first".to_owned(),
            GitError::UnknownReference { near, shallow, .. } if near.is_empty() && !shallow => "`git branch --all` and `git tag` list what there is".to_owned(),
            GitError::UnknownReference { near, .. } if !near.is_empty() => {
                format!("did you mean {}?", near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "))
            }
            GitError::UnknownReference { reference, .. } => {
                format!(
                    "this clone is shallow and may lack it: git fetch origin {}; in GitHub Actions, give actions/checkout `fetch-depth: 0`",
                    word(reference)
                )
            }
            GitError::BehindShallow { .. } => UNSHALLOW.to_owned(),
            _ => "name a branch, tag or commit".to_owned(),
        };
        Self::of(Kind::Request, error).hint(hint)
    }
}

impl From<GlobError> for CommandError {
    fn from(error: GlobError) -> Self {
        Self::of(Kind::Request, error).hint("write such as `charts: [charts/*]` into .chartflow.yaml, from the top of the repository")
    }
}

impl From<ConfigurationError> for CommandError {
    fn from(error: ConfigurationError) -> Self {
        let hint = error.hint();
        Self::of(Kind::Request, error).hint(hint)
    }
}

impl From<DetectError> for CommandError {
    fn from(error: DetectError) -> Self {
        let (kind, hint) = match &error {
            DetectError::Unrelated { .. } => (Kind::Request, Some("--exact compares the two commits themselves")),
            DetectError::Submodule { .. } => (Kind::Request, Some("put the files themselves into the repository, or the submodule outside the charts")),
            DetectError::Objects { source } => (object_kind(source), object_hint(source)),
            DetectError::Charts { source: DetectionError::DuplicateName { .. } } => {
                (Kind::Request, Some("give one of them another `name` in its Chart.yaml, or remove it"))
            }
            DetectError::Charts { source: DetectionError::Name { .. } } => (Kind::Request, Some("change `name` in its Chart.yaml, and the directory with it")),
            DetectError::Charts { source: DetectionError::Cycle { .. } } => (Kind::Request, Some("move what they share into a chart of its own")),
            DetectError::Charts { source: DetectionError::Incomplete { .. } } => (Kind::Bug, None),
            DetectError::TooMany { .. } => (Kind::Request, Some("name where the charts are under `charts` in .chartflow.yaml")),
            DetectError::Dependencies { .. } => (Kind::Request, Some("mend the Chart.yaml, or leave out --dependents")),
            _ => (Kind::Request, None),
        };
        let error = Self::of(kind, error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

const UNSHALLOW: &str = "fetch what is missing: git fetch --unshallow; in GitHub Actions, give actions/checkout `fetch-depth: 0`";

fn object_kind(error: &ObjectError) -> Kind {
    if matches!(error, ObjectError::Source { .. }) { Kind::Outside } else { Kind::Request }
}

fn object_hint(error: &ObjectError) -> Option<&'static str> {
    match error {
        ObjectError::Shallow { .. } => Some(UNSHALLOW),
        ObjectError::Missing { .. } => Some("if this is a partial clone, fetch what is missing: git fetch --refetch --no-filter; else `git fsck` may say more"),
        ObjectError::Refused { .. } => Some("rename or remove it; charts hold files with UTF-8 names and nothing else"),
        _ => None,
    }
}

static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs the command; a panic becomes a bug report and exit code 70.
pub(crate) fn catch_panics(format: Format, body: impl FnOnce() -> u8) -> u8 {
    panic::set_hook(Box::new(|information| {
        let place = information.location().map_or_else(|| "unknown place".to_owned(), ToString::to_string);
        let text = format!("{} ({place})", panic_text(information.payload()));
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }));
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let text = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        report_bug(&text.unwrap_or_else(|| panic_text(payload.as_ref()).to_owned()), format)
    })
}

fn panic_text(payload: &dyn Any) -> &str {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn report_bug(text: &str, format: Format) -> u8 {
    let message = format!("this is a bug in chartflow {}: {text}", env!("CARGO_PKG_VERSION"));
    let hint = concat!("please report it with the command line at ", env!("CARGO_PKG_REPOSITORY"), "/issues");
    CommandError::new(Kind::Bug, message).hint(hint).report(&Output::plain(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_bugs() {
        assert_eq!(catch_panics(Format::Text, || panic!("caught")), 70);
        assert_eq!(catch_panics(Format::Text, || 3), 3);
        let _ = panic::take_hook();
    }

    #[test]
    fn a_full_disk_is_the_outside_world() {
        assert_eq!(file_kind(&io::ErrorKind::StorageFull.into()), Kind::Outside);
        assert_eq!(file_kind(&io::ErrorKind::PermissionDenied.into()), Kind::Request);
    }

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("{text}")]
        struct Cause {
            text: &'static str,
            source: Option<Box<Cause>>,
        }
        let error = CommandError::new(Kind::Outside, "the push failed")
            .because(Cause { text: "the push failed", source: Some(Box::new(Cause { text: "connection refused", source: None })) });
        assert_eq!(error.causes(), ["connection refused"]);
    }
}
