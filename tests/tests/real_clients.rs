//! Real programs against what chartflow embeds and holds as examples: helm and crane read and write the registry.
//!
//! Each test stands in a module `needs_<program>` and is ignored by `cargo test`; `scripts/test` puts the pinned programs
//! on the PATH and runs them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use chartflow_core::domain::digest::Sha256;
use chartflow_core::io::oci::OciRegistry;
use chartflow_core::port::registry::Registry as _;
use chartflow_sandbox::registry::{Options, Registry, RegistryServer};

/// Runs a program away from the user's configuration; its standard output.
fn run(program: &str, home: &Path, arguments: &[&dyn AsRef<OsStr>]) -> String {
    let mut command = Command::new(program);
    command.env("HOME", home).env("XDG_CACHE_HOME", home).env("XDG_CONFIG_HOME", home).env("XDG_DATA_HOME", home).env("DOCKER_CONFIG", home);
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env_remove(proxy);
    }
    let output = command.args(arguments.iter().map(AsRef::as_ref)).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} ended with {}: {said}{}", output.status, String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/repository/charts")
}

/// A registry that listens, and a folder for everything else.
struct Bench {
    server: RegistryServer,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(&folder.path().join("registry"), Options::default()).unwrap();
        Self { server: RegistryServer::start(Arc::new(registry)).await.unwrap(), folder }
    }

    fn host(&self) -> String {
        self.server.host()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Pushes bytes as a chart's manifest, config and layer, as `helm push` lays them out; the manifest's digest.
    async fn push(&self, name: &str, version: &str, package: &[u8]) -> Sha256 {
        let (client, repository) = (OciRegistry::anonymous(), format!("{}/charts/{name}", self.host()));
        let config = serde_json::json!({ "name": name, "version": version, "apiVersion": "v2" }).to_string();
        let config_digest = client.push_blob(&repository, config.as_bytes()).await.unwrap();
        let layer_digest = client.push_blob(&repository, package).await.unwrap();
        let manifest = serde_json::json!({ "schemaVersion": 2,
            "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": config_digest.prefixed(), "size": config.len() },
            "layers": [{ "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": layer_digest.prefixed(), "size": package.len() }] });
        let bytes = manifest.to_string().into_bytes();
        client.push_manifest(&repository, Some(version), "application/vnd.oci.image.manifest.v1+json", &bytes).await.unwrap().digest
    }
}

/// A program that waits must not hold up the server: it has the other thread.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

mod needs_helm {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "runs helm"]
    async fn helm_pulls_what_our_client_pushed() {
        let bench = Bench::new().await;
        let home = bench.path().to_owned();
        run("helm", &home, &[&"package", &examples().join("ticker"), &"--destination", &home]);
        let package = fs::read(home.join("ticker-1.3.1.tgz")).unwrap();
        fs::remove_file(home.join("ticker-1.3.1.tgz")).unwrap();
        bench.push("ticker", "1.3.1", &package).await;
        let reference = format!("oci://{}/charts/ticker", bench.host());
        let pulled = home.clone();
        beside(move || run("helm", &pulled, &[&"pull", &reference, &"--version", &"1.3.1", &"--plain-http", &"--destination", &pulled])).await;
        assert_eq!(fs::read(home.join("ticker-1.3.1.tgz")).unwrap(), package);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "runs helm"]
    async fn our_client_reads_what_helm_pushed() {
        let bench = Bench::new().await;
        let (home, target) = (bench.path().to_owned(), format!("oci://{}/charts", bench.host()));
        run("helm", &home, &[&"package", &examples().join("cache"), &"--destination", &home]);
        let package = home.join("cache-0.4.2.tgz");
        let bytes = fs::read(&package).unwrap();
        beside(move || run("helm", &home, &[&"push", &package, &target, &"--plain-http"])).await;
        let (client, repository) = (OciRegistry::anonymous(), format!("{}/charts/cache", bench.host()));
        let manifest = client.manifest(&repository, "0.4.2").await.unwrap().unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["layers"][0]["digest"], Sha256::of(&bytes).prefixed());
        assert_eq!(client.blob(&repository, &Sha256::of(&bytes), bytes.len()).await.unwrap().unwrap(), bytes);
    }

    #[test]
    #[ignore = "runs helm"]
    fn the_example_charts_lint() {
        let folder = tempfile::tempdir().unwrap();
        let charts = folder.path().join("charts");
        copy(&examples(), &charts);
        run("helm", folder.path(), &[&"dependency", &"build", &charts.join("guestbook")]);
        let mut names: Vec<_> = fs::read_dir(&charts).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names.len(), 4);
        for chart in names {
            run("helm", folder.path(), &[&"lint", &"--strict", &chart]);
        }
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_dir() {
                copy(&entry.path(), &to.join(entry.file_name()));
            } else {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
}

mod needs_crane {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "runs crane"]
    async fn crane_reads_and_copies() {
        let (bench, other) = (Bench::new().await, Bench::new().await);
        let digest = bench.push("ticker", "1.3.1", &vec![1; 6 << 20]).await;
        let (home, reference) = (bench.path().to_owned(), format!("{}/charts/ticker", bench.host()));
        let (host, target) = (bench.host(), format!("{}/mirror/ticker:1.3.1", other.host()));
        beside(move || {
            let crane = |arguments: &[&dyn AsRef<OsStr>]| run("crane", &home, arguments).trim().to_owned();
            let tagged = format!("{reference}:1.3.1");
            assert_eq!(crane(&[&"digest", &tagged]), digest.prefixed());
            assert_eq!(Sha256::of(run("crane", &home, &[&"manifest", &tagged]).trim_end_matches('\n').as_bytes()), digest);
            assert_eq!(crane(&[&"ls", &reference]), "1.3.1");
            assert_eq!(crane(&[&"catalog", &host]), "charts/ticker");
            crane(&[&"copy", &tagged, &target]);
            assert_eq!(crane(&[&"digest", &target]), digest.prefixed());
        })
        .await;
        let copied = OciRegistry::anonymous().blob(&format!("{}/mirror/ticker", other.host()), &Sha256::of(&vec![1; 6 << 20]), 6 << 20).await.unwrap();
        assert_eq!(copied.map(|bytes| bytes.len()), Some(6 << 20));
    }
}
