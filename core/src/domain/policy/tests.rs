use serde_json::{Value, json};

use super::*;
use crate::domain::causes;

fn rehearsal() -> Policy {
    let repository = Repository { name: "o/r".parse().unwrap(), id: Some(7), owner_id: None };
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
        Err(error) => causes(&error).replace("line 1: ", ""),
    }
}

/// What reading makes of a policy that somebody wrote, with some of its lines changed.
fn written(from: &str, to: &str) -> String {
    const POLICY: &str = "schema: chartflow.policy/v1\nprofile: key\ntag: \"{chart}-v{version}\"\nrepository:\n  name: o/r\n  id: 7\nepochs:\n- from: 2026-01-31T12:00:00Z\n  checks:\n    required: [schema]\n    outside: {scan: {}}\nkeys:\n- id: 6feecc8c16c5551d9feb3eb5f77e2da773bf68bd9ef9c52927ceb2c86e56892b\n  spki: c3BraQ==\n  stages: [validate]\nrevoked:\n- chart: a\n  version: 2.1.0\n";
    let policy = POLICY.replacen(from, to, 1);
    assert!(from == to || policy != POLICY, "{from:?} is not in the policy");
    Policy::read(policy.as_bytes(), Format::Yaml).map_or_else(|error| causes(&error), |_| "accepted".to_owned())
}

#[test]
fn mistakes_name_their_lines() {
    assert_eq!(written("", ""), "accepted");
    insta::assert_snapshot!(written("version: 2.1.0", "version: v2.1.0"), @r#"line 18: the policy revokes "v2.1.0" of a, which is no version such as 2.1.0, so nothing would be revoked"#);
    insta::assert_snapshot!(written("version: 2.1.0", "version: \"2.1\""), @r#"line 18: the policy revokes "2.1" of a, which is no version such as 2.1.0, so nothing would be revoked"#);
    insta::assert_snapshot!(written("version: 2.1.0", "version: \">=2.0\""), @r#"line 18: the policy revokes ">=2.0" of a, which is no version such as 2.1.0, so nothing would be revoked"#);
    insta::assert_snapshot!(written("version: 2.1.0", "version: 2.1"), @"line 18: revoked.0.version: holds the number 2.1 where text is expected");
    insta::assert_snapshot!(written("version: 2.1.0", "sha256: abc"), @r#"line 18: revoked.0.sha256: "abc" is not a SHA-256 digest of 64 lower-case hexadecimal digits"#);
    insta::assert_snapshot!(written("  id: 7", "  id: seven"), @r#"line 6: repository.id: holds the text "seven" where a whole number of 0 or more is expected"#);
    insta::assert_snapshot!(written("  id: 7", "  id: -7"), @"line 6: repository.id: holds the number -7 where a whole number of 0 or more is expected");
    insta::assert_snapshot!(written("  name: o/r", "  name: o"), @r#"line 5: repository.name: repository name "o" is not of the form OWNER/NAME"#);
    insta::assert_snapshot!(written("profile: key", "profile: keys"), @r#"line 2: profile: "keys" is not known here; write public, github or key"#);
    insta::assert_snapshot!(written("profile: key", "profile: key\nprofil: key"), @r#"line 3: the key "profil" is unknown; did you mean "profile"?"#);
    insta::assert_snapshot!(written("[schema]", "schema"), @r#"line 10: epochs.0.checks.required: holds the text "schema" where a list is expected"#);
    insta::assert_snapshot!(written("stages: [validate]", "stages: [validat]"), @r#"line 15: keys.0.stages.0: "validat" is not known here; write validate, filter, enforce, format, bump, tag, package or publish"#);
    insta::assert_snapshot!(written("  spki: c3BraQ==\n", ""), @r#"line 13: keys.0: the key "spki" is missing; add it"#);
    insta::assert_snapshot!(written("profile: key", "profile: [key"), @"the policy cannot be read: policy.yaml:3:4: not YAML: illegal placement of ':' indicator");
    insta::assert_snapshot!(written("schema: chartflow.policy/v1", "schema: chartflow.policy/v1\nschema: x"), @r#"the policy cannot be read: policy.yaml:2:1: the key "schema" stands twice, first on line 1; remove one of them"#);
}

/// A key that changes nothing would be relied on in vain.
#[test]
fn keys_without_effect_are_refused() {
    assert_eq!(written("  id: 7", "  id: 7\n  ownerId: 9"), "accepted");
    insta::assert_snapshot!(written("profile: key", "profile: key\nissuer: https://issuer.example"), @"line 3: the policy has issuer, which has no effect in profile key, because only certificates say it; take it out");
    insta::assert_snapshot!(written("profile: key", "profile: key\ntrustedRoot: root.json"), @"line 3: the policy has trustedRoot, which has no effect in profile key, because only certificates say it; take it out");
    insta::assert_snapshot!(written("{scan: {}}", "{scan: {maxAge: 30d}}"), @"line 11: the policy has epochs.0.checks.outside.scan.maxAge, which has no effect in profile key, because a key proves no time; take it out");
    insta::assert_snapshot!(written("{scan: {}}", "{scan: {keys: [x]}}"), @"line 11: the policy has epochs.0.checks.outside.scan.keys, which has no effect in profile key, because the stages of each key say who signs; take it out");
    insta::assert_snapshot!(written("  checks:", "  signer: {uri: https://github.com/o/r/.github/workflows/x.yml, ref: refs/heads/main, triggers: [push]}\n  checks:"), @"line 9: the policy has epochs.0.signer, which has no effect in profile key, because the stages of each key say who signs; take it out");
    insta::assert_snapshot!(written("{scan: {}}", "{scan: {signer: {uri: https://github.com/o/r/.github/workflows/x.yml, ref: refs/heads/main, triggers: [push]}}}"), @"line 11: the policy has epochs.0.checks.outside.scan.signer, which has no effect in profile key, because the stages of each key say who signs; take it out");
}

#[test]
fn written_and_read() {
    let policy = rehearsal();
    assert_eq!(Policy::read(&policy.to_json(), Format::Json).unwrap(), policy);
    let yaml = serde_yaml::to_string(&policy).unwrap();
    assert_eq!(Policy::read(yaml.as_bytes(), Format::Yaml).unwrap(), policy);
    insta::assert_snapshot!(String::from_utf8(policy.to_json()).unwrap().trim(), @r#"{"epochs":[{"checks":{"outside":{},"required":["schema"],"skipped":["helm-lint"]},"from":"2026-01-31T12:00:00Z","reviews":{"integration":1,"main":1}}],"keys":[{"id":"6feecc8c16c5551d9feb3eb5f77e2da773bf68bd9ef9c52927ceb2c86e56892b","spki":"c3BraQ==","stages":["validate","filter","enforce","bump","tag","package","publish"]}],"profile":"key","repository":{"id":7,"name":"o/r"},"revoked":[],"schema":"chartflow.policy/v1","tag":"{chart}-v{version}"}"#);
}

#[test]
fn refuses_what_it_does_not_understand() {
    insta::assert_snapshot!(check("", |v| v["schema"] = json!("chartflow.policy/v2")), @r#"the policy has the schema "chartflow.policy/v2"; this version reads chartflow.policy/v1"#);
    insta::assert_snapshot!(check("/repository", |v| { v.as_object_mut().unwrap().remove("id"); }), @"the policy names the repository without its id; GitHub's API says it: gh api repos/OWNER/NAME --jq .id");
    insta::assert_snapshot!(check("", |v| v["epochs"] = json!([])), @"the policy has no epoch; say from when which checks are demanded");
    insta::assert_snapshot!(check("", |v| v["tag"] = json!("v{version}")), @r#"the policy has the tag template "v{version}", which lacks {chart} or {version}; write such as {chart}-v{version}"#);
    insta::assert_snapshot!(check("/keys", |v| *v = json!([])), @"the policy is of profile key and lists no key");
    insta::assert_snapshot!(check("/keys/0", |v| v["id"] = json!("x")), @r#"the policy lists the key "x" whose id is not the SHA-256 of its spki"#);
    insta::assert_snapshot!(check("/epochs/0", |v| v["from"] = json!("yesterday")), @r#"epochs.0.from: "yesterday" is not a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z"#);
    insta::assert_snapshot!(check("/epochs/0/checks", |v| v["require"] = json!([])), @r#"epochs.0.checks: the key "require" is unknown; did you mean "required"?"#);
    insta::assert_snapshot!(check("/epochs/0/checks", |v| v["outside"] = json!({"trivy": {"maxAge": "month"}})), @r#"epochs.0.checks.outside.trivy.maxAge: "month" is not an age such as 90m, 12h or 30d"#);
    insta::assert_snapshot!(check("", |v| { let twice = v["epochs"][0].clone(); v["epochs"].as_array_mut().unwrap().push(twice); }), @"the policy has two epochs from 2026-01-31T12:00:00Z; one of them would be passed over");
    insta::assert_snapshot!(check("", |v| v["revoked"] = json!([{"chart": "a"}])), @"the policy revokes no release of a: name its version or the package's sha256");
    insta::assert_snapshot!(check("/keys", |v| { let twice = v[0].clone(); v.as_array_mut().unwrap().push(twice); }), @r#"the policy lists the key "6feecc8c16c5551d9feb3eb5f77e2da773bf68bd9ef9c52927ceb2c86e56892b" twice"#);
    assert_eq!(check("/epochs/0/checks", |v| v["outside"] = json!({"trivy": {}})), "accepted");
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
