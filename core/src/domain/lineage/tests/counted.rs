//! Every way in which a statement does not count, and that nothing else keeps it from counting.

use sigstore_crypto::{FulcioCiClaims, KeyPair};

use super::fixture::{DATE, Setup, checks, source};
use crate::domain::lineage::bundle::{Anchor, Identity, Signed, key_bundle, key_id, signed_bytes};
use crate::domain::lineage::counted::{NotCounted, counted, judge};
use crate::domain::policy::{OutsideCheck, Policy, Profile};
use crate::domain::statement::*;

fn told(outcome: Result<impl Sized, NotCounted>) -> String {
    outcome.map_or_else(|error| crate::domain::causes(&error), |_| "counts".to_owned())
}

fn time(seconds: i64) -> Option<jiff::Timestamp> {
    Some(jiff::Timestamp::from_second(seconds).unwrap())
}

#[test]
fn a_line_that_is_signed_by_the_policy_s_key_counts() {
    let (policy, anchor, lines) = Setup::default().signed();
    for line in &lines {
        assert!(counted(line, &policy, &anchor).is_ok());
    }
}

#[test]
fn lines_that_do_not_count() {
    let (policy, anchor, lines) = Setup::default().signed();
    let foreign = Setup::default().signed().2;
    let say = |line: &str, policy: &Policy| {
        let text = told(counted(line, policy, &anchor));
        // Keys are made anew for each run.
        let key = text.split(['"', ' ']).find(|word| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
        key.map_or(text.clone(), |key| text.replace(key, "KEY"))
    };
    insta::assert_snapshot!(say("", &policy), @"its signature does not count: the line is not strict JSON: EOF while parsing a value at line 1 column 0");
    insta::assert_snapshot!(say("{}", &policy), @"its signature does not count: the bundle has another media type than application/vnd.dev.sigstore.bundle.v0.3+json");
    insta::assert_snapshot!(say(&foreign[0], &policy), @r#"its signature does not count: signed by the key "KEY", which the policy does not list"#);
    let swapped = changed(&lines[0], |bundle| bundle["dsseEnvelope"]["payload"] = payload_of(&lines[1]));
    insta::assert_snapshot!(say(&swapped, &policy), @"its signature does not count: the signature does not hold: Verification error: ECDSA_P256_SHA256 signature invalid");
    let mut none = policy.clone();
    none.epochs.clear();
    insta::assert_snapshot!(say(&lines[0], &none), @"no epoch of the policy had begun when it was signed");
    let mut packages = policy.clone();
    packages.keys[0].stages = vec![Stage::Package];
    insta::assert_snapshot!(say(&lines[0], &packages), @"the key KEY may not sign validate of stage validate");
    let pair = KeyPair::generate_ecdsa_p256().unwrap();
    let spki = pair.public_key_der().unwrap().as_bytes().to_vec();
    let line = key_bundle(b"{}", &key_id(&spki), pair.sign(&signed_bytes(b"{}")).unwrap().as_bytes().to_vec()).unwrap();
    insta::assert_snapshot!(told(counted(&line, &policy, &Anchor::keys([spki.as_slice()]).unwrap())), @"it is no statement of the train: the outer part of the statement is malformed: missing field `_type`");
}

fn changed(line: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = serde_json::from_str(line).unwrap();
    change(&mut value);
    value.to_string()
}

fn payload_of(line: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["dsseEnvelope"]["payload"].clone()
}

fn statement(outside: Option<&str>) -> Statement {
    let content = super::fixture::chart_files(false).content_id().unwrap();
    let subject = Subject::Content { path: "charts/a".parse().unwrap(), id: content };
    Statement { stage: Stage::Validate, source: source(), subject, inputs: vec![], predicate: Predicate::Checks(checks(outside)) }
}

/// A policy of certificates from a time on, with the outside check `scan` by a workflow of its own.
fn certificates() -> Policy {
    let mut policy = Policy::for_public_repository("o/r".parse().unwrap(), vec![]);
    policy.repository.id = Some(7);
    let epoch = &mut policy.epochs[0];
    epoch.from = jiff::Timestamp::from_second(DATE).unwrap();
    let mut signer = epoch.signer.clone().unwrap();
    signer.uri = "https://github.com/o/r/.github/workflows/scan.yml".to_owned();
    signer.environment = None;
    epoch.checks.outside.insert("scan".to_owned(), OutsideCheck { signer: Some(signer), ..OutsideCheck::default() });
    policy
}

/// What a run of main's own workflow file signs, with one thing changed.
fn run(file: &str, change: impl FnOnce(&mut FulcioCiClaims)) -> Signed {
    let workflow = format!("https://github.com/o/r/.github/workflows/{file}@refs/heads/main");
    let mut claims = FulcioCiClaims::default();
    claims.build_signer_uri = Some(workflow.clone());
    claims.build_config_uri = Some(workflow);
    claims.build_signer_digest = Some("a".repeat(40));
    claims.runner_environment = Some("github-hosted".to_owned());
    claims.source_repository_uri = Some("https://github.com/o/r".to_owned());
    claims.source_repository_ref = Some("refs/heads/main".to_owned());
    claims.source_repository_identifier = Some("7".to_owned());
    claims.build_trigger = Some("push".to_owned());
    claims.deployment_environment = Some("chartflow".to_owned());
    change(&mut claims);
    let san = claims.build_signer_uri.clone().unwrap_or_default();
    Signed { identity: Identity::Workflow { san, claims: Box::new(claims) }, time: time(DATE) }
}

#[test]
fn runs_that_do_not_count() {
    let policy = certificates();
    let say = |signed: &Signed, outside: Option<&str>| told(judge(&statement(outside), signed, &policy));
    let tag = |change: fn(&mut FulcioCiClaims)| say(&run("chartflow-tag.yml", change), None);
    assert_eq!(tag(|_| {}), "counts");
    assert_eq!(say(&run("scan.yml", |claims| claims.deployment_environment = None), Some("scan")), "counts");
    insta::assert_snapshot!(say(&run("scan.yml", |_| {}), None), @r#"the certificate's workflow is "https://github.com/o/r/.github/workflows/scan.yml@refs/heads/main", not one of https://github.com/o/r/.github/workflows/chartflow-{stage}.yml@refs/heads/main"#);
    insta::assert_snapshot!(say(&run("chartflow-tag.yml", |_| {}), Some("scan")), @r#"the certificate's workflow is "https://github.com/o/r/.github/workflows/chartflow-tag.yml@refs/heads/main", not "https://github.com/o/r/.github/workflows/scan.yml@refs/heads/main""#);
    insta::assert_snapshot!(say(&run("scan.yml", |_| {}), Some("other")), @r#"the policy names no workflow that may sign "validate/other""#);
    insta::assert_snapshot!(tag(|claims| claims.runner_environment = Some("self-hosted".to_owned())), @r#"the certificate's runner is "self-hosted", not "github-hosted""#);
    insta::assert_snapshot!(tag(|claims| claims.deployment_environment = None), @"the certificate does not say its environment");
    insta::assert_snapshot!(tag(|claims| claims.source_repository_ref = Some("refs/heads/x".to_owned())), @r#"the certificate's ref is "refs/heads/x", not "refs/heads/main""#);
    insta::assert_snapshot!(tag(|claims| claims.build_trigger = Some("pull_request".to_owned())), @r#"the certificate's trigger is "pull_request", not one of pull_request_target, push, repository_dispatch, schedule, workflow_dispatch"#);
    insta::assert_snapshot!(tag(|claims| claims.source_repository_identifier = Some("8".to_owned())), @r#"the certificate's repository id is "8", not "7""#);
    let early = Signed { time: time(DATE - 1), ..run("chartflow-tag.yml", |_| {}) };
    insta::assert_snapshot!(say(&early, None), @"no epoch of the policy had begun when it was signed");
    let twice = run("chartflow-tag.yml", |claims| {
        claims.runner_environment = None;
        claims.deployment_environment = Some("production".to_owned());
    });
    insta::assert_snapshot!(say(&twice, None), @r#"the certificate does not say its runner; the certificate's environment is "production", not "chartflow""#);
}

#[test]
fn a_reusable_workflow_counts_where_the_policy_names_it_and_its_caller_is_main_s_file() {
    const CALLED: &str = "https://github.com/chartflow/chartflow/.github/workflows/tag.yml";
    let mut policy = certificates();
    let signer = policy.epochs[0].signer.as_mut().unwrap();
    signer.uri = "https://github.com/chartflow/chartflow/.github/workflows/{stage}.yml".to_owned();
    signer.caller = Some("https://github.com/o/r/.github/workflows/chartflow-{stage}.yml".to_owned());
    let say = |policy: &Policy, uri: String, change: fn(&mut FulcioCiClaims)| {
        let signed = run("chartflow-tag.yml", |claims| {
            claims.build_signer_uri = Some(uri);
            change(claims);
        });
        told(judge(&statement(None), &signed, policy))
    };
    for reference in ["refs/tags/v1", "refs/heads/main", "0123456789012345678901234567890123456789"] {
        assert_eq!(say(&policy, format!("{CALLED}@{reference}"), |_| {}), "counts", "{reference}");
    }
    insta::assert_snapshot!(say(&policy, CALLED.to_owned(), |_| {}), @r#"the certificate's workflow is "https://github.com/chartflow/chartflow/.github/workflows/tag.yml", not one of https://github.com/chartflow/chartflow/.github/workflows/{stage}.yml"#);
    insta::assert_snapshot!(say(&policy, CALLED.replace("tag.yml", "ci.yml@refs/tags/v1"), |_| {}), @r#"the certificate's workflow is "https://github.com/chartflow/chartflow/.github/workflows/ci.yml@refs/tags/v1", not one of https://github.com/chartflow/chartflow/.github/workflows/{stage}.yml"#);
    insta::assert_snapshot!(say(&policy, CALLED.replace("chartflow/chartflow", "chartflow/chartflow-x") + "@refs/tags/v1", |_| {}), @r#"the certificate's workflow is "https://github.com/chartflow/chartflow-x/.github/workflows/tag.yml@refs/tags/v1", not one of https://github.com/chartflow/chartflow/.github/workflows/{stage}.yml"#);
    insta::assert_snapshot!(say(&policy, format!("{CALLED}@refs/tags/v1"), |claims| claims.build_config_uri = None), @"the certificate does not say its calling workflow");
    insta::assert_snapshot!(say(&policy, format!("{CALLED}@refs/tags/v1"), |claims| {
        claims.build_config_uri = Some("https://github.com/o/r/.github/workflows/chartflow-tag.yml@refs/heads/evil".to_owned());
    }), @r#"the certificate's calling workflow is "https://github.com/o/r/.github/workflows/chartflow-tag.yml@refs/heads/evil", not one of https://github.com/o/r/.github/workflows/chartflow-{stage}.yml@refs/heads/main"#);
    let own = "https://github.com/o/r/.github/workflows/chartflow-tag.yml@refs/heads/main".to_owned();
    insta::assert_snapshot!(say(&policy, own, |_| {}), @r#"the certificate's workflow is "https://github.com/o/r/.github/workflows/chartflow-tag.yml@refs/heads/main", not one of https://github.com/chartflow/chartflow/.github/workflows/{stage}.yml"#);
    // With commits named, only these.
    policy.epochs[0].signer.as_mut().unwrap().digests = vec!["a".repeat(40)];
    assert_eq!(say(&policy, format!("{CALLED}@refs/tags/v1"), |_| {}), "counts");
    insta::assert_snapshot!(say(&policy, format!("{CALLED}@refs/tags/v1"), |claims| claims.build_signer_digest = Some("b".repeat(40))), @r#"the certificate's workflow commit is "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", not one of aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"#);
    // And without a caller nobody's, whatever it calls itself.
    policy.epochs[0].signer.as_mut().unwrap().caller = None;
    assert_ne!(say(&policy, format!("{CALLED}@refs/tags/v1"), |_| {}), "counts");
}

#[test]
fn beside_certificates_a_key_signs_the_outside_check_that_names_it() {
    let mut policy = certificates();
    let (ours, other) = (key_id(b"ours"), key_id(b"other"));
    policy.keys = Policy::for_rehearsal(policy.repository.clone(), "", b"ours", jiff::Timestamp::UNIX_EPOCH, vec![], vec![], Default::default()).keys;
    policy.epochs[0].checks.outside.get_mut("scan").unwrap().keys = vec![ours.clone()];
    let say = |policy: &Policy, id: &str, outside: Option<&str>| {
        let signed = Signed { identity: Identity::Key { id: id.to_owned() }, time: None };
        told(judge(&statement(outside), &signed, policy)).replace(id, "KEY")
    };
    assert_eq!(say(&policy, &ours, Some("scan")), "counts");
    insta::assert_snapshot!(say(&policy, &ours, None), @"the key KEY may not sign validate of stage validate");
    insta::assert_snapshot!(say(&policy, &ours, Some("cluster")), @"the key KEY may not sign validate/cluster of stage validate");
    insta::assert_snapshot!(say(&policy, &other, Some("scan")), @"the key KEY may not sign validate/scan of stage validate");
    policy.profile = Profile::Github;
    assert_eq!(say(&policy, &ours, Some("scan")), "counts");
    policy.epochs[0].checks.outside.get_mut("scan").unwrap().keys.clear();
    assert_ne!(say(&policy, &ours, Some("scan")), "counts");
}
