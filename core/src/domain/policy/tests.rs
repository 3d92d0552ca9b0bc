use serde_json::{Value, json};

use super::*;

fn rehearsal() -> Policy {
    let repository = Repository { name: "o/r".parse().unwrap(), id: Some(7), owner_id: Some(2) };
    let from = "2026-01-31T12:00:00Z".parse().unwrap();
    Policy::for_rehearsal(
        repository,
        "{chart}-v{version}",
        b"spki",
        from,
        vec!["schema".to_owned()],
        vec!["helm-lint".to_owned()],
        ReviewRules { integration: 1, main: 1 },
    )
}

/// Changes one member of a valid policy and says what reading makes of it.
fn check(pointer: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_slice(&rehearsal().to_json()).unwrap();
    change(value.pointer_mut(pointer).unwrap());
    match Policy::read(&serde_json::to_vec(&value).unwrap(), Format::Json) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => std::error::Error::source(&error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")),
    }
}

#[test]
fn written_and_read() {
    let policy = rehearsal();
    assert_eq!(Policy::read(&policy.to_json(), Format::Json).unwrap(), policy);
    let yaml = serde_yaml::to_string(&policy).unwrap();
    assert_eq!(Policy::read(yaml.as_bytes(), Format::Yaml).unwrap(), policy);
    insta::assert_snapshot!(String::from_utf8(policy.to_json()).unwrap().trim(), @r#"{"epochs":[{"checks":{"outside":{},"required":["schema"],"skipped":["helm-lint"]},"from":"2026-01-31T12:00:00Z","reviews":{"integration":1,"main":1}}],"keys":[{"id":"6feecc8c16c5551d9feb3eb5f77e2da773bf68bd9ef9c52927ceb2c86e56892b","spki":"c3BraQ==","stages":["validate","filter","enforce","bump","tag","package","publish"]}],"profile":"key","repository":{"id":7,"name":"o/r","ownerId":2},"revoked":[],"schema":"chartflow.policy/v1","tag":"{chart}-v{version}"}"#);
}

#[test]
fn refuses_what_it_does_not_understand() {
    insta::assert_snapshot!(check("", |v| v["schema"] = json!("chartflow.policy/v2")), @r#"the policy has the schema "chartflow.policy/v2"; this version reads chartflow.policy/v1"#);
    insta::assert_snapshot!(check("/repository", |v| { v.as_object_mut().unwrap().remove("id"); }), @"the policy names the repository without its id");
    insta::assert_snapshot!(check("", |v| v["epochs"] = json!([])), @"the policy has no epoch");
    insta::assert_snapshot!(check("", |v| v["tag"] = json!("v{version}")), @r#"the policy has the tag template "v{version}", which lacks {chart} or {version}"#);
    insta::assert_snapshot!(check("/keys", |v| *v = json!([])), @"the policy is of profile key and lists no key");
    insta::assert_snapshot!(check("/keys/0", |v| v["id"] = json!("x")), @r#"the policy lists the key "x" whose id is not the SHA-256 of its spki"#);
    insta::assert_snapshot!(check("/epochs/0", |v| v["from"] = json!("yesterday")), @r#"the policy is malformed: "yesterday" is not a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z"#);
    insta::assert_snapshot!(check("/epochs/0/checks", |v| v["require"] = json!([])), @"the policy is malformed: unknown field `require`, expected one of `required`, `outside`, `skipped`");
    insta::assert_snapshot!(check("/epochs/0/checks", |v| v["outside"] = json!({"trivy": {"maxAge": "month"}})), @r#"the policy is malformed: "month" is not an age such as 90m, 12h or 30d"#);
    insta::assert_snapshot!(check("", |v| { let twice = v["epochs"][0].clone(); v["epochs"].as_array_mut().unwrap().push(twice); }), @"the policy has two epochs from 2026-01-31T12:00:00Z; one of them would be passed over");
    insta::assert_snapshot!(check("", |v| v["revoked"] = json!([{"chart": "a"}])), @"the policy revokes no release of a: name its version or the package's sha256");
    insta::assert_snapshot!(check("/keys", |v| { let twice = v[0].clone(); v.as_array_mut().unwrap().push(twice); }), @r#"the policy lists the key "6feecc8c16c5551d9feb3eb5f77e2da773bf68bd9ef9c52927ceb2c86e56892b" twice"#);
    assert_eq!(check("/epochs/0/checks", |v| v["outside"] = json!({"trivy": {"maxAge": "30d"}})), "accepted");
    insta::assert_snapshot!(check("", |v| v["profile"] = json!("public")), @"the policy has an epoch from 2026-01-31T12:00:00Z that names no signer");
    insta::assert_snapshot!(check("", |v| { v["profile"] = json!("public"); v["keys"] = json!([]); }), @"the policy has an epoch from 2026-01-31T12:00:00Z that names no signer");
    let signer = json!({"uri": "https://github.com/other/x/.github/workflows/y.yml", "ref": "refs/heads/main", "triggers": ["push"]});
    insta::assert_snapshot!(check("", |v| { v["profile"] = json!("public"); v["keys"] = json!([]); v["epochs"][0]["signer"] = signer; }), @r#"the policy trusts "https://github.com/other/x/.github/workflows/y.yml", a workflow of another repository, without naming its commits (digests) and its caller"#);
}

#[test]
fn the_epoch_that_began_last_holds() {
    let mut policy = rehearsal();
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let mut later = policy.epochs[0].clone();
    later.from = time("2027-01-01T00:00:00Z");
    policy.epochs.insert(0, later);
    let from = |at: &str| policy.epoch_at(time(at)).map(|epoch| epoch.from.to_string());
    assert_eq!(from("2026-01-31T11:59:59Z"), None);
    assert_eq!(from("2026-01-31T12:00:00Z").as_deref(), Some("2026-01-31T12:00:00Z"));
    assert_eq!(from("2030-01-01T00:00:00Z").as_deref(), Some("2027-01-01T00:00:00Z"));
}

#[test]
fn tags_and_revocation() {
    let mut policy = rehearsal();
    let chart: ChartName = "a".parse().unwrap();
    assert_eq!(policy.tag_of(&chart, "1.0.0").unwrap().as_str(), "a-v1.0.0");
    policy.revoked = vec![
        Revoked { chart: chart.clone(), version: Some("1.0.0".to_owned()), sha256: None },
        Revoked { chart: chart.clone(), version: None, sha256: Some(Sha256::of(b"g")) },
    ];
    assert!(policy.revokes(&chart, "1.0.0", None));
    assert!(policy.revokes(&chart, "2.0.0", Some(Sha256::of(b"g"))));
    assert!(!policy.revokes(&chart, "2.0.0", None));
    assert!(!policy.revokes(&"b".parse().unwrap(), "1.0.0", Some(Sha256::of(b"g"))));
}

#[test]
fn a_public_repository_without_a_policy() {
    let policy = Policy::for_public_repository("o/r".parse().unwrap(), vec!["schema".to_owned()]);
    assert_eq!(policy.epochs[0].signer.as_ref().unwrap().uri, "https://github.com/o/r/.github/workflows/chartflow-{stage}.yml");
    assert_eq!((policy.profile, policy.issuer()), (Profile::Public, GITHUB_ISSUER));
}
