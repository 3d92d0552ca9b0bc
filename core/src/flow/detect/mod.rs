//! `detect`: gathers what [`crate::domain::detection`] needs from directory listings, and asks it.

use std::collections::BTreeMap;

use crate::domain::chart::{self, ChartError};
use crate::domain::detection::{CHART_FILE, Change, Detection, DetectionError, Facts, Globs, Needed, Node, Notice, local_dependency, with_dependents};
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::yaml::{self, Duplicates, Limits};
use crate::flow::directories::{Candidates, DirectoriesError, Reader};
use crate::port::objects::{ObjectError, Objects};

/// A Chart.yaml larger than this is not read for its name (helm refuses larger files in charts only since 3.18, at 5 MiB).
const CHART_FILE_LIMIT: usize = 5 << 20;

/// What to compare.
#[derive(Debug, Clone)]
pub struct Request {
    /// The commit to compare with.
    pub base: CommitId,
    /// The commit whose changes are asked for.
    pub head: CommitId,
    /// Compare the two commits themselves instead of the merge base with `head`.
    pub exact: bool,
    /// Also list charts that reach a changed one through `file://` dependencies.
    pub dependents: bool,
    /// Where charts are.
    pub globs: Globs,
    /// Names of charts whose directory has another name.
    pub map: BTreeMap<RepoPath, ChartName>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// The two commits have no history in common.
    #[error("{base} and {head} have no common ancestor")]
    Unrelated {
        /// One commit.
        base: CommitId,
        /// The other.
        head: CommitId,
    },
    /// A submodule stands where a chart was or is.
    #[error("{path} is a submodule; its content is not part of this repository and cannot be released from it")]
    Submodule {
        /// Where it stands.
        path: String,
    },
    /// There are too many directories to look at.
    #[error("more than {limit} directories would have to be searched for charts")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// An object could not be read.
    #[error(transparent)]
    Objects {
        /// The cause.
        source: ObjectError,
    },
    /// The charts contradict each other.
    #[error(transparent)]
    Charts {
        /// The cause.
        source: DetectionError,
    },
    /// The dependencies of a chart cannot be read, and dependents were asked for.
    #[error("the dependencies of {path} cannot be read")]
    Dependencies {
        /// The chart's directory.
        path: RepoPath,
        /// The cause.
        source: ChartError,
    },
}

impl From<ObjectError> for DetectError {
    fn from(source: ObjectError) -> Self {
        Self::Objects { source }
    }
}

impl From<DirectoriesError> for DetectError {
    fn from(error: DirectoriesError) -> Self {
        match error {
            DirectoriesError::Objects { source } => Self::Objects { source },
            DirectoriesError::TooMany { limit } => Self::TooMany { limit },
        }
    }
}

impl From<DetectionError> for DetectError {
    fn from(source: DetectionError) -> Self {
        Self::Charts { source }
    }
}

/// The changed charts, and what the user should know beside them.
///
/// # Errors
/// See [`DetectError`].
pub async fn detect(objects: &dyn Objects, request: &Request) -> Result<(Detection, Vec<Notice>), DetectError> {
    let merge_base = if request.exact {
        None
    } else {
        let unrelated = || DetectError::Unrelated { base: request.base.clone(), head: request.head.clone() };
        Some(objects.merge_base(&request.base, &request.head).await?.ok_or_else(unrelated)?)
    };
    let before = objects.commit(merge_base.as_ref().unwrap_or(&request.base)).await?.tree;
    let after = objects.commit(&request.head).await?.tree;
    let mut gathering = Gathering { objects, reader: Reader::new(objects) };
    let (charts, notices) = gathering.compare(&before, &after, request).await?;
    Ok((Detection { base: request.base.clone(), head: request.head.clone(), merge_base, charts }, notices))
}

struct Gathering<'a> {
    objects: &'a dyn Objects,
    reader: Reader<'a>,
}

impl Gathering<'_> {
    async fn compare(&mut self, before: &TreeId, after: &TreeId, request: &Request) -> Result<(Vec<Change>, Vec<Notice>), DetectError> {
        let mut notices = Vec::new();
        let (mut old, mut new) = (self.reader.matching(before, &request.globs).await?, self.reader.matching(after, &request.globs).await?);
        if !self.reader.any_chart(&old.directories).await? && !self.reader.any_chart(&new.directories).await? {
            (old, new) = (self.reader.everywhere(before).await?, self.reader.everywhere(after).await?);
            notices.push(fallback_notice(&request.globs, &old, &new));
        }
        refuse_submodules(&old, &new)?;
        refuse_unnamed(&old, &new)?;
        let mut facts = Facts { before: old.directories, after: new.directories, map: request.map.clone(), ..Facts::default() };
        self.complete(&mut facts).await?;
        let (mut changes, told) = facts.changes()?;
        notices.extend(told);
        for change in changes.iter().filter(|change| facts.after.contains_key(&change.path)) {
            self.refuse_in(&change.path, &facts).await?;
        }
        if request.dependents && !changes.is_empty() {
            let nodes = self.nodes(&facts).await?;
            changes = with_dependents(changes, &nodes)?;
        }
        Ok((changes, notices))
    }

    async fn complete(&mut self, facts: &mut Facts) -> Result<(), DetectError> {
        loop {
            match facts.needed() {
                Needed::Nothing => return Ok(()),
                Needed::Charts(trees) => {
                    for tree in trees {
                        let chart = self.reader.holds_chart(&tree).await?;
                        facts.charts.insert(tree, chart);
                    }
                }
                Needed::Names(trees) => {
                    for tree in trees {
                        let name = self.read_name(&tree).await?;
                        facts.names.insert(tree, name);
                    }
                }
            }
        }
    }

    /// The bytes of a file in a tree; `None` when there is none that can be read, whatever the reason.
    async fn file(&mut self, tree: &TreeId, name: &str) -> Result<Option<Vec<u8>>, DetectError> {
        let Some(blob) = self.reader.tree(tree).await?.get(name).and_then(|entry| entry.as_blob()) else { return Ok(None) };
        match self.objects.blob(&blob, CHART_FILE_LIMIT).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ObjectError::Refused { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The name in a Chart.yaml, even where the rest of the file is wrong: judging it is not detection's task.
    async fn read_name(&mut self, tree: &TreeId) -> Result<Option<String>, DetectError> {
        let Some(bytes) = self.file(tree, CHART_FILE).await? else { return Ok(None) };
        let Ok(document) = yaml::parse(CHART_FILE, &bytes, &Limits::default(), Duplicates::Keep) else { return Ok(None) };
        let name = chart::decode(CHART_FILE, &document.root, &mut Vec::new()).name;
        Ok((!name.is_empty()).then_some(name))
    }

    /// A submodule, or a name that is not UTF-8, directly in a changed chart. Those further down are found by whoever reads
    /// the chart's files.
    async fn refuse_in(&mut self, path: &RepoPath, facts: &Facts) -> Result<(), DetectError> {
        let Some(tree) = facts.after.get(path) else { return Ok(()) };
        let tree = self.reader.tree(tree).await?;
        if let Some(entry) = tree.raw_entries().first() {
            return Err(ObjectError::not_utf8(path.as_str(), &entry.shown()).into());
        }
        match tree.entries().iter().find(|entry| entry.as_submodule().is_some()) {
            Some(entry) => Err(DetectError::Submodule { path: format!("{path}/{}", entry.name) }),
            None => Ok(()),
        }
    }

    /// Every chart afterwards with where its `file://` dependencies lead.
    async fn nodes(&mut self, facts: &Facts) -> Result<BTreeMap<RepoPath, Node>, DetectError> {
        let mut nodes = BTreeMap::new();
        for (path, tree) in &facts.after {
            let Some(bytes) = self.file(tree, CHART_FILE).await? else { continue };
            let parse = |name: &str, bytes: &[u8]| {
                let file = format!("{path}/{name}");
                let parsed = yaml::parse(&file, bytes, &Limits::default(), Duplicates::Keep);
                let document = parsed.map_err(|source| DetectError::Dependencies { path: path.clone(), source: source.into() })?;
                Ok::<_, DetectError>((file, document.root))
            };
            let (file, root) = parse(CHART_FILE, &bytes)?;
            let requirements = match self.file(tree, chart::REQUIREMENTS_FILE).await? {
                Some(bytes) => Some(parse(chart::REQUIREMENTS_FILE, &bytes)?),
                None => None,
            };
            let (metadata, _) = chart::examine(&file, &root, requirements.as_ref().map(|(file, root)| (file.as_str(), root)));
            let dependencies = metadata.dependencies.iter().filter_map(|dependency| local_dependency(path, &dependency.repository)).collect();
            let named = ChartName::new(metadata.name).or_else(|_| request_name(facts, path));
            let chart = named.map_err(|source| DetectionError::Name { path: path.clone(), source })?;
            nodes.insert(path.clone(), Node { chart, dependencies });
        }
        Ok(nodes)
    }
}

fn request_name(facts: &Facts, path: &RepoPath) -> Result<ChartName, crate::domain::names::NameError> {
    facts.map.get(path).cloned().map_or_else(|| ChartName::new(path.base_name()), Ok)
}

/// A submodule that came, went or moved where charts are.
fn refuse_submodules(old: &Candidates, new: &Candidates) -> Result<(), DetectError> {
    match new.submodules.iter().find(|(path, commit)| old.submodules.get(*path) != Some(*commit)) {
        Some((path, _)) => Err(DetectError::Submodule { path: path.to_string() }),
        None => Ok(()),
    }
}

/// A chart that came or changed in a directory that nothing can name.
fn refuse_unnamed(old: &Candidates, new: &Candidates) -> Result<(), DetectError> {
    match new.unnamed.iter().find(|(path, tree)| old.unnamed.get(*path) != Some(*tree)) {
        Some((path, _)) => Err(ObjectError::not_utf8("", path).into()),
        None => Ok(()),
    }
}

/// That no chart came or changed in a directory whose path is not UTF-8: what is wrong with a contribution before any stage
/// can name it.
///
/// # Errors
/// [`ObjectError::Refused`] names the directory; see [`DetectError`].
pub async fn named(objects: &dyn Objects, before: &TreeId, after: &TreeId, globs: &Globs) -> Result<(), DetectError> {
    let mut reader = Reader::new(objects);
    let (old, new) = (reader.matching(before, globs).await?, reader.matching(after, globs).await?);
    refuse_unnamed(&old, &new)?;
    if reader.any_chart(&old.directories).await? || reader.any_chart(&new.directories).await? {
        return Ok(());
    }
    refuse_unnamed(&reader.everywhere(before).await?, &reader.everywhere(after).await?)
}

fn fallback_notice(configured: &Globs, old: &Candidates, new: &Candidates) -> Notice {
    let configured = configured.written().to_vec();
    if new.top_is_chart {
        return Notice::TopIsChart;
    }
    let glob = |path: &RepoPath| path.parent().map_or_else(|| path.to_string(), |parent| format!("{parent}/*"));
    let found: std::collections::BTreeSet<String> = old.directories.keys().chain(new.directories.keys()).map(glob).collect();
    if found.is_empty() { Notice::NoCharts { configured } } else { Notice::WriteGlobs { configured, found: found.into_iter().collect() } }
}

#[cfg(test)]
mod tests;
