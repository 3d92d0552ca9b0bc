//! What a registry must understand of a manifest: whom it refers to (image specification, `manifest.md`, `image-index.md`).

use std::collections::BTreeMap;

use chartflow_core::domain::digest::Sha256;
use serde::Deserialize;

/// An image or artifact manifest.
pub(super) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An index of manifests.
pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// A descriptor inside a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The digest.
    pub(super) digest: Sha256,
    /// The length in bytes that the descriptor promises.
    pub(super) size: u64,
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Its config and layers.
    pub(super) blobs: Vec<Target>,
    /// The manifests of an index.
    pub(super) manifests: Vec<Target>,
    /// What it refers to.
    pub(super) subject: Option<Sha256>,
    /// `artifactType`, or where that is absent the media type of the config ("Listing Referrers").
    pub(super) artifact_type: Option<String>,
    /// Its annotations.
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
    manifests: Option<Vec<RawDescriptor>>,
    subject: Option<RawDescriptor>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDescriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    urls: Vec<String>,
}

fn target(raw: &RawDescriptor) -> Result<Target, String> {
    let digest = Sha256::from_prefixed(&raw.digest).map_err(|error| error.to_string())?;
    Ok(Target { digest, size: raw.size })
}

/// Reads a manifest of a media type; the error is a sentence for the client.
pub(super) fn parse(media_type: &str, bytes: &[u8]) -> Result<Manifest, String> {
    let index = match media_type {
        OCI_MANIFEST | DOCKER_MANIFEST => false,
        OCI_INDEX | DOCKER_LIST => true,
        other => return Err(format!("media type {other:?} is not that of a manifest")),
    };
    let raw: Raw = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if raw.schema_version != 2 {
        return Err(format!("schemaVersion is {}, not 2", raw.schema_version));
    }
    if let Some(inner) = raw.media_type.filter(|inner| inner != media_type) {
        return Err(format!("mediaType {inner:?} is not the content type {media_type:?}"));
    }
    let (mut blobs, mut manifests) = (Vec::new(), Vec::new());
    let mut config_type = None;
    if index {
        for entry in raw.manifests.ok_or("an index needs manifests")? {
            manifests.push(target(&entry)?);
        }
    } else {
        let config = raw.config.ok_or("a manifest needs a config")?;
        blobs.push(target(&config)?);
        config_type = Some(config.media_type);
        // A layer with URLs lies elsewhere and need not be uploaded (image specification, "Non-Distributable Layers").
        for layer in raw.layers.ok_or("a manifest needs layers")?.iter().filter(|layer| layer.urls.is_empty()) {
            blobs.push(target(layer)?);
        }
    }
    let subject = raw.subject.as_ref().map(target).transpose()?.map(|subject| subject.digest);
    Ok(Manifest { blobs, manifests, subject, artifact_type: raw.artifact_type.or(config_type), annotations: raw.annotations.unwrap_or_default() })
}
