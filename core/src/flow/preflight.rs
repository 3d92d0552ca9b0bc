//! Looks at what the train needs of a repository, and says what is missing.

use std::error::Error as _;

use super::FlowError;
use super::rulesets::look;
use crate::domain::branch::Names;
use crate::domain::check::Finding;
use crate::domain::configuration::Configuration;
use crate::domain::event::StageName;
use crate::domain::ruleset::{Mode, Tiers};
use crate::plan::preflight::{Denied, Environment, Facts, Seen, permission, permission_of, plan, registry};
use crate::port::github::{GitHub, GitHubError, RepositoryFacts};
use crate::port::registry::RegistryError;

/// Gathers the facts: reads only. What the token is not shown is [`Seen::Hidden`].
///
/// `page` is where people see the repository: `https://HOST/OWNER/NAME`.
///
/// # Errors
/// When GitHub cannot be asked at all, or does not know the repository.
pub async fn facts(github: &GitHub, configuration: &Configuration, mode: Mode, page: &str) -> Result<Facts, FlowError> {
    let repository = github.repository().await?;
    let names = Names::new(configuration);
    let mut refused = Vec::new();
    let rulesets = seen(look(github, &Tiers::from(configuration), mode).await, &mut refused)?;
    let mut absent = Vec::new();
    for branch in [names.integration(), names.release()] {
        if matches!(seen(github.get_ref(&format!("heads/{branch}")).await, &mut refused)?, Seen::Is(None)) {
            absent.push(branch.to_string());
        }
    }
    // Who asks may be a person who sets the repository up: these two are not among what the train itself must be shown.
    let mut aside = Vec::new();
    let environment = seen(environment(github, configuration.environment.as_str()).await, &mut aside)?;
    let actions_may_open_pulls = match mode {
        Mode::App { .. } | Mode::PersonalToken => Seen::Hidden,
        Mode::WorkflowToken => match seen(github.workflow_permissions().await, &mut aside)? {
            Seen::Is(permissions) => Seen::Is(permissions.can_approve_pull_request_reviews),
            Seen::Hidden => Seen::Hidden,
        },
    };
    let RepositoryFacts { default_branch, allow_merge_commit, allow_squash_merge, .. } = repository;
    let setting = |value: Option<bool>| value.map_or(Seen::Hidden, Seen::Is);
    Ok(Facts {
        mode,
        page: page.to_owned(),
        default_branch,
        main: names.main().clone(),
        absent,
        collisions: names.collisions(),
        main_method: configuration.merge.main,
        merge_commits: setting(allow_merge_commit),
        squash_merges: setting(allow_squash_merge),
        environment_name: configuration.environment.clone(),
        environment,
        actions_may_open_pulls,
        rulesets,
        refused,
    })
}

/// What is wrong with the repository, the worst first.
///
/// # Errors
/// As for [`facts`].
pub async fn run(github: &GitHub, configuration: &Configuration, mode: Mode, page: &str) -> Result<Vec<Finding>, FlowError> {
    Ok(plan(&facts(github, configuration, mode, page).await?))
}

async fn environment(github: &GitHub, name: &str) -> Result<Environment, GitHubError> {
    let Some(found) = github.environment(name).await? else { return Ok(Environment::Absent) };
    let custom = |policy: &serde_json::Value| policy.get("custom_branch_policies").and_then(serde_json::Value::as_bool) == Some(true);
    match found.deployment_branch_policy {
        None => Ok(Environment::Open),
        Some(policy) if policy.is_null() => Ok(Environment::Open),
        Some(policy) if custom(&policy) => {
            let patterns = github.deployment_patterns(name).await?;
            let shown = patterns.into_iter().map(|pattern| match pattern.kind.as_deref() {
                Some("tag") => format!("tags {}", pattern.name),
                _ => pattern.name,
            });
            Ok(Environment::Patterns(shown.collect()))
        }
        Some(_) => Ok(Environment::Protected),
    }
}

/// An answer, or that it is not for this token.
fn seen<T>(answer: Result<T, GitHubError>, refused: &mut Vec<Denied>) -> Result<Seen<T>, GitHubError> {
    match answer {
        Ok(value) => Ok(Seen::Is(value)),
        Err(error) => match denied(&error) {
            Some(denied) => {
                refused.push(denied);
                Ok(Seen::Hidden)
            }
            None => Err(error),
        },
    }
}

/// The call that GitHub refused because the token may not make it; `None` for any other failure.
#[must_use]
pub fn denied(error: &GitHubError) -> Option<Denied> {
    match error {
        GitHubError::Refused { operation, message, accepted, .. } if error.lacks_permission() => {
            Some(Denied { operation: operation.clone(), message: message.clone(), accepted: accepted.clone() })
        }
        _ => None,
    }
}

/// What a call that was stopped by a missing permission should have had; `None` when something else stopped it.
#[must_use]
pub fn missing_permission(error: &FlowError, mode: Mode) -> Option<Finding> {
    registry_refusal(error).or_else(|| refusal(error).map(|denied| permission(&denied, mode)))
}

/// What a stage that was stopped by a missing permission should have had: as much of it as the stage needs, though the
/// first call that was refused may need less.
#[must_use]
pub fn missing_permission_of(stage: StageName, error: &FlowError, mode: Mode) -> Option<Finding> {
    registry_refusal(error).or_else(|| refusal(error).map(|denied| permission_of(Some(stage), &denied, mode)))
}

fn registry_refusal(error: &FlowError) -> Option<Finding> {
    match error {
        FlowError::Registry { source: RegistryError::Failed { registry: repository, source, .. } } => registry(repository, &source.to_string()),
        _ => None,
    }
}

fn refusal(error: &FlowError) -> Option<Denied> {
    if let FlowError::GitHub { source } = error {
        return denied(source);
    }
    // Objects are read from GitHub too.
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<GitHubError>() {
            return denied(refusal);
        }
        cause = error.source();
    }
    None
}
