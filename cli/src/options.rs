//! The options every command knows.

use std::ffi::{OsStr, OsString};

use clap::{ArgAction, Args, ColorChoice, ValueEnum};

use crate::error::{CommandError, Kind};
use crate::output::Format;

/// When to colour what goes to a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb.
    Auto,
    /// Even into a file or pipe.
    Always,
    /// Not at all.
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Options that stand before or behind any command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// How to print the result: `json` is exactly one document on standard output, everything else goes to standard error.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Leave out notices and progress; errors stay.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more; may be repeated.
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
}

impl GlobalOptions {
    /// Refuses a format that the command does not print.
    pub(crate) fn check(&self, prints_matrix: bool) -> Result<(), CommandError> {
        if self.format == Format::Matrix && !prints_matrix {
            return Err(CommandError::new(Kind::Request, "this command does not print a matrix")
                .hint("use --format text or --format json; only `chartflow detect` prints a matrix"));
        }
        Ok(())
    }
}

/// The format and colour asked for, found without parsing, so that a usage error can already be printed as asked for.
pub(crate) fn peek(raw: &[OsString]) -> (Format, Color) {
    let value = |name: &str| {
        let mut arguments = raw.iter().skip(1).take_while(|argument| *argument != "--");
        let mut found = None;
        while let Some(argument) = arguments.next() {
            if argument == name {
                found = arguments.next().and_then(|value| value.to_str());
            } else if let Some(rest) = argument.to_str().and_then(|text| text.strip_prefix(name)) {
                found = rest.strip_prefix('=').or(found);
            }
        }
        found
    };
    let format = value("--format").and_then(|text| Format::from_str(text, false).ok()).unwrap_or(Format::Text);
    let color = value("--color").and_then(|text| Color::from_str(text, false).ok()).unwrap_or(Color::Auto);
    (format, color)
}

/// Whether to colour a stream (<https://no-color.org>: set and not empty).
pub(crate) fn colored(color: Color, terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_found_before_parsing() {
        let check = |arguments: &[&str]| peek(&std::iter::once("chartflow").chain(arguments.iter().copied()).map(OsString::from).collect::<Vec<_>>());
        assert_eq!(check(&["detect", "--format", "json"]), (Format::Json, Color::Auto));
        assert_eq!(check(&["--format=json", "--color=never", "nonsense"]), (Format::Json, Color::Never));
        assert_eq!(check(&["detect", "--format", "text", "--format=json"]).0, Format::Json);
        assert_eq!(check(&["detect", "--", "--format", "json"]).0, Format::Text);
        assert_eq!(check(&["--format", "nonsense"]).0, Format::Text);
        assert_eq!(check(&["--format"]).0, Format::Text);
    }

    #[test]
    fn colours() {
        let some = |text: &'static str| Some(OsStr::new(text));
        assert!(colored(Color::Auto, true, None, some("xterm")));
        assert!(colored(Color::Auto, true, some(""), None));
        assert!(!colored(Color::Auto, true, some("1"), None));
        assert!(!colored(Color::Auto, true, None, some("dumb")));
        assert!(!colored(Color::Auto, false, None, None));
        assert!(colored(Color::Always, false, some("1"), None));
        assert!(!colored(Color::Never, true, None, None));
    }
}
