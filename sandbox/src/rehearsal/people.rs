//! What people do in a rehearsal: one contributes, another one approves and merges, at stages 1 and 5 and nowhere else.

use chartflow_core::domain::configuration;
use chartflow_core::domain::names::BranchName;
use chartflow_core::port::transport::Method;
use serde_json::Value;

use super::summary::RefusedRow;
use super::world::{CONTRIBUTOR, REVIEWER, World};
use super::{Progress, RehearsalError};
use crate::github::rules::MergeMethod;

/// The rule that a contribution breaks which conflicts with what was merged before it.
pub(crate) const UNMERGED: &str = "contribution/unmerged";

/// Does the next thing there is to do for a person; whether there was one.
pub(crate) fn act(world: &mut World, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<bool, RehearsalError> {
    if !world.heads.is_empty() {
        open(world, progress)?;
        return Ok(true);
    }
    if merge_contribution(world, progress)? {
        return Ok(true);
    }
    merge_release(world, progress)
}

/// Opens all contributions together.
fn open(world: &mut World, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(), RehearsalError> {
    for head in std::mem::take(&mut world.heads) {
        let contributor = world.hub.person(CONTRIBUTOR).map_err(RehearsalError::person("the contributor has no account"))?;
        contributor.push(&head.branch, head.commit.as_str(), true).map_err(RehearsalError::person(format!("pushing {}", head.branch)))?;
        let title = head.title.clone();
        match contributor.open(&head.branch, world.names.integration().as_str(), &title, "") {
            Ok(number) => {
                progress(Progress::Person { text: format!("{CONTRIBUTOR} opens pull request {number}: {title}") });
                world.contributions.push(number);
            }
            // Nothing lies between the two: there is nothing to contribute.
            Err(crate::github::persons::PersonError::Refused { message, .. }) if message.contains("No commits between") => {
                progress(Progress::Notice { text: format!("{} holds nothing that integration has not", head.branch) });
            }
            Err(source) => return Err(RehearsalError::Person { what: format!("opening the pull request of {}", head.branch), source }),
        }
    }
    Ok(())
}

/// The first contribution that is open and whose check is green.
fn merge_contribution(world: &mut World, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<bool, RehearsalError> {
    for number in world.contributions.clone() {
        let Some(pull) = world.hub.pulls().into_iter().find(|pull| pull.number == number && pull.open) else { continue };
        if !green(world, &pull.head_sha.to_string(), "chartflow/validate")? {
            continue;
        }
        match approve_and_merge(world, number, MergeMethod::Merge, progress)? {
            None => {
                world.unmerged.remove(&number);
                return Ok(true);
            }
            Some(why) => world.unmerged.insert(number, why),
        };
    }
    Ok(false)
}

/// The contributions that are approved and that nobody can merge, which only their authors can mend.
pub(crate) fn refuse_unmerged(world: &mut World) {
    for (number, why) in &world.unmerged {
        world.refused.push(RefusedRow {
            chart: None,
            stage: "validate".to_owned(),
            rule: UNMERGED.to_owned(),
            message: format!("pull request {number} cannot be merged into {}: {why}", world.names.integration()),
            hint: format!("merge {} into the branch, solve what conflicts and push again", world.names.integration()),
            ..RefusedRow::default()
        });
    }
}

/// The first pull request of a chart to main whose gate is green.
fn merge_release(world: &mut World, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<bool, RehearsalError> {
    for pull in world.hub.pulls() {
        let ours = BranchName::new(pull.head.clone()).is_ok_and(|branch| world.names.chart_of_branch(&branch).is_some());
        if !pull.open || pull.base != world.names.main().as_str() || !ours || !green(world, &pull.head_sha.to_string(), "chartflow/main")? {
            continue;
        }
        if approve_and_merge(world, pull.number, main_method(world), progress)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How pull requests are merged into main here.
const fn main_method(world: &World) -> MergeMethod {
    match world.tiers.main_method {
        configuration::MergeMethod::Squash => MergeMethod::Squash,
        configuration::MergeMethod::Merge => MergeMethod::Merge,
        configuration::MergeMethod::Rebase => MergeMethod::Rebase,
    }
}

/// Why it could not be merged; `None` when it was.
fn approve_and_merge(world: &World, number: u64, method: MergeMethod, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Option<String>, RehearsalError> {
    let reviewer = world.hub.person(REVIEWER).map_err(RehearsalError::person("the reviewer has no account"))?;
    reviewer.approve(number).map_err(RehearsalError::person(format!("approving pull request {number}")))?;
    match reviewer.merge(number, method) {
        Ok(_) => {
            progress(Progress::Person { text: format!("{REVIEWER} approves and merges pull request {number}") });
            Ok(None)
        }
        // A conflict between contributions, or a rule: it stays open.
        Err(crate::github::persons::PersonError::Refused { message, .. }) => {
            progress(Progress::Notice { text: format!("pull request {number} cannot be merged: {message}") });
            Ok(Some(message))
        }
        Err(source) => Err(RehearsalError::Person { what: format!("merging pull request {number}"), source }),
    }
}

fn green(world: &World, commit: &str, context: &str) -> Result<bool, RehearsalError> {
    let reviewer = world.hub.person(REVIEWER).map_err(RehearsalError::person("the reviewer has no account"))?;
    let answer = reviewer.call(Method::Get, &format!("/commits/{commit}/status"), &Value::Null).map_err(RehearsalError::person("reading a status"))?;
    let statuses = answer["statuses"].as_array().cloned().unwrap_or_default();
    Ok(statuses.iter().any(|status| status["context"] == context && status["state"] == "success"))
}
