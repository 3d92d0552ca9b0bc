//! Edits of a Chart.yaml that keep every other byte.
//!
//! An edit replaces the bytes of one value, or adds one entry, and is then proved: two independent parsers read the file
//! before and after, and nothing but the value asked for may differ. What cannot be edited that way is refused.

mod annotation;
mod prove;
#[cfg(test)]
mod tests;

use std::ops::Range;

use semver::Version;

pub use annotation::set_changes_annotation;

use super::CHART_FILE;
use crate::domain::yaml::{self, Duplicates, Limits, Node, Style, Value, YamlError};
use prove::{Step, prove};

/// Why a file was not edited. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The file is not YAML, or a key stands twice.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The file holds no mapping.
    #[error("{CHART_FILE}: holds {found} where a mapping is expected")]
    NotAMapping {
        /// What it holds.
        found: &'static str,
    },
    /// The value is not there.
    #[error("{CHART_FILE}: {key} is missing")]
    Missing {
        /// The key, with the keys it lies in.
        key: String,
    },
    /// Several values could be meant.
    #[error("{CHART_FILE}:{line}: {key} stands more than once")]
    Ambiguous {
        /// The line of the second.
        line: u32,
        /// The key.
        key: String,
    },
    /// The value is an alias or carries an anchor: changing it would change another value.
    #[error("{CHART_FILE}:{line}: {key} shares its value with another key through an anchor; write the value out")]
    Shared {
        /// The line.
        line: u32,
        /// The key.
        key: String,
    },
    /// The value is written in a way that is not edited.
    #[error("{CHART_FILE}:{line}: {key} is {problem}; write it on the key's line, plain or in quotes")]
    Form {
        /// The line.
        line: u32,
        /// The key.
        key: String,
        /// How it is written.
        problem: &'static str,
    },
    /// The new value cannot be written into the file.
    #[error("the new value {value:?} of {key} cannot be written in YAML")]
    NewValue {
        /// The key.
        key: String,
        /// The value, shortened.
        value: String,
    },
    /// Reading the edited file again did not give what was asked for.
    #[error("{CHART_FILE}: {key} cannot be changed without changing something else ({problem})")]
    Unproved {
        /// The key.
        key: String,
        /// What differed.
        problem: &'static str,
    },
}

/// The bytes that `version` takes in the file, quotes included.
///
/// # Errors
/// As [`set_version`].
pub fn version_span(bytes: &[u8]) -> Result<Range<usize>, EditError> {
    let root = root(bytes)?;
    Ok(scalar(bytes, only(&root, "version")?.1, "version")?.span.clone())
}

/// Writes another `version`, in the quotes it has.
///
/// # Errors
/// See [`EditError`]; the file is then unchanged.
pub fn set_version(bytes: &[u8], version: &Version) -> Result<Vec<u8>, EditError> {
    let root = root(bytes)?;
    let (key, value) = only(&root, "version")?;
    let steps = [Step::Key(key.as_text().unwrap_or_default())];
    replace(bytes, value, "version", &version.to_string(), &steps)
}

/// Writes another version (or range) of the dependency with this name and alias, in the quotes it has. Works for a
/// requirements.yaml as well.
///
/// # Errors
/// See [`EditError`]; the file is then unchanged.
pub fn set_dependency_version(bytes: &[u8], name: &str, alias: Option<&str>, version: &str) -> Result<Vec<u8>, EditError> {
    let root = root(bytes)?;
    let label = format!("dependency {:?}", alias.unwrap_or(name));
    let (list_key, list) = only(&root, "dependencies")?;
    let text = |item: &Node, key: &str| only(item, key).ok().and_then(|(_, value)| value.to_text());
    let mut found = list
        .items()
        .iter()
        .enumerate()
        .filter(|(_, item)| text(item, "name").as_deref() == Some(name) && text(item, "alias").as_deref().filter(|alias| !alias.is_empty()) == alias);
    let (index, item) = found.next().ok_or_else(|| EditError::Missing { key: label.clone() })?;
    if let Some((_, second)) = found.next() {
        return Err(EditError::Ambiguous { line: second.at.line, key: label });
    }
    let key_label = format!("version of {label}");
    if list.shared || item.shared {
        return Err(EditError::Shared { line: item.at.line, key: key_label });
    }
    let (key, value) = only(item, "version")
        .map_err(|error| if matches!(error, EditError::Missing { .. }) { EditError::Missing { key: key_label.clone() } } else { error })?;
    let steps = [Step::Key(list_key.as_text().unwrap_or_default()), Step::Index(index), Step::Key(key.as_text().unwrap_or_default())];
    replace(bytes, value, &key_label, version, &steps)
}

fn root(bytes: &[u8]) -> Result<Node, EditError> {
    let root = yaml::parse(CHART_FILE, bytes, &Limits::default(), Duplicates::Refuse)?.root;
    if !matches!(root.value, Value::Mapping(_)) {
        return Err(EditError::NotAMapping { found: root.kind() });
    }
    Ok(root)
}

/// The one entry that helm would read for a key: it does not mind upper and lower case.
fn only<'a>(mapping: &'a Node, key: &str) -> Result<(&'a Node, &'a Node), EditError> {
    let mut found = mapping.entries().iter().filter(|(name, _)| name.as_text().is_some_and(|name| name.eq_ignore_ascii_case(key)));
    let (name, value) = found.next().ok_or_else(|| EditError::Missing { key: key.to_owned() })?;
    if let Some((second, _)) = found.next() {
        return Err(EditError::Ambiguous { line: second.at.line, key: key.to_owned() });
    }
    Ok((name, value))
}

/// A scalar that stands on one line and belongs to its key alone.
fn scalar<'a>(bytes: &[u8], value: &'a Node, key: &str) -> Result<&'a Node, EditError> {
    let form = |problem| EditError::Form { line: value.at.line, key: key.to_owned(), problem };
    if value.shared {
        return Err(EditError::Shared { line: value.at.line, key: key.to_owned() });
    }
    let written = bytes.get(value.span.clone()).unwrap_or_default();
    let quoted = |quote: u8| written.len() >= 2 && written.first() == Some(&quote) && written.last() == Some(&quote);
    match value.style {
        _ if value.tagged => Err(form("tagged")),
        Style::Block => Err(form("written as a block")),
        _ if written.contains(&b'\n') || written.contains(&b'\r') => Err(form("written over several lines")),
        Style::Plain if value.is_null() => Err(form("empty")),
        Style::Plain if value.written().map(str::as_bytes) == Some(written) => Ok(value),
        Style::SingleQuoted if quoted(b'\'') => Ok(value),
        Style::DoubleQuoted if quoted(b'"') => Ok(value),
        Style::Collection => Err(form("a list or mapping")),
        Style::Plain | Style::SingleQuoted | Style::DoubleQuoted => Err(form("written in an unusual way")),
    }
}

fn replace(bytes: &[u8], value: &Node, key: &str, text: &str, steps: &[Step<'_>]) -> Result<Vec<u8>, EditError> {
    let value = scalar(bytes, value, key)?;
    let refused = || EditError::NewValue { key: key.to_owned(), value: text.chars().take(80).collect() };
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(refused());
    }
    let written = match value.style {
        Style::SingleQuoted => format!("'{}'", text.replace('\'', "''")),
        Style::Plain if yaml::plain_text(text) => text.to_owned(),
        _ => double_quoted(text),
    };
    let edited = splice(bytes, &value.span, written.as_bytes());
    prove(bytes, &edited, key, steps, text)?;
    Ok(edited)
}

/// A double-quoted scalar: JSON's strings are YAML's.
fn double_quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn splice(bytes: &[u8], span: &Range<usize>, new: &[u8]) -> Vec<u8> {
    let before = bytes.get(..span.start).unwrap_or(bytes);
    let after = bytes.get(span.end..).unwrap_or_default();
    [before, new, after].concat()
}
