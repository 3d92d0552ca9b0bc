//! What goes to standard output and standard error, and in which form.
//!
//! Standard output holds the result and nothing else. A reader that goes away (`chartflow … | head`) is no error.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};

use chartflow_core::domain::visible::visible;
use clap::ValueEnum;
use serde::Serialize;

use crate::error::{CommandError, Kind};
use crate::options::{GlobalOptions, colored};

/// The forms of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// One line for the matrix of a workflow, `{"include":[{"chart":…,"path":…},…]}`: `chartflow detect` alone.
    Matrix,
}

/// How the parts of a message are emphasised.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// The word before a failure.
    Error,
    /// The word before advice.
    Hint,
    /// The word before a notice.
    Notice,
    /// Something that went well.
    Good,
    /// Something that a person does.
    Person,
    /// Something that matters little.
    Faint,
}

/// Where a command prints.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    verbose: u8,
    color_errors: bool,
    terminal_errors: bool,
}

impl Output {
    /// As the options say.
    pub(crate) fn new(options: &GlobalOptions) -> Self {
        let variable = |name| std::env::var_os(name);
        let color_errors = colored(options.color, io::stderr().is_terminal(), variable("NO_COLOR").as_deref(), variable("TERM").as_deref());
        Self { format: options.format, quiet: options.quiet, verbose: options.verbose, color_errors, terminal_errors: io::stderr().is_terminal() }
    }

    /// Without colours, for what goes wrong before or outside any command.
    pub(crate) fn plain(format: Format) -> Self {
        Self { format, quiet: false, verbose: 0, color_errors: false, terminal_errors: false }
    }

    /// The form of the result.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Prints the result for people, escaped line by line. It is the only thing a command prints to standard output.
    pub(crate) fn text(&self, text: &str) -> Result<(), CommandError> {
        write_result(escape(text).as_bytes())
    }

    /// Prints the result as one JSON document.
    pub(crate) fn document<T: Serialize>(&self, value: &T) -> Result<(), CommandError> {
        self.json(serde_json::to_string_pretty(value))
    }

    /// Prints the result as one line of JSON.
    pub(crate) fn json_line<T: Serialize>(&self, value: &T) -> Result<(), CommandError> {
        self.json(serde_json::to_string(value))
    }

    fn json(&self, text: serde_json::Result<String>) -> Result<(), CommandError> {
        let mut text = text.map_err(|source| CommandError::new(Kind::Bug, "the result cannot be written as JSON").because(source))?;
        text.push('\n');
        write_result(text.as_bytes())
    }

    /// Says something beside the result on standard error, unless `--quiet`.
    pub(crate) fn notice(&self, text: &str) {
        if !self.quiet {
            self.say(Style::Notice, "notice", text);
        }
    }

    /// Says on standard error what only `--verbose` asks for.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose > 0 {
            write_error(&format!("{}\n", escape(text)));
        }
    }

    /// Whether somebody watches standard error.
    pub(crate) fn watched(&self) -> bool {
        self.terminal_errors
    }

    /// Whether to tell how a long command gets on: not with `--quiet`, and in a program's pipe only with `--verbose`.
    pub(crate) fn tells_progress(&self) -> bool {
        !self.quiet && (self.format == Format::Text || self.verbose > 0)
    }

    /// A line of progress on standard error: the label and the mark are emphasised.
    pub(crate) fn progress(&self, style: Style, label: &str, mark: &str, text: &str) {
        let (label, mark) = (escape(label), escape(mark));
        write_error(&format!("{} {} {}\n", self.styled(style, &label), self.styled(style, &mark), escape(text)));
    }

    /// A word, a colon and a text on standard error.
    pub(crate) fn say(&self, style: Style, word: &str, text: &str) {
        write_error(&format!("{}: {}\n", self.styled(style, word), escape(text)));
    }

    fn styled<'a>(&self, style: Style, word: &'a str) -> Cow<'a, str> {
        let code = match style {
            Style::Error => "1;31",
            Style::Hint => "36",
            Style::Notice => "33",
            Style::Good => "32",
            Style::Person => "1;35",
            Style::Faint => "2",
        };
        if self.color_errors { Cow::Owned(format!("\u{1b}[{code}m{word}\u{1b}[0m")) } else { Cow::Borrowed(word) }
    }
}

/// Writes to standard output; a closed pipe is quiet.
pub(crate) fn write_result(bytes: &[u8]) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::new(Kind::Outside, "the result cannot be written to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Writes to standard error. That it cannot be written can be told nobody, so the failure is dropped.
pub(crate) fn write_error(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Makes text from outside safe to print: control characters other than line feed and tab, and the characters that
/// reorder or hide text on a terminal, become visible escapes.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    visible(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_reaches_the_terminal_raw() {
        insta::assert_snapshot!(escape("plain\n\tünïcode ✓"), @"
        plain
        	ünïcode ✓
        ");
        insta::assert_snapshot!(escape("\u{1b}[31mred\u{7}\r\u{9b}\u{202e}\u{feff}"), @r"\u{1b}[31mred\u{7}\u{d}\u{9b}\u{202e}\u{feff}");
    }
}
