//! Whether a proved identity is the one the policy demands.
//!
//! Claims are Fulcio's certificate extensions 1.3.6.1.4.1.57264.1.N (fulcio, docs/oid-info.md). They are compared exactly
//! and as a whole, never by prefix or regardless of case; a claim that is absent is a refusal.

use sigstore_crypto::FulcioCiClaims;

use super::bundle::Identity;
use super::rules::Rule;
use crate::domain::event::StageName;
use crate::domain::policy::{Epoch, Policy, SignerRule};
use crate::domain::statement::{Predicate, Statement};

/// Everything that is wrong with who signed a statement.
pub(super) fn check(identity: &Identity, statement: &Statement, policy: &Policy, epoch: &Epoch) -> Vec<(Rule, String)> {
    match identity {
        Identity::Key { id } => {
            let allowed = policy.keys.iter().any(|key| key.id == *id && key.stages.contains(&statement.stage));
            if allowed { vec![] } else { vec![(Rule::SignerKey, format!("the key {id} may not sign for stage {}", statement.stage))] }
        }
        Identity::Workflow { san, claims } => match rule_for(statement, epoch) {
            Some(rule) => check_workflow(san, claims, rule, policy),
            None => vec![(Rule::SignerIdentity, format!("the policy names nobody who may sign {:?}", statement.name()))],
        },
    }
}

fn rule_for<'a>(statement: &Statement, epoch: &'a Epoch) -> Option<&'a SignerRule> {
    match &statement.predicate {
        Predicate::Checks(checks) => match &checks.outside {
            Some(key) => epoch.checks.outside.get(key)?.signer.as_ref(),
            None => epoch.signer.as_ref(),
        },
        _ => epoch.signer.as_ref(),
    }
}

/// What a text with `{stage}` in it stands for: the train's own workflow files, each of which may sign for another
/// (`filter` runs checks, and `reconcile` every stage). The one that the claim is, else a text that no claim is.
fn one_of(written: &str, claim: Option<&str>) -> String {
    if !written.contains("{stage}") {
        return written.to_owned();
    }
    let mut files = StageName::ALL.into_iter().map(|stage| written.replace("{stage}", stage.as_str()));
    files.find(|file| Some(file.as_str()) == claim).unwrap_or_else(|| format!("one of {written}"))
}

fn check_workflow(san: &str, claims: &FulcioCiClaims, rule: &SignerRule, policy: &Policy) -> Vec<(Rule, String)> {
    let mut broken = Vec::new();
    let mut expect = |id: Rule, what: &str, claim: Option<&str>, expected: &str| match claim {
        Some(value) if value == expected => {}
        Some(value) => broken.push((id, format!("the certificate's {what} is {value:?}, not {expected:?}"))),
        None => broken.push((id, format!("the certificate does not say its {what}"))),
    };
    let written = if rule.uri.contains('@') { rule.uri.clone() } else { format!("{}@{}", rule.uri, rule.reference) };
    let identity = one_of(&written, Some(san));
    expect(Rule::SignerIdentity, "workflow", Some(san), &identity);
    expect(Rule::SignerIdentity, "build signer", claims.build_signer_uri.as_deref(), &identity);
    if let Some(caller) = &rule.caller {
        let claim = claims.build_config_uri.as_deref();
        expect(Rule::SignerIdentity, "calling workflow", claim, &one_of(&format!("{caller}@{}", rule.reference), claim));
    }
    expect(Rule::SignerRef, "ref", claims.source_repository_ref.as_deref(), &rule.reference);
    if let Some(id) = policy.repository.id {
        expect(Rule::SignerRepository, "repository id", claims.source_repository_identifier.as_deref(), &id.to_string());
    }
    if let Some(id) = policy.repository.owner_id {
        expect(Rule::SignerRepository, "owner id", claims.source_repository_owner_identifier.as_deref(), &id.to_string());
    }
    if let Some(server) = &policy.server {
        expect(Rule::SignerRepository, "repository", claims.source_repository_uri.as_deref(), &format!("{server}/{}", policy.repository.name));
    }
    if let Some(runner) = &rule.runner {
        expect(Rule::SignerRunner, "runner", claims.runner_environment.as_deref(), runner);
    }
    if let Some(environment) = &rule.environment {
        expect(Rule::SignerEnvironment, "environment", claims.deployment_environment.as_deref(), environment);
    }
    let mut among = |id: Rule, what: &str, claim: Option<&str>, allowed: &[String]| match claim {
        Some(value) if allowed.iter().any(|one| one == value) => {}
        Some(value) => broken.push((id, format!("the certificate's {what} is {value:?}, which the policy does not list"))),
        None => broken.push((id, format!("the certificate does not say its {what}"))),
    };
    among(Rule::SignerTrigger, "trigger", claims.build_trigger.as_deref(), &rule.triggers);
    if !rule.digests.is_empty() {
        among(Rule::SignerDigest, "workflow commit", claims.build_signer_digest.as_deref(), &rule.digests);
    }
    broken
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const URI: &str = "https://github.com/o/r/.github/workflows/chartflow-tag.yml";

    fn claims() -> FulcioCiClaims {
        let mut claims = FulcioCiClaims::default();
        claims.build_signer_uri = Some(format!("{URI}@refs/heads/main"));
        claims.build_signer_digest = Some("abc".to_owned());
        claims.runner_environment = Some("github-hosted".to_owned());
        claims.source_repository_uri = Some("https://github.com/o/r".to_owned());
        claims.source_repository_ref = Some("refs/heads/main".to_owned());
        claims.source_repository_identifier = Some("7".to_owned());
        claims.source_repository_owner_identifier = Some("2".to_owned());
        claims.build_trigger = Some("push".to_owned());
        claims.deployment_environment = Some("chartflow".to_owned());
        claims
    }

    /// Changes the claims of a certificate that is in order and says what is wrong then.
    pub(in super::super) fn check(change: impl FnOnce(&mut FulcioCiClaims)) -> Vec<(Rule, String)> {
        let mut policy = Policy::for_public_repository("o/r".parse().unwrap(), vec![]);
        policy.repository.id = Some(7);
        policy.repository.owner_id = Some(2);
        let mut rule = policy.epochs[0].signer.clone().unwrap();
        rule.digests = vec!["abc".to_owned()];
        let mut claims = claims();
        change(&mut claims);
        let san = claims.build_signer_uri.clone().unwrap_or_else(|| format!("{URI}@refs/heads/main"));
        check_workflow(&san, &claims, &rule, &policy)
    }

    fn text(change: impl FnOnce(&mut FulcioCiClaims)) -> String {
        check(change).into_iter().map(|(rule, message)| format!("{}: {message}", rule.id())).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_claim_is_compared_exactly() {
        assert_eq!(text(|_| {}), "");
        insta::assert_snapshot!(text(|c| c.source_repository_identifier = Some("8".to_owned())), @r#"signer/repository: the certificate's repository id is "8", not "7""#);
        insta::assert_snapshot!(text(|c| c.source_repository_owner_identifier = None), @"signer/repository: the certificate does not say its owner id");
        insta::assert_snapshot!(text(|c| c.source_repository_uri = Some("https://github.com/O/r".to_owned())), @r#"signer/repository: the certificate's repository is "https://github.com/O/r", not "https://github.com/o/r""#);
        insta::assert_snapshot!(text(|c| c.source_repository_ref = Some("refs/pull/1/merge".to_owned())), @r#"signer/ref: the certificate's ref is "refs/pull/1/merge", not "refs/heads/main""#);
        insta::assert_snapshot!(text(|c| c.build_trigger = Some("pull_request".to_owned())), @r#"signer/trigger: the certificate's trigger is "pull_request", which the policy does not list"#);
        insta::assert_snapshot!(text(|c| c.runner_environment = Some("self-hosted".to_owned())), @r#"signer/runner: the certificate's runner is "self-hosted", not "github-hosted""#);
        insta::assert_snapshot!(text(|c| c.deployment_environment = None), @"signer/environment: the certificate does not say its environment");
        insta::assert_snapshot!(text(|c| c.build_signer_digest = Some("abcd".to_owned())), @r#"signer/digest: the certificate's workflow commit is "abcd", which the policy does not list"#);
    }

    #[test]
    fn every_workflow_file_of_the_train_signs_and_no_other() {
        for stage in StageName::ALL {
            let uri = format!("https://github.com/o/r/{}@refs/heads/main", stage.workflow_path());
            assert_eq!(text(|c| c.build_signer_uri = Some(uri)), "", "{stage}");
        }
        for other in ["chartflow-ci.yml", "chartflow-.yml", "chartflow-{stage}.yml", "tag.yml", "x/chartflow-tag.yml"] {
            let uri = format!("https://github.com/o/r/.github/workflows/{other}@refs/heads/main");
            assert_ne!(text(|c| c.build_signer_uri = Some(uri)), "", "{other}");
        }
    }

    #[test]
    fn a_look_alike_workflow_is_another_workflow() {
        insta::assert_snapshot!(text(|c| c.build_signer_uri = Some(format!("{URI}-evil@refs/heads/main"))), @r#"
        signer/identity: the certificate's workflow is "https://github.com/o/r/.github/workflows/chartflow-tag.yml-evil@refs/heads/main", not "one of https://github.com/o/r/.github/workflows/chartflow-{stage}.yml@refs/heads/main"
        signer/identity: the certificate's build signer is "https://github.com/o/r/.github/workflows/chartflow-tag.yml-evil@refs/heads/main", not "one of https://github.com/o/r/.github/workflows/chartflow-{stage}.yml@refs/heads/main"
        "#);
        insta::assert_snapshot!(text(|c| c.build_signer_uri = Some(format!("{URI}@refs/heads/main2"))).lines().count(), @"2");
        insta::assert_snapshot!(text(|c| c.build_signer_uri = None), @"signer/identity: the certificate does not say its build signer");
    }
}
