//! The directories that may be charts: where the globs lead, or everywhere.

use std::collections::BTreeMap;

use super::{DetectError, Gathering};
use crate::domain::content::DEPTH_LIMIT;
use crate::domain::detection::{Directories, Globs, Position};
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::shown;

/// More directories than this are not searched.
const DIRECTORIES_LIMIT: usize = 100_000;

/// What stands where charts may be.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) directories: Directories,
    pub(super) submodules: BTreeMap<RepoPath, CommitId>,
    /// Directories with a Chart.yaml whose paths are not UTF-8, by the path as [`shown`].
    pub(super) unnamed: BTreeMap<String, TreeId>,
    /// The top of the repository holds a Chart.yaml.
    pub(super) top_is_chart: bool,
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

impl Gathering<'_> {
    /// Directories that a glob matches. Below one that holds a chart nothing is looked for.
    pub(super) async fn listing(&mut self, top: &TreeId, globs: &Globs) -> Result<Listing, DetectError> {
        let mut listing = Listing::default();
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
                    open.extend(self.unnamed(&mut listing, &mut seen, join(&path, &shown(entry.name.as_bytes())), entry.as_tree(), next).await?);
                    continue;
                }
                let Ok(at) = RepoPath::new(join(&path, &entry.name)) else { continue };
                if let (true, Some(commit)) = (next.matched(), entry.as_submodule()) {
                    listing.submodules.insert(at, commit);
                } else if let Some(below) = entry.as_tree() {
                    count(&mut seen)?;
                    if next.leads_on() && depth(at.as_str()) < DEPTH_LIMIT && !(next.matched() && self.holds_chart(&below).await?) {
                        open.push(Open { path: at.to_string(), named, tree: below.clone(), position: next.clone() });
                    }
                    if next.matched() {
                        listing.directories.insert(at, below);
                    }
                }
            }
            for entry in parent.raw_entries() {
                let next = globs.enter(&position, &String::from_utf8_lossy(&entry.name));
                open.extend(self.unnamed(&mut listing, &mut seen, join(&path, &entry.shown()), entry.as_tree(), next).await?);
            }
        }
        Ok(listing)
    }

    /// Notes a chart whose path is not UTF-8; answers where to look on.
    async fn unnamed(
        &mut self,
        listing: &mut Listing,
        seen: &mut usize,
        path: String,
        tree: Option<TreeId>,
        position: Position,
    ) -> Result<Option<Open<Position>>, DetectError> {
        let Some(tree) = tree.filter(|_| position.matched() || position.leads_on()) else { return Ok(None) };
        count(seen)?;
        if position.matched() && self.holds_chart(&tree).await? {
            listing.unnamed.insert(path, tree);
            return Ok(None);
        }
        Ok((position.leads_on() && depth(&path) < DEPTH_LIMIT).then_some(Open { path, named: false, tree, position }))
    }

    /// Every directory with a Chart.yaml that is not inside another chart, names that begin with a dot aside.
    pub(super) async fn everywhere(&mut self, top: &TreeId) -> Result<Listing, DetectError> {
        let mut listing = Listing { top_is_chart: self.holds_chart(top).await?, ..Listing::default() };
        if listing.top_is_chart {
            return Ok(listing);
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
                    listing.unnamed.insert(path, tree);
                } else if let Ok(at) = RepoPath::new(path) {
                    listing.directories.insert(at, tree);
                }
            }
        }
        Ok(listing)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

fn depth(path: &str) -> usize {
    path.split('/').count()
}

fn count(seen: &mut usize) -> Result<(), DetectError> {
    *seen += 1;
    if *seen > DIRECTORIES_LIMIT { Err(DetectError::TooMany { limit: DIRECTORIES_LIMIT }) } else { Ok(()) }
}
