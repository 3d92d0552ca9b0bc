//! Pull requests: opening, finding, describing, merging.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{GitHub, GitHubError, Method, encode};
use crate::domain::digest::CommitId;

/// Whether a pull request is open. A merged one is closed and has [`Pull::merged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullState {
    /// It can be merged.
    Open,
    /// It was merged or given up.
    Closed,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its description; GitHub's `null` is an empty one.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub body: String,
    /// Open or closed.
    pub state: PullState,
    /// Draft pull requests cannot be merged.
    #[serde(default)]
    pub draft: bool,
    /// When it was merged; `None` for one that was not.
    #[serde(default)]
    pub merged_at: Option<String>,
    /// The commit on the base that the merge made (before the merge, a test merge).
    #[serde(default)]
    pub merge_commit_sha: Option<CommitId>,
    /// What it brings.
    pub head: End,
    /// Where to.
    pub base: End,
    /// Who opened it.
    pub user: Account,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
}

/// One end of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct End {
    /// The branch.
    #[serde(rename = "ref")]
    pub branch: String,
    /// The commit.
    pub sha: CommitId,
    /// The repository, absent when a fork was deleted.
    #[serde(default)]
    pub repo: Option<EndRepository>,
}

/// The repository of one end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EndRepository {
    /// Its numeric id.
    pub id: u64,
}

/// A person, bot or App.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The login.
    pub login: String,
    /// The numeric id.
    pub id: u64,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// Its name.
    pub name: String,
}

impl Pull {
    /// Whether it was merged.
    #[must_use]
    pub fn merged(&self) -> bool {
        self.merged_at.is_some()
    }

    /// Whether it is open.
    #[must_use]
    pub fn open(&self) -> bool {
        self.state == PullState::Open
    }

    /// Whether it has a label of this name.
    #[must_use]
    pub fn has_label(&self, name: &str) -> bool {
        self.labels.iter().any(|label| label.name == name)
    }

    /// Whether its head lives in another repository than its base.
    #[must_use]
    pub fn from_fork(&self) -> bool {
        self.head.repo.as_ref().map(|repo| repo.id) != self.base.repo.as_ref().map(|repo| repo.id)
    }
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What a reviewer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewState {
    /// Yes.
    Approved,
    /// No.
    ChangesRequested,
    /// Neither.
    Commented,
    /// An approval or refusal that no longer counts.
    Dismissed,
    /// Not sent yet.
    Pending,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Review {
    /// Who; absent for deleted accounts.
    pub user: Option<Account>,
    /// What they said.
    pub state: ReviewState,
    /// The head they looked at.
    #[serde(default)]
    pub commit_id: Option<CommitId>,
}

/// Which pull requests to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullFilter {
    /// Only from this branch of this very repository.
    pub head: Option<String>,
    /// Only into this branch.
    pub base: Option<String>,
    /// Closed ones, too.
    pub closed: bool,
}

/// A pull request to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    /// Its title.
    pub title: String,
    /// Its description.
    pub body: String,
    /// The branch to merge, of this repository.
    pub head: String,
    /// The branch to merge into.
    pub base: String,
}

/// How a merge is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    /// A commit with two parents.
    Merge,
    /// One commit with all changes.
    Squash,
}

impl MergeMethod {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
        }
    }
}

/// What became of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// It is done; this commit is on the base now.
    Merged(CommitId),
    /// GitHub said no (rules, a moved head, a conflict) in these words: look again, plan anew.
    Refused(String),
}

/// How often a pending merge is looked at before giving up.
const POLLS: u32 = 40;

impl GitHub {
    /// "List pull requests", open ones unless the filter says otherwise, newest first.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn list_pulls(&self, filter: &PullFilter) -> Result<Vec<Pull>, GitHubError> {
        let mut path = format!("pulls?state={}", if filter.closed { "all" } else { "open" });
        if let Some(head) = &filter.head {
            // Without the owner GitHub ignores the filter and lists everything.
            path.push_str(&format!("&head={}", encode(&format!("{}:{head}", self.repository.owner()), false)));
        }
        if let Some(base) = &filter.base {
            path.push_str(&format!("&base={}", encode(base, false)));
        }
        self.pages(&path).await
    }

    /// "Get a pull request".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_pull(&self, number: u64) -> Result<Option<Pull>, GitHubError> {
        self.get_optional(&format!("pulls/{number}")).await
    }

    /// "Create a pull request".
    ///
    /// # Errors
    /// 422 when one is open already, or nothing lies between head and base.
    pub async fn create_pull(&self, new: &NewPull) -> Result<Pull, GitHubError> {
        self.write(Method::Post, "pulls", json!({ "title": new.title, "body": new.body, "head": new.head, "base": new.base })).await
    }

    /// "Update a pull request": its title and description.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn describe_pull(&self, number: u64, title: Option<&str>, body: &str) -> Result<Pull, GitHubError> {
        let mut change = json!({ "body": body });
        if let Some(title) = title {
            change["title"] = json!(title);
        }
        self.write(Method::Patch, &format!("pulls/{number}"), change).await
    }

    /// "Update a pull request": closes it.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn close_pull(&self, number: u64) -> Result<Pull, GitHubError> {
        self.write(Method::Patch, &format!("pulls/{number}"), json!({ "state": "closed" })).await
    }

    /// "Create an issue comment" on a pull request.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn comment(&self, number: u64, body: &str) -> Result<(), GitHubError> {
        self.write::<Value>(Method::Post, &format!("issues/{number}/comments"), json!({ "body": body })).await.map(|_| ())
    }

    /// "List reviews for a pull request", oldest first.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn reviews(&self, number: u64) -> Result<Vec<Review>, GitHubError> {
        self.pages_once(&format!("pulls/{number}/reviews")).await
    }

    /// "Merges a pull request" at exactly this head; where the server wants it asynchronously (stacked pull requests), so.
    ///
    /// # Errors
    /// See [`GitHubError`]; what the rules or the state forbid is [`Merge::Refused`].
    pub async fn merge_pull(&self, number: u64, head: &CommitId, method: MergeMethod, title: &str, message: &str) -> Result<Merge, GitHubError> {
        let body = json!({ "commit_title": title, "commit_message": message, "sha": head, "merge_method": method.as_str() });
        match self.write::<Value>(Method::Put, &format!("pulls/{number}/merge"), body.clone()).await {
            Ok(answer) => merged(number, &answer["sha"]),
            Err(error) if error.status() == Some(403) && error.message().contains("stacked") => self.merge_pull_later(number, body).await,
            Err(error) if matches!(error.status(), Some(403 | 405 | 409 | 422)) => refused(error),
            Err(error) => Err(error),
        }
    }

    async fn merge_pull_later(&self, number: u64, mut body: Value) -> Result<Merge, GitHubError> {
        body["merge_action"] = json!("direct_merge");
        match self.write::<Value>(Method::Put, &format!("pulls/{number}/merge-async"), body).await {
            Ok(answer) => self.follow_merge(number, answer).await,
            Err(error) if matches!(error.status(), Some(400 | 403 | 409 | 422)) => refused(error),
            Err(error) => Err(error),
        }
    }

    async fn follow_merge(&self, number: u64, mut answer: Value) -> Result<Merge, GitHubError> {
        for _ in 0..POLLS {
            match answer["status"].as_str() {
                Some("merged") => return merged(number, if answer["details"]["sha"].is_string() { &answer["details"]["sha"] } else { &answer["sha"] }),
                Some("failed") => {
                    let words = answer["details"]["message"].as_str().or_else(|| answer["message"].as_str()).unwrap_or("the merge failed");
                    return Ok(Merge::Refused(words.to_owned()));
                }
                Some("enqueued") => return Ok(Merge::Refused("the pull request was put into the merge queue".to_owned())),
                _ => {}
            }
            let Some(request) = answer["details"]["uuid"].as_str().or_else(|| answer["uuid"].as_str()).map(str::to_owned) else {
                return Err(GitHubError::Value { operation: format!("PUT pulls/{number}/merge-async"), what: "merge request", value: answer.to_string() });
            };
            let mut next: Value = self.get(&format!("pulls/{number}/merge-async/{}", encode(&request, false))).await?;
            if next["details"]["uuid"].is_null() && next["status"] == "pending" {
                next["details"] = json!({ "uuid": request });
            }
            answer = next;
        }
        Err(GitHubError::MergePending { number, polls: POLLS })
    }
}

fn merged(number: u64, id: &Value) -> Result<Merge, GitHubError> {
    let text = id.as_str().unwrap_or_default();
    CommitId::new(text).map(Merge::Merged).map_err(|_| GitHubError::Value {
        operation: format!("merge of pull request {number}"),
        what: "commit id",
        value: text.to_owned(),
    })
}

/// A missing permission is no state of the pull request: looking again would not help.
fn refused(error: GitHubError) -> Result<Merge, GitHubError> {
    if error.lacks_permission() {
        return Err(error);
    }
    Ok(Merge::Refused(error.message().to_owned()))
}
