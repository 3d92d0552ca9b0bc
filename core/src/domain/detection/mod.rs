//! Which charts differ between two commits.
//!
//! A chart at a commit is its git tree, so detection compares directory listings and nothing else. What must be known
//! beyond the listings is little and is asked for step by step: [`Facts::needed`] says what, [`Facts::changes`]
//! answers once nothing is needed any more. [`with_dependents`] adds the charts that reach a changed one through
//! `file://` dependencies.

mod dependents;
mod glob;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::{CommitId, TreeId};
use super::names::{ChartName, NameError, RepoPath};

pub use dependents::{Node, local_dependency, with_dependents};
pub use glob::{GlobError, Globs, Position};

/// The file that makes a directory a chart.
pub const CHART_FILE: &str = "Chart.yaml";
/// Where charts are when the configuration does not say.
pub const DEFAULT_GLOB: &str = "charts/*";

/// The directories of one commit that may be charts, with the id of each one's tree.
pub type Directories = BTreeMap<RepoPath, TreeId>;

/// How a chart differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is there only afterwards.
    Added,
    /// Its content differs.
    Modified,
    /// It was there only before.
    Removed,
    /// It moved, with or without other changes.
    Renamed {
        /// Where it was before.
        from: RepoPath,
    },
    /// It did not change, but something it reaches through `file://` dependencies did.
    Dependent,
}

impl ChangeKind {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Modified => "modified",
            Self::Removed => "removed",
            Self::Renamed { .. } => "renamed",
            Self::Dependent => "dependent",
        }
    }
}

/// One chart that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its name.
    pub chart: ChartName,
    /// Where it is afterwards; of a removed chart, where it was.
    pub path: RepoPath,
    /// How it differs.
    #[serde(flatten)]
    pub kind: ChangeKind,
}

/// What `chartflow detect --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// The commit that was asked to be compared with.
    pub base: CommitId,
    /// The commit whose changes these are.
    pub head: CommitId,
    /// The commit that was compared with; `null` when the two commits themselves were compared.
    #[serde(rename = "mergeBase")]
    pub merge_base: Option<CommitId>,
    /// The charts that differ, by path; with dependents, in the order in which they can be released.
    pub charts: Vec<Change>,
}

impl Detection {
    /// The matrix of a workflow: what a job can work on, so without removed charts.
    #[must_use]
    pub fn matrix(&self) -> Matrix<'_> {
        let present = self.charts.iter().filter(|change| change.kind != ChangeKind::Removed);
        Matrix { include: present.map(|change| MatrixEntry { chart: &change.chart, path: &change.path }).collect() }
    }
}

/// `strategy.matrix` of a GitHub workflow job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix<'a> {
    /// One job each.
    pub include: Vec<MatrixEntry<'a>>,
}

/// One job of a [`Matrix`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixEntry<'a> {
    /// The chart's name.
    pub chart: &'a ChartName,
    /// Its directory.
    pub path: &'a RepoPath,
}

/// What the user should know beside the result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// No configured glob leads to a chart, so every directory was looked at.
    WriteGlobs {
        /// The globs that lead to nothing.
        configured: Vec<String>,
        /// The globs that lead to what was found.
        found: Vec<String>,
    },
    /// There is no chart at all.
    NoCharts {
        /// The globs that lead to nothing.
        configured: Vec<String>,
    },
    /// The top of the repository is a chart, which has no directory of its own.
    TopIsChart,
    /// A Chart.yaml whose name cannot be read; the directory's name stands in for it.
    NameUnreadable {
        /// The chart's directory.
        path: RepoPath,
    },
    /// A chart whose directory has another name, without an entry in the configuration.
    NameDiffers {
        /// The chart's directory.
        path: RepoPath,
        /// The name in its Chart.yaml.
        name: ChartName,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |globs: &[String]| match globs {
            [] => "`charts: []`".to_owned(),
            globs => globs.iter().map(|glob| format!("{glob:?}")).collect::<Vec<_>>().join(", "),
        };
        match self {
            Self::WriteGlobs { configured, found } => {
                write!(
                    f,
                    "no chart is where {} says; every directory was searched instead. Write `charts: [{}]` into .chartflow.yaml",
                    list(configured),
                    list(found)
                )
            }
            Self::NoCharts { configured } => write!(f, "no directory holds a Chart.yaml, neither where {} says nor elsewhere", list(configured)),
            Self::TopIsChart => write!(f, "the top of the repository is itself a chart; a chart needs a directory of its own, such as charts/<name>"),
            Self::NameUnreadable { path } => write!(f, "{path}/{CHART_FILE} has no name that can be read; the directory's name is used"),
            Self::NameDiffers { path, name } => {
                write!(f, "{path} holds the chart {name:?}; before it can be released, the directory needs that name, or .chartflow.yaml has to say so")
            }
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DetectionError {
    /// A chart that differs has a name nothing can be released under.
    #[error("{path} cannot be released under its name")]
    Name {
        /// The chart's directory.
        path: RepoPath,
        /// The rule the name breaks.
        source: NameError,
    },
    /// Two directories hold a chart of one name, and one of them differs.
    #[error("{one} and {other} both hold a chart named {chart:?}")]
    DuplicateName {
        /// The name.
        chart: ChartName,
        /// One directory.
        one: RepoPath,
        /// The other.
        other: RepoPath,
    },
    /// `file://` dependencies that lead back to where they began.
    #[error("the file:// dependencies of these charts form a cycle: {}", .charts.join(" → "))]
    Cycle {
        /// The charts' directories along the cycle, the first once more at the end.
        charts: Vec<String>,
    },
    /// [`Facts::changes`] was called before all that [`Facts::needed`] asks for was there.
    #[error("detection was not told what {tree} holds")]
    Incomplete {
        /// The tree that was not looked at.
        tree: TreeId,
    },
}

/// What has to be looked up next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needed {
    /// Whether these trees hold a Chart.yaml, for [`Facts::charts`].
    Charts(BTreeSet<TreeId>),
    /// The name in the Chart.yaml of these trees, for [`Facts::names`].
    Names(BTreeSet<TreeId>),
    /// Nothing.
    Nothing,
}

/// Everything that detection knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The directories before.
    pub before: Directories,
    /// The directories afterwards.
    pub after: Directories,
    /// Names of charts whose directory has another name, from the configuration.
    pub map: BTreeMap<RepoPath, ChartName>,
    /// Whether a tree holds a Chart.yaml, as far as looked at.
    pub charts: BTreeMap<TreeId, bool>,
    /// The name in a tree's Chart.yaml, as far as looked at; `None` where it cannot be read.
    pub names: BTreeMap<TreeId, Option<String>>,
}

impl Facts {
    /// What has to be looked up before [`Facts::changes`] can answer. Only trees that differ are opened, and names are
    /// read only of charts that appear, disappear or may share their name with one that differs.
    #[must_use]
    pub fn needed(&self) -> Needed {
        let unopened: BTreeSet<TreeId> =
            self.differing().flat_map(|(_, one, other)| [one, other]).flatten().filter(|tree| !self.charts.contains_key(*tree)).cloned().collect();
        if !unopened.is_empty() {
            return Needed::Charts(unopened);
        }
        let unnamed: BTreeSet<TreeId> = self.appearing().into_iter().map(|(_, tree)| tree).filter(|tree| !self.names.contains_key(*tree)).cloned().collect();
        if !unnamed.is_empty() {
            return Needed::Names(unnamed);
        }
        let contested = self.contested();
        let unopened: BTreeSet<TreeId> = contested
            .iter()
            .flat_map(|(one, other)| [one, other])
            .filter_map(|path| self.after.get(*path))
            .filter(|tree| !self.charts.contains_key(*tree))
            .cloned()
            .collect();
        if !unopened.is_empty() {
            return Needed::Charts(unopened);
        }
        let unnamed: BTreeSet<TreeId> = contested
            .iter()
            .flat_map(|(one, other)| [one, other])
            .filter_map(|path| self.after.get(*path))
            .filter(|tree| !self.names.contains_key(*tree))
            .cloned()
            .collect();
        if unnamed.is_empty() { Needed::Nothing } else { Needed::Names(unnamed) }
    }

    /// The charts that differ, by path, and what the user should know about them.
    ///
    /// # Errors
    /// See [`DetectionError`].
    pub fn changes(&self) -> Result<(Vec<Change>, Vec<Notice>), DetectionError> {
        let mut notices = Vec::new();
        let mut changes = Vec::new();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (path, before, after) in self.differing() {
            match (self.holds_chart(before)?, self.holds_chart(after)?) {
                (false, false) => {}
                (true, true) => changes.push(Change { chart: self.usable_name(path, after)?, path: path.clone(), kind: ChangeKind::Modified }),
                (false, true) => added.extend(after.map(|tree| (path, tree))),
                (true, false) => removed.extend(before.map(|tree| (path, tree))),
            }
        }
        for (path, tree) in added {
            let chart = self.usable_name(path, Some(tree))?;
            notices.extend(self.name_notice(path, tree, &chart));
            let same_content = removed.iter().position(|(_, old)| *old == tree);
            let same_name = || removed.iter().position(|(old, old_tree)| self.name(old, Some(old_tree)) == chart.as_str());
            let kind = match same_content.or_else(same_name) {
                Some(at) => ChangeKind::Renamed { from: removed.remove(at).0.clone() },
                None => ChangeKind::Added,
            };
            changes.push(Change { chart, path: path.clone(), kind });
        }
        for (path, tree) in removed {
            // A chart that goes may have had any name; its directory's stands in for one that nothing can be released under.
            let chart = self.usable_name(path, Some(tree)).or_else(|_| self.usable_name(path, None))?;
            changes.push(Change { chart, path: path.clone(), kind: ChangeKind::Removed });
        }
        if let Some((one, other)) = self.contested().into_iter().next() {
            let chart = self.usable_name(one, self.after.get(one))?;
            return Err(DetectionError::DuplicateName { chart, one: one.clone(), other: other.clone() });
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((changes, notices))
    }

    /// Paths whose trees differ, with the tree on each side.
    fn differing(&self) -> impl Iterator<Item = (&RepoPath, Option<&TreeId>, Option<&TreeId>)> {
        let paths: BTreeSet<&RepoPath> = self.before.keys().chain(self.after.keys()).collect();
        paths.into_iter().map(|path| (path, self.before.get(path), self.after.get(path))).filter(|(_, before, after)| before != after)
    }

    /// Charts that are on one side only, with their tree there.
    fn appearing(&self) -> Vec<(&RepoPath, &TreeId)> {
        let is = |tree: Option<&TreeId>| tree.is_some_and(|tree| self.charts.get(tree) == Some(&true));
        self.differing()
            .filter(|(_, before, after)| is(*before) != is(*after))
            .filter_map(|(path, before, after)| Some((path, if is(before) { before? } else { after? })))
            .collect()
    }

    /// Pairs of charts afterwards that share a name, one of them differing, as far as is known.
    fn contested(&self) -> Vec<(&RepoPath, &RepoPath)> {
        let mut by_name: BTreeMap<&str, Vec<&RepoPath>> = BTreeMap::new();
        for (path, tree) in &self.after {
            if self.charts.get(tree) != Some(&false) {
                by_name.entry(self.name(path, Some(tree))).or_default().push(path);
            }
        }
        by_name.retain(|name, paths| paths.len() > 1 && ChartName::new(*name).is_ok());
        let differs = |path: &RepoPath| self.before.get(path) != self.after.get(path);
        by_name.into_values().filter(|paths| paths.iter().any(|path| differs(path))).filter_map(|paths| Some((*paths.first()?, *paths.get(1)?))).collect()
    }

    fn holds_chart(&self, tree: Option<&TreeId>) -> Result<bool, DetectionError> {
        tree.map_or(Ok(false), |tree| self.charts.get(tree).copied().ok_or_else(|| DetectionError::Incomplete { tree: tree.clone() }))
    }

    /// The name as read, else as configured, else the directory's.
    fn name<'a>(&'a self, path: &'a RepoPath, tree: Option<&TreeId>) -> &'a str {
        if let Some(Some(read)) = tree.and_then(|tree| self.names.get(tree)) {
            return read;
        }
        self.map.get(path).map_or_else(|| path.base_name(), ChartName::as_str)
    }

    fn usable_name(&self, path: &RepoPath, tree: Option<&TreeId>) -> Result<ChartName, DetectionError> {
        ChartName::new(self.name(path, tree)).map_err(|source| DetectionError::Name { path: path.clone(), source })
    }

    fn name_notice(&self, path: &RepoPath, tree: &TreeId, name: &ChartName) -> Option<Notice> {
        if self.names.get(tree).is_some_and(Option::is_none) {
            return Some(Notice::NameUnreadable { path: path.clone() });
        }
        (path.base_name() != name.as_str() && self.map.get(path) != Some(name)).then(|| Notice::NameDiffers { path: path.clone(), name: name.clone() })
    }
}

#[cfg(test)]
mod tests;
