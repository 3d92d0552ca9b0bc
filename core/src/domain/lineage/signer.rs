//! Whether a proved identity is the one the policy demands.
//!
//! Claims are Fulcio's certificate extensions 1.3.6.1.4.1.57264.1.N (fulcio, docs/oid-info.md). They are compared exactly
//! and as a whole, never by prefix or regardless of case; a claim that is absent is a refusal.

use sigstore_crypto::FulcioCiClaims;

use super::bundle::Identity;
use super::rules::Rule;
use crate::domain::event::StageName;
use crate::domain::policy::{Epoch, Policy, Profile, SignerRule};
use crate::domain::statement::{Checks, Predicate, Statement};

/// A claim of a signing identity that is not what the policy demands of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The rule that it breaks.
    pub rule: Rule,
    /// The claim, in words.
    pub claim: &'static str,
    /// What the policy demands, as a clause such as `"github-hosted"` or `one of ...`.
    pub expected: String,
    /// What it is; `None` where the identity does not say it.
    pub found: Option<String>,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.found {
            Some(found) => write!(f, "the certificate's {} is {found:?}, not {}", self.claim, self.expected),
            None => write!(f, "the certificate does not say its {}", self.claim),
        }
    }
}

/// Everything that is wrong with who signed a statement.
pub(super) fn check(identity: &Identity, statement: &Statement, policy: &Policy, epoch: &Epoch) -> Vec<(Rule, String)> {
    match identity {
        Identity::Key { id } => {
            if key_may_sign(id, statement, policy, epoch) {
                return vec![];
            }
            vec![(Rule::SignerKey, format!("the key {id} may not sign {} of stage {}", statement.name(), statement.stage))]
        }
        Identity::Workflow { san, claims } => match rule_for(statement, epoch) {
            Some(rule) => compare(san, claims, rule, policy).into_iter().map(|wrong| (wrong.rule, wrong.to_string())).collect(),
            None => vec![(Rule::SignerIdentity, format!("the policy names no workflow that may sign {:?}", statement.name()))],
        },
    }
}

/// In profile `key` a key signs for its stages. In the certificate profiles it signs the outside checks that name it,
/// and nothing else.
fn key_may_sign(id: &str, statement: &Statement, policy: &Policy, epoch: &Epoch) -> bool {
    let listed = policy.keys.iter().any(|key| key.id == *id && key.stages.contains(&statement.stage));
    let named = || match &statement.predicate {
        Predicate::Checks(Checks { outside: Some(check), .. }) => epoch.checks.outside.get(check).is_some_and(|check| check.keys.iter().any(|key| key == id)),
        _ => false,
    };
    listed && (policy.profile == Profile::Key || named())
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
/// (`filter` runs checks, and `reconcile` every stage). The one that the claim is, else `None`.
fn one_of(written: &str, claim: &str) -> bool {
    if !written.contains("{stage}") {
        return written == claim;
    }
    StageName::ALL.into_iter().any(|stage| written.replace("{stage}", stage.as_str()) == claim)
}

/// Whether a certificate's workflow is the one a rule writes. A workflow of another repository that is written without a
/// ref may come from any: there the rule's commits or, where it has none, its caller decide.
fn is_workflow(claim: &str, rule: &SignerRule, policy: &Policy) -> bool {
    if rule.uri.contains('@') {
        return one_of(&rule.uri, claim);
    }
    if rule.is_of(&policy.repository.name) {
        return one_of(&format!("{}@{}", rule.uri, rule.reference), claim);
    }
    rule.caller.is_some() && claim.split_once('@').is_some_and(|(file, _)| one_of(&rule.uri, file))
}

fn quoted_or_one_of(written: &str) -> String {
    if written.contains("{stage}") { format!("one of {written}") } else { format!("{written:?}") }
}

/// The claims of an identity that are not what a rule demands.
#[must_use]
pub fn compare(san: &str, claims: &FulcioCiClaims, rule: &SignerRule, policy: &Policy) -> Vec<Mismatch> {
    let mut broken = Vec::new();
    let mut demand = |id: Rule, claim: &'static str, found: Option<&str>, holds: &dyn Fn(&str) -> bool, expected: String| {
        if !found.is_some_and(holds) {
            broken.push(Mismatch { rule: id, claim, expected, found: found.map(str::to_owned) });
        }
    };
    let at_ref = !rule.uri.contains('@') && rule.is_of(&policy.repository.name);
    let expected = quoted_or_one_of(&if at_ref { format!("{}@{}", rule.uri, rule.reference) } else { rule.uri.clone() });
    let workflow = |claim: &str| is_workflow(claim, rule, policy);
    demand(Rule::SignerIdentity, "workflow", Some(san), &workflow, expected);
    // The two are the same claim, told twice by Fulcio; a difference is nobody's workflow.
    let same = |claim: &str| claim == san;
    demand(Rule::SignerIdentity, "build signer", claims.build_signer_uri.as_deref(), &same, format!("{san:?}"));
    if let Some(caller) = &rule.caller {
        let written = format!("{caller}@{}", rule.reference);
        demand(Rule::SignerIdentity, "calling workflow", claims.build_config_uri.as_deref(), &|claim| one_of(&written, claim), quoted_or_one_of(&written));
    }
    let mut exact =
        |id: Rule, claim: &'static str, found: Option<&str>, expected: &str| demand(id, claim, found, &|claim| claim == expected, format!("{expected:?}"));
    exact(Rule::SignerRef, "ref", claims.source_repository_ref.as_deref(), &rule.reference);
    if let Some(id) = policy.repository.id {
        exact(Rule::SignerRepository, "repository id", claims.source_repository_identifier.as_deref(), &id.to_string());
    }
    if let Some(id) = policy.repository.owner_id {
        exact(Rule::SignerRepository, "owner id", claims.source_repository_owner_identifier.as_deref(), &id.to_string());
    }
    if let Some(server) = &policy.server {
        exact(Rule::SignerRepository, "repository", claims.source_repository_uri.as_deref(), &format!("{server}/{}", policy.repository.name));
    }
    if let Some(runner) = &rule.runner {
        exact(Rule::SignerRunner, "runner", claims.runner_environment.as_deref(), runner);
    }
    if let Some(environment) = &rule.environment {
        exact(Rule::SignerEnvironment, "environment", claims.deployment_environment.as_deref(), environment);
    }
    let among = |allowed: &[String]| format!("one of {}", allowed.join(", "));
    demand(Rule::SignerTrigger, "trigger", claims.build_trigger.as_deref(), &|claim| rule.triggers.iter().any(|one| one == claim), among(&rule.triggers));
    if !rule.digests.is_empty() {
        let listed = |claim: &str| rule.digests.iter().any(|one| one == claim);
        demand(Rule::SignerDigest, "workflow commit", claims.build_signer_digest.as_deref(), &listed, among(&rule.digests));
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
        compare(&san, &claims, &rule, &policy).into_iter().map(|wrong| (wrong.rule, wrong.to_string())).collect()
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
        insta::assert_snapshot!(text(|c| c.build_trigger = Some("pull_request".to_owned())), @r#"signer/trigger: the certificate's trigger is "pull_request", not one of pull_request_target, push, repository_dispatch, schedule, workflow_dispatch"#);
        insta::assert_snapshot!(text(|c| c.runner_environment = Some("self-hosted".to_owned())), @r#"signer/runner: the certificate's runner is "self-hosted", not "github-hosted""#);
        insta::assert_snapshot!(text(|c| c.deployment_environment = None), @"signer/environment: the certificate does not say its environment");
        insta::assert_snapshot!(text(|c| c.build_signer_digest = Some("abcd".to_owned())), @r#"signer/digest: the certificate's workflow commit is "abcd", not one of abc"#);
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
        insta::assert_snapshot!(text(|c| c.build_signer_uri = Some(format!("{URI}-evil@refs/heads/main"))), @r#"signer/identity: the certificate's workflow is "https://github.com/o/r/.github/workflows/chartflow-tag.yml-evil@refs/heads/main", not one of https://github.com/o/r/.github/workflows/chartflow-{stage}.yml@refs/heads/main"#);
        insta::assert_snapshot!(text(|c| c.build_signer_uri = Some(format!("{URI}@refs/heads/main2"))).lines().count(), @"1");
        insta::assert_snapshot!(text(|c| c.build_signer_uri = None), @"signer/identity: the certificate does not say its build signer");
    }
}
