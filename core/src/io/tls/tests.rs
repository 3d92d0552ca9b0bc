//! Over real TLS, with a certificate authority made for the test.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A private authority, and a server on this machine that it vouches for.
pub(in crate::io) struct Private {
    /// The authority's certificate, PEM.
    pub(in crate::io) authority: String,
    /// `localhost:PORT`.
    pub(in crate::io) host: String,
}

impl Private {
    /// Starts the server. It gives every request on a new connection the same answer.
    pub(in crate::io) async fn start(answer: &'static str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A client that does not believe us hangs up here.
                let Ok(mut stream) = acceptor.accept(socket).await else { continue };
                let mut request = [0; 4096];
                if stream.read(&mut request).await.is_ok() {
                    stream.write_all(answer.as_bytes()).await.ok();
                    stream.shutdown().await.ok();
                }
            }
        });
        Self { authority, host }
    }

    /// The roots of somebody who was told of this authority.
    pub(in crate::io) fn roots(&self) -> Roots {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, &self.authority).unwrap();
        named(&file).unwrap()
    }
}

/// The roots of a machine without any, whose environment names a file.
fn named(file: &Path) -> Result<Roots, TlsError> {
    Roots::with(rustls_native_certs::load_certs_from_paths(Some(file), None), &["SSL_CERT_FILE"])
}

/// The roots of a machine that has no certificate and was told of none: an image without files.
pub(in crate::io) fn compiled_in() -> Roots {
    Roots::with(CertificateResult::default(), &[]).unwrap()
}

#[test]
fn an_image_without_files_believes_the_public_authorities() {
    let roots = compiled_in();
    assert!(roots.certificates().count() > 100, "{}", roots.certificates().count());
    assert!(roots.client_config().is_ok());
}

#[tokio::test]
async fn what_is_named_is_added() {
    let private = Private::start("").await;
    assert_eq!(private.roots().certificates().count(), compiled_in().certificates().count() + 1);
}

#[test]
fn what_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str| named(&folder.path().join(name)).unwrap_err();
    let absent = check("absent.pem");
    insta::assert_snapshot!(absent, @"SSL_CERT_FILE is set, but no PEM certificate could be read from there");
    assert!(std::error::Error::source(&absent).is_some_and(|source| source.to_string().contains("absent.pem")));
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    std::fs::write(folder.path().join("text.pem"), "not a certificate").unwrap();
    check("empty.pem");
    check("text.pem");
}
