use super::*;
use chartflow_core::domain::digest::Sha256;

struct Bench {
    folder: tempfile::TempDir,
    registry: Registry,
}

impl Bench {
    fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path(), options).unwrap();
        Self { folder, registry }
    }

    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> http::Response<Bytes> {
        let mut request = http::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.registry.handle(&request.body(Bytes::copy_from_slice(body)).unwrap())
    }

    /// Status and body, in one line.
    fn said(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let response = self.send(method, target, headers, body);
        format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(response.body()))
    }

    fn blob(&self, name: &str, bytes: &[u8]) -> String {
        let digest = Sha256::of(bytes).prefixed();
        let response = self.send("POST", &format!("/v2/{name}/blobs/uploads/?digest={digest}"), &[], bytes);
        assert_eq!(response.status(), 201, "{response:?}");
        digest
    }

    fn manifest(&self, name: &str, reference: Option<&str>, value: &serde_json::Value) -> (String, http::Response<Bytes>) {
        let bytes = value.to_string().into_bytes();
        let digest = Sha256::of(&bytes).prefixed();
        let target = format!("/v2/{name}/manifests/{}", reference.unwrap_or(&digest));
        let response = self.send("PUT", &target, &[("content-type", manifest::OCI_MANIFEST)], &bytes);
        (digest, response)
    }

    fn image(&self, name: &str, tag: &str) -> (String, http::Response<Bytes>) {
        let config = self.blob(name, b"{}");
        let layer = self.blob(name, tag.as_bytes());
        let value = serde_json::json!({ "schemaVersion": 2, "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": config, "size": 2 },
            "layers": [{ "mediaType": "application/octet-stream", "digest": layer, "size": tag.len() }] });
        self.manifest(name, Some(tag), &value)
    }

    fn referrer(&self, name: &str, subject: &str, kind: &str) -> (String, http::Response<Bytes>) {
        let config = self.blob(name, b"{}");
        let value = serde_json::json!({ "schemaVersion": 2, "mediaType": manifest::OCI_MANIFEST, "artifactType": kind,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 }, "layers": [],
            "subject": { "mediaType": manifest::OCI_MANIFEST, "digest": subject, "size": 1 }, "annotations": { "a": "b" } });
        self.manifest(name, None, &value)
    }

    fn json(&self, target: &str) -> serde_json::Value {
        serde_json::from_slice(self.send("GET", target, &[], b"").body()).unwrap()
    }
}

fn header<'a>(response: &'a http::Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn blobs_in_chunks() {
    let bench = Bench::new(Options::default());
    let start = bench.send("POST", "/v2/charts/a/blobs/uploads/", &[], b"");
    assert_eq!((start.status().as_u16(), header(&start, "range")), (202, "0-0"));
    let location = header(&start, "location").to_owned();
    let first = bench.send("PATCH", &location, &[("content-range", "0-4")], b"hello");
    assert_eq!((first.status().as_u16(), header(&first, "range")), (202, "0-4"));
    let wrong = bench.send("PATCH", &location, &[("content-range", "9-9")], b"x");
    assert_eq!((wrong.status().as_u16(), header(&wrong, "range")), (416, "0-4"));
    assert_eq!(bench.send("PATCH", &location, &[("content-range", "5-9")], b"x").status(), 400);
    assert_eq!(bench.send("GET", &location, &[], b"").status(), 204);
    assert_eq!(bench.send("GET", &location.replace("/a/", "/b/"), &[], b"").status(), 404, "an upload belongs to its repository");
    let digest = Sha256::of(b"hello world").prefixed();
    let end = bench.send("PUT", &format!("{location}?digest={digest}"), &[], b" world");
    assert_eq!((end.status().as_u16(), header(&end, "docker-content-digest")), (201, digest.as_str()));
    assert_eq!(bench.send("GET", &location, &[], b"").status(), 404, "it is finished");

    let target = format!("/v2/charts/a/blobs/{digest}");
    assert_eq!(bench.said("GET", &target, &[], b""), "200 hello world");
    let head = bench.send("HEAD", &target, &[], b"");
    assert_eq!((head.status().as_u16(), header(&head, "content-length"), head.body().len()), (200, "11", 0));
    assert_eq!(bench.said("GET", &target, &[("range", "bytes=6-")], b""), "206 world");
    assert_eq!(bench.send("GET", &target, &[("range", "bytes=11-")], b"").status(), 416);
    assert_eq!(bench.send("GET", &target.replace("charts/a", "charts/b"), &[], b"").status(), 404, "blobs belong to a repository");
    let mount = bench.send("POST", &format!("/v2/charts/b/blobs/uploads/?mount={digest}&from=charts/a"), &[], b"");
    assert_eq!(mount.status(), 201);
    assert_eq!(bench.said("GET", &target.replace("charts/a", "charts/b"), &[], b""), "200 hello world");
}

#[test]
fn uploads_that_are_refused() {
    let bench = Bench::new(Options { limits: Limits { manifest: 200, blob: 8 }, ..Options::default() });
    let other = Sha256::of(b"other").prefixed();
    insta::assert_snapshot!(bench.said("POST", &format!("/v2/a/blobs/uploads/?digest={other}"), &[], b"bytes"), @r#"400 {"errors":[{"code":"DIGEST_INVALID","message":"the content is sha256:277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9, not sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"}]}"#);
    insta::assert_snapshot!(bench.said("POST", "/v2/a/blobs/uploads/?digest=sha256:00", &[], b"bytes"), @r#"400 {"errors":[{"code":"DIGEST_INVALID","message":"\"sha256:00\" is not a digest of the form sha256:<64 lower-case hexadecimal digits>"}]}"#);
    insta::assert_snapshot!(bench.said("POST", &format!("/v2/a/blobs/uploads/?digest={other}"), &[], b"nine bytes"), @r#"413 {"errors":[{"code":"SIZE_INVALID","message":"a blob may have 8 bytes at most"}]}"#);
    insta::assert_snapshot!(bench.said("PUT", "/v2/a/manifests/1", &[], &[b' '; 201]), @r#"413 {"errors":[{"code":"SIZE_INVALID","message":"a manifest may have 200 bytes at most"}]}"#);
    insta::assert_snapshot!(bench.said("POST", "/v2/A/blobs/uploads/", &[], b""), @r#"400 {"errors":[{"code":"NAME_INVALID","message":"\"A\" is not the name of a repository"}]}"#);
    insta::assert_snapshot!(bench.said("DELETE", "/v2/a/manifests/1", &[], b""), @r#"405 {"errors":[{"code":"UNSUPPORTED","message":"DELETE is not offered here"}]}"#);
    insta::assert_snapshot!(bench.said("GET", "/v2/a/tags/list", &[], b""), @r#"404 {"errors":[{"code":"NAME_UNKNOWN","message":"there is no repository \"a\""}]}"#);
    insta::assert_snapshot!(bench.said("GET", "/v2/a", &[], b""), @r#"404 {"errors":[{"code":"UNSUPPORTED","message":"there is no such endpoint"}]}"#);
    for _ in 0..UPLOAD_LIMIT {
        assert_eq!(bench.send("POST", "/v2/a/blobs/uploads/", &[], b"").status(), 202);
    }
    assert_eq!(bench.send("POST", "/v2/a/blobs/uploads/", &[], b"").status(), 429);
}

#[test]
fn manifests_are_kept_as_they_were_pushed() {
    let bench = Bench::new(Options::default());
    let config = bench.blob("charts/a", b"{}");
    let bytes = format!("{{ \"schemaVersion\" : 2,\n  \"layers\":[], \"config\":{{\"size\":2,\"digest\":\"{config}\",\"mediaType\":\"x/y\"}} }}\n");
    let digest = Sha256::of(bytes.as_bytes()).prefixed();
    let put = bench.send("PUT", "/v2/charts/a/manifests/1.0.0", &[("content-type", manifest::OCI_MANIFEST)], bytes.as_bytes());
    assert_eq!((put.status().as_u16(), header(&put, "docker-content-digest"), header(&put, "oci-subject")), (201, digest.as_str(), ""));
    for reference in ["1.0.0", &digest] {
        let got = bench.send("GET", &format!("/v2/charts/a/manifests/{reference}"), &[], b"");
        assert_eq!((got.status().as_u16(), header(&got, "content-type"), got.body().as_ref()), (200, manifest::OCI_MANIFEST, bytes.as_bytes()));
        let head = bench.send("HEAD", &format!("/v2/charts/a/manifests/{reference}"), &[], b"");
        assert_eq!((header(&head, "content-length"), head.body().len()), (bytes.len().to_string().as_str(), 0));
    }
    assert_eq!(bench.send("GET", "/v2/charts/a/manifests/2.0.0", &[], b"").status(), 404);
    assert_eq!(bench.send("GET", "/v2/charts/b/manifests/1.0.0", &[], b"").status(), 404);
}

#[test]
fn manifests_that_are_refused() {
    let bench = Bench::new(Options::default());
    let config = bench.blob("a", b"{}");
    let put = |text: &str, content_type: &str| {
        let text = text.replace("CONFIG", &format!(r#"{{"mediaType":"x/y","digest":"{config}","size":2}}"#));
        bench.said("PUT", "/v2/a/manifests/1", &[("content-type", content_type)], text.as_bytes())
    };
    let oci = manifest::OCI_MANIFEST;
    insta::assert_snapshot!(put("{", oci), @r#"400 {"errors":[{"code":"MANIFEST_INVALID","message":"EOF while parsing an object at line 1 column 1"}]}"#);
    insta::assert_snapshot!(put("{}", "text/plain"), @r#"400 {"errors":[{"code":"MANIFEST_INVALID","message":"media type \"text/plain\" is not that of a manifest"}]}"#);
    insta::assert_snapshot!(put(r#"{"schemaVersion":1}"#, oci), @r#"400 {"errors":[{"code":"MANIFEST_INVALID","message":"schemaVersion is 1, not 2"}]}"#);
    insta::assert_snapshot!(put(r#"{"schemaVersion":2,"config":CONFIG}"#, oci), @r#"400 {"errors":[{"code":"MANIFEST_INVALID","message":"a manifest needs layers"}]}"#);
    insta::assert_snapshot!(put(r#"{"schemaVersion":2,"mediaType":"other","config":CONFIG,"layers":[]}"#, oci), @r#"400 {"errors":[{"code":"MANIFEST_INVALID","message":"mediaType \"other\" is not the content type \"application/vnd.oci.image.manifest.v1+json\""}]}"#);
    insta::assert_snapshot!(put(&r#"{"schemaVersion":2,"config":CONFIG,"layers":[]}"#.replace("CONFIG", &format!(r#"{{"mediaType":"x/y","digest":"{config}","size":3}}"#)), oci), @r#"400 {"errors":[{"code":"MANIFEST_INVALID","message":"blob sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a has 2 bytes, not 3"}]}"#);
    let absent = Sha256::of(b"absent").prefixed();
    let missing = put(&format!(r#"{{"schemaVersion":2,"config":CONFIG,"layers":[{{"mediaType":"x/y","digest":"{absent}","size":6}}]}}"#), oci);
    assert!(missing.starts_with("404") && missing.contains("MANIFEST_BLOB_UNKNOWN"), "{missing}");
    let index = put(&format!(r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{oci}","digest":"{absent}","size":6}}]}}"#), manifest::OCI_INDEX);
    assert!(index.starts_with("404") && index.contains("MANIFEST_BLOB_UNKNOWN"), "{index}");
    let digest = bench.said("PUT", &format!("/v2/a/manifests/{absent}"), &[("content-type", oci)], b"{}");
    assert!(digest.starts_with("400") && digest.contains("DIGEST_INVALID"), "{digest}");
    assert_eq!(bench.said("GET", "/v2/_catalog", &[], b""), r#"200 {"repositories":["a"]}"#);
    assert_eq!(bench.send("GET", "/v2/a/tags/list", &[], b"").status(), 404, "nothing was taken in");
}

#[test]
fn tags_come_in_pages() {
    let bench = Bench::new(Options::default());
    for tag in ["1.0.0", "0.9.0", "1.0.0-rc.1"] {
        assert_eq!(bench.image("a", tag).1.status(), 201);
    }
    insta::assert_snapshot!(bench.said("GET", "/v2/a/tags/list", &[], b""), @r#"200 {"name":"a","tags":["0.9.0","1.0.0","1.0.0-rc.1"]}"#);
    let first = bench.send("GET", "/v2/a/tags/list?n=2", &[], b"");
    insta::assert_snapshot!(header(&first, "link"), @r#"</v2/a/tags/list?n=2&last=1.0.0>; rel="next""#);
    insta::assert_snapshot!(bench.said("GET", "/v2/a/tags/list?n=2&last=1.0.0", &[], b""), @r#"200 {"name":"a","tags":["1.0.0-rc.1"]}"#);
    insta::assert_snapshot!(bench.said("GET", "/v2/a/tags/list?n=0", &[], b""), @r#"200 {"name":"a","tags":[]}"#);
    assert_eq!(bench.send("GET", "/v2/a/tags/list?n=x", &[], b"").status(), 400);
}

#[test]
fn referrers_are_listed_and_filtered() {
    let bench = Bench::new(Options::default());
    let subject = bench.image("a", "1").0;
    assert_eq!(bench.json(&format!("/v2/a/referrers/{subject}"))["manifests"].as_array().map(Vec::len), Some(0));
    let (one, answer) = bench.referrer("a", &subject, "application/x.one");
    assert_eq!((answer.status().as_u16(), header(&answer, "oci-subject")), (201, subject.as_str()));
    bench.referrer("a", &subject, "application/x.two");
    bench.referrer("b", &subject, "application/x.one");
    let all = bench.json(&format!("/v2/a/referrers/{subject}"));
    assert_eq!(all["manifests"].as_array().map(Vec::len), Some(2), "{all}");
    let filtered = bench.send("GET", &format!("/v2/a/referrers/{subject}?artifactType=application%2Fx.one"), &[], b"");
    assert_eq!((header(&filtered, "oci-filters-applied"), header(&filtered, "content-type")), ("artifactType", manifest::OCI_INDEX));
    let filtered: serde_json::Value = serde_json::from_slice(filtered.body()).unwrap();
    assert_eq!(
        (filtered["manifests"].as_array().map(Vec::len), &filtered["manifests"][0]["digest"], &filtered["manifests"][0]["annotations"]["a"]),
        (Some(1), &one.into(), &"b".into())
    );
    assert_eq!(bench.send("GET", "/v2/a/referrers/latest", &[], b"").status(), 400);
}

#[test]
fn the_folder_is_an_image_layout_and_the_whole_state() {
    let bench = Bench::new(Options::default());
    let subject = bench.image("charts/a", "1.0.0").0;
    assert_eq!(bench.image("charts/b", "1.0.0").1.status(), 201);
    let (referrer, _) = bench.referrer("charts/a", &subject, "application/x.one");
    let read = |name: &str| std::fs::read_to_string(bench.folder.path().join(name)).unwrap();
    assert_eq!(read("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: serde_json::Value = serde_json::from_str(&read("index.json")).unwrap();
    let entries: Vec<_> =
        index["manifests"].as_array().unwrap().iter().map(|entry| (entry["digest"].as_str().unwrap(), entry["annotations"].to_string())).collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0], (subject.as_str(), r#"{"io.github.chartflow.repository":"charts/a","org.opencontainers.image.ref.name":"1.0.0"}"#.to_owned()));
    assert_eq!(entries[1], (referrer.as_str(), r#"{"io.github.chartflow.repository":"charts/a"}"#.to_owned()));
    for (digest, _) in &entries {
        let bytes = std::fs::read(bench.folder.path().join("blobs").join(digest.replace(':', "/"))).unwrap();
        assert_eq!(Sha256::of(&bytes).prefixed(), *digest);
    }
    let names: Vec<_> = std::fs::read_dir(bench.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(names.is_empty(), "{names:?}");

    let again = Bench { registry: Registry::open(bench.folder.path(), Options::default()).unwrap(), folder: bench.folder };
    assert_eq!(again.json("/v2/charts/a/tags/list")["tags"], serde_json::json!(["1.0.0"]));
    assert_eq!(again.json(&format!("/v2/charts/a/referrers/{subject}"))["manifests"][0]["digest"], referrer.as_str());
    assert_eq!(again.send("HEAD", &format!("/v2/charts/a/blobs/{}", Sha256::of(b"{}").prefixed()), &[], b"").status(), 200);
}

#[test]
fn a_folder_that_is_no_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = |index: &str| {
        std::fs::write(folder.path().join("index.json"), index).unwrap();
        Registry::open(folder.path(), Options::default()).unwrap_err().to_string().replace(folder.path().to_str().unwrap(), "DIR")
    };
    insta::assert_snapshot!(said("x"), @"DIR/index.json is not part of an OCI image layout: expected value at line 1 column 1");
    let digest = Sha256::of(b"").prefixed();
    let entry = |annotations: &str| {
        format!(r#"{{"schemaVersion":2,"mediaType":"x","manifests":[{{"mediaType":"x","digest":"{digest}","size":0,"annotations":{annotations}}}]}}"#)
    };
    insta::assert_snapshot!(said(&entry("{}")), @"DIR/index.json is not part of an OCI image layout: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 has no annotation io.github.chartflow.repository");
    insta::assert_snapshot!(said(&entry(r#"{"io.github.chartflow.repository":"a"}"#)), @"DIR/index.json is not part of an OCI image layout: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 is not among the blobs");
}

#[test]
fn as_ghcr_it_wants_tokens_and_small_chunks() {
    let bench = Bench::new(Options { flavour: Flavour::Ghcr { writers: vec!["secret".to_owned()] }, ..Options::default() });
    let challenge = bench.send("POST", "/v2/o/a/blobs/uploads/", &[("host", "127.0.0.1:1")], b"");
    assert_eq!(challenge.status(), 401);
    insta::assert_snapshot!(header(&challenge, "www-authenticate"), @r#"Bearer realm="http://127.0.0.1:1/token",service="ghcr.io",scope="repository:o/a:pull,push""#);
    let basic = |password: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("anyone:{password}")))
    };
    assert_eq!(bench.send("GET", "/token", &[("authorization", &basic("wrong"))], b"").status(), 403);
    let token = |headers: &[(&str, &str)]| {
        let value: serde_json::Value = serde_json::from_slice(bench.send("GET", "/token?service=ghcr.io", headers, b"").body()).unwrap();
        format!("Bearer {}", value["token"].as_str().unwrap())
    };
    let (reader, writer) = (token(&[]), token(&[("authorization", &basic("secret"))]));
    assert_eq!(bench.send("GET", "/v2/", &[("authorization", "Bearer guessed")], b"").status(), 401);
    assert_eq!(bench.send("GET", "/v2/", &[("authorization", &reader)], b"").status(), 200);
    assert_eq!(bench.send("POST", "/v2/o/a/blobs/uploads/", &[("authorization", &reader)], b"").status(), 403);
    let start = bench.send("POST", "/v2/o/a/blobs/uploads/", &[("authorization", &writer)], b"");
    assert_eq!(start.status(), 202);
    let location = header(&start, "location");
    assert_eq!(bench.send("PATCH", location, &[("authorization", &writer)], &vec![0; (4 << 20) + 1]).status(), 416);
    assert_eq!(bench.send("PATCH", location, &[("authorization", &writer)], &vec![0; 4 << 20]).status(), 202);
    let subject = Sha256::of(b"").prefixed();
    assert_eq!(bench.send("GET", &format!("/v2/o/a/referrers/{subject}"), &[("authorization", &reader)], b"").status(), 404);
}
