//! One valid lineage under a test key, and every rule broken once: the statements are changed and signed anew.

mod cases;
mod counted;
mod fixture;
mod followed;
mod forged;

use proptest::prelude::*;

use fixture::{Setup, chart_files, verified};

use super::report::{Proof, Report, Verdict};
use super::rules::{RULES, Rule};
use super::verify::{Artifact, anchor, questions, verify};
use crate::domain::digest::Sha256;
use crate::domain::policy::{Policy, Profile};

fn broken(report: &Report) -> Vec<&'static str> {
    report.refused.iter().map(|refusal| refusal.rule.id()).collect()
}

#[test]
fn a_whole_release_is_verified() {
    let report = verified(Setup::default());
    assert_eq!(broken(&report), Vec::<&str>::new(), "{:#?}", report.refused);
    assert_eq!((report.result, report.chart.as_deref(), report.version.as_deref()), (Verdict::Verified, Some("a"), Some("1.1.0")));
    let stages: Vec<String> = report.chain.iter().map(|link| format!("{} {}", link.stage, serde_json::to_string(&link.edge).unwrap())).collect();
    assert_eq!(
        stages,
        [
            r#"validate "check""#,
            r#"filter "carry""#,
            r#"enforce "gate""#,
            r#"bump "carry""#,
            r#"bump "gate""#,
            r#"tag "carry""#,
            r#"package "carry""#,
            r#"package "gate""#
        ]
    );
    let rederived: Vec<String> = report.chain.iter().filter(|link| link.proof == Proof::Rederived).map(|link| link.predicate_type.clone()).collect();
    assert_eq!(rederived, ["https://slsa.dev/provenance/v1"]);
}

#[test]
fn with_the_repository_more_is_proved() {
    let report = verified(Setup::default().with_repository(|_| {}));
    assert!(report.verified(), "{:#?}", report.refused);
    let proofs: Vec<String> = report.chain.iter().map(|link| format!("{} {:?}", link.stage, link.proof)).collect();
    insta::assert_snapshot!(proofs.join("\n"), @r"
    validate Signed
    filter Rederived
    enforce Signed
    bump Rederived
    bump Signed
    tag Rederived
    package Rederived
    package Signed
    ");
}

#[test]
fn the_report_has_the_fields_of_its_contract() {
    let report = verified(Setup::default().lines(|mut lines| {
        lines.remove(2);
        lines
    }));
    let value = serde_json::to_value(&report).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    insta::assert_snapshot!(keys(&value), @"result chart version artifact chain refused");
    insta::assert_snapshot!(keys(&value["chain"][0]), @"stage edge predicateType subject statement signer time proof");
    insta::assert_snapshot!(keys(&value["refused"][0]), @"rule stage statement message hint");
    assert_eq!(value["refused"][0]["rule"], "lineage/missing-gate");
    assert_eq!(value["refused"][0]["stage"], "enforce");
    assert_eq!(value["result"], "refused");
    assert!(value["chain"][0]["subject"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn order_and_repetition_of_lines_change_nothing() {
    let plain = verified(Setup::default());
    let shuffled = verified(Setup::default().lines(|mut lines| {
        lines.reverse();
        lines.push(lines[3].clone());
        lines.insert(1, String::new());
        lines
    }));
    assert!(shuffled.verified(), "{:#?}", shuffled.refused);
    let subjects = |report: &Report| report.chain.iter().map(|link| (link.stage, link.subject)).collect::<Vec<_>>();
    assert_eq!(subjects(&shuffled), subjects(&plain));
}

#[test]
fn every_line_is_needed() {
    for index in 0..8 {
        let report = verified(Setup::default().lines(move |mut lines| {
            lines.remove(index);
            lines
        }));
        let expected = match index {
            7 => "lineage/root",
            2 | 4 => "lineage/missing-gate",
            _ => "lineage/missing-input",
        };
        assert_eq!(broken(&report), [expected], "line {index}");
    }
}

#[test]
fn a_directory_and_a_tag_are_verified_by_the_same_walk() {
    let setup = Setup::default();
    let (policy, anchor, lines) = setup.signed();
    let lineage = lines.join("\n");
    let released = chart_files(true).content_id().unwrap();
    let promoted = chart_files(false).content_id().unwrap();
    let tag = "a-v1.1.0".parse().unwrap();
    let other = "a-v1.2.0".parse().unwrap();
    let check = |artifact: &Artifact<'_>| broken(&verify(artifact, lineage.as_bytes(), &policy, &anchor, None));
    assert_eq!(check(&Artifact::Directory { content: &released }), Vec::<&str>::new());
    assert_eq!(check(&Artifact::Directory { content: &promoted }), ["artifact/digest"]);
    assert_eq!(check(&Artifact::Tag { tag: &tag, content: Some(&released) }), Vec::<&str>::new());
    assert_eq!(check(&Artifact::Tag { tag: &other, content: Some(&released) }), ["artifact/name-version"]);
    assert_eq!(check(&Artifact::Tag { tag: &tag, content: None }), ["repo/tag"]);
}

#[test]
fn a_lineage_says_where_to_look_in_the_repository() {
    let (_, _, lines) = Setup::default().signed();
    let found = questions(lines.join("\n").as_bytes()).unwrap();
    assert_eq!((found.path.as_str(), found.tag.as_str()), ("charts/a", "a-v1.1.0"));
    assert_eq!(questions(b"not a lineage"), None);
}

#[test]
fn hostile_lineages_are_refused_and_nothing_else() {
    let (policy, anchor, lines) = Setup::default().signed();
    let check = |lineage: &[u8]| broken(&verify(&Artifact::Package { bytes: b"garbage" }, lineage, &policy, &anchor, None)).join(" ");
    insta::assert_snapshot!(check(b""), @"lineage/empty");
    insta::assert_snapshot!(check(b"\n\n \n"), @"lineage/empty");
    insta::assert_snapshot!(check(b"{}\nnot json\n[[[["), @"bundle/malformed bundle/malformed bundle/malformed");
    insta::assert_snapshot!(check("[".repeat(10_000).as_bytes()), @"bundle/malformed");
    insta::assert_snapshot!(check("{}\n".repeat(10_000).as_bytes()), @"lineage/limit");
    insta::assert_snapshot!(check(&vec![b'x'; 100 << 20]), @"lineage/limit");
    insta::assert_snapshot!(check(b"\xff\xfe"), @"bundle/malformed");
    insta::assert_snapshot!(check(lines.join("\n").as_bytes()), @"artifact/digest");
}

#[test]
fn a_key_of_another_release_train_is_refused() {
    let (policy, anchor, _) = Setup::default().signed();
    let (_, _, lines) = Setup::default().signed();
    let package = fixture::package();
    let report = verify(&Artifact::Package { bytes: &package }, lines.join("\n").as_bytes(), &policy, &anchor, None);
    assert!(!report.verified() && report.refused.iter().all(|refusal| refusal.rule == Rule::SignerKey), "{:#?}", report.refused);
    assert_eq!(report.artifact.sha256, Some(Sha256::of(&package)));
}

#[test]
fn the_profile_is_the_policy_s_choice_and_never_the_bundle_s() {
    let (_, _, lines) = Setup::default().signed();
    let mut policy = Policy::for_public_repository("o/r".parse().unwrap(), vec![]);
    for profile in [Profile::Public, Profile::Github] {
        policy.profile = profile;
        let report = verify(&Artifact::Package { bytes: &fixture::package() }, lines.join("\n").as_bytes(), &policy, &anchor(&policy, None).unwrap(), None);
        assert!(!report.verified() && report.refused.iter().all(|refusal| refusal.rule == Rule::BundleProfile), "{:#?}", report.refused);
    }
    assert!(anchor(&policy, Some("not a trusted root")).is_err());
}

#[test]
fn every_rule_can_be_broken_and_is_told_by_its_id() {
    let mut untold: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let mut missed = Vec::new();
    for (rule, report) in cases::cases() {
        if report.verified() || !broken(&report).contains(&rule.id()) {
            missed.push(format!("{}: {:?}", rule.id(), report.refused.iter().map(|refusal| (refusal.rule.id(), &refusal.message)).collect::<Vec<_>>()));
        }
        untold.retain(|id| *id != rule.id());
    }
    assert_eq!(missed, Vec::<String>::new());
    // The rules about certificates are broken in the tests of `signer`, on the claims themselves.
    for rule in cases::certificate_rules() {
        untold.retain(|id| *id != rule.id());
    }
    assert_eq!(untold, Vec::<&str>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_byte_never_changes_what_is_verified(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (policy, anchor, lines) = Setup::default().signed();
        let package = fixture::package();
        let artifact = Artifact::Package { bytes: &package };
        let whole = lines.join("\n").into_bytes();
        let before = verify(&artifact, &whole, &policy, &anchor, None);
        let mut changed = whole;
        let at = at.index(changed.len());
        changed[at] = to;
        let after = verify(&artifact, &changed, &policy, &anchor, None);
        prop_assert!(!after.verified() || after == before);
    }
}
