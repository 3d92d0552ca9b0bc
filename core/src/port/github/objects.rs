//! Git objects by id through the API, for what no local repository holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{GitHub, GitHubError};
use crate::domain::content::{DEPTH_LIMIT, File, Files};
use crate::domain::digest::{BlobId, CommitId, TreeId};
use crate::domain::tree::{Mode, Tree};
use crate::port::objects::{Commit, ObjectError, Objects};

/// The largest file read from a chart.
const FILE_LIMIT: usize = 32 << 20;
/// A file no longer than this is asked for once: the descriptions of charts are read by each comparison of two trees.
const KEPT_LIMIT: usize = 64 << 10;
/// The most commits walked one by one through the API; longer histories need a local repository.
const WALK_LIMIT: usize = 1000;

/// [`Objects`] over the API. Every object is one request; commits, directories and small files are asked for once.
pub struct GitHubObjects {
    github: GitHub,
    commits: Mutex<BTreeMap<CommitId, Commit>>,
    trees: Mutex<BTreeMap<TreeId, Tree>>,
    blobs: Mutex<BTreeMap<BlobId, Vec<u8>>>,
}

impl GitHubObjects {
    /// The objects of a repository.
    #[must_use]
    pub fn new(github: GitHub) -> Self {
        Self { github, commits: Mutex::default(), trees: Mutex::default(), blobs: Mutex::default() }
    }

    fn keep(&self, commits: &[Commit]) {
        let kept = commits.iter().map(|commit| (commit.id.clone(), commit.clone()));
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).extend(kept);
    }
}

fn source(kind: &'static str, id: &str, error: GitHubError) -> ObjectError {
    ObjectError::Source { kind, id: id.to_owned(), source: Box::new(error) }
}

fn too_long(tip: &CommitId) -> ObjectError {
    ObjectError::Refused { path: format!("the history of {tip}"), problem: "has too many commits to read through the API; a clone is needed".to_owned() }
}

fn missing(kind: &'static str, id: &str) -> ObjectError {
    ObjectError::Missing { kind, id: id.to_owned() }
}

#[async_trait]
impl Objects for GitHubObjects {
    async fn commit(&self, id: &CommitId) -> Result<Commit, ObjectError> {
        if let Some(known) = self.commits.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(known.clone());
        }
        let answer = self.github.get_commit(id).await.map_err(|error| source("commit", id.as_str(), error))?;
        let commit = answer.ok_or_else(|| missing("commit", id.as_str()))?;
        self.keep(std::slice::from_ref(&commit));
        Ok(commit)
    }

    async fn tree(&self, id: &TreeId) -> Result<Tree, ObjectError> {
        if let Some(known) = self.trees.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(known.clone());
        }
        let answer = self.github.get_tree(id).await.map_err(|error| source("tree", id.as_str(), error))?;
        let tree = answer.ok_or_else(|| missing("tree", id.as_str()))?;
        self.trees.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), tree.clone());
        Ok(tree)
    }

    async fn blob(&self, id: &BlobId, limit: usize) -> Result<Vec<u8>, ObjectError> {
        // One that is longer than whoever asks now takes is asked for again, and refused as any other.
        if let Some(known) = self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(id).filter(|known| known.len() <= limit) {
            return Ok(known.clone());
        }
        let answer = self.github.get_blob(id, limit).await.map_err(|error| source("blob", id.as_str(), error))?;
        let bytes = answer.ok_or_else(|| missing("blob", id.as_str()))?;
        if bytes.len() <= KEPT_LIMIT {
            self.blobs.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), bytes.clone());
        }
        Ok(bytes)
    }

    async fn files(&self, id: &TreeId) -> Result<Files, ObjectError> {
        let answer = self.github.get_tree_recursive(id).await.map_err(|error| source("tree", id.as_str(), error))?;
        let entries = answer.ok_or_else(|| missing("tree", id.as_str()))?;
        let mut files = Files::new();
        for entry in entries {
            if entry.mode == Mode::Submodule {
                return Err(ObjectError::Refused { path: entry.name, problem: "is a submodule".to_owned() });
            }
            if entry.name.split('/').count() > DEPTH_LIMIT {
                return Err(ObjectError::Refused { path: entry.name, problem: "lies too many directories deep".to_owned() });
            }
            if let Some(blob) = entry.as_blob() {
                let bytes = self.blob(&blob, FILE_LIMIT).await?;
                files.insert_file(entry.name, File { mode: entry.mode, bytes });
            }
        }
        // JSON has no bytes that are not UTF-8; the id tells whether such a character is the name's own.
        if let Some((path, _)) = files.iter().find(|(path, _)| path.contains(char::REPLACEMENT_CHARACTER))
            && files.content_id().is_ok_and(|content| content.sha1 != *id)
        {
            return Err(ObjectError::not_utf8("", path));
        }
        Ok(files)
    }

    async fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, ObjectError> {
        let answer = self.github.compare(one, other).await.map_err(|error| source("commit", one.as_str(), error))?;
        Ok(answer.map(|comparison| comparison.merge_base))
    }

    async fn history(&self, tip: &CommitId, hidden: &[CommitId]) -> Result<Vec<Commit>, ObjectError> {
        let mut found: Option<Vec<Commit>> = None;
        for end in hidden {
            // What has no history in common with the tip hides nothing of it.
            let listed = match self.github.commits_between(end, tip).await {
                Ok(Some(listed)) => listed,
                Ok(None) => continue,
                Err(GitHubError::TooManyPages { .. }) => return Err(too_long(tip)),
                Err(error) => return Err(source("commit", tip.as_str(), error)),
            };
            self.keep(&listed);
            found = Some(match found {
                None => listed,
                Some(found) => {
                    let listed: BTreeSet<CommitId> = listed.into_iter().map(|commit| commit.id).collect();
                    found.into_iter().filter(|commit| listed.contains(&commit.id)).collect()
                }
            });
        }
        let mut found = match found {
            Some(found) => found,
            None => self.all(tip).await?,
        };
        found.sort_by(|a, b| b.committed.cmp(&a.committed).then_with(|| a.id.cmp(&b.id)));
        Ok(found)
    }
}

impl GitHubObjects {
    /// Every commit that leads to a tip.
    async fn all(&self, tip: &CommitId) -> Result<Vec<Commit>, ObjectError> {
        let mut found: Vec<Commit> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![tip.clone()];
        while let Some(id) = todo.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            if found.len() >= WALK_LIMIT {
                return Err(too_long(tip));
            }
            let commit = self.commit(&id).await?;
            todo.extend(commit.parents.iter().cloned());
            found.push(commit);
        }
        Ok(found)
    }
}
