//! The attestation map: an HTML comment with one JSON object from check key to attestation id.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::digest::{DigestError, Sha256};

/// How the comment begins.
const BEGIN: &str = "<!-- chartflow:attestations";
const END: &str = "-->";
/// A map has at most this many keys; more is no map of ours.
const KEY_LIMIT: usize = 1000;

/// The id of an attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttestationId {
    /// GitHub's number, where the statement was posted there.
    Number(u64),
    /// The digest of the signed payload bytes, everywhere else.
    Payload(Sha256),
}

impl fmt::Display for AttestationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Payload(digest) => f.write_str(&digest.prefixed()),
        }
    }
}

impl FromStr for AttestationId {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self::Number).or_else(|_| Sha256::from_prefixed(text).map(Self::Payload))
    }
}

/// A text in JSON too, because numbers above 2^53 do not survive every reader.
impl Serialize for AttestationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AttestationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self::Number(number)),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// Why the comment in a description holds no map.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The comment never ends.
    #[error("the attestation map in the description is not closed by \"-->\"")]
    Open,
    /// The comment holds something else than one JSON object of ids.
    #[error("the attestation map in the description is not a JSON object of attestation ids")]
    Garbled {
        /// The cause.
        source: serde_json::Error,
    },
    /// The object has too many keys.
    #[error("the attestation map in the description has {keys} keys, at most {limit} are allowed")]
    TooLong {
        /// How many there are.
        keys: usize,
        /// The limit.
        limit: usize,
    },
}

/// From check key (`<stage>/<check>`) to attestation id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttestationMap(BTreeMap<String, AttestationId>);

impl AttestationMap {
    /// No attestation yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets the id of a check; an earlier one is replaced.
    pub fn insert(&mut self, key: impl Into<String>, id: AttestationId) -> Option<AttestationId> {
        self.0.insert(key.into(), id)
    }

    /// The id of a check.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&AttestationId> {
        self.0.get(key)
    }

    /// All entries, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttestationId)> {
        self.0.iter().map(|(key, id)| (key.as_str(), id))
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first map in a description; `None` when there is none.
    ///
    /// # Errors
    /// See [`MapError`].
    ///
    /// ```
    /// use chartflow_core::domain::pull::AttestationMap;
    /// let map = AttestationMap::read("Hello\n<!-- chartflow:attestations\n{\"validate/lint\": \"7\"}\n-->").unwrap().unwrap();
    /// assert_eq!(map.get("validate/lint").unwrap().to_string(), "7");
    /// ```
    pub fn read(description: &str) -> Result<Option<Self>, MapError> {
        let Some((range, closed)) = find(description, None) else { return Ok(None) };
        let comment = description.get(range).unwrap_or_default();
        let json = comment.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).filter(|_| closed).ok_or(MapError::Open)?;
        let map: Self = serde_json::from_str(json).map_err(|source| MapError::Garbled { source })?;
        if map.0.len() > KEY_LIMIT {
            return Err(MapError::TooLong { keys: map.0.len(), limit: KEY_LIMIT });
        }
        Ok(Some(map))
    }

    /// The comment. `<` and `>` are escaped in the JSON, so that nothing inside can end it.
    #[must_use]
    pub fn comment(&self) -> String {
        let mut text = format!("{BEGIN}\n{{");
        for (index, (key, id)) in self.0.iter().enumerate() {
            let key = serde_json::Value::from(key.as_str()).to_string().replace('<', "\\u003c").replace('>', "\\u003e");
            text.push_str(&format!("{}\n  {key}: \"{id}\"", if index == 0 { "" } else { "," }));
        }
        text.push_str(if self.0.is_empty() { "}\n" } else { "\n}\n" });
        text.push_str(END);
        text
    }
}

/// Where the first closed map outside `skipped` stands, else the first that is not closed, and whether it is. Of one that
/// is not closed only its beginning is ours: what follows may be somebody's text.
pub(super) fn find(description: &str, skipped: Option<&Range<usize>>) -> Option<(Range<usize>, bool)> {
    let begins = |rest: &str| rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == '{') || rest.starts_with(END);
    let found = || {
        description.match_indices(BEGIN).filter(|(at, _)| skipped.is_none_or(|range| !range.contains(at))).filter_map(|(start, _)| {
            let inner = start + BEGIN.len();
            let rest = description.get(inner..).filter(|rest| begins(rest))?;
            let end = rest.find(END).filter(|end| rest.find("<!--").is_none_or(|other| other > *end));
            Some(end.map_or((start..inner, false), |end| (start..inner + end + END.len(), true)))
        })
    };
    found().find(|(_, closed)| *closed).or_else(|| found().next())
}
