//! The directories of a commit that may be charts: where globs lead, or everywhere.
//!
//! Only directory listings are read. Whether a candidate holds a Chart.yaml is asked where a glob leads on below it, and
//! otherwise by whoever compares two commits, for those that differ: the cost does not grow with the number of charts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::content::DEPTH_LIMIT;
use crate::domain::detection::{CHART_FILE, Directories, Globs, Position};
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::{Tree, shown};
use crate::port::objects::{ObjectError, Objects};

/// More directories than this are not searched.
const DIRECTORIES_LIMIT: usize = 100_000;

/// Why the directories of a commit cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoriesError {
    /// An object could not be read.
    #[error(transparent)]
    Objects {
        /// The cause.
        #[from]
        source: ObjectError,
    },
    /// The globs lead into more directories than are searched.
    #[error("the globs for charts lead into more than {limit} directories")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// What stands where charts may be.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) directories: Directories,
    pub(crate) submodules: BTreeMap<RepoPath, CommitId>,
    /// Directories with a Chart.yaml whose paths are not UTF-8, by the path as [`shown`]. They are no charts: nothing could
    /// name them.
    pub(crate) unnamed: BTreeMap<String, TreeId>,
    /// The top of the repository holds a Chart.yaml.
    pub(crate) top_is_chart: bool,
}

/// A directory that is still to be looked into.
struct Open<P> {
    /// From the top, as people read it.
    path: String,
    /// Whether that is the path itself.
    named: bool,
    tree: TreeId,
    position: P,
}

/// Reads directories, each once: two commits share most of them.
pub(crate) struct Reader<'a> {
    objects: &'a dyn Objects,
    trees: BTreeMap<TreeId, Arc<Tree>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(objects: &'a dyn Objects) -> Self {
        Self { objects, trees: BTreeMap::new() }
    }

    pub(crate) async fn tree(&mut self, id: &TreeId) -> Result<Arc<Tree>, ObjectError> {
        if let Some(tree) = self.trees.get(id) {
            return Ok(tree.clone());
        }
        let tree = Arc::new(self.objects.tree(id).await?);
        self.trees.insert(id.clone(), tree.clone());
        Ok(tree)
    }

    pub(crate) async fn holds_chart(&mut self, id: &TreeId) -> Result<bool, ObjectError> {
        Ok(self.tree(id).await?.get(CHART_FILE).is_some_and(|entry| entry.as_blob().is_some()))
    }

    /// Stops at the first chart, which is nearly always the first directory.
    pub(crate) async fn any_chart(&mut self, directories: &Directories) -> Result<bool, ObjectError> {
        for tree in directories.values() {
            if self.holds_chart(tree).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Directories that a glob matches. Below one that holds a chart nothing is looked for.
    pub(crate) async fn matching(&mut self, top: &TreeId, globs: &Globs) -> Result<Candidates, DirectoriesError> {
        let mut found = Candidates::default();
        let mut open = vec![Open { path: String::new(), named: true, tree: top.clone(), position: globs.top() }];
        let mut seen = 0;
        while let Some(Open { path, named, tree, position }) = open.pop() {
            let parent = self.tree(&tree).await?;
            for entry in parent.entries() {
                let next = globs.enter(&position, &entry.name);
                if !next.matched() && !next.leads_on() {
                    continue;
                }
                if !named {
                    open.extend(self.unnamed(&mut found, &mut seen, join(&path, &shown(entry.name.as_bytes())), entry.as_tree(), next).await?);
                    continue;
                }
                let Ok(at) = RepoPath::new(join(&path, &entry.name)) else { continue };
                if let (true, Some(commit)) = (next.matched(), entry.as_submodule()) {
                    found.submodules.insert(at, commit);
                } else if let Some(below) = entry.as_tree() {
                    count(&mut seen)?;
                    if next.leads_on() && depth(at.as_str()) < DEPTH_LIMIT && !(next.matched() && self.holds_chart(&below).await?) {
                        open.push(Open { path: at.to_string(), named, tree: below.clone(), position: next.clone() });
                    }
                    if next.matched() {
                        found.directories.insert(at, below);
                    }
                }
            }
            for entry in parent.raw_entries() {
                let next = globs.enter(&position, &String::from_utf8_lossy(&entry.name));
                open.extend(self.unnamed(&mut found, &mut seen, join(&path, &entry.shown()), entry.as_tree(), next).await?);
            }
        }
        Ok(found)
    }

    /// Notes a chart whose path is not UTF-8; answers where to look on.
    async fn unnamed(
        &mut self,
        found: &mut Candidates,
        seen: &mut usize,
        path: String,
        tree: Option<TreeId>,
        position: Position,
    ) -> Result<Option<Open<Position>>, DirectoriesError> {
        let Some(tree) = tree.filter(|_| position.matched() || position.leads_on()) else { return Ok(None) };
        count(seen)?;
        if position.matched() && self.holds_chart(&tree).await? {
            found.unnamed.insert(path, tree);
            return Ok(None);
        }
        Ok((position.leads_on() && depth(&path) < DEPTH_LIMIT).then_some(Open { path, named: false, tree, position }))
    }

    /// Every directory with a Chart.yaml that is not inside another chart, names that begin with a dot aside.
    pub(crate) async fn everywhere(&mut self, top: &TreeId) -> Result<Candidates, DirectoriesError> {
        let mut found = Candidates { top_is_chart: self.holds_chart(top).await?, ..Candidates::default() };
        if found.top_is_chart {
            return Ok(found);
        }
        let mut open = vec![Open { path: String::new(), named: true, tree: top.clone(), position: () }];
        let mut seen = 0;
        while let Some(Open { path, named, tree, .. }) = open.pop() {
            let parent = self.tree(&tree).await?;
            let entries = parent.entries().iter().map(|entry| {
                let name = if named { entry.name.clone() } else { shown(entry.name.as_bytes()) };
                (name, named, entry.as_tree())
            });
            let raw = parent.raw_entries().iter().map(|entry| (entry.shown(), false, entry.as_tree()));
            for (name, named, tree) in entries.chain(raw).filter(|(name, ..)| !name.starts_with('.')) {
                let Some(tree) = tree else { continue };
                count(&mut seen)?;
                let path = join(&path, &name);
                if !self.holds_chart(&tree).await? {
                    if depth(&path) < DEPTH_LIMIT {
                        open.push(Open { path, named, tree, position: () });
                    }
                } else if !named {
                    found.unnamed.insert(path, tree);
                } else if let Ok(at) = RepoPath::new(path) {
                    found.directories.insert(at, tree);
                }
            }
        }
        Ok(found)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

fn depth(path: &str) -> usize {
    path.split('/').count()
}

fn count(seen: &mut usize) -> Result<(), DirectoriesError> {
    *seen += 1;
    if *seen > DIRECTORIES_LIMIT { Err(DirectoriesError::TooMany { limit: DIRECTORIES_LIMIT }) } else { Ok(()) }
}
