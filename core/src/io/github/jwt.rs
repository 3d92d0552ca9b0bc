//! The private key of a GitHub App, and the JSON Web Token with which the App identifies itself.
//!
//! Source: GitHub documentation, "Generating a JSON Web Token (JWT) for a GitHub App".

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::io::secret::Secret;

/// The token is dated back by this much, because a clock that is fast would date it into GitHub's future.
const BACKDATED: Duration = Duration::from_secs(60);
/// How long a token is good for, from now; GitHub refuses more than ten minutes.
const LIFETIME: Duration = Duration::from_secs(540);

/// Why a text is not an App's private key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppKeyError {
    /// There is no text.
    #[error("the App's private key is empty")]
    Empty,
    /// No PEM block of a private key.
    #[error(
        "the App's private key is not in PEM: it is the whole .pem file that GitHub gave when the key was made, from \"-----BEGIN RSA PRIVATE KEY-----\" to the last line"
    )]
    Pem,
    /// The public half.
    #[error("the App's private key is a public key; it is the .pem file that GitHub gave when the key was made")]
    Public,
    /// A PEM block with a password.
    #[error("the App's private key is encrypted; keys from GitHub are not, and chartflow has no password to open this one with")]
    Encrypted,
    /// A private key of another kind, or broken.
    #[error("the App's private key is not an RSA key in PKCS#1 or PKCS#8")]
    Rsa {
        /// The cause.
        source: jsonwebtoken::errors::Error,
    },
}

/// The private key of a GitHub App. Never printed.
#[derive(Clone)]
pub struct AppKey {
    key: EncodingKey,
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(***)")
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iat: u64,
    exp: u64,
    iss: &'a str,
}

impl AppKey {
    /// Reads a key in PEM: PKCS#1 (`BEGIN RSA PRIVATE KEY`, as GitHub gives it) or PKCS#8 (`BEGIN PRIVATE KEY`). Line
    /// ends that a secret store has turned into `\n` are understood.
    ///
    /// # Errors
    /// See [`AppKeyError`].
    pub fn from_pem(text: &str) -> Result<Self, AppKeyError> {
        let text = text.trim();
        let text = if text.contains('\n') { text.to_owned() } else { text.replace("\\n", "\n") };
        if text.is_empty() {
            return Err(AppKeyError::Empty);
        }
        if text.contains("ENCRYPTED") {
            return Err(AppKeyError::Encrypted);
        }
        if text.contains("PUBLIC KEY-----") {
            return Err(AppKeyError::Public);
        }
        if !text.starts_with("-----BEGIN ") || !text.contains("PRIVATE KEY-----") {
            return Err(AppKeyError::Pem);
        }
        let rsa = |source| AppKeyError::Rsa { source };
        let this = Self { key: EncodingKey::from_rsa_pem(text.as_bytes()).map_err(rsa)? };
        // The key is only taken apart when something is signed.
        this.token("0", UNIX_EPOCH).map_err(rsa)?;
        Ok(this)
    }

    /// A token for the App of this id or client id, to be used now.
    ///
    /// # Errors
    /// When the library fails to sign.
    pub fn token(&self, app: &str, now: SystemTime) -> Result<Secret, jsonwebtoken::errors::Error> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = Claims { iat: now.saturating_sub(BACKDATED).as_secs(), exp: (now + LIFETIME).as_secs(), iss: app };
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    fn pem(kind: &str, der: &[u8]) -> String {
        let digits = STANDARD.encode(der);
        let lines: Vec<&str> = digits.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
    }

    /// The same key in PKCS#8 and PKCS#1, and its public half.
    fn keys() -> (String, String, String) {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // PKCS#8 is the PKCS#1 key behind 26 bytes: version, algorithm, and the headers of three values.
        let (all, inner) = (pkcs8.as_ref(), &pkcs8.as_ref()[26..]);
        let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> = aws_lc_rs::signature::KeyPair::public_key(&pair).as_der().unwrap();
        (pem("PRIVATE KEY", all), pem("RSA PRIVATE KEY", inner), pem("PUBLIC KEY", public.as_ref()))
    }

    #[test]
    fn both_forms_make_the_same_token() {
        let (pkcs8, pkcs1, _) = keys();
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let token = |text: &str| AppKey::from_pem(text).unwrap().token("4711", now).unwrap();
        let expected = token(&pkcs8);
        for text in [&pkcs1, &pkcs1.replace('\n', "\\n"), &format!("\n  {pkcs1}\n\n"), &pkcs8.replace('\n', "\r\n")] {
            assert_eq!(token(text), expected);
        }
        let parts: Vec<&str> = expected.expose().split('.').collect();
        let part = |n: usize| String::from_utf8(URL_SAFE_NO_PAD.decode(parts[n]).unwrap()).unwrap();
        assert_eq!(part(0), r#"{"typ":"JWT","alg":"RS256"}"#);
        assert_eq!(part(1), r#"{"iat":999940,"exp":1000540,"iss":"4711"}"#);
        assert_eq!(format!("{:?}", AppKey::from_pem(&pkcs1).unwrap()), "AppKey(***)");
    }

    #[test]
    fn what_is_no_key() {
        let (pkcs8, pkcs1, public) = keys();
        let check = |text: &str| AppKey::from_pem(text).unwrap_err().to_string();
        insta::assert_snapshot!(check(" \n"), @"the App's private key is empty");
        insta::assert_snapshot!(check("/home/me/app.pem"), @r#"the App's private key is not in PEM: it is the whole .pem file that GitHub gave when the key was made, from "-----BEGIN RSA PRIVATE KEY-----" to the last line"#);
        insta::assert_snapshot!(check(&public), @"the App's private key is a public key; it is the .pem file that GitHub gave when the key was made");
        insta::assert_snapshot!(check(&pkcs8.replace(" PRIVATE", " ENCRYPTED PRIVATE")), @"the App's private key is encrypted; keys from GitHub are not, and chartflow has no password to open this one with");
        let elliptic = crate::io::signing::KeySigner::generate().unwrap().to_pkcs8_pem();
        insta::assert_snapshot!(check(&elliptic), @"the App's private key is not an RSA key in PKCS#1 or PKCS#8");
        for broken in [pkcs1.replace("MII", "MIJ"), pkcs1[..400].to_owned(), pkcs1.replace("RSA PRIVATE", "EC PRIVATE")] {
            assert!(check(&broken).starts_with("the App's private key is not"), "{broken}");
        }
    }
}
