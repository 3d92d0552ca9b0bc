//! Whether what a run signs will count, told before anything is written: its identity is held against the rule by which
//! the train, and every verifier of a release, judges its statements.

use super::{Purpose, SigningError};
use crate::domain::lineage::{Mismatch, Rule, compare};
use crate::domain::policy::{Policy, SignerRule};
use crate::io::signing::keyless::RunClaims;

/// The rule for what a run signs; none where nobody may, which the stage itself refuses with the reason.
fn rule<'a>(purpose: &Purpose, policy: &'a Policy) -> Option<&'a SignerRule> {
    let epoch = policy.epochs.first()?;
    match purpose {
        Purpose::Train => epoch.signer.as_ref(),
        Purpose::Check(check) => epoch.checks.outside.get(check)?.signer.as_ref(),
        Purpose::Nothing => None,
    }
}

/// Compares what a run's identity token says with what is demanded of its certificates.
///
/// # Errors
/// [`SigningError::Identity`] with every claim that differs.
pub(super) fn check(claims: &RunClaims, server: &str, purpose: &Purpose, policy: &Policy) -> Result<(), SigningError> {
    let Some(rule) = rule(purpose, policy) else { return Ok(()) };
    let (san, certified) = claims.certified(server);
    let (mut problems, mut hints) = (Vec::new(), Vec::new());
    if claims.iss != policy.issuer() {
        problems.push(format!("its identity tokens come from {:?} (iss), not from {:?}", claims.iss, policy.issuer()));
        hints.push("name the issuer in .chartflow.yaml: `sigstore: {oidc-issuer: ...}`, beside a Sigstore that knows it".to_owned());
    }
    // Fulcio makes name and build signer of one claim.
    for wrong in compare(&san, &certified, rule, policy).into_iter().filter(|wrong| wrong.claim != "build signer") {
        problems.push(told(&wrong));
        hints.extend(hint(&wrong, rule, purpose, policy));
    }
    hints.dedup();
    if problems.is_empty() { Ok(()) } else { Err(SigningError::Identity { problem: problems.join("; "), hint: hints.join("; ") }) }
}

fn told(wrong: &Mismatch) -> String {
    let claim = match wrong.claim {
        "workflow" => "job_workflow_ref",
        "calling workflow" => "workflow_ref",
        "repository id" => "repository_id",
        "owner id" => "repository_owner_id",
        "runner" => "runner_environment",
        "trigger" => "event_name",
        "workflow commit" => "job_workflow_sha",
        other => other,
    };
    match &wrong.found {
        Some(found) => format!("its {} ({claim}) is {found:?}, not {}", wrong.claim, wrong.expected),
        None => format!("it has no {} ({claim}), which must be {}", wrong.claim, wrong.expected),
    }
}

/// The repository whose workflow of a stage is called, where the name of a workflow is that of one.
fn called<'a>(workflow: &'a str, policy: &Policy) -> Option<&'a str> {
    let (_, path) = workflow.split_once("://")?.1.split_once('/')?;
    let (repository, file) = path.split_once("/.github/workflows/")?;
    let stage = file.split_once(".yml@")?.0;
    let known = crate::domain::event::StageName::ALL.iter().any(|name| name.as_str() == stage);
    (known && repository != policy.repository.name.as_str()).then_some(repository)
}

fn hint(wrong: &Mismatch, rule: &SignerRule, purpose: &Purpose, policy: &Policy) -> Option<String> {
    let branch = rule.reference.trim_start_matches("refs/heads/");
    let found = wrong.found.as_deref().unwrap_or_default();
    Some(match (wrong.rule, purpose) {
        (Rule::SignerIdentity, Purpose::Check(check)) => {
            format!(
                "name the workflow file that attests it in .chartflow.yaml on {branch}: `checks: {{outside: {{{check}: {{workflow: .github/workflows/FILE}}}}}}`"
            )
        }
        (Rule::SignerIdentity, _) => match called(found, policy) {
            Some(repository) if wrong.claim == "workflow" => {
                format!("where the workflow files of {branch} call those of {repository}, say so in .chartflow.yaml: `reusable-workflows: {repository}`")
            }
            _ if wrong.claim == "workflow" && rule.caller.is_some() => {
                "call the workflows that .chartflow.yaml names, as `chartflow init --reusable` writes it, or take `reusable-workflows` out".to_owned()
            }
            _ => format!("run this action in the workflow files that `chartflow init` writes, as they are on {branch}"),
        },
        (Rule::SignerRef | Rule::SignerTrigger, _) => {
            format!("let an event start it that reads the workflow file of {branch}: {}", rule.triggers.join(", "))
        }
        (Rule::SignerRunner, _) => "run the job on a runner of GitHub's own (`runs-on: ubuntu-latest`), or sign with a key (`profile: key`)".to_owned(),
        (Rule::SignerEnvironment, _) => {
            let environment = rule.environment.as_deref().unwrap_or_default();
            format!("add `environment: {environment}` to the job, or name the job's own in .chartflow.yaml (`environment`)")
        }
        _ => return None,
    })
}

/// What to do on a server whose services are not known.
pub(super) fn services_of(server: &str, key: &str) -> String {
    let tenant = server.strip_prefix("https://").and_then(|host| host.strip_suffix(".ghe.com")).filter(|tenant| !tenant.contains(['.', '/']));
    match tenant {
        Some(tenant) => format!(
            "name the services of {tenant}.ghe.com in .chartflow.yaml, and bring their trusted root, a line of what `gh attestation trusted-root --hostname {tenant}.ghe.com` prints:\nsigstore:\n  fulcio-url: https://fulcio.{tenant}.ghe.com\n  timestamp-server-url: https://timestamp.{tenant}.ghe.com/api/v1/timestamp\n  oidc-issuer: https://token.actions.{tenant}.ghe.com\n  trusted-root: .github/sigstore/trusted_root.json\nor {key}"
        ),
        None => format!("{key}; or name a Sigstore that knows the server in .chartflow.yaml (`sigstore`)"),
    }
}
