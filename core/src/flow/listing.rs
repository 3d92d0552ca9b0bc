//! What stands at a path of a commit.

use std::collections::BTreeMap;

use super::FlowError;
use super::directories::Reader;
use super::tips::YAML_LIMIT;
use crate::domain::chart::{CHART_FILE, REQUIREMENTS_FILE};
use crate::domain::content::Files;
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::Mode;
use crate::port::objects::Objects;

/// Candidate directories and their tree ids.
pub type Listing = BTreeMap<RepoPath, TreeId>;

/// The directories in a tree that may be charts: those that a glob matches and that lie in no other chart.
///
/// # Errors
/// When a directory cannot be read.
pub async fn listing(objects: &dyn Objects, root: &TreeId, globs: &Globs) -> Result<Listing, FlowError> {
    Ok(Reader::new(objects).matching(root, globs).await?.directories)
}

/// The tree of a commit.
///
/// # Errors
/// When the commit cannot be read.
pub async fn root(objects: &dyn Objects, commit: &CommitId) -> Result<TreeId, FlowError> {
    Ok(objects.commit(commit).await?.tree)
}

/// The directory at a path below a tree.
///
/// # Errors
/// When a directory on the way cannot be read.
pub async fn subtree(objects: &dyn Objects, root: &TreeId, path: &str) -> Result<Option<TreeId>, FlowError> {
    let mut at = root.clone();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        match objects.tree(&at).await?.get(name).and_then(crate::domain::tree::Entry::as_tree) {
            Some(below) => at = below,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// The bytes of a file at a path below a tree; nothing when it is absent or no regular file.
///
/// # Errors
/// When an object cannot be read, or the file is longer than `limit` bytes.
pub async fn file(objects: &dyn Objects, root: &TreeId, path: &str, limit: usize) -> Result<Option<Vec<u8>>, FlowError> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(directory) = subtree(objects, root, parent).await? else { return Ok(None) };
    let tree = objects.tree(&directory).await?;
    let Some(entry) = tree.get(name).filter(|entry| matches!(entry.mode, Mode::File | Mode::Executable)) else { return Ok(None) };
    let Some(blob) = entry.as_blob() else { return Ok(None) };
    Ok(Some(objects.blob(&blob, limit).await?))
}

/// The files of a chart's directory in which it declares its dependencies.
///
/// # Errors
/// When an object cannot be read, or a file is too long.
pub(crate) async fn declaring(objects: &dyn Objects, chart: &TreeId) -> Result<Files, FlowError> {
    let mut files = Files::new();
    for name in [CHART_FILE, REQUIREMENTS_FILE] {
        if let Some(bytes) = file(objects, chart, name, YAML_LIMIT).await? {
            files.insert(name, bytes);
        }
    }
    Ok(files)
}
