use super::*;

#[test]
fn loopback_is_this_machine_alone() {
    for host in ["localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:80", "127.8.9.1:1"] {
        assert!(is_loopback(host), "{host}");
    }
    for host in ["ghcr.io", "localhost.example.com", "127.0.0.1.example.com", "128.0.0.1", "10.0.0.1:5000", ""] {
        assert!(!is_loopback(host), "{host}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let registry = OciRegistry::anonymous()
        .with_credentials("ghcr.io", Credentials::Basic { username: "me".to_owned(), password: "hunter2".to_owned() })
        .with_credentials("example.com", Credentials::Bearer { token: "hunter2".to_owned() });
    insta::assert_snapshot!(format!("{registry:?}"), @r#"OciRegistry { credentials: {"example.com": Bearer { token: … }, "ghcr.io": Basic { username: "me", password: … }}, .. }"#);
}

#[tokio::test]
async fn references_are_repositories_with_a_host() {
    let registry = OciRegistry::anonymous();
    let mut said = Vec::new();
    for bad in ["", "redis", "charts/redis", "/a", "ghcr.io/", "ghcr.io/A", "ghcr.io/a:1", "ghcr.io/a@sha256:00", "ghcr.io/a b"] {
        let error = registry.target(bad).await.map(|_| ()).unwrap_err();
        said.push(format!("{error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()));
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    "" is not a repository of an OCI registry: it begins with no host: a host holds a '.' or a port, or is localhost
    "redis" is not a repository of an OCI registry: it begins with no host: a host holds a '.' or a port, or is localhost
    "charts/redis" is not a repository of an OCI registry: it begins with no host: a host holds a '.' or a port, or is localhost
    "/a" is not a repository of an OCI registry: it begins with no host: a host holds a '.' or a port, or is localhost
    "ghcr.io/" is not a repository of an OCI registry: invalid reference format
    "ghcr.io/A" is not a repository of an OCI registry: invalid reference format
    "ghcr.io/a:1" is not a repository of an OCI registry: it holds a tag or digest, where only the repository is asked for
    "ghcr.io/a@sha256:00" is not a repository of an OCI registry: it holds a tag or digest, where only the repository is asked for
    "ghcr.io/a b" is not a repository of an OCI registry: invalid reference format
    "#);
}

#[test]
fn the_subject_of_a_manifest() {
    let digest = Sha256::of(b"x");
    let manifest = format!(r#"{{"schemaVersion":2,"subject":{{"digest":"{}","size":1}}}}"#, digest.prefixed());
    assert_eq!(subject(manifest.as_bytes()), Some(digest));
    for none in ["", "{}", "[]", r#"{"subject":null}"#, r#"{"subject":{"digest":"sha512:00"}}"#] {
        assert_eq!(subject(none.as_bytes()), None, "{none}");
    }
}
