//! The identity token of a workflow run: what GitHub gives a job with `id-token: write`, and what it says.
//!
//! GitHub documentation, "OpenID Connect reference".

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sigstore_crypto::FulcioCiClaims;
use sigstore_fulcio::reqwest;

use super::keyless::KeylessError;
use crate::io::secret::Secret;

/// The audience that Fulcio expects.
const AUDIENCE: &str = "sigstore";
/// Longer answers with an identity token are refused.
const TOKEN_LIMIT: usize = 64 << 10;

/// Where the run's identity token is asked for: what GitHub puts into a job with `id-token: write`.
#[derive(Debug, Clone)]
pub struct Ambient {
    url: String,
    token: Secret,
}

impl Ambient {
    /// From the values of `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    ///
    /// # Errors
    /// [`KeylessError::NoIdentity`] without them, [`KeylessError::Address`] for a URL that is neither https nor on this
    /// machine.
    pub fn new(url: Option<&str>, token: Option<&str>) -> Result<Self, KeylessError> {
        match (url.map(str::trim).filter(|url| !url.is_empty()), token.map(Secret::new).filter(|token| !token.is_empty())) {
            (Some(url), Some(token)) => Ok(Self { url: checked(url)?, token }),
            _ => Err(KeylessError::NoIdentity),
        }
    }
}

impl Ambient {
    /// Asks for a token.
    pub(super) async fn ask(&self, http: &reqwest::Client) -> Result<Secret, KeylessError> {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}audience={AUDIENCE}", self.url);
        let failed = |error: reqwest::Error| KeylessError::Service {
            service: "the identity provider",
            url: self.url.split('?').next().unwrap_or_default().to_owned(),
            // Its text holds the whole URL.
            source: error.without_url().into(),
        };
        let request = http.get(&url).bearer_auth(self.token.expose()).header("accept", "application/json");
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(failed)?;
        if status != 200 {
            return Err(refused(status, &String::from_utf8_lossy(&body)));
        }
        #[derive(Deserialize)]
        struct Answer {
            value: String,
        }
        if body.len() > TOKEN_LIMIT {
            return Err(refused(status, &format!("a token of {} bytes", body.len())));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| refused(status, "no token"))?;
        Ok(Secret::new(answer.value))
    }
}

fn refused(status: u16, message: &str) -> KeylessError {
    KeylessError::Identity { status, message: message.chars().take(200).collect() }
}

/// A token was given, and is none.
pub(super) fn unreadable() -> KeylessError {
    refused(200, "no token that can be read")
}

/// An address that may be given secrets: https, or this machine.
pub(super) fn checked(url: &str) -> Result<String, KeylessError> {
    let parsed = url.parse::<http::Uri>().ok();
    let host = parsed.as_ref().and_then(http::Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match parsed.as_ref().and_then(http::Uri::scheme_str) {
        Some("https") => Ok(url.to_owned()),
        Some("http") if here => Ok(url.to_owned()),
        _ => Err(KeylessError::Address { url: url.chars().take(200).collect() }),
    }
}

/// What a run's identity token says of it. Fulcio copies these claims into certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RunClaims {
    /// Who says so.
    pub iss: String,
    /// The workflow file whose job runs, a called one where it is called: `OWNER/NAME/PATH@REF`.
    pub job_workflow_ref: Option<String>,
    /// The commit of that file.
    pub job_workflow_sha: Option<String>,
    /// The workflow file that the event started.
    pub workflow_ref: Option<String>,
    /// The repository of the run.
    pub repository: Option<String>,
    /// Its number.
    pub repository_id: Option<String>,
    /// The number of its owner.
    pub repository_owner_id: Option<String>,
    /// The ref the run belongs to.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The event.
    pub event_name: Option<String>,
    /// `github-hosted` or `self-hosted`.
    pub runner_environment: Option<String>,
    /// The deployment environment of the job.
    pub environment: Option<String>,
}

impl RunClaims {
    /// Reads the claims of a token. Its signature is Fulcio's to check.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// Name and claims of the certificates that Fulcio makes of them (sigstore/fulcio, `config/identity/config.yaml`).
    /// `server` stands before the names of repositories.
    #[must_use]
    pub fn certified(&self, server: &str) -> (String, FulcioCiClaims) {
        let below = |name: &Option<String>| name.as_ref().map(|name| format!("{server}/{name}"));
        let said = |claim: &Option<String>| claim.clone().filter(|claim| !claim.is_empty());
        let mut claims = FulcioCiClaims::default();
        claims.build_signer_uri = below(&self.job_workflow_ref);
        claims.build_signer_digest = said(&self.job_workflow_sha);
        claims.build_config_uri = below(&self.workflow_ref);
        claims.source_repository_uri = below(&self.repository);
        claims.source_repository_identifier = said(&self.repository_id);
        claims.source_repository_owner_identifier = said(&self.repository_owner_id);
        claims.source_repository_ref = said(&self.reference);
        claims.build_trigger = said(&self.event_name);
        claims.runner_environment = said(&self.runner_environment);
        claims.deployment_environment = said(&self.environment);
        (claims.build_signer_uri.clone().unwrap_or_default(), claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_identity_says_which_lines_to_add() {
        for (url, token) in [(None, None), (Some("https://x"), None), (None, Some("y")), (Some(""), Some("y")), (Some("https://x"), Some(" \n"))] {
            assert!(matches!(Ambient::new(url, token), Err(KeylessError::NoIdentity)));
        }
        insta::assert_snapshot!(KeylessError::NoIdentity, @"
        the run has no identity to sign with (ACTIONS_ID_TOKEN_REQUEST_URL is not set): add to the workflow's job:
        permissions:
          id-token: write
        ");
    }

    #[test]
    fn tokens_go_to_encrypted_addresses_alone() {
        for url in ["https://pipelines.actions.example/token?api-version=2", "http://127.0.0.1:80/token", "http://[::1]:1/x", "http://localhost/x"] {
            assert!(Ambient::new(Some(url), Some("secret")).is_ok(), "{url}");
        }
        for url in ["http://example.com/token", "ftp://127.0.0.1", "token", "https//x"] {
            let refused = Ambient::new(Some(url), Some("secret")).unwrap_err().to_string();
            assert!(refused.ends_with("is no https address") && !refused.contains("secret"), "{refused}");
        }
        let ambient = Ambient::new(Some("https://x"), Some("secret")).unwrap();
        assert!(!format!("{ambient:?}").contains("secret"));
    }

    #[test]
    fn claims_are_read_as_certificates_will_have_them() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let claims =
            RunClaims::read(&token(r#"{"iss":"https://i","job_workflow_ref":"o/r/x.yml@refs/heads/main","repository":"o/r","environment":"","sub":"x"}"#))
                .unwrap();
        let (san, certified) = claims.certified("https://github.com");
        assert_eq!(san, "https://github.com/o/r/x.yml@refs/heads/main");
        assert_eq!(certified.source_repository_uri.as_deref(), Some("https://github.com/o/r"));
        assert_eq!((certified.deployment_environment, certified.runner_environment), (None, None));
        for token in [String::new(), "a.b.c".to_owned(), token("{}"), token("[]"), token(r#"{"iss":1}"#)] {
            assert_eq!(RunClaims::read(&token), None, "{token}");
        }
    }
}
