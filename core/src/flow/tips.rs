//! Where the tiers stand, and the charts in which they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::directories::Reader;
use super::listing::{Listing, file, root};
use super::{FlowError, Train};
use crate::domain::branch::Names;
use crate::domain::chart::Metadata;
use crate::domain::configuration::ReadConfiguration;
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::{BranchName, ChartName, RepoPath};
use crate::plan::Place;
use crate::port::github::RefTarget;
use crate::port::objects::{ObjectError, Objects};

/// The configuration file, at the top of main.
pub const CONFIGURATION: &str = ".chartflow.yaml";
/// A configuration or Chart.yaml longer than this is refused.
pub const YAML_LIMIT: usize = 1 << 20;

/// The tips of the tiers and the configuration on main.
#[derive(Debug, Clone)]
pub struct Tips {
    /// Main.
    pub main: CommitId,
    /// Integration.
    pub integration: CommitId,
    /// The per-chart branches.
    pub charts: BTreeMap<ChartName, CommitId>,
    /// Every branch.
    pub branches: BTreeMap<String, CommitId>,
    /// The refs below `refs/chartflow/`, once they were asked for.
    markers: Arc<OnceLock<BTreeMap<String, CommitId>>>,
    /// The configuration on main.
    pub configuration: ReadConfiguration,
    /// The names it gives.
    pub names: Names,
}

impl Tips {
    /// Reads the tips: all branches in one request, and the configuration.
    ///
    /// # Errors
    /// [`FlowError::NoBranch`] without main or integration, [`FlowError::Configuration`] for one that cannot be used.
    pub async fn read(train: &Train) -> Result<Self, FlowError> {
        let branches = commits(train.github.matching_refs("heads").await?, "refs/heads/");
        let branch = &train.home.default_branch;
        let main = branches.get(branch.as_str()).cloned().ok_or_else(|| FlowError::NoBranch { branch: branch.to_string() })?;
        let configuration = configuration_at(train, &main).await?;
        let names = Names::new(&configuration.configuration);
        let integration = branches.get(names.integration().as_str()).cloned();
        let charts =
            branches.iter().filter_map(|(name, commit)| Some((names.chart_of_branch(&BranchName::new(name.clone()).ok()?)?, commit.clone()))).collect();
        let integration = integration.ok_or_else(|| FlowError::NoBranch { branch: names.integration().to_string() })?;
        Ok(Self { main, integration, charts, branches, markers: Arc::default(), configuration, names })
    }

    /// The tip of the release branch.
    ///
    /// # Errors
    /// [`FlowError::NoBranch`] without one.
    pub fn release(&self) -> Result<&CommitId, FlowError> {
        let name = self.names.release();
        self.branches.get(name.as_str()).ok_or_else(|| FlowError::NoBranch { branch: name.to_string() })
    }

    /// The train's own refs, by their names behind `refs/`: one request, made when first asked.
    ///
    /// # Errors
    /// When GitHub fails.
    pub async fn own_refs(&self, train: &Train) -> Result<&BTreeMap<String, CommitId>, FlowError> {
        if self.markers.get().is_none() {
            let found = commits(train.github.matching_refs("chartflow").await?, "refs/");
            // Whoever was faster read the same refs.
            let _ = self.markers.set(found);
        }
        Ok(self.markers.get_or_init(BTreeMap::new))
    }

    /// Where one of the markers is.
    ///
    /// # Errors
    /// [`FlowError::NoBranch`] without it.
    pub async fn marker(&self, train: &Train, name: &str) -> Result<&CommitId, FlowError> {
        self.own_refs(train).await?.get(name).ok_or_else(|| FlowError::NoBranch { branch: name.to_owned() })
    }
}

fn commits(listed: Vec<(String, RefTarget)>, prefix: &str) -> BTreeMap<String, CommitId> {
    listed.into_iter().filter_map(|(name, target)| Some((name.strip_prefix(prefix)?.to_owned(), target.commit()?))).collect()
}

/// The configuration at a commit; an absent file is an empty one.
///
/// # Errors
/// [`FlowError::Configuration`] for one that cannot be used.
pub async fn configuration_at(train: &Train, commit: &CommitId) -> Result<ReadConfiguration, FlowError> {
    configuration_of(&*train.objects, commit, &train.home.default_branch).await
}

/// The same where there is no train yet.
///
/// # Errors
/// As for [`configuration_at`].
pub async fn configuration_of(objects: &dyn Objects, commit: &CommitId, branch: &BranchName) -> Result<ReadConfiguration, FlowError> {
    let tree = root(objects, commit).await?;
    let bytes = file(objects, &tree, CONFIGURATION, YAML_LIMIT).await?.unwrap_or_default();
    let unusable = |source| FlowError::Configuration { path: CONFIGURATION.to_owned(), branch: branch.to_string(), source: Box::new(source) };
    ReadConfiguration::read(&bytes).map_err(unusable)
}

/// One chart at two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// At the new commit: where it stands, or what is left of its directory.
    pub new: Option<Place>,
    /// At the old commit.
    pub old: Option<Place>,
    /// Whether the new commit has no chart of this name any more.
    pub removed: bool,
}

impl Pair {
    /// Its directory: the new one, else the old one.
    #[must_use]
    pub fn path(&self) -> Option<&RepoPath> {
        self.new.as_ref().or(self.old.as_ref()).map(|place| &place.path)
    }

    /// Every directory it is or was in.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        let paths: BTreeSet<&str> = self.new.iter().chain(&self.old).map(|place| place.path.as_str()).collect();
        paths.into_iter().collect()
    }
}

/// What differs between two commits.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// By chart.
    pub charts: BTreeMap<ChartName, Pair>,
    /// Directories whose Chart.yaml cannot be read, or whose name cannot be used, and why.
    pub unreadable: BTreeMap<RepoPath, String>,
    /// Charts of one name in several directories of the new commit.
    pub doubled: BTreeMap<ChartName, BTreeSet<RepoPath>>,
    /// Directories whose chart changed its name: old and new name.
    pub renamed: BTreeMap<RepoPath, (ChartName, ChartName)>,
    /// New or changed directories that hold a Chart.yaml under a path that is not UTF-8, as people read it. They are no charts.
    pub unnamed: BTreeSet<String>,
    /// All candidate directories of the new commit.
    pub listing: Listing,
}

impl Difference {
    /// Compares the charts of two trees. Of the directories that differ, and of no others, the Chart.yaml is read.
    ///
    /// # Errors
    /// When an object cannot be read.
    pub async fn between(train: &Train, patterns: &Globs, old_root: &TreeId, new_root: &TreeId) -> Result<Self, FlowError> {
        let mut reader = Reader::new(&*train.objects);
        let (old, new) = (reader.matching(old_root, patterns).await?, reader.matching(new_root, patterns).await?);
        let unnamed = new.unnamed.into_iter().filter(|(path, tree)| old.unnamed.get(path) != Some(tree)).map(|(path, _)| path).collect();
        let (old, new) = (old.directories, new.directories);
        let mut found = Self { listing: new.clone(), unnamed, ..Self::default() };
        let mut old_charts: BTreeMap<ChartName, Place> = BTreeMap::new();
        let mut new_charts: BTreeMap<ChartName, Place> = BTreeMap::new();
        let paths: BTreeSet<&RepoPath> = old.keys().chain(new.keys()).filter(|path| old.get(*path) != new.get(*path)).collect();
        for path in paths {
            let before = found.name(train, path, old.get(path), false).await?;
            let after = found.name(train, path, new.get(path), true).await?;
            if found.unreadable.contains_key(path) {
                // Whatever chart it is now: it is not removed.
                continue;
            }
            if let (Some(before), Some(after)) = (&before, &after)
                && before != after
            {
                found.renamed.insert(path.clone(), (before.clone(), after.clone()));
            }
            if let (Some(name), Some(tree)) = (before.clone(), old.get(path)) {
                old_charts.insert(name, Place { path: path.clone(), tree: tree.clone() });
            }
            match (after, new.get(path)) {
                (Some(name), Some(tree)) => {
                    let twin = new.keys().find(|other| *other != path && other.base_name() == name.as_str() && old.get(*other) == new.get(*other));
                    if let Some(place) = new_charts.insert(name.clone(), Place { path: path.clone(), tree: tree.clone() }) {
                        found.doubled.entry(name).or_default().extend([place.path, path.clone()]);
                    } else if let Some(twin) = twin {
                        found.doubled.entry(name).or_default().extend([twin.clone(), path.clone()]);
                    }
                }
                (None, Some(tree)) => {
                    // No chart any more, but something is left of its directory.
                    if let Some(name) = before {
                        found.charts.insert(name, Pair { new: Some(Place { path: path.clone(), tree: tree.clone() }), old: None, removed: true });
                    }
                }
                _ => {}
            }
        }
        for (name, place) in new_charts {
            found.charts.insert(name, Pair { new: Some(place), old: None, removed: false });
        }
        for (name, place) in old_charts {
            let pair = found.charts.entry(name).or_insert(Pair { new: None, old: None, removed: true });
            pair.old = Some(place);
        }
        Ok(found)
    }

    async fn name(&mut self, train: &Train, path: &RepoPath, tree: Option<&TreeId>, report: bool) -> Result<Option<ChartName>, FlowError> {
        let Some(tree) = tree else { return Ok(None) };
        match chart_name(train, path, tree).await? {
            Ok(name) => Ok(name),
            Err(problem) => {
                if report {
                    self.unreadable.insert(path.clone(), problem);
                }
                Ok(None)
            }
        }
    }
}

/// A chart in another tree, by its name, wherever it stands there: what differs from `known`, its place in `here`, is told
/// by comparing the two.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn counterpart(
    train: &Train,
    patterns: &Globs,
    chart: &ChartName,
    (here, known): (&TreeId, Option<&Place>),
    there: &TreeId,
) -> Result<Option<Place>, FlowError> {
    let difference = Difference::between(train, patterns, here, there).await?;
    Ok(match difference.charts.get(chart) {
        Some(pair) => pair.new.clone(),
        None => known.cloned(),
    })
}

/// The name in the Chart.yaml of a directory: nothing where there is none, a text where it cannot be used.
///
/// # Errors
/// When an object cannot be read.
pub async fn chart_name(train: &Train, path: &RepoPath, tree: &TreeId) -> Result<Result<Option<ChartName>, String>, FlowError> {
    let bytes = match file(&*train.objects, tree, "Chart.yaml", YAML_LIMIT).await {
        // It is too long, or a name beside it is none: what a contributor wrote, and no failure of the stage.
        Err(FlowError::Object { source: ObjectError::Refused { path: object, problem } }) => {
            let below = if object.len() == tree.as_str().len() { "Chart.yaml" } else { object.as_str() };
            return Ok(Err(format!("{path}/{below}: {problem}")));
        }
        bytes => bytes?,
    };
    let Some(bytes) = bytes else { return Ok(Ok(None)) };
    Ok(match Metadata::read(&format!("{path}/Chart.yaml"), &bytes) {
        Ok(metadata) => metadata.chart_name().map(Some).map_err(|error| crate::domain::causes(&error)),
        Err(error) => Err(crate::domain::causes(&error)),
    })
}

/// A chart at a commit by its known directory.
///
/// # Errors
/// When an object cannot be read.
pub async fn place(train: &Train, commit: &CommitId, path: &RepoPath) -> Result<Option<Place>, FlowError> {
    let tree = root(&*train.objects, commit).await?;
    let found = super::listing::subtree(&*train.objects, &tree, path.as_str()).await?;
    Ok(found.map(|tree| Place { path: path.clone(), tree }))
}
