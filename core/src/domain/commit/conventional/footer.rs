//! Footers of a commit message (Conventional Commits 1.0.0, rules 8 to 10 and 16).

use serde::{Deserialize, Serialize};

/// One footer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// The token as written, such as `Release-As` or `BREAKING CHANGE`.
    pub token: String,
    /// The value, which may span lines. Behind the separator ` #` it keeps the `#`.
    pub value: String,
}

impl Footer {
    /// Whether this is `BREAKING CHANGE` or its synonym `BREAKING-CHANGE`; these must be upper case.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        matches!(self.token.as_str(), "BREAKING CHANGE" | "BREAKING-CHANGE")
    }
}

/// Token and value of a line that begins a footer.
fn start(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    for token in ["BREAKING CHANGE", "BREAKING-CHANGE"] {
        if let Some(rest) = line.strip_prefix(token)
            && let Some(value) = value(rest)
        {
            return Some((line.get(..token.len())?, value));
        }
    }
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))?;
    let (token, rest) = line.split_at(end);
    (token.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(())?;
    Some((token, value(rest)?))
}

/// What follows the separator `: ` or ` #`; a colon at the end of the line has its value on the next ones.
fn value(rest: &str) -> Option<&str> {
    match rest.strip_prefix(':') {
        Some("") => Some(""),
        Some(value) => value.starts_with([' ', '\t']).then(|| value.trim()),
        None => rest.strip_prefix(' ').filter(|value| value.starts_with('#') && value.len() > 1),
    }
}

/// Footers begin with the first paragraph that begins like one. A breaking change is heard wherever a line begins with
/// it, because a message that forgets the blank line still means it.
pub(super) fn footers(body: &str) -> Vec<Footer> {
    let mut footers: Vec<Footer> = Vec::new();
    let mut after_blank = true;
    for line in body.lines() {
        let begins = start(line).filter(|(token, _)| !footers.is_empty() || after_blank || token.starts_with("BREAKING"));
        if let Some((token, value)) = begins {
            footers.push(Footer { token: token.to_owned(), value: value.to_owned() });
        } else if let Some(last) = footers.last_mut() {
            last.value.push('\n');
            last.value.push_str(line.trim_end());
        }
        after_blank = line.trim().is_empty();
    }
    for footer in &mut footers {
        footer.value = footer.value.trim().to_owned();
    }
    footers
}
