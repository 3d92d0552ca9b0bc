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

#[tokio::test]
async fn a_private_authority_is_believed_where_it_is_named() {
    use crate::io::tls::tests::{Private, compiled_in};
    let body = r#"{"schemaVersion":2}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", MANIFEST_TYPES[0], body.len());
    let private = Private::start(answer.leak()).await;
    let reference = Reference::with_tag(private.host.clone(), "a".to_owned(), "1".to_owned());
    let read = async |roots: &Roots| {
        let client = Client::try_from(config(false, roots)).unwrap();
        client.pull_manifest_raw(&reference, &RegistryAuth::Anonymous, &MANIFEST_TYPES).await
    };
    assert_eq!(read(&private.roots()).await.unwrap().0, body.as_bytes());
    let refused = format!("{:?}", read(&compiled_in()).await.unwrap_err());
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}
