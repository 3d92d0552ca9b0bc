//! What a GitHub App asks about itself: its installation, and a token for it.
//!
//! All but [`GitHub::revoke_token`] are asked with the App's own JSON Web Token.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::{Body, GitHub, GitHubError, JSON, JSON_LIMIT, Method, absent, read};

/// An App, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct App {
    /// Its number.
    pub id: u64,
    /// Its name in addresses.
    pub slug: String,
    /// Its public page: `https://github.com/apps/SLUG`.
    pub html_url: String,
    /// Whose it is.
    pub owner: AppOwner,
}

/// The owner of an App.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppOwner {
    /// The login, or the slug of an enterprise.
    #[serde(alias = "slug")]
    pub login: String,
    /// `User` or `Organization`; an enterprise has none.
    #[serde(default, rename = "type")]
    pub kind: String,
}

/// An App's installation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Installation {
    /// Its number.
    pub id: u64,
    /// The App's number.
    pub app_id: u64,
    /// The App's name in addresses.
    pub app_slug: String,
    /// Its page in the owner's settings.
    pub html_url: String,
    /// What it may do: permissions by their keys in the API, each `read`, `write` or `admin`.
    pub permissions: BTreeMap<String, String>,
    /// When it was suspended; `None` while it is not.
    #[serde(default)]
    pub suspended_at: Option<String>,
}

/// An installation access token. Its secret is not printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct InstallationToken {
    /// The secret.
    pub token: String,
    /// When it ends.
    #[serde(deserialize_with = "time")]
    pub expires_at: jiff::Timestamp,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<jiff::Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl fmt::Debug for InstallationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstallationToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl GitHub {
    /// "Get the authenticated app".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn app(&self) -> Result<App, GitHubError> {
        let response = self.send_to(Method::Get, "/app".to_owned(), JSON, Body::Empty, JSON_LIMIT).await?;
        read(Method::Get, "/app", &response)
    }

    /// "Get a repository installation for the authenticated app"; `None` where the App is not installed.
    ///
    /// # Errors
    /// 401 for a token that is not the App's, 404 `Integration not found` for an App that does not exist.
    pub async fn installation(&self) -> Result<Option<Installation>, GitHubError> {
        match self.get("installation").await {
            // GitHub answers 404 for both.
            Err(error) if error.status() == Some(404) && error.message().contains("Integration") => Err(error),
            answer => absent(answer),
        }
    }

    /// "Create an installation access token" for this repository alone, with these permissions and no others.
    ///
    /// # Errors
    /// 403 for a suspended installation, 422 for what it was not given.
    pub async fn installation_token(&self, installation: u64, permissions: &BTreeMap<&str, &str>) -> Result<InstallationToken, GitHubError> {
        let target = format!("/app/installations/{installation}/access_tokens");
        let body = json!({ "repositories": [self.repository_name().name()], "permissions": permissions });
        let response = self.send_to(Method::Post, target.clone(), JSON, Body::Json(body), JSON_LIMIT).await?;
        read(Method::Post, &target, &response)
    }

    /// "Revoke an installation access token": the one this is asked with.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn revoke_token(&self) -> Result<(), GitHubError> {
        self.send_to(Method::Delete, "/installation/token".to_owned(), JSON, Body::Empty, JSON_LIMIT).await.map(|_| ())
    }
}
