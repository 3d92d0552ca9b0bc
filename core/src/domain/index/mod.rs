//! The index of a Helm repository, `index.yaml` (helm `pkg/repo/v1/index.go`).
//!
//! An index of thousands of versions gains one at a time, so [`add`] puts the new lines into the existing text and
//! touches nothing else but `generated`; only an index that has no lines of its own (JSON, braces) is written anew.

mod check;
mod graft;
mod parse;
mod splice;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::Version;
use serde_json::{Value, json};

pub use check::{Finding, IndexedPackage, RULES, check};

use super::chart::{ChartError, Metadata, version::lenient};
use super::digest::Sha256;
use super::package::emit::to_yaml;
use super::yaml::{YamlError, without_mark};

/// The largest index that is read, in bytes.
pub const INDEX_LIMIT: usize = 64 << 20;

/// Why an index cannot be read or extended. Lines count from 1.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It is not YAML, or too much of it.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A chart's description in it is wrong.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A key that helm, which reads indexes strictly, refuses.
    #[error("the index:{line}: {key:?} is no key of an index; helm refuses the whole file")]
    UnknownKey {
        /// The line.
        line: u32,
        /// The key.
        key: String,
    },
    /// A value of the wrong type.
    #[error("the index:{line}: {key} is {found}, {expected} is expected")]
    Type {
        /// The line.
        line: u32,
        /// The key.
        key: &'static str,
        /// What it is.
        found: &'static str,
        /// What is expected.
        expected: &'static str,
    },
    /// The index names no apiVersion, which helm asks for.
    #[error("the index names no apiVersion")]
    NoApiVersion,
    /// The version to add is not one.
    #[error("{version:?} of chart {name} is not a version")]
    Version {
        /// The chart.
        name: String,
        /// The text.
        version: String,
    },
    /// The version is there with other content: what was published does not change.
    #[error("the index already lists {name} {version} with digest {listed}, not {new}")]
    Digest {
        /// The chart.
        name: String,
        /// The version.
        version: String,
        /// The digest in the index; may be empty.
        listed: String,
        /// The digest to add.
        new: Sha256,
    },
    /// The time to add is beyond the calendar.
    #[error("{created} is no time")]
    Created {
        /// Seconds since 1970.
        created: i64,
    },
}

/// A version to list.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// The chart's description, as read from the package.
    pub metadata: Metadata,
    /// The package's digest.
    pub digest: Sha256,
    /// Where the package can be had, relative to the index or absolute.
    pub urls: Vec<String>,
    /// When it was created, in seconds since 1970-01-01T00:00:00Z.
    pub created: i64,
}

/// A version in an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The chart's description.
    pub metadata: Metadata,
    /// Where the package can be had; `None` where the entry has no list.
    pub urls: Option<Vec<String>>,
    /// When it was created, RFC 3339.
    pub created: Option<String>,
    /// Whether it was withdrawn.
    pub removed: bool,
    /// The package's SHA-256 in hexadecimal digits; may be empty.
    pub digest: String,
    /// Keys of Helm 2 that helm still accepts (`checksum`, `engine`, `tillerVersion`, `url`).
    pub legacy: BTreeMap<&'static str, String>,
}

impl Entry {
    fn new(entry: &NewEntry) -> Result<Self, IndexError> {
        let NewEntry { metadata, digest, urls, created } = entry;
        if lenient(&metadata.version).is_none() {
            return Err(IndexError::Version { name: metadata.name.clone(), version: metadata.version.clone() });
        }
        let created = Timestamp::from_second(*created).map_err(|_| IndexError::Created { created: *created })?.to_string();
        let metadata = metadata.clone();
        Ok(Self { metadata, urls: Some(urls.clone()), created: Some(created), removed: false, digest: digest.to_string(), legacy: BTreeMap::new() })
    }

    fn to_json(&self) -> Value {
        let mut value = serde_json::to_value(&self.metadata).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("urls".to_owned(), json!(self.urls));
            object.insert("created".to_owned(), json!(self.created.as_deref().unwrap_or("0001-01-01T00:00:00Z")));
            if self.removed {
                object.insert("removed".to_owned(), json!(true));
            }
            if !self.digest.is_empty() {
                object.insert("digest".to_owned(), json!(self.digest));
            }
            for (key, value) in &self.legacy {
                object.insert((*key).to_owned(), json!(value));
            }
        }
        value
    }
}

/// A whole index.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// `v1`.
    pub api_version: String,
    /// When it was made, RFC 3339.
    pub generated: Option<String>,
    /// The versions of each chart in the order in which they are listed.
    pub entries: BTreeMap<String, Vec<Entry>>,
    /// `annotations`, `publicKeys` and `serverInfo`, as they are.
    pub other: serde_json::Map<String, Value>,
}

impl Default for Index {
    fn default() -> Self {
        Self { api_version: "v1".to_owned(), generated: None, entries: BTreeMap::new(), other: serde_json::Map::new() }
    }
}

impl Index {
    /// Reads an index as strictly as helm: keys that helm does not know are refused.
    ///
    /// # Errors
    /// See [`IndexError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, IndexError> {
        parse::index(&parse::tree(bytes)?)
    }

    /// The newest version of a chart that was not withdrawn; `None` where there is none that is semantic.
    #[must_use]
    pub fn newest(&self, chart: &str) -> Option<Version> {
        let entries = self.entries.get(chart)?.iter().filter(|entry| !entry.removed);
        entries.filter_map(|entry| lenient(&entry.metadata.version)).max_by(Version::cmp_precedence)
    }

    /// The index as helm writes it, versions in the order they have.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let entries: serde_json::Map<String, Value> =
            self.entries.iter().map(|(name, versions)| (name.clone(), versions.iter().map(Entry::to_json).collect())).collect();
        let mut value = json!({ "apiVersion": self.api_version, "entries": entries });
        if let Some(object) = value.as_object_mut() {
            object.insert("generated".to_owned(), json!(self.generated.as_deref().unwrap_or("0001-01-01T00:00:00Z")));
            object.extend(self.other.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        to_yaml(&value)
    }
}

/// An index with one more version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extended {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it had to be written anew, because it has no lines between which a version could be put: JSON, YAML in
    /// braces. What it says is kept; comments and layout are not.
    pub rewritten: bool,
}

/// The bytes of [`extend`].
///
/// # Errors
/// See [`IndexError`].
pub fn add(index: Option<&[u8]>, entry: &NewEntry) -> Result<Vec<u8>, IndexError> {
    extend(index, entry).map(|extended| extended.bytes)
}

/// Lists one more version. Versions stand in descending order, nothing that is there is changed or left out, and
/// `generated` becomes the time of the newest entry. A version that is there with the same digest leaves the bytes as
/// they are. Without an index a new one begins.
///
/// # Errors
/// See [`IndexError`].
pub fn extend(index: Option<&[u8]>, entry: &NewEntry) -> Result<Extended, IndexError> {
    let new = Entry::new(entry)?;
    let kept = |bytes: Vec<u8>| Ok(Extended { bytes, rewritten: false });
    let existing = index.filter(|bytes| !bytes.trim_ascii().is_empty());
    let text = existing.and_then(|bytes| std::str::from_utf8(bytes).ok());
    if let Some(outcome) = text.and_then(|text| splice::add(text, &new, &entry.digest)) {
        return outcome.and_then(kept);
    }
    let root = existing.map(|bytes| parse::tree(without_mark(bytes))).transpose()?;
    let mut whole = root.as_ref().map_or_else(|| Ok(Index::default()), parse::index)?;
    let versions = whole.entries.entry(new.metadata.name.clone()).or_default();
    let Some(position) = place(versions, &new, &entry.digest)? else { return kept(existing.unwrap_or_default().to_vec()) };
    versions.insert(position, new.clone());
    whole.generated = newest(whole.entries.values().flatten().filter_map(|entry| entry.created.as_deref()));
    if let Some(bytes) = text.zip(root.as_ref()).and_then(|(text, root)| graft::add(text, root, &new, position, &whole)) {
        return kept(bytes);
    }
    Ok(Extended { bytes: whole.to_yaml().into_bytes(), rewritten: existing.is_some() })
}

/// The highest version of a chart that an index lists; versions that are none are passed over.
///
/// # Errors
/// See [`IndexError`].
pub fn highest_version(index: &[u8], chart: &str) -> Result<Option<Version>, IndexError> {
    let highest = |entries: &[Entry]| entries.iter().filter_map(|entry| lenient(&entry.metadata.version)).max_by(Version::cmp_precedence);
    if index.trim_ascii().is_empty() {
        return Ok(None);
    }
    if let Some(entries) = std::str::from_utf8(index).ok().and_then(|text| splice::entries(text, chart)) {
        return Ok(highest(&entries));
    }
    Ok(Index::parse(index)?.entries.get(chart).and_then(|entries| highest(entries)))
}

/// How helm orders two versions: what is no version comes before all others.
fn order(one: &str, other: &str) -> Ordering {
    match (lenient(one), lenient(other)) {
        (Some(one), Some(other)) => one.cmp_precedence(&other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

/// Where a version belongs among those listed, `None` when it is there already.
fn place(listed: &[Entry], new: &Entry, digest: &Sha256) -> Result<Option<usize>, IndexError> {
    if let Some(same) = listed.iter().find(|entry| entry.metadata.version == new.metadata.version) {
        // Helm 2 wrote the algorithm before the digest.
        if same.digest.strip_prefix("sha256:").unwrap_or(&same.digest) == new.digest {
            return Ok(None);
        }
        let (name, version) = (new.metadata.name.clone(), new.metadata.version.clone());
        return Err(IndexError::Digest { name, version, listed: same.digest.clone(), new: *digest });
    }
    let lower = |entry: &Entry| order(&entry.metadata.version, &new.metadata.version) == Ordering::Less;
    Ok(Some(listed.iter().position(lower).unwrap_or(listed.len())))
}

/// The latest of some times, as it is written.
fn newest<'a>(times: impl Iterator<Item = &'a str>) -> Option<String> {
    times.filter_map(|text| Some((text.parse::<Timestamp>().ok()?, text))).max_by_key(|(time, _)| *time).map(|(_, text)| text.to_owned())
}
