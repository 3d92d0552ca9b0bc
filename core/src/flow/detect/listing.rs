//! The directories that may be charts: where the globs lead, or everywhere.

use std::collections::BTreeMap;

use super::{DetectError, Gathering};
use crate::domain::content::DEPTH_LIMIT;
use crate::domain::detection::{CHART_FILE, Directories, Globs, Position};
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;

/// More directories than this are not searched.
const DIRECTORIES_LIMIT: usize = 100_000;

/// What stands where charts may be.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) directories: Directories,
    pub(super) submodules: BTreeMap<RepoPath, CommitId>,
    /// The top of the repository holds a Chart.yaml.
    pub(super) top_is_chart: bool,
}

impl Gathering<'_> {
    /// Directories that a glob matches. Below one that holds a chart nothing is looked for.
    pub(super) async fn listing(&mut self, top: &TreeId, globs: &Globs) -> Result<Listing, DetectError> {
        let mut listing = Listing::default();
        let mut open: Vec<(String, TreeId, Position)> = vec![(String::new(), top.clone(), globs.top())];
        let mut seen = 0;
        while let Some((path, tree, position)) = open.pop() {
            let parent = self.tree(&path, &tree).await?;
            for entry in parent.entries() {
                let next = globs.enter(&position, &entry.name);
                if !next.matched() && !next.leads_on() {
                    continue;
                }
                let Ok(at) = RepoPath::new(join(&path, &entry.name)) else { continue };
                if let (true, Some(commit)) = (next.matched(), entry.as_submodule()) {
                    listing.submodules.insert(at, commit);
                } else if let Some(below) = entry.as_tree() {
                    count(&mut seen)?;
                    if next.leads_on() && depth(&at) < DEPTH_LIMIT && !(next.matched() && self.holds_chart(at.as_str(), &below).await?) {
                        open.push((at.to_string(), below.clone(), next.clone()));
                    }
                    if next.matched() {
                        listing.directories.insert(at, below);
                    }
                }
            }
        }
        Ok(listing)
    }

    /// Every directory with a Chart.yaml that is not inside another chart, names that begin with a dot aside.
    pub(super) async fn everywhere(&mut self, top: &TreeId) -> Result<Listing, DetectError> {
        let mut listing = Listing { top_is_chart: self.holds_chart("", top).await?, ..Listing::default() };
        if listing.top_is_chart {
            return Ok(listing);
        }
        let mut open: Vec<(String, TreeId)> = vec![(String::new(), top.clone())];
        let mut seen = 0;
        while let Some((path, tree)) = open.pop() {
            let parent = self.tree(&path, &tree).await?;
            for entry in parent.entries().iter().filter(|entry| !entry.name.starts_with('.')) {
                let Some(tree) = entry.as_tree() else { continue };
                let path = join(&path, &entry.name);
                count(&mut seen)?;
                let Ok(at) = RepoPath::new(path.clone()) else { continue };
                if self.tree(&path, &tree).await?.get(CHART_FILE).is_some_and(|entry| entry.as_blob().is_some()) {
                    listing.directories.insert(at, tree);
                } else if depth(&at) < DEPTH_LIMIT {
                    open.push((path, tree));
                }
            }
        }
        Ok(listing)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

fn depth(path: &RepoPath) -> usize {
    path.as_str().split('/').count()
}

fn count(seen: &mut usize) -> Result<(), DetectError> {
    *seen += 1;
    if *seen > DIRECTORIES_LIMIT { Err(DetectError::TooMany { limit: DIRECTORIES_LIMIT }) } else { Ok(()) }
}
