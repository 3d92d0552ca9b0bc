//! Comparing and composing whole trees, for the proofs that nothing but one chart changed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use super::FlowError;
use super::listing::subtree;
use crate::domain::content::ContentError;
use crate::domain::digest::{CommitId, ObjectFormat, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::{Entry, Mode, Tree};
use crate::port::github::{GitHub, NewContent, NewEntry};
use crate::port::objects::{ObjectError, Objects};

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
        // A tree that is known byte for byte is no other one, and of two that are not nobody can say it.
        if one.exact().is_err() && other.exact().is_err() {
            exact(&one)?;
        }
        if one.raw_entries() != other.raw_entries() || one.exact() != other.exact() {
            return Ok(false);
        }
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

/// The id of the tree `base` with directories put in or taken out, as [`graft`] makes it.
///
/// # Errors
/// When a directory on the way cannot be read.
pub async fn grafted(objects: &dyn Objects, base: &TreeId, grafts: &[Graft]) -> Result<TreeId, FlowError> {
    let mut changed: BTreeMap<String, Tree> = BTreeMap::new();
    for graft in grafts {
        let path = graft.path.as_str();
        let names: Vec<&str> = path.split('/').collect();
        // From the top down, each directory on the way is read once.
        for depth in 0..names.len() {
            let at = names[..depth].join("/");
            if !changed.contains_key(&at) {
                let tree = match depth.checked_sub(1) {
                    None => objects.tree(base).await?,
                    Some(above) => match changed.get(&names[..above].join("/")).and_then(|tree| tree.get(names[above])).and_then(Entry::as_tree) {
                        Some(id) => objects.tree(&id).await?,
                        None => Tree::default(),
                    },
                };
                changed.insert(at, tree);
            }
        }
        // From the bottom up, each directory on the way gets its new id.
        let mut below = graft.tree.clone().filter(|tree| tree.as_str() != EMPTY_TREE);
        for depth in (0..names.len()).rev() {
            let at = names[..depth].join("/");
            let tree = changed.get(&at).cloned().unwrap_or_default().with(names[depth], below.map(|id| (Mode::Directory, id.to_string())));
            below = if tree.entries().is_empty() { None } else { Some(identity(&tree, &at)?) };
            changed.insert(at, tree);
        }
    }
    match changed.get("") {
        Some(tree) => identity(tree, ""),
        None => Ok(base.clone()),
    }
}

/// That a tree is known byte for byte. Where GitHub alone has it and a name in it is not UTF-8, it is not.
fn exact(tree: &Tree) -> Result<(), ObjectError> {
    let problem = |source| format!("{source}, so that it can be neither compared nor rebuilt through GitHub's API; rename that file on every branch");
    tree.exact().map_err(|source| ObjectError::Refused { path: "the directories above the charts".to_owned(), problem: problem(source) })
}

fn identity(tree: &Tree, path: &str) -> Result<TreeId, FlowError> {
    exact(tree)?;
    tree.id(ObjectFormat::Sha1).map_err(|source| ContentError::Path { path: path.to_owned(), source: Some(source) }.into())
}

/// The id of a tree with some of its own files written anew.
///
/// # Errors
/// When the tree cannot be read.
pub async fn rewritten(objects: &dyn Objects, base: &TreeId, files: &[(&str, Vec<u8>)]) -> Result<TreeId, FlowError> {
    let mut tree = objects.tree(base).await?;
    for (name, bytes) in files {
        tree = tree.with(name, Some((Mode::File, hex::encode(ObjectFormat::Sha1.hash("blob", bytes)))));
    }
    identity(&tree, "")
}

/// Makes the tree `base` with directories put in or taken out. Where that is one of `known`, which are there already, nothing
/// is made.
///
/// # Errors
/// When GitHub refuses.
pub async fn graft_unless(github: &GitHub, objects: &dyn Objects, base: &TreeId, grafts: &[Graft], known: &[TreeId]) -> Result<TreeId, FlowError> {
    let id = grafted(objects, base, grafts).await?;
    if known.contains(&id) { Ok(id) } else { graft(github, objects, base, grafts).await }
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
