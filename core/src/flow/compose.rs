//! Comparing and composing whole trees, for the proofs that nothing but one chart changed.

use std::future::Future;
use std::pin::Pin;

use super::FlowError;
use super::listing::subtree;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::{Entry, Mode, Tree};
use crate::port::github::{GitHub, NewContent, NewEntry};
use crate::port::objects::Objects;

/// Git's empty tree.
pub const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A directory to put into a tree, or to take out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graft {
    /// The path.
    pub path: RepoPath,
    /// Its new content; `None` takes it out.
    pub tree: Option<TreeId>,
}

/// Whether two trees agree everywhere but at the given paths.
///
/// # Errors
/// When a directory cannot be read.
pub async fn agree_outside(objects: &dyn Objects, one: &TreeId, other: &TreeId, paths: &[&str]) -> Result<bool, FlowError> {
    compare(objects, Some(one.clone()), Some(other.clone()), paths.iter().map(|path| (*path).to_owned()).collect()).await
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool, FlowError>> + Send + 'a>>;

fn compare(objects: &dyn Objects, one: Option<TreeId>, other: Option<TreeId>, paths: Vec<String>) -> Answer<'_> {
    Box::pin(async move {
        if one == other {
            return Ok(true);
        }
        let read = async |id: Option<TreeId>| match id {
            Some(id) => objects.tree(&id).await,
            None => Ok(Tree::default()),
        };
        let (one, other) = (read(one).await?, read(other).await?);
        let mut names: Vec<&str> = one.entries().iter().chain(other.entries()).map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let (a, b) = (one.get(name), other.get(name));
            if a == b || paths.iter().any(|path| path == name) {
                continue;
            }
            let below: Vec<String> = paths.iter().filter_map(|path| path.strip_prefix(name)?.strip_prefix('/').map(str::to_owned)).collect();
            let directory = |entry: Option<&Entry>| entry.is_none_or(|entry| entry.mode == Mode::Directory);
            if below.is_empty() || !directory(a) || !directory(b) {
                return Ok(false);
            }
            if !compare(objects, a.and_then(Entry::as_tree), b.and_then(Entry::as_tree), below).await? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Makes the tree `base` with directories put in or taken out.
///
/// # Errors
/// When GitHub refuses.
pub async fn graft(github: &GitHub, objects: &dyn Objects, base: &TreeId, grafts: &[Graft]) -> Result<TreeId, FlowError> {
    let mut entries = Vec::new();
    for graft in grafts {
        let present = subtree(objects, base, graft.path.as_str()).await?;
        let content = match &graft.tree {
            Some(tree) if present.as_ref() == Some(tree) => continue,
            Some(tree) if tree.as_str() != EMPTY_TREE => NewContent::Object(tree.to_string()),
            // Git knows no empty directories, and GitHub refuses to remove what is not there.
            _ if present.is_none() => continue,
            _ => NewContent::Removed,
        };
        entries.push(NewEntry { path: graft.path.to_string(), mode: Mode::Directory, content });
    }
    if entries.is_empty() {
        return Ok(base.clone());
    }
    Ok(github.create_tree(Some(base), &entries).await?)
}

/// A commit with this tree and these parents: the one that a ref holds already, or a new one. So a repeated run makes
/// no second commit that differs in its date alone.
///
/// # Errors
/// When GitHub refuses.
pub async fn commit(
    github: &GitHub,
    objects: &dyn Objects,
    held: Option<&CommitId>,
    tree: &TreeId,
    parents: &[CommitId],
    message: &str,
) -> Result<CommitId, FlowError> {
    if let Some(held) = held {
        let commit = objects.commit(held).await?;
        if commit.tree == *tree && commit.parents == parents {
            return Ok(held.clone());
        }
    }
    Ok(github.create_commit(message, tree, parents).await?)
}

/// Lets a machine branch point at a commit, wherever it pointed before.
///
/// # Errors
/// When GitHub refuses.
pub async fn point(github: &GitHub, branch: &str, held: Option<&CommitId>, commit: &CommitId) -> Result<(), FlowError> {
    let name = format!("heads/{branch}");
    match held {
        Some(held) if held == commit => Ok(()),
        Some(_) => Ok(github.update_ref(&name, commit.as_str(), true).await?),
        None => Ok(github.create_ref(&name, commit.as_str()).await?),
    }
}
