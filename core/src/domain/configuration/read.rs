//! Reading `.chartflow.yaml`.

use globset::GlobBuilder;
use serde_json::Value as Json;

use super::CONFIGURATION_FILE as FILE;
use super::address::{self, Problem};
use super::types::{Configuration, MergeMethod, Packages};
use crate::domain::digest::Sha256;
use crate::domain::mistake::{self, Mistake};
use crate::domain::yaml::{self, Duplicates, Limits, Node, Value, YamlError};

/// Why a configuration cannot be used. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A value is not what its key wants.
    #[error("{FILE}:{line}: {problem}")]
    Value {
        /// The line.
        line: u32,
        /// The keys that lead there, and what is wrong.
        problem: String,
    },
    /// The file was taken for one with a version of its own.
    #[error("{FILE}:{line}: the key {key:?} is unknown: the file has no version of its own")]
    Versioned {
        /// The line.
        line: u32,
        /// The key.
        key: String,
    },
    /// It is YAML, but no mapping.
    #[error("{FILE}:{line}: holds {found} where a mapping is expected")]
    NotAMapping {
        /// The line.
        line: u32,
        /// What it holds.
        found: &'static str,
    },
    /// A key that does not exist.
    #[error("{FILE}:{line}: the key {key:?} is unknown; {hint}")]
    UnknownKey {
        /// The line.
        line: u32,
        /// The key, with the keys it lies in.
        key: String,
        /// The nearest known key, or all of them.
        hint: String,
    },
    /// A glob that is none.
    #[error("{FILE}:{line}: charts: {glob:?} is not a glob of directories below the top of the repository")]
    Glob {
        /// The line.
        line: u32,
        /// The text.
        glob: String,
    },
    /// A value that its key has, and that cannot be used.
    #[error("{FILE}:{line}: {key}: {value} cannot be used, because {reason}; write {instead}")]
    Unusable {
        /// The line.
        line: u32,
        /// The key, with the keys it lies in.
        key: &'static str,
        /// The value.
        value: &'static str,
        /// Why.
        reason: &'static str,
        /// What can be used.
        instead: &'static str,
    },
    /// An address that leads nowhere.
    #[error("{FILE}:{line}: {key} {value:?} {reason}")]
    Address {
        /// The line.
        line: u32,
        /// The key, with the keys it lies in.
        key: String,
        /// The value.
        value: String,
        /// Why it is none, as a clause that follows it.
        reason: &'static str,
    },
    /// The same of the keys about a Sigstore.
    #[error("{FILE}:{line}: {key} cannot be used: {reason}")]
    Sigstore {
        /// The line.
        line: u32,
        /// The key, with the keys it lies in.
        key: String,
        /// Why.
        reason: &'static str,
    },
    /// Two charts in one directory.
    #[error("{FILE}:{line}: directories: {directory} is named for two charts; keep one of them")]
    Directory {
        /// The line of the second.
        line: u32,
        /// The directory.
        directory: String,
    },
}

/// A configuration and the bytes it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadConfiguration {
    /// What it says.
    pub configuration: Configuration,
    /// The file; empty when there is none.
    pub bytes: Vec<u8>,
    /// The SHA-256 of the bytes.
    pub digest: Sha256,
}

impl ReadConfiguration {
    /// Reads a configuration and keeps its bytes; an absent file is an empty one.
    ///
    /// # Errors
    /// See [`ConfigurationError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ConfigurationError> {
        Ok(Self { configuration: Configuration::read(bytes)?, bytes: bytes.to_vec(), digest: Sha256::of(bytes) })
    }
}

impl Default for ReadConfiguration {
    fn default() -> Self {
        Self { configuration: Configuration::default(), bytes: Vec::new(), digest: Sha256::of(b"") }
    }
}

impl ConfigurationError {
    /// What to do about it, beyond what the message says.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Yaml(_) => "mend the line, or the one before it; a colon or a bracket may be missing",
            Self::Versioned { .. } => "take the line out; `versions` says how a release's version is chosen",
            Self::NotAMapping { .. } => "write keys and values, such as `charts: [charts/*]`",
            Self::Glob { .. } => "write such as `charts: [charts/*]`, from the top of the repository",
            Self::Directory { .. } => "under `directories` stands the directory of each chart that is called otherwise: `<chart>: <path>`",
            Self::Value { .. } | Self::UnknownKey { .. } | Self::Address { .. } | Self::Unusable { .. } | Self::Sigstore { .. } => {
                "docs/configuration.md says what each key takes; without the key its default holds"
            }
        }
    }
}

/// The line in a configuration on which a key stands, with the keys it lies in before it, separated by dots. `None` for
/// one that does not stand there, or in a file that cannot be read.
#[must_use]
pub fn line_of(bytes: &[u8], key: &str) -> Option<u32> {
    let root = yaml::parse(FILE, bytes, &Limits::default(), Duplicates::Refuse).ok()?.root;
    key.split('.').try_fold(&root, |node, key| node.get(key)).map(|value| value.at.line)
}

/// What is wrong with a value, with the keys that lead there and in the words of the file.
fn mistyped(root: &Node, error: YamlError) -> ConfigurationError {
    let YamlError::Value { line, problem, .. } = error else { return error.into() };
    // The reader of the type knows neither the key's own line nor all keys.
    match root.to_json(FILE).map(|value| mistake::decode::<Configuration>(&value, Some(root))) {
        Ok(Err(Mistake { line: own, problem })) => ConfigurationError::Value { line: own.unwrap_or(line), problem },
        _ => ConfigurationError::Value { line, problem: mistake::plain(&problem) },
    }
}

impl Configuration {
    /// Reads a configuration; an empty file says what the defaults say.
    ///
    /// # Errors
    /// See [`ConfigurationError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ConfigurationError> {
        let limits = Limits::default();
        let root = yaml::parse(FILE, bytes, &limits, Duplicates::Refuse)?.root;
        if root.is_null() {
            return Ok(Self::default());
        }
        if !matches!(root.value, Value::Mapping(_)) {
            return Err(ConfigurationError::NotAMapping { line: root.at.line, found: root.kind() });
        }
        let schema = schema();
        known(&root, &schema, &schema, "")?;
        let configuration: Self = yaml::read(FILE, bytes, &limits).map_err(|error| mistyped(&root, error))?;
        configuration.validate(&root)?;
        Ok(configuration)
    }

    fn validate(&self, root: &Node) -> Result<(), ConfigurationError> {
        let line = |key: &str, index: usize| root.get(key).and_then(|list| list.items().get(index)).map_or(1, |item| item.at.line);
        for (index, glob) in self.charts.iter().enumerate() {
            let parts = || glob.split('/').all(|part| !matches!(part, "" | "." | ".."));
            if !parts() || GlobBuilder::new(glob).literal_separator(true).build().is_err() {
                return Err(ConfigurationError::Glob { line: line("charts", index), glob: glob.clone() });
            }
        }
        let value = |keys: &[&str]| keys.iter().try_fold(root, |node, key| node.get(key)).map_or(1, |value| value.at.line);
        if self.packages == Packages::Assets && self.index.url.is_some() {
            let reason = "with it the index names the files of the GitHub Releases by their own addresses, and `index.url` would change nothing";
            return Err(ConfigurationError::Unusable { line: value(&["packages"]), key: "packages", value: "assets", reason, instead: "branch" });
        }
        if self.merge.main == MergeMethod::Rebase {
            let reason = "main would get a commit whose content was never released";
            return Err(ConfigurationError::Unusable {
                line: value(&["merge", "main"]),
                key: "merge.main",
                value: "rebase",
                reason,
                instead: "squash or merge",
            });
        }
        if let Some((key, reason)) = self.sigstore.as_ref().and_then(|sigstore| sigstore.problem(self.profile)) {
            let keys = if key == "profile" { vec![key] } else { vec!["sigstore", key] };
            return Err(ConfigurationError::Sigstore { line: value(&keys), key: keys.join("."), reason });
        }
        if let Some(Problem { keys, value: text, reason }) = address::problem(self) {
            return Err(ConfigurationError::Address { line: value(&keys), key: keys.join("."), value: text, reason });
        }
        let mut seen = std::collections::BTreeSet::new();
        for (chart, directory) in &self.directories {
            if !seen.insert(directory) {
                let line = root.get("directories").and_then(|map| map.get(chart.as_str())).map_or(1, |value| value.at.line);
                return Err(ConfigurationError::Directory { line, directory: directory.to_string() });
            }
        }
        Ok(())
    }
}

/// The JSON Schema of the file (draft 2020-12), made from the types.
#[must_use]
pub fn schema() -> Json {
    let mut schema = schemars::schema_for!(Configuration).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), FILE.into());
    }
    schema
}

/// Refuses keys that the schema does not know, wherever they stand.
fn known(node: &Node, schema: &Json, top: &Json, prefix: &str) -> Result<(), ConfigurationError> {
    let schema = resolve(schema, top);
    for item in node.items() {
        if let Some(items) = schema.get("items") {
            known(item, items, top, prefix)?;
        }
    }
    let properties = schema.get("properties").and_then(Json::as_object);
    let others = schema.get("additionalProperties").filter(|others| others.is_object());
    for (name, value) in node.entries() {
        let key = name.to_text().unwrap_or_default();
        let path = format!("{prefix}{key}");
        let next = properties.and_then(|properties| properties.get(&key)).or(others);
        match (next, properties) {
            (Some(next), _) => known(value, next, top, &format!("{path}."))?,
            (None, Some(_)) if prefix.is_empty() && ["version", "apiVersion", "schema"].contains(&key.as_str()) => {
                return Err(ConfigurationError::Versioned { line: name.at.line, key });
            }
            (None, Some(properties)) => {
                let hint = nearest(&key, properties.keys().map(String::as_str));
                return Err(ConfigurationError::UnknownKey { line: name.at.line, key: path, hint });
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// Follows references, and of `anyOf` (an optional value) takes what is not null.
fn resolve<'a>(schema: &'a Json, top: &'a Json) -> &'a Json {
    let mut schema = schema;
    // References of our own types are at most one deep each; the bound only guards against a loop.
    for _ in 0..8 {
        if let Some(next) = schema.get("$ref").and_then(Json::as_str).and_then(|reference| top.pointer(reference.strip_prefix('#')?)) {
            schema = next;
        } else if let Some(next) = schema.get("anyOf").and_then(Json::as_array).and_then(|all| all.iter().find(|one| one.get("type") != Some(&"null".into()))) {
            schema = next;
        } else {
            break;
        }
    }
    schema
}

/// What to write instead of a key: the nearest known one when it is near, otherwise all of them.
pub(crate) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = known.clone().map(|other| (distance(&key.to_lowercase(), &other.to_lowercase()), other)).min();
    match near {
        Some((distance, other)) if distance <= key.chars().count().max(other.chars().count()) / 2 => format!("did you mean {other:?}?"),
        _ => format!("known keys are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The edit distance of two keys (Levenshtein), of which only the beginnings count.
fn distance(one: &str, two: &str) -> usize {
    const LONGEST: usize = 64;
    let two: Vec<char> = two.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.chars().take(LONGEST).enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or_default();
            let left = next.last().copied().unwrap_or_default();
            let diagonal = row.get(j).copied().unwrap_or_default() + usize::from(a != *b);
            next.push(diagonal.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
