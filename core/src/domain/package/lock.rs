//! Chart.lock: the versions that a chart's dependencies were resolved to (helm `pkg/chart/v2/dependency.go`).

use serde_json::{Value, json};

use super::super::chart::{ChartError, Dependency, decode};
use super::super::yaml::{self, Duplicates, Limits, Node, YamlError};

/// The file in charts of apiVersion v2.
pub const LOCK_FILE: &str = "Chart.lock";
/// Its name in charts of apiVersion v1.
pub const OLD_LOCK_FILE: &str = "requirements.lock";
/// What Go writes for a time that was never set.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// The content of a Chart.lock.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// When it was made, in RFC 3339 as Go writes it.
    pub generated: String,
    /// `sha256:…` of the dependencies wanted and found.
    pub digest: String,
    /// The dependencies with exact versions; `None` where the file has no list.
    pub dependencies: Option<Vec<Dependency>>,
}

/// Why a Chart.lock cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A part of it has the wrong type.
    #[error(transparent)]
    Dependency(#[from] ChartError),
    /// The digest is no text.
    #[error("{path}:{line}: digest is {found}, text is expected")]
    Digest {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// What it is.
        found: &'static str,
    },
    /// The time is not one.
    #[error("{path}:{line}: generated is not a time of the form 2006-01-02T15:04:05Z")]
    Generated {
        /// The file.
        path: String,
        /// The line.
        line: u32,
    },
}

impl Lock {
    /// Reads a Chart.lock or requirements.lock; `None` when it holds nothing. `path` is for messages only.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn read(path: &str, bytes: &[u8]) -> Result<Option<Self>, LockError> {
        let root = yaml::parse(path, bytes, &Limits::default(), Duplicates::Keep)?.root;
        if root.is_null() {
            return Ok(None);
        }
        let mut problems = Vec::new();
        let dependencies = decode(path, &root, &mut problems).dependencies;
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem.into());
        }
        let field = |key: &str| {
            root.entries()
                .iter()
                .find(|(name, value)| name.as_text().is_some_and(|name| name.eq_ignore_ascii_case(key)) && !value.is_null())
                .map(|(_, value)| value)
        };
        let generated = match field("generated") {
            None => NO_TIME.to_owned(),
            Some(node) => node.as_text().and_then(go_time).ok_or_else(|| LockError::Generated { path: path.to_owned(), line: node.at.line })?,
        };
        let wrong = |node: &Node| LockError::Digest { path: path.to_owned(), line: node.at.line, found: node.kind() };
        let digest = field("digest").map_or(Ok(String::new()), |node| node.to_text().ok_or_else(|| wrong(node)))?;
        Ok(Some(Self { generated, digest, dependencies: field("dependencies").map(|_| dependencies) }))
    }

    /// The digest of what is wanted (Chart.yaml, aliases of repositories resolved) and what was found (helm
    /// `internal/resolver/resolver.go`, `HashReq`).
    ///
    /// # Errors
    /// When a dependency cannot be written as JSON.
    pub fn digest_of(wanted: &[Dependency], found: &[Dependency]) -> Result<String, super::super::oci::OciError> {
        let bare = |dependency: &Dependency| Dependency {
            name: dependency.name.clone(),
            version: dependency.version.clone(),
            repository: dependency.repository.clone(),
            ..Dependency::default()
        };
        let found: Vec<Dependency> = found.iter().map(bare).collect();
        let json = super::super::oci::go_json(&[wanted, &found])?;
        Ok(super::super::digest::Sha256::of(json.as_bytes()).prefixed())
    }

    /// The file as helm writes it into a package.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let dependencies = self.dependencies.as_ref().and_then(|list| serde_json::to_value(list).ok()).unwrap_or(Value::Null);
        super::emit::to_yaml(&json!({ "generated": self.generated, "digest": self.digest, "dependencies": dependencies }))
    }
}

/// A time in RFC 3339 as Go's `time.RFC3339Nano` writes it: no trailing zeros in the fraction, `Z` for no offset.
/// `None` when the text is not strictly RFC 3339.
#[must_use]
pub fn go_time(text: &str) -> Option<String> {
    let seconds = text.get(..19)?;
    let mut rest = text.get(19..)?;
    let shape = seconds.bytes().enumerate().all(|(position, byte)| match position {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        fraction = after.get(..digits.min(9))?.trim_end_matches('0');
        rest = after.get(digits..)?;
    }
    let zone = rest == "Z" || (rest.len() == 6 && rest.starts_with(['+', '-']) && rest.get(3..4) == Some(":"));
    let stamp: jiff::Timestamp = format!("{seconds}{rest}").parse().ok()?;
    let valid = shape && zone && stamp.subsec_nanosecond() == 0;
    let offset = if matches!(rest, "+00:00" | "-00:00") { "Z" } else { rest };
    let point = if fraction.is_empty() { "" } else { "." };
    valid.then(|| format!("{seconds}{point}{fraction}{offset}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_helm_s() {
        let alpine = Dependency {
            name: "alpine".to_owned(),
            version: "0.1.0".to_owned(),
            repository: "http://localhost:8879/charts".to_owned(),
            ..Dependency::default()
        };
        let digest = Lock::digest_of(std::slice::from_ref(&alpine), std::slice::from_ref(&alpine)).unwrap();
        assert_eq!(digest, "sha256:fb239e836325c5fa14b29d1540a13b7d3ba13151b67fe719f820e0ef6d66aaaf");
    }
}
