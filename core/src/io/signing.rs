//! Signing with a key (profile `key`): rehearsals, air-gapped places and Enterprise Server. Signing as a workflow run is
//! in [`keyless`].

pub mod keyless;
mod token;

use std::fmt;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sigstore_crypto::KeyPair;

use crate::domain::lineage::bundle::{key_bundle, key_id, signed_bytes};
use crate::port::signer::{SignError, Signer};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No randomness, or the library refused to make a key.
    #[error("no signing key could be made")]
    Generate,
    /// Not a PEM block of type `PRIVATE KEY`.
    #[error("the signing key is not a PKCS#8 key in PEM, which begins with \"{BEGIN}\"")]
    Pem,
    /// Not an ECDSA key on P-256.
    #[error("the signing key is not an ECDSA key on the curve P-256")]
    Key {
        /// The cause.
        source: sigstore_crypto::Error,
    },
}

/// A private key that signs statements. Its secret is never printed; [`KeySigner::to_pkcs8_pem`] is the one way out.
pub struct KeySigner {
    pkcs8: Vec<u8>,
    pair: KeyPair,
    spki: Vec<u8>,
    id: String,
}

impl fmt::Debug for KeySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySigner").field("id", &self.id).finish_non_exhaustive()
    }
}

impl KeySigner {
    /// A fresh key.
    ///
    /// # Errors
    /// [`KeyError::Generate`] when the system gives no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).map_err(|_| KeyError::Generate)?;
        Self::from_der(document.as_ref())
    }

    /// The key in a PKCS#8 PEM text.
    ///
    /// # Errors
    /// [`KeyError`] for anything else than a P-256 key.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, KeyError> {
        let body = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(body, _)| body).ok_or(KeyError::Pem)?;
        let digits: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        Self::from_der(&BASE64.decode(digits).map_err(|_| KeyError::Pem)?)
    }

    fn from_der(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8_der(pkcs8).map_err(|source| KeyError::Key { source })?;
        let spki = pair.public_key_der().map_err(|source| KeyError::Key { source })?.as_bytes().to_vec();
        Ok(Self { id: key_id(&spki), pkcs8: pkcs8.to_vec(), pair, spki })
    }

    /// The private key as PKCS#8 in PEM. A secret.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> String {
        let digits = BASE64.encode(&self.pkcs8);
        let lines: Vec<&str> = digits.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
    }

    /// The public key: DER SubjectPublicKeyInfo, as a policy lists it.
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.spki
    }

    /// The public key in PEM, as cosign reads it.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        sigstore_types::DerPublicKey::new(self.spki.clone()).to_pem()
    }

    /// The key's id: the SHA-256 of its public half.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// [`Signer::sign`] without waiting: no network is needed.
    ///
    /// # Errors
    /// [`SignError`] when the library fails.
    pub fn sign_now(&self, payload: &[u8]) -> Result<String, SignError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| SignError::Failed { identity: self.identity(), source };
        let signature = self.pair.sign(&signed_bytes(payload)).map_err(|error| failed(Box::new(error)))?;
        key_bundle(payload, &self.id, signature.as_bytes().to_vec()).map_err(|error| failed(Box::new(error)))
    }
}

#[async_trait]
impl Signer for KeySigner {
    fn identity(&self) -> String {
        format!("key:{}", self.id)
    }

    async fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        self.sign_now(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lineage::bundle::{Anchor, BundleError, Line};

    #[test]
    fn a_key_survives_its_pem_and_is_never_printed() {
        let key = KeySigner::generate().unwrap();
        let pem = key.to_pkcs8_pem();
        let again = KeySigner::from_pkcs8_pem(&pem).unwrap();
        assert_eq!(again.id(), key.id());
        assert_eq!(again.public_key_pem(), key.public_key_pem());
        assert_eq!(format!("{key:?}"), format!("KeySigner {{ id: {:?}, .. }}", key.id()));
        assert_ne!(KeySigner::generate().unwrap().id(), key.id());
        insta::assert_snapshot!(KeySigner::from_pkcs8_pem("x").unwrap_err(), @r#"the signing key is not a PKCS#8 key in PEM, which begins with "-----BEGIN PRIVATE KEY-----""#);
        insta::assert_snapshot!(KeySigner::from_pkcs8_pem(&pem.replace("MI", "NI")).unwrap_err(), @"the signing key is not an ECDSA key on the curve P-256");
    }

    #[tokio::test]
    async fn what_it_signs_verifies_under_its_key_alone() {
        let (key, other) = (KeySigner::generate().unwrap(), KeySigner::generate().unwrap());
        let line = Line::read(&key.sign(b"payload").await.unwrap()).unwrap();
        assert_eq!(line.payload(), b"payload");
        let signed = line.verify(&Anchor::keys([other.public_key_der(), key.public_key_der()]).unwrap()).unwrap();
        assert_eq!(signed.identity.to_string(), key.identity());
        assert!(matches!(line.verify(&Anchor::keys([other.public_key_der()]).unwrap()), Err(BundleError::UnknownKey { .. })));
    }
}
