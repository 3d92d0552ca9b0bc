//! YAML from outside: size-, depth- and alias-limited reading, with the place of every value.
//!
//! Scalars mean what they mean to helm (go-yaml v2, see `resolve`), so one tree serves Chart.yaml, values.yaml and the
//! in-place edits. Types of our own are read with [`read`].

mod build;
mod input;
mod node;
mod resolve;
#[cfg(test)]
mod tests;

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, IgnoredAny};

pub use node::{Node, Position, Style, Value};
pub use resolve::{go_float, plain_text};

/// How much a document may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Sequences and mappings within each other.
    pub depth: usize,
    /// Values, each alias counted with everything it stands for.
    pub nodes: usize,
}

impl Default for Limits {
    /// One MiB, 64 levels, 1,000,000 values.
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 64, nodes: 1_000_000 }
    }
}

impl Limits {
    /// The default limits with another file size, in bytes.
    #[must_use]
    pub fn of_bytes(bytes: usize) -> Self {
        let limits = Self::default();
        Self { bytes, nodes: limits.nodes.max(bytes), ..limits }
    }
}

/// A key that stands more than once in its mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The key, shortened.
    pub key: String,
    /// Where it stands again.
    pub at: Position,
    /// Where it stood first.
    pub first: Position,
}

/// The first document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its value; null when the file holds nothing.
    pub root: Node,
    /// Keys that stand more than once; the last one counts.
    pub duplicates: Vec<Duplicate>,
    /// Whether more documents follow, which helm does not read.
    pub more: bool,
}

/// Why a file cannot be read as YAML. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum YamlError {
    /// The file is too big.
    #[error("{path} has {length} bytes, at most {limit} are read")]
    Size {
        /// The file.
        path: String,
        /// Its bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The file is not text in UTF-8.
    #[error("{path}:{line}:{column}: not UTF-8")]
    Encoding {
        /// The file.
        path: String,
        /// Line of the first bad byte.
        line: u32,
        /// Column of the first bad byte.
        column: u32,
    },
    /// A character that YAML does not allow.
    #[error("{path}:{line}:{column}: the control character {character:?} is not allowed in YAML")]
    Control {
        /// The file.
        path: String,
        /// Its line.
        line: u32,
        /// Its column.
        column: u32,
        /// The character.
        character: char,
    },
    /// The text is not YAML.
    #[error("{path}:{line}:{column}: not YAML: {problem}")]
    Syntax {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The column.
        column: u32,
        /// What the parser says.
        problem: String,
    },
    /// Too many values within each other.
    #[error("{path}:{line}:{column}: more than {limit} values within each other")]
    Depth {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The column.
        column: u32,
        /// The limit.
        limit: usize,
    },
    /// Too many values, mostly through aliases of aliases.
    #[error("{path}:{line}:{column}: with its aliases the document holds more than {limit} values")]
    Expansion {
        /// The file.
        path: String,
        /// The line where the limit is passed.
        line: u32,
        /// The column.
        column: u32,
        /// The limit.
        limit: usize,
    },
    /// An alias inside the value it stands for.
    #[error("{path}:{line}:{column}: an alias stands inside the value it refers to")]
    Cycle {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The column.
        column: u32,
    },
    /// A key twice in one mapping, where that is refused.
    #[error("{path}:{line}:{column}: the key {key:?} stands twice, first on line {first}; remove one of them")]
    Duplicate {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The column.
        column: u32,
        /// The key.
        key: String,
        /// The line where it stands first.
        first: u32,
    },
    /// A value that is not what was asked for.
    #[error("{path}:{line}:{column}: {problem}")]
    Value {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The column.
        column: u32,
        /// What is wrong, as the reader of the type says it.
        problem: String,
    },
}

impl YamlError {
    /// The line, where the error has one.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Size { .. } => None,
            Self::Encoding { line, .. }
            | Self::Control { line, .. }
            | Self::Syntax { line, .. }
            | Self::Depth { line, .. }
            | Self::Expansion { line, .. }
            | Self::Cycle { line, .. }
            | Self::Duplicate { line, .. }
            | Self::Value { line, .. } => Some(*line),
        }
    }
}

/// What to do with a key that stands twice in one mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// Refuse the file.
    Refuse,
    /// Let the last one count, as helm does, and list them.
    Keep,
}

/// Reads the first document of a file; a byte order mark before it is skipped. `path` is for messages only.
///
/// # Errors
/// See [`YamlError`].
pub fn parse(path: &str, bytes: &[u8], limits: &Limits, duplicates: Duplicates) -> Result<Document, YamlError> {
    let document = build::document(path, bytes, limits)?;
    tabs(path, bytes)?;
    match (duplicates, document.duplicates.first()) {
        (Duplicates::Refuse, Some(twice)) => {
            Err(YamlError::Duplicate { path: path.to_owned(), line: twice.at.line, column: twice.at.column, key: twice.key.clone(), first: twice.first.line })
        }
        _ => Ok(document),
    }
}

/// That helm reads the tabs of a file as well. Its parser is a port of libyaml, which follows YAML 1.1 and takes fewer of
/// them (`- <tab>item` is none of its own), and so is the parser asked here; without tabs both read the same.
fn tabs(path: &str, bytes: &[u8]) -> Result<(), YamlError> {
    /// Longer files are those of a repository, such as an index.
    const LIMIT: usize = 1 << 20;
    if bytes.len() > LIMIT || !bytes.contains(&b'\t') {
        return Ok(());
    }
    match serde_yaml::Deserializer::from_slice(without_mark(bytes)).next().map(IgnoredAny::deserialize) {
        Some(Err(error)) => {
            let (line, column, problem) = told(&error);
            let problem = problem.split(" at line ").next().unwrap_or_default();
            Err(YamlError::Syntax { path: path.to_owned(), line, column, problem: format!("{problem}; helm reads no tab here, put spaces in its place") })
        }
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Where and what the reader of types found wrong.
fn told(error: &serde_yaml::Error) -> (u32, u32, String) {
    let (line, column) = error.location().map_or((1, 1), |at| (clamp(at.line()), clamp(at.column())));
    let text = error.to_string();
    let problem = text.rfind(" at line ").map_or(text.as_str(), |end| text.get(..end).unwrap_or(&text)).to_owned();
    (line, column, problem)
}

/// Reads a file of exactly one document as a type. Duplicate keys are refused. `path` is for messages only.
///
/// # Errors
/// See [`YamlError`].
pub fn read<T: DeserializeOwned>(path: &str, bytes: &[u8], limits: &Limits) -> Result<T, YamlError> {
    parse(path, bytes, limits, Duplicates::Refuse)?;
    serde_yaml::from_slice(without_mark(bytes)).map_err(|error| {
        let (line, column, problem) = told(&error);
        YamlError::Value { path: path.to_owned(), line, column, problem }
    })
}

/// The bytes behind a UTF-8 byte order mark.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
