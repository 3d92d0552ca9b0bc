//! Which directories of a commit are candidates for charts: those that the configured globs name.
//!
//! Only directory listings are read. Whether a candidate holds a Chart.yaml is asked for those that differ between two
//! commits and for no others, so the cost does not grow with the number of charts.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::FlowError;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::Mode;
use crate::port::objects::Objects;

/// `**` descends no deeper than this.
const DEPTH_LIMIT: usize = 8;

/// Candidate directories and their tree ids.
pub type Listing = BTreeMap<RepoPath, TreeId>;

enum Component {
    One(GlobMatcher),
    AnyDepth,
}

/// The globs that say where charts are, ready to be matched component by component.
pub struct Patterns(Vec<Vec<Component>>);

impl Patterns {
    /// Takes globs such as `charts/*` apart.
    ///
    /// # Errors
    /// [`FlowError::Glob`] for a glob that is none.
    pub fn new(globs: &[String]) -> Result<Self, FlowError> {
        let component = |glob: &str, part: &str| {
            if part == "**" {
                return Ok(Component::AnyDepth);
            }
            let built = GlobBuilder::new(part).literal_separator(true).build();
            built.map(|built| Component::One(built.compile_matcher())).map_err(|source| FlowError::Glob { glob: glob.to_owned(), source })
        };
        let split = |glob: &String| glob.trim_matches('/').split('/').map(|part| component(glob, part)).collect();
        globs.iter().map(split).collect::<Result<_, _>>().map(Self)
    }
}

/// The candidates in a tree.
///
/// # Errors
/// When a directory cannot be read.
pub async fn listing(objects: &dyn Objects, root: &TreeId, patterns: &Patterns) -> Result<Listing, FlowError> {
    let mut found = Listing::new();
    for pattern in &patterns.0 {
        let mut todo: Vec<(String, TreeId, usize)> = vec![(String::new(), root.clone(), 0)];
        while let Some((path, tree, position)) = todo.pop() {
            let Some(component) = pattern.get(position) else {
                if let Ok(path) = RepoPath::new(path) {
                    found.insert(path, tree);
                }
                continue;
            };
            if matches!(component, Component::AnyDepth) {
                todo.push((path.clone(), tree.clone(), position + 1));
                if path.split('/').count() >= DEPTH_LIMIT {
                    continue;
                }
            }
            for entry in objects.tree(&tree).await?.entries() {
                let Some(below) = entry.as_tree() else { continue };
                let at = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
                match component {
                    Component::One(glob) if glob.is_match(&entry.name) && !entry.name.starts_with('.') => todo.push((at, below, position + 1)),
                    Component::AnyDepth if !entry.name.starts_with('.') => todo.push((at, below, position)),
                    _ => {}
                }
            }
        }
    }
    Ok(found)
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
