//! A Sigstore of one's own. The keys are called as cosign's options are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Profile;
use crate::domain::names::RepoPath;

/// A Sigstore of your own, in place of the public one or GitHub's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sigstore {
    /// Fulcio, which gives certificates (`caUrls` in a signing config).
    pub fulcio_url: String,
    /// The whole endpoint of the timestamp authority, such as `https://timestamp.example.com/api/v1/timestamp` (`tsaUrls`).
    pub timestamp_server_url: String,
    /// Rekor v2, the log of signatures (`rekorTlogUrls`). With it the profile is `public`, and certificates must be logged
    /// too; without it `github`.
    #[serde(default)]
    pub rekor_url: Option<String>,
    /// The path of the trusted root in main, below .github/, such as .github/sigstore/trusted_root.json. Whoever verifies
    /// needs the same file.
    #[schemars(with = "String")]
    pub trusted_root: RepoPath,
    /// Who issues the identity tokens of workflow runs; absent: github.com.
    #[serde(default)]
    pub oidc_issuer: Option<String>,
}

impl Sigstore {
    /// The profile of its signatures: logged, or only timestamped.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        if self.rekor_url.is_some() { Profile::Public } else { Profile::Github }
    }

    /// What of it cannot be used, and why: the key below `sigstore`, or none for the profile beside it.
    pub(super) fn problem(&self, profile: Option<Profile>) -> Option<(&'static str, &'static str)> {
        let urls = [("fulcio-url", Some(&self.fulcio_url)), ("timestamp-server-url", Some(&self.timestamp_server_url)), ("rekor-url", self.rekor_url.as_ref())];
        if let Some((key, _)) = urls.into_iter().find(|(_, url)| url.is_some_and(|url| !is_safe(url))) {
            return Some((key, "it is no https:// address; identity tokens and signatures are sent there"));
        }
        if !self.trusted_root.as_str().starts_with(".github/") {
            return Some(("trusted-root", "it lies outside .github/, where no owner has to approve its changes"));
        }
        match (profile, &self.rekor_url) {
            (Some(Profile::Key), _) => Some(("profile", "a key signs without a Sigstore; take one of the two out")),
            (Some(Profile::Public), None) => Some(("profile", "public demands a log, and sigstore has no rekor-url; add it, or write profile: github")),
            (Some(Profile::Github), Some(_)) => Some(("profile", "github knows no log, and sigstore has a rekor-url; take it out, or write profile: public")),
            _ => None,
        }
    }
}

/// https, or this machine.
fn is_safe(url: &str) -> bool {
    let here = |rest: &str| {
        let host = rest.split('/').next().unwrap_or_default();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
    };
    url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) || url.strip_prefix("http://").is_some_and(here)
}
