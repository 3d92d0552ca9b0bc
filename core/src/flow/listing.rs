//! Which directories of a commit are candidates for charts: those that the configured globs name.
//!
//! Only directory listings are read. Whether a candidate holds a Chart.yaml is asked for those that differ between two
//! commits and for no others, so the cost does not grow with the number of charts.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::FlowError;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::{Mode, shown};
use crate::port::objects::Objects;

/// `**` descends no deeper than this.
const DEPTH_LIMIT: usize = 8;

/// Candidate directories and their tree ids.
pub type Listing = BTreeMap<RepoPath, TreeId>;

enum Component {
    One(GlobMatcher),
    AnyDepth,
}

impl Component {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::One(glob) => glob.is_match(name),
            Self::AnyDepth => true,
        }
    }
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

/// Candidates whose paths are not UTF-8, by the path as [`shown`]. They are no charts: nothing could name them.
pub type Unnamed = BTreeMap<String, TreeId>;

/// The candidates in a tree.
///
/// # Errors
/// When a directory cannot be read.
pub async fn listing(objects: &dyn Objects, root: &TreeId, patterns: &Patterns) -> Result<Listing, FlowError> {
    Ok(candidates(objects, root, patterns).await?.0)
}

/// A directory on the way of a pattern.
struct Step {
    /// From the top, as people read it.
    path: String,
    /// Whether that is the path itself.
    named: bool,
    tree: TreeId,
    /// Which component of the pattern comes next.
    position: usize,
}

/// The candidates in a tree, and what would be one under another name.
///
/// # Errors
/// When a directory cannot be read.
pub async fn candidates(objects: &dyn Objects, root: &TreeId, patterns: &Patterns) -> Result<(Listing, Unnamed), FlowError> {
    let (mut found, mut unnamed) = (Listing::new(), Unnamed::new());
    for pattern in &patterns.0 {
        let mut todo = vec![Step { path: String::new(), named: true, tree: root.clone(), position: 0 }];
        while let Some(Step { path, named, tree, position }) = todo.pop() {
            let Some(component) = pattern.get(position) else {
                if !named {
                    unnamed.insert(path, tree);
                } else if let Ok(path) = RepoPath::new(path) {
                    found.insert(path, tree);
                }
                continue;
            };
            let any_depth = matches!(component, Component::AnyDepth);
            if any_depth {
                todo.push(Step { path: path.clone(), named, tree: tree.clone(), position: position + 1 });
                if path.split('/').count() >= DEPTH_LIMIT {
                    continue;
                }
            }
            let leads_on = |name: &str| !name.starts_with('.') && component.matches(name);
            let next = |name: String, named: bool, tree: TreeId| {
                let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                Step { path, named, tree, position: if any_depth { position } else { position + 1 } }
            };
            let tree = objects.tree(&tree).await?;
            let below = tree.entries().iter().filter(|entry| leads_on(&entry.name));
            todo.extend(below.filter_map(|entry| Some(next(if named { entry.name.clone() } else { shown(entry.name.as_bytes()) }, named, entry.as_tree()?))));
            let below = tree.raw_entries().iter().filter(|entry| leads_on(&String::from_utf8_lossy(&entry.name)));
            todo.extend(below.filter_map(|entry| Some(next(entry.shown(), false, entry.as_tree()?))));
        }
    }
    Ok((found, unnamed))
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
