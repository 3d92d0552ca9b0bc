//! A log of certificates (RFC 6962) that keeps nothing: it signs that it was shown a certificate before it was issued,
//! which is all that Fulcio and verifiers ask of one.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartflow_core::domain::digest::Sha256;
use serde_json::{Value, json};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};

use crate::tiny_http;

/// The extension that makes a certificate one that was not issued (RFC 6962 §3.1).
const POISON: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.3");
/// A SubjectPublicKeyInfo on P-256, up to the point (RFC 5480).
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

/// A running log.
pub struct CertificateLog {
    /// Where it is.
    pub address: String,
    spki: Vec<u8>,
}

impl CertificateLog {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        let spki = [P256, pair.public_key().as_ref()].concat();
        let id = STANDARD.encode(Sha256::of(&spki).as_bytes());
        let address = tiny_http::serve(move |_, asked| {
            if asked.target != "/ct/v1/add-pre-chain" {
                return (404, json!({}));
            }
            let time = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
            let signature = pair.sign(&random, &stamped(&serde_json::from_slice(&asked.body).unwrap(), time)).unwrap();
            // SHA-256 (4) with ECDSA (3), and the signature behind its length (RFC 5246 §4.7).
            let length = u16::try_from(signature.as_ref().len()).unwrap().to_be_bytes();
            let signed = [&[4, 3], &length[..], signature.as_ref()].concat();
            (200, json!({"sct_version": 0, "id": id, "timestamp": time, "extensions": "", "signature": STANDARD.encode(signed)}))
        });
        Self { address, spki }
    }

    /// Its entry in a trusted root.
    #[must_use]
    pub fn trusted(&self) -> Value {
        json!({
            "baseUrl": self.address, "hashAlgorithm": "SHA2_256", "logId": {"keyId": STANDARD.encode(Sha256::of(&self.spki).as_bytes())},
            "publicKey": {"rawBytes": STANDARD.encode(&self.spki), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": {"start": "2020-01-01T00:00:00Z"}},
        })
    }
}

/// What the log signs about a certificate that is to be issued (RFC 6962 §3.2): version, kind, time, that it is of this
/// kind, who issues it, what it will say.
fn stamped(asked: &Value, time: u64) -> Vec<u8> {
    let certificate = |number: usize| Certificate::from_der(&STANDARD.decode(asked["chain"][number].as_str().unwrap()).unwrap()).unwrap();
    let issuer = certificate(1).tbs_certificate.subject_public_key_info.to_der().unwrap();
    let mut content = certificate(0).tbs_certificate;
    if let Some(extensions) = &mut content.extensions {
        extensions.retain(|extension| extension.extn_id != POISON);
    }
    let content = content.to_der().unwrap();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[0, 0], &time.to_be_bytes()[..], &[0, 1], &Sha256::of(&issuer).as_bytes()[..], &length[1..], &content, &[0, 0]].concat()
}
