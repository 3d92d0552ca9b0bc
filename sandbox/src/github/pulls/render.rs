//! The JSON of pull requests.

use serde_json::{Value, json};

use super::mergeability::State as Merging;
use super::{Pull, commits};
use crate::github::clock::timestamp;
use crate::github::http::ApiError;
use crate::github::render::{association, node_id, owner, repository, user};
use crate::github::state::State;

/// A label; its number is made of its name.
pub(crate) fn label(state: &State, name: &str) -> Value {
    let id = name.bytes().fold(5381_u64, |hash, byte| hash.wrapping_mul(33) ^ u64::from(byte)) & 0xffff_ffff;
    json!({
        "id": id, "node_id": node_id("Label", id), "name": name, "description": "", "color": "ededed", "default": false,
        "url": state.url(&format!("/labels/{}", percent_encoding::utf8_percent_encode(name, crate::github::repository::PATH))),
    })
}

/// Somebody's fork of the repository, and its owner.
fn fork(state: &State, login: &str, repository: &Value) -> (Value, Value) {
    let owner = state.actors.get(login).map_or(Value::Null, |actor| user(state, actor));
    let mut fork = repository.clone();
    let id = state.settings.id + owner["id"].as_u64().unwrap_or_default();
    fork["id"] = json!(id);
    fork["node_id"] = json!(node_id("Repository", id));
    fork["fork"] = json!(true);
    fork["full_name"] = json!(format!("{login}/{}", state.settings.name));
    fork["owner"] = owner.clone();
    (owner, fork)
}

/// The entry of a list (schema `pull-request-simple`).
pub(crate) fn short(state: &State, pull: &Pull) -> Value {
    let url = state.url(&format!("/pulls/{}", pull.number));
    let issue = state.url(&format!("/issues/{}", pull.number));
    let page = state.html_url(&format!("/pull/{}", pull.number));
    let statuses = state.url(&format!("/statuses/{}", pull.head_sha));
    let link = |href: &str| json!({"href": href});
    let requested: Vec<Value> = pull.requested.iter().filter_map(|login| state.actors.get(login)).map(|actor| user(state, actor)).collect();
    let moment = |at: Option<i64>| at.map(timestamp);
    let repository = repository(state);
    let owner = owner(state);
    let side = |name: &str, sha: gix::ObjectId, owner: &Value, repository: &Value| {
        let label = format!("{}:{name}", owner["login"].as_str().unwrap_or_default());
        json!({"label": label, "ref": name, "sha": sha.to_string(), "user": owner, "repo": repository})
    };
    let base = side(&pull.base, pull.base_sha, &owner, &repository);
    let head = match &pull.fork {
        None => side(&pull.head, pull.head_sha, &owner, &repository),
        Some(login) => {
            let (owner, repository) = fork(state, login, &repository);
            side(&pull.head, pull.head_sha, &owner, &repository)
        }
    };
    let mut body = json!({
        "url": url, "id": pull.id, "node_id": node_id("PullRequest", pull.id), "html_url": page, "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"), "issue_url": issue, "number": pull.number, "state": if pull.open { "open" } else { "closed" },
        "locked": false, "title": pull.title, "user": user(state, &pull.author), "body": pull.body,
        "created_at": timestamp(pull.created), "updated_at": timestamp(pull.updated), "closed_at": moment(pull.closed),
        "merged_at": moment(pull.merged.as_ref().map(|merged| merged.at)), "draft": pull.draft,
        "labels": pull.labels.iter().map(|name| label(state, name)).collect::<Vec<_>>(),
        "assignees": [], "requested_reviewers": requested, "requested_teams": [],
        "head": head, "base": base,
        "author_association": association(state, &pull.author),
    });
    for key in ["assignee", "milestone", "active_lock_reason", "auto_merge"] {
        body[key] = Value::Null;
    }
    let merge_commit = match &pull.merged {
        Some(merged) => Some(merged.commit),
        None => pull.mergeability.as_ref().and_then(|known| known.test_merge),
    };
    body["merge_commit_sha"] = json!(merge_commit.map(|id| id.to_string()));
    for (key, value) in [
        ("commits_url", format!("{url}/commits")),
        ("review_comments_url", format!("{url}/comments")),
        ("review_comment_url", state.url("/pulls/comments{/number}")),
        ("comments_url", format!("{issue}/comments")),
        ("statuses_url", statuses.clone()),
    ] {
        body[key] = json!(value);
    }
    body["_links"] = json!({
        "self": link(&url), "html": link(&page), "issue": link(&issue), "comments": link(&format!("{issue}/comments")),
        "review_comments": link(&format!("{url}/comments")), "review_comment": link(&state.url("/pulls/comments{/number}")),
        "commits": link(&format!("{url}/commits")), "statuses": link(&statuses),
    });
    body
}

/// A single pull request (schema `pull-request`).
pub(super) fn full(state: &State, pull: &Pull, merging: Merging, mergeable_state: &str) -> Result<Value, ApiError> {
    let changes = super::list::changes(state, pull)?;
    let (additions, deletions) = changes.iter().fold((0, 0), |(a, d), change| (a + change.additions, d + change.deletions));
    let mut body = short(state, pull);
    let mergeable = match merging {
        Merging::Unknown => Value::Null,
        Merging::Clean => json!(true),
        Merging::Conflict => json!(false),
    };
    if merging == Merging::Unknown && pull.merged.is_none() {
        body["merge_commit_sha"] = Value::Null;
    }
    body["rebaseable"] = mergeable.clone();
    body["mergeable"] = mergeable;
    body["mergeable_state"] = json!(mergeable_state);
    body["merged"] = json!(pull.merged.is_some());
    body["merged_by"] = pull.merged.as_ref().map_or(Value::Null, |merged| user(state, &merged.by));
    body["comments"] = json!(pull.comments.len());
    body["review_comments"] = json!(0);
    body["maintainer_can_modify"] = json!(false);
    body["commits"] = json!(commits(state, pull)?.len());
    body["additions"] = json!(additions);
    body["deletions"] = json!(deletions);
    body["changed_files"] = json!(changes.len());
    Ok(body)
}
