//! The rules of the tiers: what GitHub holds is compared with what it should hold, and brought there.

use super::FlowError;
use crate::domain::ruleset::{self, Change, Mode, Tiers};
use crate::port::github::{GitHub, GitHubError};

/// What would have to change: reads every ruleset of the repository, writes nothing.
///
/// # Errors
/// When GitHub refuses or fails. Who may bypass a ruleset is compared only where the token is shown it.
pub async fn plan(github: &GitHub, tiers: &Tiers, mode: Mode) -> Result<Vec<Change>, FlowError> {
    Ok(look(github, tiers, mode).await?)
}

pub(super) async fn look(github: &GitHub, tiers: &Tiers, mode: Mode) -> Result<Vec<Change>, GitHubError> {
    let mut current = Vec::new();
    for listed in github.rulesets().await? {
        // The list leaves out rules, conditions and bypasses. A ruleset of the organisation has no page here.
        let own = listed.get("source_type").and_then(serde_json::Value::as_str).is_none_or(|kind| kind == "Repository");
        let ours = listed.get("name").and_then(serde_json::Value::as_str).is_some_and(|name| name.starts_with(ruleset::NAME_PREFIX));
        match listed.get("id").and_then(serde_json::Value::as_u64).filter(|_| own && ours) {
            Some(id) => current.push(github.ruleset(id).await?),
            None => current.push(listed),
        }
    }
    Ok(ruleset::plan(&current, &ruleset::desired(tiers, mode)))
}

/// Creates what is missing, mends what differs and removes what is no longer wanted; what was found, and so done.
///
/// Rules are added before any is taken away, so that a stop in between leaves no tier without rules.
///
/// # Errors
/// When GitHub refuses (the token needs the repository permission "Administration: write") or fails.
pub async fn apply(github: &GitHub, tiers: &Tiers, mode: Mode) -> Result<Vec<Change>, FlowError> {
    let changes = look(github, tiers, mode).await?;
    for change in &changes {
        match change {
            Change::Create { body, .. } => drop(github.create_ruleset(body).await?),
            Change::Update { id, body, .. } => drop(github.update_ruleset(*id, body).await?),
            Change::Unchanged { .. } | Change::Remove { .. } | Change::Foreign { .. } => {}
        }
    }
    for change in &changes {
        if let Change::Remove { id, .. } = change {
            github.delete_ruleset(*id).await?;
        }
    }
    Ok(changes)
}
