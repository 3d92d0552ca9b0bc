//! The OCI client against the embedded registry, over real sockets, as the specification has it and as ghcr.io behaves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error as _;
use std::sync::Arc;

use chartflow_core::domain::digest::Sha256;
use chartflow_core::io::oci::{Credentials, OciRegistry};
use chartflow_core::port::registry::{Registry as _, RegistryError};
use chartflow_sandbox::registry::{Flavour, Options, Registry, RegistryServer};
use serde_json::json;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct Bench {
    server: RegistryServer,
    client: OciRegistry,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new(flavour: Flavour) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path(), Options { flavour, ..Options::default() }).unwrap();
        let server = RegistryServer::start(Arc::new(registry)).await.unwrap();
        Self { server, client: OciRegistry::anonymous(), folder }
    }

    async fn ghcr() -> Self {
        let bench = Self::new(Flavour::Ghcr { writers: vec!["secret".to_owned()] }).await;
        let client = bench.as_user("secret");
        Self { client, ..bench }
    }

    fn as_user(&self, password: &str) -> OciRegistry {
        OciRegistry::anonymous().with_credentials(self.server.host(), Credentials::Basic { username: "anyone".to_owned(), password: password.to_owned() })
    }

    fn repository(&self, name: &str) -> String {
        format!("{}/{name}", self.server.host())
    }

    /// A manifest whose bytes no serialiser writes: they must survive as they are.
    async fn push_chart(&self, layer: &[u8]) -> Sha256 {
        let repository = self.repository("charts/a");
        let config = self.client.push_blob(&repository, b"{}").await.unwrap();
        let digest = self.client.push_blob(&repository, layer).await.unwrap();
        let bytes = format!(
            "{{\"schemaVersion\":2,\n \"config\":{{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":\"{}\",\"size\":2}},\n \"layers\":[{{\"mediaType\":\"application/vnd.cncf.helm.chart.content.v1.tar+gzip\",\"digest\":\"{}\",\"size\":{}}}]}}\n",
            config.prefixed(),
            digest.prefixed(),
            layer.len()
        );
        let pushed = self.client.push_manifest(&repository, Some("1.0.0"), MANIFEST, bytes.as_bytes()).await.unwrap();
        assert_eq!((pushed.digest, pushed.referrers_kept), (Sha256::of(bytes.as_bytes()), true));
        for reference in ["1.0.0", &pushed.digest.prefixed()] {
            assert_eq!(self.client.manifest(&repository, reference).await.unwrap().as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(self.client.blob(&repository, &digest, layer.len()).await.unwrap().as_deref(), Some(layer));
        pushed.digest
    }

    /// A manifest that refers to another; its bytes and whether the registry lists it.
    async fn push_referrer(&self, subject: &Sha256) -> (Vec<u8>, bool) {
        let repository = self.repository("charts/a");
        let config = self.client.push_blob(&repository, b"{}").await.unwrap();
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config.prefixed(), "size": 2 }, "layers": [],
            "subject": { "mediaType": MANIFEST, "digest": subject.prefixed(), "size": 1 }, "annotations": { "stage": "publish" } });
        let bytes = manifest.to_string().into_bytes();
        let pushed = self.client.push_manifest(&repository, None, MANIFEST, &bytes).await.unwrap();
        assert_eq!(pushed.digest, Sha256::of(&bytes));
        (bytes, pushed.referrers_kept)
    }

    fn port_as_text(&self, text: &str) -> String {
        text.replace(&self.server.host(), "HOST")
    }
}

#[tokio::test]
async fn a_chart_and_its_referrers() {
    let bench = Bench::new(Flavour::Distribution).await;
    let subject = bench.push_chart(&vec![7; 9 << 20]).await;
    let repository = bench.repository("charts/a");
    assert_eq!(bench.client.referrers(&repository, &subject).await.unwrap(), []);
    let (bytes, kept) = bench.push_referrer(&subject).await;
    assert!(kept);
    let listed = bench.client.referrers(&repository, &subject).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].digest.clone(), listed[0].size), (Sha256::of(&bytes).prefixed(), bytes.len() as u64));
    assert_eq!(listed[0].artifact_type.as_deref(), Some("application/vnd.dev.sigstore.bundle.v0.3+json"));
    assert_eq!(listed[0].annotations.get("stage").map(String::as_str), Some("publish"));
}

#[tokio::test]
async fn as_ghcr_the_fallback_tag_is_ours() {
    let bench = Bench::ghcr().await;
    let subject = bench.push_chart(&vec![7; 9 << 20]).await;
    let repository = bench.repository("charts/a");
    assert_eq!(bench.client.referrers(&repository, &subject).await.unwrap(), []);
    let (bytes, kept) = bench.push_referrer(&subject).await;
    assert!(!kept, "there is no referrers API");
    let entry = json!({ "mediaType": MANIFEST, "digest": Sha256::of(&bytes).prefixed(), "size": bytes.len(), "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json" });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] }).to_string();
    let tag = format!("sha256-{subject}");
    bench.client.push_manifest(&repository, Some(&tag), INDEX, index.as_bytes()).await.unwrap();
    let listed = bench.client.referrers(&repository, &subject).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.digest.clone()).collect::<Vec<_>>(), [Sha256::of(&bytes).prefixed()]);
    assert!(bench.push_referrer(&subject).await.1, "listed by the tag already: nothing is left to write");
}

#[tokio::test]
async fn as_ghcr_strangers_read_and_do_not_write() {
    let bench = Bench::ghcr().await;
    let digest = bench.push_chart(b"chart").await;
    let repository = bench.repository("charts/a");
    let stranger = OciRegistry::anonymous();
    assert!(stranger.manifest(&repository, &digest.prefixed()).await.unwrap().is_some());
    assert!(matches!(stranger.push_blob(&repository, b"new").await, Err(RegistryError::Failed { .. })));
    let error = bench.as_user("wrong").push_blob(&repository, b"new").await.unwrap_err();
    insta::assert_snapshot!(bench.port_as_text(&error.to_string()), @"HOST/charts/a: uploading blob sha256:11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437 failed");
    assert!(!format!("{error:?}").contains("wrong"), "no secret is printed");
    let elsewhere =
        OciRegistry::anonymous().with_credentials("127.0.0.1:1", Credentials::Basic { username: "anyone".to_owned(), password: "secret".to_owned() });
    assert!(elsewhere.push_blob(&repository, b"new").await.is_err(), "credentials stay with their host");
}

#[tokio::test]
async fn absent_is_not_failed() {
    let bench = Bench::new(Flavour::Distribution).await;
    let (repository, digest) = (bench.repository("charts/none"), Sha256::of(b"absent"));
    assert_eq!(bench.client.manifest(&repository, "1.0.0").await.unwrap(), None);
    assert_eq!(bench.client.manifest(&repository, &digest.prefixed()).await.unwrap(), None);
    assert_eq!(bench.client.blob(&repository, &digest, 10).await.unwrap(), None);
    drop(bench.server);
    let error = bench.client.manifest("127.0.0.1:1/a", "1.0.0").await.unwrap_err();
    insta::assert_snapshot!(error, @"127.0.0.1:1/a: reading manifest 1.0.0 failed");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn too_many_and_other_bytes_are_refused() {
    let bench = Bench::new(Flavour::Distribution).await;
    let repository = bench.repository("charts/a");
    let manifest = bench.push_chart(b"chart").await;
    let digest = Sha256::of(b"chart");
    assert!(matches!(bench.client.blob(&repository, &digest, 4).await, Err(RegistryError::Content { .. })));
    let blobs = bench.folder.path().join("blobs/sha256");
    std::fs::write(blobs.join(digest.to_string()), b"other").unwrap();
    std::fs::write(blobs.join(manifest.to_string()), b"{}").unwrap();
    let error = bench.client.blob(&repository, &digest, 100).await.unwrap_err();
    insta::assert_snapshot!(bench.port_as_text(&error.to_string()), @"HOST/charts/a: sha256:cc57fc1903e444cf6a726490b43b27ee9f87facc037f86872201847c565b45fb was answered with other or too many bytes");
    assert!(matches!(bench.client.manifest(&repository, &manifest.prefixed()).await, Err(RegistryError::Content { .. })));
    assert!(matches!(bench.client.manifest(&repository, "1.0.0").await, Err(RegistryError::Content { .. })));
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let bench = Bench::new(Flavour::Distribution).await;
    let repository = bench.repository("charts/a");
    let digest = bench.client.push_blob(&repository, b"").await.unwrap();
    assert_eq!(bench.client.blob(&repository, &digest, 0).await.unwrap(), Some(Vec::new()));
}

#[tokio::test]
async fn what_the_registry_refuses_is_an_error() {
    let bench = Bench::new(Flavour::Distribution).await;
    let error = bench.client.push_manifest(&bench.repository("charts/a"), Some("1"), MANIFEST, b"{}").await.unwrap_err();
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("MANIFEST_INVALID"), "{cause}");
}
