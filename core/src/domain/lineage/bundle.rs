//! One line of a lineage: a Sigstore bundle v0.3 around a DSSE envelope.
//!
//! Bundles may be written anew by whoever passes them on, so nothing but the payload bytes identifies a statement.
//! Reading is strict: what two readers could understand differently is refused.

use serde_json::Value;
use sigstore_bundle::{BundleV03, VerificationMaterialV03};
use sigstore_crypto::{FulcioCiClaims, VerificationKey};
use sigstore_trust_root::TrustedRoot;
use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Bundle, DerPublicKey, DsseEnvelope, DsseSignature, KeyId, MediaType, PayloadBytes, Sha256Hash, SignatureBytes, SignatureContent};
use sigstore_verify::{VerificationPolicy, Verifier};

use super::super::statement::{PAYLOAD_LIMIT, PAYLOAD_TYPE, StatementDigest, strict};
use crate::domain::digest::Sha256;

/// The media type of every line.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Longer lines are refused: a payload at its limit in base64, and room for certificate, log entry and timestamps.
pub const LINE_LIMIT: usize = PAYLOAD_LIMIT / 3 * 4 + (128 << 10);

/// Why a line is no bundle, or not signed as it must be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Longer than [`LINE_LIMIT`].
    #[error("the line has {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Not strict JSON.
    #[error("the line is not strict JSON")]
    Json {
        /// The cause.
        source: serde_json::Error,
    },
    /// Not a bundle.
    #[error("the line is not a Sigstore bundle")]
    Format {
        /// The cause.
        source: sigstore_types::Error,
    },
    /// A bundle of another shape than ours.
    #[error("the bundle {problem}")]
    Shape {
        /// What is wrong, as a clause.
        problem: String,
    },
    /// The key or trusted root that should verify it is unusable.
    #[error("{what} cannot be used")]
    Trust {
        /// The key or trusted root.
        what: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The bundle carries another kind of identity than the policy's profile.
    #[error("the bundle {problem}, which the policy's profile does not allow")]
    Profile {
        /// What it carries, as a clause.
        problem: &'static str,
    },
    /// Signed by a key that is not among those of the policy.
    #[error("signed by the key {key:?}, which the policy does not list")]
    UnknownKey {
        /// The bundle's hint.
        key: String,
    },
    /// The signature, certificate, log entry or timestamp does not hold.
    #[error("the signature does not hold")]
    Signature {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No time at which it was signed is proved.
    #[error("no time of signing is proved")]
    Time,
}

/// The bytes that a DSSE signature covers (DSSE protocol, pre-authentication encoding).
#[must_use]
pub fn signed_bytes(payload: &[u8]) -> Vec<u8> {
    sigstore_types::pae(PAYLOAD_TYPE, payload)
}

/// A key's id: the SHA-256 of its public half (DER SubjectPublicKeyInfo). It is the hint in bundles of profile `key`.
#[must_use]
pub fn key_id(spki: &[u8]) -> String {
    Sha256::of(spki).to_string()
}

/// A bundle of profile `key`, as one line without a line end.
///
/// # Errors
/// [`BundleError::Format`] when it cannot be written.
pub fn key_bundle(payload: &[u8], key: &str, signature: Vec<u8>) -> Result<String, BundleError> {
    let signature = DsseSignature::new(SignatureBytes::new(signature), KeyId::default());
    let envelope = DsseEnvelope::new(PAYLOAD_TYPE, PayloadBytes::new(payload.to_vec()), signature);
    BundleV03::new(VerificationMaterialV03::PublicKey { hint: key.to_owned() }, SignatureContent::DsseEnvelope(envelope))
        .into_bundle()
        .to_json()
        .map_err(|source| BundleError::Format { source })
}

/// A line, read but not yet verified.
#[derive(Debug)]
pub struct Line {
    bundle: Bundle,
    envelope: DsseEnvelope,
}

impl Line {
    /// Reads one line.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn read(text: &str) -> Result<Self, BundleError> {
        if text.len() > LINE_LIMIT {
            return Err(BundleError::TooLong { length: text.len(), limit: LINE_LIMIT });
        }
        let value = strict(text.as_bytes()).map_err(|source| BundleError::Json { source })?;
        check_shape(&value)?;
        let bundle = Bundle::from_json(text).map_err(|source| BundleError::Format { source })?;
        let shape = |problem: &str| BundleError::Shape { problem: problem.to_owned() };
        let SignatureContent::DsseEnvelope(envelope) = bundle.content.clone() else {
            return Err(shape("holds a bare signature, not a DSSE envelope"));
        };
        if bundle.media_type() != MediaType::Bundle0_3 {
            return Err(shape("is not of version 0.3"));
        }
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(BundleError::Shape { problem: format!("has the payload type {:?}, not {PAYLOAD_TYPE}", envelope.payload_type) });
        }
        if envelope.payload.as_bytes().len() > PAYLOAD_LIMIT {
            return Err(BundleError::TooLong { length: envelope.payload.as_bytes().len(), limit: PAYLOAD_LIMIT });
        }
        Ok(Self { bundle, envelope })
    }

    /// The payload bytes. Worth something only once [`Line::verify`] said yes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.envelope.payload.as_bytes()
    }

    /// How statements name this one.
    #[must_use]
    pub fn digest(&self) -> StatementDigest {
        StatementDigest::of(self.payload())
    }

    /// Verifies the signature, and in the certificate profiles certificate, log entry and timestamps.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn verify(&self, anchor: &Anchor) -> Result<Signed, BundleError> {
        let by_key = matches!(self.bundle.verification_material.content, VerificationMaterialContent::PublicKey(_));
        match &anchor.certificates {
            None => self.verify_key(&anchor.keys),
            Some(_) if by_key && !anchor.keys.is_empty() => self.verify_key(&anchor.keys),
            Some(Certificates { verifier, issuer, logged }) => self.verify_certificate(verifier, issuer, *logged),
        }
    }

    fn verify_key(&self, keys: &[(String, VerificationKey)]) -> Result<Signed, BundleError> {
        let material = &self.bundle.verification_material;
        let VerificationMaterialContent::PublicKey(identifier) = &material.content else {
            return Err(BundleError::Profile { problem: "is signed with a certificate" });
        };
        if !material.tlog_entries.is_empty() || !material.timestamp_verification_data.rfc3161_timestamps.is_empty() {
            return Err(BundleError::Profile { problem: "carries log entries or timestamps" });
        }
        let (id, key) = keys.iter().find(|(id, _)| *id == identifier.hint).ok_or_else(|| BundleError::UnknownKey { key: identifier.hint.clone() })?;
        key.verify(self.envelope.pae(), &self.envelope.signature.sig).map_err(|error| BundleError::Signature { source: Box::new(error) })?;
        Ok(Signed { identity: Identity::Key { id: id.clone() }, time: None })
    }

    fn verify_certificate(&self, verifier: &Verifier, issuer: &str, logged: bool) -> Result<Signed, BundleError> {
        if !matches!(self.bundle.verification_material.content, VerificationMaterialContent::Certificate(_)) {
            return Err(BundleError::Profile { problem: "is not signed with one certificate" });
        }
        let mut policy = VerificationPolicy::any_identity().require_issuer(issuer);
        if !logged {
            policy = policy.skip_tlog_unsafe().skip_sct();
        }
        let result = verifier.verify(self.claimed_subject(), &self.bundle, &policy).map_err(|error| BundleError::Signature { source: Box::new(error) })?;
        let time = result.verified_timestamps().iter().min().copied().ok_or(BundleError::Time)?;
        let (Some(san), Some(certificate)) = (result.identity(), result.certificate()) else {
            return Err(BundleError::Profile { problem: "is signed with a certificate without an identity" });
        };
        Ok(Signed { identity: Identity::Workflow { san: san.as_str().to_owned(), claims: Box::new(certificate.ci_claims.clone()) }, time: Some(time) })
    }

    /// The digest of the first subject, which the verifier insists on finding again in the payload. Where there is
    /// none the digest of nothing stands in, and verification fails.
    fn claimed_subject(&self) -> Sha256Hash {
        let digits = serde_json::from_slice::<Value>(self.payload())
            .ok()
            .and_then(|value| value.pointer("/subject/0/digest/sha256").and_then(Value::as_str).and_then(|text| text.parse::<Sha256>().ok()));
        Sha256Hash::new(*digits.unwrap_or_else(|| Sha256::of(b"")).as_bytes())
    }
}

/// Members that a bundle of ours has; the crate's reader passes over unknown ones.
fn check_shape(value: &Value) -> Result<(), BundleError> {
    let shape = |problem: String| BundleError::Shape { problem };
    let Some(members) = value.as_object() else {
        return Err(shape("is not a JSON object".to_owned()));
    };
    if let Some(unknown) = members.keys().find(|name| !["mediaType", "verificationMaterial", "dsseEnvelope"].contains(&name.as_str())) {
        return Err(shape(format!("has the unknown member {unknown:?}")));
    }
    if members.get("mediaType").and_then(Value::as_str) != Some(MEDIA_TYPE) {
        return Err(shape(format!("has another media type than {MEDIA_TYPE}")));
    }
    match value.pointer("/dsseEnvelope/signatures").and_then(Value::as_array).map(Vec::len) {
        Some(1) => {}
        Some(count) => return Err(shape(format!("has {count} signatures, exactly one is expected"))),
        None => return Err(shape("has no DSSE envelope with signatures".to_owned())),
    }
    if value.pointer("/verificationMaterial/x509CertificateChain").is_some() {
        return Err(shape("carries a certificate chain; version 0.3 carries the leaf alone".to_owned()));
    }
    Ok(())
}

/// Who signed a line, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The identity.
    pub identity: Identity,
    /// The earliest proved time of signing; profile `key` proves none.
    pub time: Option<jiff::Timestamp>,
}

/// A signing identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A key of the policy.
    Key {
        /// Its id.
        id: String,
    },
    /// A workflow, as its certificate names it.
    Workflow {
        /// The certificate's subject alternative name.
        san: String,
        /// The claims of Fulcio's extensions 1.3.6.1.4.1.57264.1.*.
        claims: Box<FulcioCiClaims>,
    },
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { id } => write!(f, "key:{id}"),
            Self::Workflow { san, .. } => f.write_str(san),
        }
    }
}

/// What certificates are held against.
struct Certificates {
    verifier: Box<Verifier>,
    issuer: String,
    logged: bool,
}

/// What signatures are held against. Chosen by policy, never by what a bundle contains.
pub struct Anchor {
    keys: Vec<(String, VerificationKey)>,
    certificates: Option<Certificates>,
}

impl Anchor {
    /// Profile `key`: the public keys (DER SubjectPublicKeyInfo). Their ids are computed.
    ///
    /// # Errors
    /// [`BundleError::Trust`] for a key that is none.
    pub fn keys<'a>(keys: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, BundleError> {
        Self { keys: Vec::new(), certificates: None }.and_keys(keys)
    }

    /// The same with public keys that signatures may be made with too. Which statements they may sign, the policy says.
    ///
    /// # Errors
    /// [`BundleError::Trust`] for a key that is none.
    pub fn and_keys<'a>(self, keys: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, BundleError> {
        let keys = keys
            .into_iter()
            .map(|spki| {
                let id = key_id(spki);
                match VerificationKey::from_spki(&DerPublicKey::new(spki.to_vec())) {
                    Ok(key) => Ok((id, key)),
                    Err(error) => Err(BundleError::Trust { what: format!("the key {id}"), source: Box::new(error) }),
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { keys, ..self })
    }

    /// Profile `public`: certificates of the public-good instance or of a given root, logged and with a proof of their issuance.
    ///
    /// # Errors
    /// [`BundleError::Trust`] for an unusable root.
    pub fn public(root: &TrustedRoot, issuer: &str) -> Result<Self, BundleError> {
        Self::certificates(root, issuer, true)
    }

    /// Profile `github`: certificates of GitHub's own instance, which keeps no log; its timestamp authority proves the time.
    ///
    /// # Errors
    /// [`BundleError::Trust`] for an unusable root.
    pub fn github(root: &TrustedRoot, issuer: &str) -> Result<Self, BundleError> {
        Self::certificates(root, issuer, false)
    }

    fn certificates(root: &TrustedRoot, issuer: &str, logged: bool) -> Result<Self, BundleError> {
        let verifier = Verifier::new(root).map_err(|error| BundleError::Trust { what: "the trusted root".to_owned(), source: Box::new(error) })?;
        Ok(Self { keys: Vec::new(), certificates: Some(Certificates { verifier: Box::new(verifier), issuer: issuer.to_owned(), logged }) })
    }
}
