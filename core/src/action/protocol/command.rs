//! Workflow commands: lines `::name key=value,…::data` on standard output.
//!
//! Escapes are those of the runner's `ActionCommand.cs`: in data `%`, CR and LF, in property values `:` and `,` as well.

use std::fmt::Write as _;

/// GitHub cuts longer messages of annotations ("Workflow commands", runner `IssueMatcher`/annotations: 4096 characters).
pub const MESSAGE_LIMIT: usize = 4096;

/// Text behind the second `::`.
#[must_use]
pub fn escape_data(text: &str) -> String {
    escape(text, false)
}

/// The value of a property.
#[must_use]
pub fn escape_property(text: &str) -> String {
    escape(text, true)
}

fn escape(text: &str, property: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            ':' if property => escaped.push_str("%3A"),
            ',' if property => escaped.push_str("%2C"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// One command as a line, without its line end. Properties without a value are left out, and blanks around a value do
/// not count: the runner reads neither.
#[must_use]
pub fn command(name: &str, properties: &[(&str, &str)], data: &str) -> String {
    let mut line = format!("::{name}");
    let mut separator = ' ';
    for (key, value) in properties.iter().map(|(key, value)| (key, value.trim())).filter(|(_, value)| !value.is_empty()) {
        // Writing to a String cannot fail.
        let _ = write!(line, "{separator}{key}={}", escape_property(value));
        separator = ',';
    }
    line.push_str("::");
    line.push_str(&escape_data(data));
    line
}

/// How much an annotation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Grey.
    Notice,
}

impl Level {
    /// The command's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// A remark that GitHub shows on the run and, where a file is named, on its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How much it weighs.
    pub level: Level,
    /// A few words above the message.
    pub title: String,
    /// What is wrong and what to do; at most [`MESSAGE_LIMIT`] characters are shown.
    pub message: String,
    /// The file, from the top of the repository.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
}

impl Annotation {
    /// The annotation as a command.
    #[must_use]
    pub fn command(&self) -> String {
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        let file = self.file.as_deref().unwrap_or_default();
        // Without a file the runner has no use for a line.
        let line = if file.is_empty() { "" } else { line.as_str() };
        let message: String = if self.message.chars().count() > MESSAGE_LIMIT {
            self.message.chars().take(MESSAGE_LIMIT - 1).chain(['…']).collect()
        } else {
            self.message.clone()
        };
        command(self.level.as_str(), &[("file", file), ("line", line), ("title", &self.title)], &message)
    }
}

/// The parts of a secret that have to be masked: the runner compares line by line, so each line of it. Frames of PEM
/// texts say nothing, and a mask of less than four characters would blacken what others print.
#[must_use]
pub fn maskable(secret: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    for line in secret.split(['\r', '\n']).map(str::trim) {
        let frame = line.starts_with("-----") && line.ends_with("-----");
        if line.chars().count() >= 4 && !frame && !parts.contains(&line) {
            parts.push(line);
        }
    }
    parts
}

/// Whether the runner could take a line of a text for a command, in its present or its old form (`##[error]`).
#[must_use]
pub fn has_commands(text: &str) -> bool {
    text.contains("::") || text.contains("##[")
}

/// Text from outside, so that none of its lines is a command: the runner is told to stop reading commands until it
/// sees the token again.
///
/// `token` must be unguessable; a text that nevertheless holds it is refused with `None`.
#[must_use]
pub fn quoted(text: &str, token: &str) -> Option<String> {
    if text.contains(token) {
        return None;
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Some(format!("::stop-commands::{token}\n{text}{end}::{token}::\n"))
}
