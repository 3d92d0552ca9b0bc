//! The Git Data API: refs, commits, trees, blobs and tag objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, GitHub, GitHubError, JSON_LIMIT, Method, absent, encode, operation};
use crate::domain::digest::{BlobId, CommitId, TagObjectId, TreeId};
use crate::domain::tree::{Entry, Mode, Tree};
use crate::port::objects::{Commit, Person};

/// What a ref points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefTarget {
    /// A commit: a branch, or a light tag.
    Commit(CommitId),
    /// An annotated tag object.
    Tag(TagObjectId),
}

impl RefTarget {
    /// The commit, when the ref points straight at one.
    #[must_use]
    pub fn commit(self) -> Option<CommitId> {
        match self {
            Self::Commit(id) => Some(id),
            Self::Tag(_) => None,
        }
    }
}

/// An annotated tag object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagObject {
    /// Its id.
    pub id: TagObjectId,
    /// The tag's name as written in the object.
    pub name: String,
    /// The message.
    pub message: String,
    /// The commit it names.
    pub commit: CommitId,
}

/// What a new entry of a tree holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewContent {
    /// An object that is there: a blob, or a whole subtree.
    Object(String),
    /// A text that GitHub stores as a blob on the way.
    Text(String),
    /// Nothing: the path is removed.
    Removed,
}

/// One entry of a tree to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The path below the top of the tree, `/` between components.
    pub path: String,
    /// What it is.
    pub mode: Mode,
    /// What it holds.
    pub content: NewContent,
}

#[derive(Deserialize)]
struct RawRef {
    #[serde(rename = "ref")]
    name: String,
    object: RawObject,
}

#[derive(Deserialize)]
struct RawObject {
    sha: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct RawSha {
    sha: String,
}

#[derive(Deserialize)]
struct RawCommit {
    sha: String,
    message: String,
    tree: RawSha,
    parents: Vec<RawSha>,
    author: RawPerson,
    committer: RawPerson,
}

#[derive(Deserialize)]
struct RawPerson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    date: String,
}

#[derive(Deserialize)]
struct RawTree {
    tree: Vec<RawEntry>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct RawEntry {
    path: String,
    mode: String,
    sha: String,
}

impl RawRef {
    fn target(self, operation: &str) -> Result<(String, RefTarget), GitHubError> {
        let bad = |_| GitHubError::Value { operation: operation.to_owned(), what: "object id", value: self.object.sha.clone() };
        let target = if self.object.kind == "tag" {
            RefTarget::Tag(TagObjectId::new(&*self.object.sha).map_err(bad)?)
        } else {
            RefTarget::Commit(CommitId::new(&*self.object.sha).map_err(bad)?)
        };
        Ok((self.name, target))
    }
}

macro_rules! id {
    ($type:ident, $value:expr, $operation:expr) => {{
        let value: &str = &$value;
        $type::new(value).map_err(|_| GitHubError::Value { operation: $operation.to_owned(), what: "object id", value: value.to_owned() })
    }};
}

impl RawCommit {
    fn read(self, operation: &str) -> Result<Commit, GitHubError> {
        let committed = self.committer.date.parse::<jiff::Timestamp>();
        let bad = |_| GitHubError::Value { operation: operation.to_owned(), what: "date", value: self.committer.date.clone() };
        Ok(Commit {
            id: id!(CommitId, self.sha, operation)?,
            tree: id!(TreeId, self.tree.sha, operation)?,
            parents: self.parents.iter().map(|parent| id!(CommitId, parent.sha, operation)).collect::<Result<_, _>>()?,
            author: Person { name: self.author.name, email: self.author.email },
            committed: committed.map_err(bad)?.as_second(),
            message: self.message,
        })
    }
}

impl GitHub {
    /// "Get a reference": what `refs/<name>` points at; `name` is `heads/main`, `tags/a-v1.0.0`, `chartflow/released`.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_ref(&self, name: &str) -> Result<Option<RefTarget>, GitHubError> {
        let path = format!("git/ref/{}", encode(name, true));
        let raw = match self.get_optional::<RawRef>(&path).await {
            // A repository without any commit has no refs either (REST API, "Get a reference": 409).
            Err(error) if error.status() == Some(409) => None,
            answer => answer?,
        };
        let Some(raw) = raw else { return Ok(None) };
        raw.target(&path).map(|(_, target)| Some(target))
    }

    /// "List matching references": every ref whose name begins with `refs/<prefix>`, with its full name.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn matching_refs(&self, prefix: &str) -> Result<Vec<(String, RefTarget)>, GitHubError> {
        let path = format!("git/matching-refs/{}", encode(prefix, true));
        self.get::<Vec<RawRef>>(&path).await?.into_iter().map(|raw| raw.target(&path)).collect()
    }

    /// "Create a reference" `refs/<name>`.
    ///
    /// # Errors
    /// 422 when it exists or collides with another name ([`GitHubError::is_stale`]).
    pub async fn create_ref(&self, name: &str, id: &str) -> Result<(), GitHubError> {
        self.write::<Value>(Method::Post, "git/refs", json!({ "ref": format!("refs/{name}"), "sha": id })).await.map(|_| ())
    }

    /// "Update a reference"; without `force` GitHub refuses (422) what is not a fast-forward.
    ///
    /// # Errors
    /// 422 when it is absent, or not a fast-forward ([`GitHubError::is_stale`]).
    pub async fn update_ref(&self, name: &str, id: &str, force: bool) -> Result<(), GitHubError> {
        let path = format!("git/refs/{}", encode(name, true));
        self.write::<Value>(Method::Patch, &path, json!({ "sha": id, "force": force })).await.map(|_| ())
    }

    /// "Delete a reference"; whether there was one.
    ///
    /// # Errors
    /// 422 also when a rule forbids it.
    pub async fn delete_ref(&self, name: &str) -> Result<bool, GitHubError> {
        let path = format!("git/refs/{}", encode(name, true));
        match self.send(Method::Delete, &path, Body::Empty).await {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) || error.message().contains("does not exist") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// "Get a commit object".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_commit(&self, id: &CommitId) -> Result<Option<Commit>, GitHubError> {
        let path = format!("git/commits/{id}");
        self.get_optional::<RawCommit>(&path).await?.map(|raw| raw.read(&path)).transpose()
    }

    /// "Compare two commits", page by page: the commits of the head that the base has not. `None` when the two have no
    /// history in common or one is unknown (404).
    ///
    /// # Errors
    /// See [`GitHubError`]; [`GitHubError::TooManyPages`] beyond 5,000 commits.
    pub async fn commits_between(&self, base: &CommitId, head: &CommitId) -> Result<Option<Vec<Commit>>, GitHubError> {
        #[derive(Deserialize)]
        struct Raw {
            total_commits: usize,
            commits: Vec<RawListed>,
        }
        #[derive(Deserialize)]
        struct RawListed {
            sha: String,
            commit: RawNamed,
            parents: Vec<RawSha>,
        }
        #[derive(Deserialize)]
        struct RawNamed {
            message: String,
            tree: RawSha,
            author: RawPerson,
            committer: RawPerson,
        }
        let path = format!("compare/{base}...{head}");
        let mut found = Vec::new();
        for page in 1..=super::PAGE_LIMIT {
            let Some(raw) = self.get_optional::<Raw>(&format!("{path}?per_page=100&page={page}")).await? else { return Ok(None) };
            let last = raw.commits.is_empty();
            for RawListed { sha, commit: RawNamed { message, tree, author, committer }, parents } in raw.commits {
                found.push(RawCommit { sha, message, tree, parents, author, committer }.read(&path)?);
            }
            if found.len() >= raw.total_commits {
                return Ok(Some(found));
            }
            if last {
                return Err(GitHubError::Value { operation: path, what: "number of commits", value: raw.total_commits.to_string() });
            }
        }
        Err(GitHubError::TooManyPages { target: path, pages: super::PAGE_LIMIT })
    }

    /// "Create a commit", as the identity of the token and at the server's time, so that GitHub signs it.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn create_commit(&self, message: &str, tree: &TreeId, parents: &[CommitId]) -> Result<CommitId, GitHubError> {
        let raw: RawSha = self.write(Method::Post, "git/commits", json!({ "message": message, "tree": tree, "parents": parents })).await?;
        id!(CommitId, raw.sha, "POST git/commits")
    }

    /// "Get a tree": one directory. Of a name that is not UTF-8 the answer, which is JSON, does not tell the bytes
    /// ([`Tree::exact`]).
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_tree(&self, id: &TreeId) -> Result<Option<Tree>, GitHubError> {
        let path = format!("git/trees/{id}");
        let Some(raw) = self.get_optional::<RawTree>(&path).await? else { return Ok(None) };
        let entries = raw.tree.into_iter().map(|entry| Ok((entry.mode.clone(), entry.read(&path)?))).collect::<Result<_, GitHubError>>()?;
        let tree = Tree::listed(entries, id).map_err(|error| GitHubError::Value { operation: path.clone(), what: "tree", value: error.to_string() })?;
        Ok(Some(tree))
    }

    /// "Get a tree" with `recursive`: every file below a directory by its path; `None` when GitHub has no such tree
    /// or truncates it (100,000 entries, 7 MB).
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_tree_recursive(&self, id: &TreeId) -> Result<Option<Vec<Entry>>, GitHubError> {
        let path = format!("git/trees/{id}?recursive=1");
        let Some(raw) = self.get_optional::<RawTree>(&path).await? else { return Ok(None) };
        if raw.truncated {
            return Ok(None);
        }
        raw.tree.into_iter().map(|entry| entry.read(&path)).collect::<Result<_, _>>().map(Some)
    }

    /// "Create a tree" from another one with some paths replaced; grafting a whole directory is one entry.
    ///
    /// # Errors
    /// 422 when a removed path is not there.
    pub async fn create_tree(&self, base: Option<&TreeId>, entries: &[NewEntry]) -> Result<TreeId, GitHubError> {
        let list: Vec<Value> = entries
            .iter()
            .map(|entry| {
                let mut value = json!({ "path": entry.path, "mode": entry.mode.padded(), "type": entry.mode.object_type() });
                match &entry.content {
                    NewContent::Object(id) => value["sha"] = json!(id),
                    NewContent::Text(text) => value["content"] = json!(text),
                    NewContent::Removed => value["sha"] = Value::Null,
                }
                value
            })
            .collect();
        let mut body = json!({ "tree": list });
        if let Some(base) = base {
            body["base_tree"] = json!(base);
        }
        let raw: RawSha = self.write(Method::Post, "git/trees", body).await?;
        id!(TreeId, raw.sha, "POST git/trees")
    }

    /// "Get a blob", at most `limit` bytes.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_blob(&self, id: &BlobId, limit: usize) -> Result<Option<Vec<u8>>, GitHubError> {
        let answer = self.send_to(Method::Get, self.target(&format!("git/blobs/{id}")), super::RAW, Body::Empty, limit).await;
        Ok(absent(answer)?.map(|response| response.body))
    }

    /// "Create a blob".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn create_blob(&self, bytes: &[u8]) -> Result<BlobId, GitHubError> {
        let raw: RawSha = self.write(Method::Post, "git/blobs", json!({ "content": STANDARD.encode(bytes), "encoding": "base64" })).await?;
        id!(BlobId, raw.sha, "POST git/blobs")
    }

    /// "Create a tag object" (annotated, of a commit), as the identity of the token; the ref is made apart.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn create_tag(&self, name: &str, message: &str, commit: &CommitId) -> Result<TagObjectId, GitHubError> {
        let raw: RawSha = self.write(Method::Post, "git/tags", json!({ "tag": name, "message": message, "object": commit, "type": "commit" })).await?;
        id!(TagObjectId, raw.sha, "POST git/tags")
    }

    /// "Get a tag" object.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_tag(&self, id: &TagObjectId) -> Result<Option<TagObject>, GitHubError> {
        #[derive(Deserialize)]
        struct Raw {
            tag: String,
            sha: String,
            message: String,
            object: RawObject,
        }
        let path = format!("git/tags/{id}");
        let Some(raw) = self.get_optional::<Raw>(&path).await? else { return Ok(None) };
        Ok(Some(TagObject { id: id!(TagObjectId, raw.sha, path)?, name: raw.tag, message: raw.message, commit: id!(CommitId, raw.object.sha, path)? }))
    }
}

impl RawEntry {
    fn read(self, path: &str) -> Result<Entry, GitHubError> {
        let mode =
            Mode::parse(&self.mode).ok_or_else(|| GitHubError::Value { operation: operation(Method::Get, path), what: "mode", value: self.mode.clone() })?;
        Ok(Entry { name: self.path, mode, id: self.sha })
    }
}

// The largest JSON answer must hold the largest blob in base64 that `create_tree` and `get_tree` exchange.
const _: () = assert!(JSON_LIMIT >= 8 << 20);
