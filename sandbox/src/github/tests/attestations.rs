use base64::Engine as _;
use chartflow_core::port::transport::Method::{Get, Post};
use serde_json::{Value, json};

use super::world::{APP, BOB, JOB, World};

const DIGEST: &str = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9";

fn bundle(digest: &Value, predicate_type: &str) -> Value {
    let statement =
        json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "a.tgz", "digest": digest}], "predicateType": predicate_type, "predicate": {}});
    let payload = base64::engine::general_purpose::STANDARD.encode(statement.to_string());
    json!({"bundle": {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {},
        "dsseEnvelope": {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": ""}]},
    }})
}

#[test]
fn attestations_are_kept_by_the_digest_of_their_subject() {
    let world = World::new().with_everybody(&["contents"]);
    let invalid = "422 Validation Failed: bundle invalid";
    let (provenance, gate) = ("https://slsa.dev/provenance/v1", "https://slsa.dev/verification_summary/v1");
    let rows = [
        ("no permission", JOB, bundle(&json!({"sha256": DIGEST}), provenance), "403 Resource not accessible by integration"),
        ("no bundle", APP, json!({}), "422 Invalid request.  \"bundle\" wasn't supplied."),
        ("no statement", APP, json!({"bundle": {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}}), invalid),
        ("a git tree", APP, bundle(&json!({"gitTree": DIGEST}), provenance), invalid),
        ("half a digest", APP, bundle(&json!({"sha256": &DIGEST[..32]}), provenance), invalid),
        ("fine", APP, bundle(&json!({"sha256": DIGEST}), provenance), "201"),
        ("another", APP, bundle(&json!({"sha256": DIGEST, "gitTree": "x"}), gate), "201"),
    ];
    for (name, token, body, expected) in rows {
        assert_eq!(world.answer(token, Post, "/attestations", body), expected, "{name}");
    }
    let kinds = |query: &str| {
        let found = world.call(BOB, Get, &format!("/attestations/sha256:{DIGEST}{query}"), None);
        let all = found.value()["attestations"].as_array().cloned().unwrap_or_default();
        (found.status, all.len())
    };
    assert_eq!(kinds(""), (200, 2));
    assert_eq!(kinds("?predicate_type=provenance"), (200, 1));
    assert_eq!(kinds(&format!("?predicate_type={gate}")), (200, 1));
    assert_eq!(kinds("?predicate_type=sbom"), (404, 0));
    let first = world.call(BOB, Get, &format!("/attestations/sha256:{DIGEST}?per_page=1"), None);
    let next = first.headers.get("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    let path = next.split("/repos/acme/charts").nth(1).unwrap().to_owned();
    assert_eq!(world.call(BOB, Get, &path, None).value()["attestations"].as_array().unwrap().len(), 1);
    assert_eq!(world.call(BOB, Get, &format!("/attestations/sha256:{}", "0".repeat(64)), None).status, 404);
    world.hub.configure(|settings| settings.private = true);
    let refused = world.answer(APP, Post, "/attestations", bundle(&json!({"sha256": DIGEST}), provenance));
    assert!(refused.starts_with("403 Feature not available for the acme organization."), "{refused}");
}
