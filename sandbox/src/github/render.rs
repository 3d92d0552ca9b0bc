//! The JSON that several operations share: people, repositories, commits.

use gix::ObjectId;
use gix::objs::Kind;
use serde_json::{Value, json};

use super::actor::{Actor, Role};
use super::clock::timestamp;
use super::state::State;
use super::store::{Commit, Signature};

/// The opaque id GraphQL uses. Only equality means anything.
pub(crate) fn node_id(kind: &str, id: impl std::fmt::Display) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{kind}:{id}"))
}

/// A person or bot (schema `simple-user`).
pub(crate) fn user(state: &State, actor: &Actor) -> Value {
    let kind = if actor.is_bot() { "Bot" } else { "User" };
    account(state, &actor.login, actor.id, kind)
}

fn account(state: &State, login: &str, id: u64, kind: &str) -> Value {
    let api = format!("{}/users/{}", state.base_url, login.replace('[', "%5B").replace(']', "%5D"));
    let page = format!("{}/{}", state.base_url, login.trim_end_matches("[bot]"));
    json!({
        "login": login, "id": id, "node_id": node_id("User", id), "avatar_url": format!("{page}.png"), "gravatar_id": "",
        "url": api, "html_url": page, "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"), "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"), "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"), "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"), "received_events_url": format!("{api}/received_events"),
        "type": kind, "site_admin": false, "user_view_type": "public",
    })
}

/// The repository's owner.
pub(crate) fn owner(state: &State) -> Value {
    let kind = if state.settings.organization { "Organization" } else { "User" };
    account(state, &state.settings.owner, state.settings.owner_id, kind)
}

/// How the author relates to the repository.
pub(crate) fn association(state: &State, actor: &Actor) -> &'static str {
    if actor.login == state.settings.owner {
        "OWNER"
    } else if actor.role >= Role::Write {
        if state.settings.organization { "MEMBER" } else { "COLLABORATOR" }
    } else {
        "CONTRIBUTOR"
    }
}

/// The addresses a repository's JSON is full of, as pairs of key and path below the repository's API address.
const REPOSITORY_URLS: [(&str, &str); 36] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

const REPOSITORY_COUNTS: [&str; 10] = [
    "forks",
    "forks_count",
    "stargazers_count",
    "watchers",
    "watchers_count",
    "open_issues",
    "open_issues_count",
    "network_count",
    "subscribers_count",
    "size",
];

const REPOSITORY_FLAGS: [(&str, bool); 13] = [
    ("fork", false),
    ("has_issues", true),
    ("has_projects", false),
    ("has_wiki", false),
    ("has_pages", false),
    ("has_downloads", true),
    ("has_discussions", false),
    ("archived", false),
    ("disabled", false),
    ("is_template", false),
    ("web_commit_signoff_required", false),
    ("allow_auto_merge", false),
    ("allow_update_branch", true),
];

/// The repository (schema `full-repository`, which covers the smaller ones).
pub(crate) fn repository(state: &State) -> Value {
    let settings = &state.settings;
    let now = timestamp(state.clock.now());
    let page = state.html_url("");
    let git = format!("{page}.git");
    let visibility = if settings.private { "private" } else { "public" };
    let mut body = json!({
        "id": settings.id, "node_id": node_id("Repository", settings.id), "name": settings.name, "full_name": settings.full_name(),
        "private": settings.private, "visibility": visibility, "owner": owner(state), "html_url": page, "url": state.url(""),
        "git_url": git, "ssh_url": git, "clone_url": git, "svn_url": page, "default_branch": settings.default_branch,
        "topics": [], "pushed_at": now, "created_at": now, "updated_at": now,
        "allow_merge_commit": settings.allow_merge_commit, "allow_squash_merge": settings.allow_squash_merge,
        "allow_rebase_merge": settings.allow_rebase_merge, "delete_branch_on_merge": settings.delete_branch_on_merge,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE", "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE", "merge_commit_message": "PR_TITLE",
    });
    for key in ["description", "homepage", "mirror_url", "language", "license"] {
        body[key] = Value::Null;
    }
    for key in REPOSITORY_COUNTS {
        body[key] = json!(0);
    }
    for (key, on) in REPOSITORY_FLAGS {
        body[key] = json!(on);
    }
    for (key, path) in REPOSITORY_URLS {
        body[key] = json!(state.url(path));
    }
    body
}

/// A name, an address and a moment.
pub(crate) fn signature(signature: &Signature) -> Value {
    json!({"name": signature.name, "email": signature.email, "date": timestamp(signature.seconds)})
}

/// What GitHub says of a commit's or tag's signature. What a bot made through the API without naming an author was
/// signed by GitHub; here that is remembered instead of being written into the object.
///
/// Source: <https://docs.github.com/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots>
pub(crate) fn verification(state: &State, id: ObjectId, at: Option<&Signature>) -> Value {
    let verified = state.signed.contains(&id);
    let reason = if verified { "valid" } else { "unsigned" };
    let at = at.filter(|_| verified).map(|signature| timestamp(signature.seconds));
    json!({"verified": verified, "reason": reason, "signature": null, "payload": null, "verified_at": at})
}

/// A commit of the Git Data API (schema `git-commit`).
pub(crate) fn git_commit(state: &State, id: ObjectId, commit: &Commit) -> Value {
    let parents: Vec<Value> = commit
        .parents
        .iter()
        .map(|parent| {
            json!({"sha": parent.to_string(), "url": state.url(&format!("/git/commits/{parent}")), "html_url": state.html_url(&format!("/commit/{parent}"))})
        })
        .collect();
    json!({
        "sha": id.to_string(), "node_id": node_id("Commit", id), "url": state.url(&format!("/git/commits/{id}")),
        "html_url": state.html_url(&format!("/commit/{id}")), "author": signature(&commit.author), "committer": signature(&commit.committer),
        "tree": {"sha": commit.tree.to_string(), "url": state.url(&format!("/git/trees/{}", commit.tree))},
        "message": commit.message, "parents": parents, "verification": verification(state, id, Some(&commit.committer)),
    })
}

/// The account behind an address in a commit; `null` when nobody has it.
fn account_of(state: &State, signature: &Signature) -> Value {
    state.actors.values().find(|actor| actor.email == signature.email).map_or(Value::Null, |actor| user(state, actor))
}

/// A commit of the commits operations (schema `commit`), without `stats` and `files`.
pub(crate) fn commit(state: &State, id: ObjectId, commit: &Commit) -> Value {
    let inner = git_commit(state, id, commit);
    let pick = |key: &str| inner.get(key).cloned().unwrap_or_default();
    let parents: Vec<Value> = commit
        .parents
        .iter()
        .map(|parent| {
            json!({"sha": parent.to_string(), "url": state.url(&format!("/commits/{parent}")), "html_url": state.html_url(&format!("/commit/{parent}"))})
        })
        .collect();
    json!({
        "url": state.url(&format!("/commits/{id}")), "sha": id.to_string(), "node_id": node_id("Commit", id),
        "html_url": state.html_url(&format!("/commit/{id}")), "comments_url": state.url(&format!("/commits/{id}/comments")),
        "commit": {
            "url": pick("url"), "author": pick("author"), "committer": pick("committer"), "message": pick("message"),
            "comment_count": 0, "tree": pick("tree"), "verification": pick("verification"),
        },
        "author": account_of(state, &commit.author), "committer": account_of(state, &commit.committer), "parents": parents,
    })
}

/// The object a ref or tag points at.
pub(crate) fn target(state: &State, id: ObjectId, kind: Kind) -> Value {
    let directory = match kind {
        Kind::Commit => "commits",
        Kind::Tag => "tags",
        Kind::Tree => "trees",
        Kind::Blob => "blobs",
    };
    json!({"type": kind.to_string(), "sha": id.to_string(), "url": state.url(&format!("/git/{directory}/{id}"))})
}
