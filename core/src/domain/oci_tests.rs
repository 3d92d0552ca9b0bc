use super::*;

const CHART: &str = r#"apiVersion: v2
name: web
version: 1.2.3+b.1
appVersion: "1.10"
description: "a <b> & 'c' \u2028 ü 🎉"
home: https://example.com/?a=1&b=2
icon: https://example.com/i.png
type: application
kubeVersion: ">=1.20.0-0"
keywords: [web, "<x>"]
sources: [https://example.com/src, https://example.com/2]
deprecated: true
condition: web.enabled
tags: a,b
maintainers:
- name: A
  email: a@example.com
- name: B
- email: c@example.com
  url: https://example.com/c
annotations:
  org.opencontainers.image.title: ignored
  org.opencontainers.image.url: https://example.com/own
  artifacthub.io/changes: |
    - a
dependencies:
- name: db
  version: 1.x
  repository: ""
  alias: main
  tags: [x]
  enabled: true
  condition: db.enabled
  import-values: [data, {parent: b, child: a}]
"#;

fn artifact() -> ChartArtifact {
    chart_artifact(&Metadata::read("Chart.yaml", CHART.as_bytes()).unwrap(), b"package", 1_700_000_000).unwrap()
}

/// Both documents are what `helm push` (4.3.1) wrote for this chart, the layer aside.
#[test]
fn a_chart_is_what_helm_pushes() {
    let artifact = artifact();
    assert_eq!(artifact.tag, "1.2.3_b.1");
    let config = String::from_utf8(artifact.config.bytes.clone()).unwrap();
    assert_eq!(
        config,
        r#"{"name":"web","home":"https://example.com/?a=1\u0026b=2","sources":["https://example.com/src","https://example.com/2"],"version":"1.2.3+b.1","description":"a \u003cb\u003e \u0026 'c'   ü 🎉","keywords":["web","\u003cx\u003e"],"maintainers":[{"name":"A","email":"a@example.com"},{"name":"B"},{"email":"c@example.com","url":"https://example.com/c"}],"icon":"https://example.com/i.png","apiVersion":"v2","condition":"web.enabled","tags":"a,b","appVersion":"1.10","deprecated":true,"annotations":{"artifacthub.io/changes":"- a\n","org.opencontainers.image.title":"ignored","org.opencontainers.image.url":"https://example.com/own"},"kubeVersion":"\u003e=1.20.0-0","dependencies":[{"name":"db","version":"1.x","repository":"","condition":"db.enabled","tags":["x"],"enabled":true,"import-values":["data",{"child":"a","parent":"b"}],"alias":"main"}],"type":"application"}"#
    );
    assert_eq!((artifact.config.digest.to_string(), config.len()), ("61938df0fb1a8062e35f38e00d6d1781dd3da22eb83cdea3e1e0119be856a2e3".to_owned(), 866));
    assert_eq!(
        String::from_utf8(artifact.manifest.bytes).unwrap(),
        r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:61938df0fb1a8062e35f38e00d6d1781dd3da22eb83cdea3e1e0119be856a2e3","size":866},"layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:bc4a1ab8e1ce2f0bfadc7bd5e2e5a2f8aab0e4ee2a4fc4cb0d4f1a9fd9f8be37","size":7}],"annotations":{"artifacthub.io/changes":"- a\n","org.opencontainers.image.authors":"A (a@example.com), B,  (c@example.com)","org.opencontainers.image.created":"2023-11-14T22:13:20Z","org.opencontainers.image.description":"a \u003cb\u003e \u0026 'c'   ü 🎉","org.opencontainers.image.source":"https://example.com/src","org.opencontainers.image.title":"web","org.opencontainers.image.url":"https://example.com/own","org.opencontainers.image.version":"1.2.3+b.1"}}"#
            .replace("bc4a1ab8e1ce2f0bfadc7bd5e2e5a2f8aab0e4ee2a4fc4cb0d4f1a9fd9f8be37", &Sha256::of(b"package").to_string())
    );
}

#[test]
fn tags() {
    for (version, expected) in [("1.2.3", Some("1.2.3")), ("v1.0.0-rc.1+b.2", Some("v1.0.0-rc.1_b.2")), ("1.0.0/x", None), ("", None), (".1", None)] {
        assert_eq!(tag(version).ok().as_deref(), expected, "{version}");
    }
    assert!(tag(&"1".repeat(129)).is_err());
    assert_eq!(version_of_tag("1.0.0_b.2"), "1.0.0+b.2");
    insta::assert_snapshot!(tag("1.0.0~x").unwrap_err(), @r#"version "1.0.0~x" cannot be the tag of an OCI artifact"#);
}

#[test]
fn lineage_refers_to_the_chart() {
    let subject = artifact().manifest.descriptor();
    let bundle = bundle_referrer(&subject, b"{}", "https://slsa.dev/provenance/v1", 0).unwrap();
    let manifest: Value = serde_json::from_slice(&bundle.manifest.bytes).unwrap();
    assert_eq!(manifest["subject"], serde_json::to_value(&subject).unwrap());
    assert_eq!(
        manifest["config"],
        json!({ "mediaType": EMPTY, "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "size": 2 })
    );
    let keys: Vec<&str> = manifest.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"]);
    assert_eq!(
        manifest["annotations"],
        json!({ "dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1", "org.opencontainers.image.created": "1970-01-01T00:00:00Z" })
    );
    assert_eq!((manifest["artifactType"].as_str(), manifest["layers"][0]["mediaType"].as_str()), (Some(BUNDLE), Some(BUNDLE)));
    assert_eq!(bundle, bundle_referrer(&subject, b"{}", "https://slsa.dev/provenance/v1", 0).unwrap());
    let lineage = lineage_referrer(&subject, b"{}\n{}\n", "web-1.2.3.lineage.jsonl", 0).unwrap();
    assert_eq!(lineage.descriptor.artifact_type.as_deref(), Some(LINEAGE));
    assert_eq!(lineage.descriptor.digest, Sha256::of(&lineage.manifest.bytes).prefixed());
    assert_eq!(lineage.layer.descriptor().size, 6);
}

#[test]
fn the_fallback_tag_lists_referrers_once() {
    let subject = artifact().manifest;
    assert_eq!(fallback_tag(&subject.digest), format!("sha256-{}", subject.digest));
    let one = bundle_referrer(&subject.descriptor(), b"1", "p", 0).unwrap().descriptor;
    let two = bundle_referrer(&subject.descriptor(), b"2", "p", 0).unwrap().descriptor;
    let first = fallback_index(None, &one).unwrap().unwrap();
    assert_eq!(fallback_index(Some(&first), &one).unwrap(), None);
    let second = fallback_index(Some(&first), &two).unwrap().unwrap();
    let index: Value = serde_json::from_slice(&second).unwrap();
    assert_eq!(index, json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [one, two] }));
    assert!(matches!(fallback_index(Some(b"{}"), &one), Err(OciError::Index { source: None })));
    assert!(matches!(fallback_index(Some(b"<"), &one), Err(OciError::Index { source: Some(_) })));
}

#[test]
fn times_are_checked() {
    let metadata = Metadata::read("Chart.yaml", CHART.as_bytes()).unwrap();
    assert!(matches!(chart_artifact(&metadata, b"", i64::MAX), Err(OciError::Time { .. })));
}
