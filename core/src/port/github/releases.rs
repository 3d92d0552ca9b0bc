//! GitHub Releases: drafted, filled, published.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Body, GitHub, GitHubError, Method, encode};

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// Its id.
    pub id: u64,
    /// Its tag.
    pub tag_name: String,
    /// Whether it is a draft, which only writers see.
    #[serde(default)]
    pub draft: bool,
    /// Where assets are uploaded: a URI template (`{?name,label}` behind it).
    pub upload_url: String,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// Its files.
    #[serde(default)]
    pub assets: Vec<Asset>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: u64,
    /// Its name as GitHub keeps it.
    pub name: String,
    /// `uploaded`, or `starter` for one whose upload broke off.
    #[serde(default)]
    pub state: String,
    /// `sha256:…`, empty where the server does not compute it.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub digest: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A release to draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelease {
    /// Its tag, which is there already.
    pub tag: String,
    /// Its title.
    pub name: String,
    /// Its text, at most 125,000 characters.
    pub body: String,
    /// Whether the version is a pre-release.
    pub prerelease: bool,
}

impl GitHub {
    /// "Create a release" as a draft that never takes the mark "latest" (each chart would steal it from the others).
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn draft_release(&self, new: &NewRelease) -> Result<Release, GitHubError> {
        let body = json!({ "tag_name": new.tag, "name": new.name, "body": new.body, "draft": true, "prerelease": new.prerelease, "make_latest": "false" });
        self.write(Method::Post, "releases", body).await
    }

    /// "Get a release by tag name": published ones only.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn release_by_tag(&self, tag: &str) -> Result<Option<Release>, GitHubError> {
        self.get_optional(&format!("releases/tags/{}", encode(tag, true))).await
    }

    /// The newest drafts and releases ("List releases", one page of 100): the only way to find a draft.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn newest_releases(&self) -> Result<Vec<Release>, GitHubError> {
        self.get("releases?per_page=100").await
    }

    /// "Update a release": publishes a draft; with immutable releases its assets and tag are frozen from here on.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn publish_release(&self, id: u64) -> Result<Release, GitHubError> {
        self.write(Method::Patch, &format!("releases/{id}"), json!({ "draft": false, "make_latest": "false" })).await
    }

    /// "Upload a release asset".
    ///
    /// # Errors
    /// 422 when an asset of this name is there.
    pub async fn upload_asset(&self, release: &Release, name: &str, content_type: &str, bytes: Vec<u8>) -> Result<Asset, GitHubError> {
        let base = release.upload_url.split('{').next().unwrap_or(&release.upload_url);
        let target = format!("{base}?name={}", encode(name, false));
        let body = Body::Bytes { content_type: content_type.to_owned(), bytes };
        let response = self.send_to(Method::Post, target, super::JSON, body, super::JSON_LIMIT).await?;
        super::read(Method::Post, "upload of a release asset", &response)
    }

    /// "Delete a release asset".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn delete_asset(&self, id: u64) -> Result<(), GitHubError> {
        self.send(Method::Delete, &format!("releases/assets/{id}"), Body::Empty).await.map(|_| ())
    }

    /// "Get a release asset": its bytes, at most `limit`.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn download_asset(&self, id: u64, limit: usize) -> Result<Vec<u8>, GitHubError> {
        let target = self.target(&format!("releases/assets/{id}"));
        Ok(self.send_to(Method::Get, target, "application/octet-stream", Body::Empty, limit).await?.body)
    }

    /// "Create an attestation": stores a bundle; its number.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn create_attestation(&self, bundle: &Value) -> Result<u64, GitHubError> {
        #[derive(Deserialize)]
        struct Raw {
            id: u64,
        }
        self.write::<Raw>(Method::Post, "attestations", json!({ "bundle": bundle })).await.map(|raw| raw.id)
    }
}
