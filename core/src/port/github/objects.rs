//! Git objects by id through the API, for what no local repository holds.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{GitHub, GitHubError};
use crate::domain::content::{DEPTH_LIMIT, File, Files};
use crate::domain::digest::{BlobId, CommitId, TreeId};
use crate::domain::tree::{Mode, Tree};
use crate::port::objects::{Commit, ObjectError, Objects};

/// The largest file read from a chart.
const FILE_LIMIT: usize = 32 << 20;
/// The most commits walked one by one through the API; longer histories need a local repository.
const WALK_LIMIT: usize = 1000;

/// [`Objects`] over the API. Every object is one request.
pub struct GitHubObjects(pub GitHub);

fn source(kind: &'static str, id: &str, error: GitHubError) -> ObjectError {
    ObjectError::Source { kind, id: id.to_owned(), source: Box::new(error) }
}

fn missing(kind: &'static str, id: &str) -> ObjectError {
    ObjectError::Missing { kind, id: id.to_owned() }
}

#[async_trait]
impl Objects for GitHubObjects {
    async fn commit(&self, id: &CommitId) -> Result<Commit, ObjectError> {
        let answer = self.0.get_commit(id).await.map_err(|error| source("commit", id.as_str(), error))?;
        answer.ok_or_else(|| missing("commit", id.as_str()))
    }

    async fn tree(&self, id: &TreeId) -> Result<Tree, ObjectError> {
        let answer = self.0.get_tree(id).await.map_err(|error| source("tree", id.as_str(), error))?;
        answer.ok_or_else(|| missing("tree", id.as_str()))
    }

    async fn blob(&self, id: &BlobId, limit: usize) -> Result<Vec<u8>, ObjectError> {
        let answer = self.0.get_blob(id, limit).await.map_err(|error| source("blob", id.as_str(), error))?;
        answer.ok_or_else(|| missing("blob", id.as_str()))
    }

    async fn files(&self, id: &TreeId) -> Result<Files, ObjectError> {
        let answer = self.0.get_tree_recursive(id).await.map_err(|error| source("tree", id.as_str(), error))?;
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
        Ok(files)
    }

    async fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, ObjectError> {
        let answer = self.0.compare(one, other).await.map_err(|error| source("commit", one.as_str(), error))?;
        Ok(answer.map(|comparison| comparison.merge_base))
    }

    async fn history(&self, tip: &CommitId, hidden: &[CommitId]) -> Result<Vec<Commit>, ObjectError> {
        let mut found: Vec<Commit> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![tip.clone()];
        while let Some(id) = todo.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            let mut reached = false;
            for end in hidden {
                reached = reached || self.merge_base(end, &id).await?.as_ref() == Some(&id);
            }
            if reached {
                continue;
            }
            if found.len() >= WALK_LIMIT {
                return Err(ObjectError::Refused { path: tip.to_string(), problem: format!("has more than {WALK_LIMIT} commits to walk; a clone is needed") });
            }
            let commit = self.commit(&id).await?;
            todo.extend(commit.parents.iter().cloned());
            found.push(commit);
        }
        found.sort_by(|a, b| b.committed.cmp(&a.committed).then_with(|| a.id.cmp(&b.id)));
        Ok(found)
    }
}
