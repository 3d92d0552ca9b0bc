//! What the registry keeps, and how it lies on disk: an OCI image layout (image specification, `image-layout.md`).
//!
//! `index.json` has one descriptor for each tag and one for each manifest without a tag; the repository stands in the
//! annotation [`REPOSITORY_ANNOTATION`], the tag in `org.opencontainers.image.ref.name`. That is the whole state: a
//! folder that is opened again answers as before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chartflow_core::domain::digest::Sha256;
use serde::{Deserialize, Serialize};

use super::manifest::{self, Manifest, OCI_INDEX};

/// The annotation of a descriptor in `index.json` that names its repository.
pub const REPOSITORY_ANNOTATION: &str = "io.github.chartflow.repository";

/// The annotation that names a tag (image specification, `annotations.md`).
pub const TAG_ANNOTATION: &str = "org.opencontainers.image.ref.name";

/// The longest `index.json` that is read: 64 MiB.
const INDEX_LIMIT: u64 = 64 << 20;

/// Why a folder cannot be used as a registry, or no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A file could not be read or written.
    #[error("{path} could not be {verb}")]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// A file of the layout is not what the image specification says.
    #[error("{path} is not part of an OCI image layout: {problem}")]
    Garbled {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// A manifest of one repository.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The content type it was pushed with.
    pub(super) media_type: String,
    /// Its length in bytes.
    pub(super) size: u64,
    /// What it says.
    pub(super) manifest: Manifest,
}

/// One repository: names for contents that lie in the common blob folder.
#[derive(Debug, Default)]
pub(super) struct Repository {
    /// By digest.
    pub(super) manifests: BTreeMap<Sha256, Kept>,
    /// Tag → digest.
    pub(super) tags: BTreeMap<String, Sha256>,
    /// The blobs that were uploaded to, or are referred to in, this repository.
    pub(super) blobs: BTreeSet<Sha256>,
}

/// The folder and what its index says.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
    pub(super) repositories: BTreeMap<String, Repository>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    media_type: String,
    manifests: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, LayoutError> {
    let failed = |source| LayoutError::File { path: path.to_owned(), verb: "read", source };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > limit {
        return Err(LayoutError::Garbled { path: path.to_owned(), problem: format!("it is {length} bytes long, at most {limit} are read") });
    }
    fs::read(path).map_err(failed)
}

impl Layout {
    /// Opens a layout or makes an empty one.
    pub(super) fn open(root: &Path) -> Result<Self, LayoutError> {
        let mut layout = Self { root: root.to_owned(), repositories: BTreeMap::new() };
        let blobs = root.join("blobs").join("sha256");
        fs::create_dir_all(&blobs).map_err(|source| LayoutError::File { path: blobs, verb: "written", source })?;
        if root.join("index.json").exists() {
            layout.load()?;
        } else {
            layout.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
            layout.save()?;
        }
        Ok(layout)
    }

    fn load(&mut self) -> Result<(), LayoutError> {
        let path = self.root.join("index.json");
        let garbled = |problem: String| LayoutError::Garbled { path: path.clone(), problem };
        let index: Index = serde_json::from_slice(&read(&path, INDEX_LIMIT)?).map_err(|error| garbled(error.to_string()))?;
        for entry in index.manifests {
            let digest = Sha256::from_prefixed(&entry.digest).map_err(|error| garbled(error.to_string()))?;
            let Some(name) = entry.annotations.get(REPOSITORY_ANNOTATION) else {
                return Err(garbled(format!("{digest:?} has no annotation {REPOSITORY_ANNOTATION}")));
            };
            let bytes = self.blob(&digest)?.ok_or_else(|| garbled(format!("{digest:?} is not among the blobs")))?;
            if Sha256::of(&bytes) != digest {
                return Err(garbled(format!("{digest:?} holds other bytes")));
            }
            let manifest = manifest::parse(&entry.media_type, &bytes).map_err(|problem| garbled(format!("{digest:?}: {problem}")))?;
            let kept = Kept { media_type: entry.media_type, size: bytes.len() as u64, manifest };
            let repository = self.repositories.entry(name.clone()).or_default();
            repository.blobs.extend(kept.manifest.blobs.iter().map(|blob| blob.digest));
            repository.manifests.insert(digest, kept);
            if let Some(tag) = entry.annotations.get(TAG_ANNOTATION) {
                repository.tags.insert(tag.clone(), digest);
            }
        }
        Ok(())
    }

    /// Writes `index.json`, so that the folder says what this value says.
    pub(super) fn save(&self) -> Result<(), LayoutError> {
        let mut manifests = Vec::new();
        for (name, repository) in &self.repositories {
            let entry = |digest: &Sha256, kept: &Kept, tag: Option<&String>| {
                let mut annotations = BTreeMap::from([(REPOSITORY_ANNOTATION.to_owned(), name.clone())]);
                annotations.extend(tag.map(|tag| (TAG_ANNOTATION.to_owned(), tag.clone())));
                Entry {
                    media_type: kept.media_type.clone(),
                    digest: digest.prefixed(),
                    size: kept.size,
                    artifact_type: kept.manifest.artifact_type.clone(),
                    annotations,
                }
            };
            for (tag, digest) in &repository.tags {
                manifests.extend(repository.manifests.get(digest).map(|kept| entry(digest, kept, Some(tag))));
            }
            let tagged: BTreeSet<_> = repository.tags.values().collect();
            manifests.extend(repository.manifests.iter().filter(|(digest, _)| !tagged.contains(digest)).map(|(digest, kept)| entry(digest, kept, None)));
        }
        let path = self.root.join("index.json");
        let index = Index { schema_version: 2, media_type: OCI_INDEX.to_owned(), manifests };
        let text = serde_json::to_vec_pretty(&index).map_err(|error| LayoutError::Garbled { path, problem: error.to_string() })?;
        self.write("index.json", &text)
    }

    /// Writes a file so that it is never seen half-written.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LayoutError> {
        let path = self.root.join(name);
        let partial = self.root.join(format!(".{}.partial", name.rsplit('/').next().unwrap_or(name)));
        let failed = |source| LayoutError::File { path: path.clone(), verb: "written", source };
        fs::write(&partial, bytes).map_err(failed)?;
        fs::rename(&partial, &path).map_err(failed)
    }

    /// Keeps bytes under their digest.
    pub(super) fn put_blob(&self, digest: &Sha256, bytes: &[u8]) -> Result<(), LayoutError> {
        if self.path(digest).exists() {
            return Ok(());
        }
        self.write(&format!("blobs/sha256/{digest}"), bytes)
    }

    /// The bytes of a digest; `None` when they are not here.
    pub(super) fn blob(&self, digest: &Sha256) -> Result<Option<Vec<u8>>, LayoutError> {
        let path = self.path(digest);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LayoutError::File { path, verb: "read", source }),
        }
    }

    /// The length of a blob in bytes; `None` when it is not here.
    pub(super) fn blob_size(&self, digest: &Sha256) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|metadata| metadata.len())
    }

    fn path(&self, digest: &Sha256) -> PathBuf {
        self.root.join("blobs").join("sha256").join(digest.to_string())
    }
}
