//! What a chart and its lineage are in an OCI registry (helm `pkg/registry`; OCI image and distribution specifications
//! 1.1). All bytes are deterministic, so the manifest's digest is known, and can be signed, before anything is pushed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chart::Metadata;
use super::digest::Sha256;

/// An image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The configuration `{}` of artifacts that have none.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The configuration of a chart: its description as JSON (helm `pkg/registry/constants.go`).
pub const CHART_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// The layer of a chart: the package.
pub const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// A Sigstore bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// A whole lineage: one Sigstore bundle a line.
pub const LINEAGE: &str = "application/vnd.chartflow.lineage.v1+jsonl";

const CREATED: &str = "org.opencontainers.image.created";
const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";

/// Why a chart cannot be put into a registry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// The version does not fit into a tag (distribution specification: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`).
    #[error("version {version:?} cannot be the tag of an OCI artifact")]
    Tag {
        /// The version.
        version: String,
    },
    /// A time beyond the calendar.
    #[error("{epoch} is no time")]
    Time {
        /// Seconds since 1970.
        epoch: i64,
    },
    /// What the fallback tag holds is no image index.
    #[error("what the tag of the referrers holds is no image index")]
    Index {
        /// The cause, where it is not even JSON.
        source: Option<serde_json::Error>,
    },
    /// A value that JSON cannot hold.
    #[error("the manifest cannot be written")]
    Write {
        /// The cause.
        source: serde_json::Error,
    },
}

/// A content descriptor (OCI image specification, `descriptor.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// `sha256:…` of the content.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// What kind of artifact the content is (referrers only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The descriptor of some bytes.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        let digest = Sha256::of(bytes).prefixed();
        Self { media_type: media_type.to_owned(), digest, size: bytes.len() as u64, artifact_type: None, annotations: BTreeMap::new() }
    }
}

/// Bytes to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Their media type.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Sha256,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: Sha256::of(&bytes), bytes }
    }

    /// How a manifest names them.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type, &self.bytes)
    }
}

/// A chart in a registry. The blobs are pushed first, then the manifest under the tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartArtifact {
    /// The tag, from the version.
    pub tag: String,
    /// The description.
    pub config: Blob,
    /// The digest of the package, which is the one layer.
    pub package: Sha256,
    /// The manifest, of media type [`MANIFEST`] although it does not say so itself, as helm's.
    pub manifest: Blob,
}

/// An artifact that refers to another one. The blobs are pushed first, then the manifest by its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// `{}`.
    pub config: Blob,
    /// The content.
    pub layer: Blob,
    /// The manifest.
    pub manifest: Blob,
    /// How the list of referrers names the manifest.
    pub descriptor: Descriptor,
}

/// The tag of a version: every `+`, which tags cannot hold, becomes `_`.
///
/// # Errors
/// [`OciError::Tag`].
pub fn tag(version: &str) -> Result<String, OciError> {
    let tag = version.replace('+', "_");
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let valid = tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'));
    if valid { Ok(tag) } else { Err(OciError::Tag { version: version.to_owned() }) }
}

/// The version behind a tag, the other way round.
#[must_use]
pub fn version_of_tag(tag: &str) -> String {
    tag.replace('_', "+")
}

/// The chart as helm would push it, with `created`, in seconds since 1970-01-01T00:00:00Z, in place of a file's time.
///
/// # Errors
/// See [`OciError`].
pub fn chart_artifact(metadata: &Metadata, package: &[u8], created: i64) -> Result<ChartArtifact, OciError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Manifest<'a> {
        schema_version: u8,
        config: Descriptor,
        layers: [Descriptor; 1],
        annotations: &'a BTreeMap<String, String>,
    }
    let mut sorted = metadata.clone();
    // Go sorts the keys of the only free-form mappings in a chart's description.
    sorted.dependencies.iter_mut().flat_map(|dependency| &mut dependency.import_values).for_each(Value::sort_all_objects);
    let config = Blob::new(CHART_CONFIG, go_json(&sorted)?.into_bytes());
    let layer = Descriptor::of(CHART_LAYER, package);
    let annotations = chart_annotations(metadata, &time(created)?);
    let manifest = Manifest { schema_version: 2, config: config.descriptor(), layers: [layer], annotations: &annotations };
    let manifest = Blob::new(MANIFEST, go_json(&manifest)?.into_bytes());
    Ok(ChartArtifact { tag: tag(&metadata.version)?, config, package: Sha256::of(package), manifest })
}

/// Helm's annotations of a chart's manifest: its own, those of the chart in their place except for title and version.
fn chart_annotations(metadata: &Metadata, created: &str) -> BTreeMap<String, String> {
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .map(|maintainer| if maintainer.email.is_empty() { maintainer.name.clone() } else { format!("{} ({})", maintainer.name, maintainer.email) })
        .collect();
    let own = [
        ("org.opencontainers.image.description", metadata.description.as_str()),
        (TITLE, &metadata.name),
        (VERSION, &metadata.version),
        ("org.opencontainers.image.url", &metadata.home),
        (CREATED, created),
        ("org.opencontainers.image.source", metadata.sources.first().map_or("", String::as_str)),
        ("org.opencontainers.image.authors", &authors.join(", ")),
    ];
    let mut annotations: BTreeMap<String, String> =
        own.into_iter().filter(|(_, value)| !value.trim().is_empty()).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for (key, value) in metadata.annotations.iter().filter(|(key, _)| !matches!(key.as_str(), TITLE | VERSION)) {
        annotations.insert(key.clone(), value.clone());
    }
    annotations
}

/// One Sigstore bundle about the artifact `subject`, as cosign and `@sigstore/oci` attach it.
///
/// # Errors
/// See [`OciError`].
pub fn bundle_referrer(subject: &Descriptor, bundle: &[u8], predicate_type: &str, created: i64) -> Result<Referrer, OciError> {
    let annotations = BTreeMap::from([
        ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
        ("dev.sigstore.bundle.predicateType".to_owned(), predicate_type.to_owned()),
        (CREATED.to_owned(), time(created)?),
    ]);
    referrer(subject, BUNDLE, bundle, annotations)
}

/// The whole lineage of the artifact `subject` as one artifact; `file_name` is the name to save it under.
///
/// # Errors
/// See [`OciError`].
pub fn lineage_referrer(subject: &Descriptor, lineage: &[u8], file_name: &str, created: i64) -> Result<Referrer, OciError> {
    let annotations = BTreeMap::from([(TITLE.to_owned(), file_name.to_owned()), (CREATED.to_owned(), time(created)?)]);
    referrer(subject, LINEAGE, lineage, annotations)
}

fn referrer(subject: &Descriptor, kind: &'static str, content: &[u8], annotations: BTreeMap<String, String>) -> Result<Referrer, OciError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Manifest<'a> {
        schema_version: u8,
        media_type: &'a str,
        artifact_type: &'a str,
        config: Descriptor,
        layers: [Descriptor; 1],
        subject: Descriptor,
        annotations: &'a BTreeMap<String, String>,
    }
    let config = Blob::new(EMPTY, b"{}".to_vec());
    let layer = Blob::new(kind, content.to_vec());
    let subject = Descriptor { artifact_type: None, annotations: BTreeMap::new(), ..subject.clone() };
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST,
        artifact_type: kind,
        config: config.descriptor(),
        layers: [layer.descriptor()],
        subject,
        annotations: &annotations,
    };
    let manifest = Blob::new(MANIFEST, go_json(&manifest)?.into_bytes());
    let descriptor = Descriptor { artifact_type: Some(kind.to_owned()), annotations, ..manifest.descriptor() };
    Ok(Referrer { config, layer, manifest, descriptor })
}

/// The tag under which a registry without the referrers API holds the list of what refers to a manifest
/// (distribution specification, "Referrers Tag Schema").
#[must_use]
pub fn fallback_tag(subject: &Sha256) -> String {
    format!("sha256-{subject}")
}

/// What the fallback tag is to hold: the image index it holds now, if any, with one more referrer behind the others.
/// `None` when the referrer is in it already.
///
/// # Errors
/// [`OciError::Index`] when what it holds is no image index.
pub fn fallback_index(existing: Option<&[u8]>, referrer: &Descriptor) -> Result<Option<Vec<u8>>, OciError> {
    let mut index = match existing {
        Some(bytes) => serde_json::from_slice(bytes).map_err(|source| OciError::Index { source: Some(source) })?,
        None => json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }),
    };
    let manifests = index.get_mut("manifests").and_then(Value::as_array_mut).ok_or(OciError::Index { source: None })?;
    if manifests.iter().any(|manifest| manifest.get("digest").and_then(Value::as_str) == Some(&referrer.digest)) {
        return Ok(None);
    }
    manifests.push(serde_json::to_value(referrer).map_err(|source| OciError::Write { source })?);
    Ok(Some(go_json(&index)?.into_bytes()))
}

fn time(epoch: i64) -> Result<String, OciError> {
    Timestamp::from_second(epoch).map(|time| time.to_string()).map_err(|_| OciError::Time { epoch })
}

/// JSON as Go's `encoding/json` writes it: compact, with the characters escaped that mean something in HTML or JavaScript.
///
/// # Errors
/// [`OciError::Write`] for a value that JSON cannot hold.
pub fn go_json<T: Serialize>(value: &T) -> Result<String, OciError> {
    let text = serde_json::to_string(value).map_err(|source| OciError::Write { source })?;
    // None of these stands in JSON outside a string.
    Ok(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

#[cfg(test)]
#[path = "oci_tests.rs"]
mod tests;
