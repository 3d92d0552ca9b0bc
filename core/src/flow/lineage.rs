//! Looking up what a repository says about a lineage, so that a verification can hold it against that.

use std::collections::BTreeMap;

use super::FlowError;
use super::listing::{file, subtree};
use super::package::local_dependencies;
use crate::domain::branch::Names;
use crate::domain::commit::range::History;
use crate::domain::commit::{Author, Commit};
use crate::domain::configuration::Configuration;
use crate::domain::content::ContentId;
use crate::domain::digest::{CommitId, Sha256, TreeId};
use crate::domain::lineage::{Ending, Questions, RepositoryFacts, TagFact, ending};
use crate::domain::names::TagName;
use crate::domain::package::{Source, package};
use crate::port::objects::{self, ObjectError, Objects};

/// The refs that a lineage is held against. Objects are content, refs move: whoever asks reads them himself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refs {
    /// The release's tag.
    pub tag: Option<TagFact>,
    /// The commit that the tag of the release before leads to.
    pub previous: Option<CommitId>,
    /// The tip of main.
    pub main: Option<CommitId>,
    /// The tip of release.
    pub release: Option<CommitId>,
}

/// The names of branches by the configuration that the release gate holds.
#[must_use]
pub fn names(questions: &Questions) -> Names {
    let configuration = questions.configuration.as_deref().and_then(|text| Configuration::read(text.as_bytes()).ok()).unwrap_or_default();
    Names::new(&configuration)
}

/// The tags whose refs must be read: the release's and, where there is one, that of the release before.
#[must_use]
pub fn tags(questions: &Questions) -> (&TagName, Option<&TagName>) {
    (&questions.tag, questions.previous.as_ref())
}

/// Answers the questions of a lineage. What the repository lacks is left out of the answer.
///
/// # Errors
/// When an object that is there cannot be read.
pub async fn facts(objects: &dyn Objects, questions: &Questions, refs: &Refs) -> Result<RepositoryFacts, FlowError> {
    let tagged = known(objects.commit(&questions.commit).await)?;
    let source = known(objects.commit(&questions.source).await)?;
    let mut facts = RepositoryFacts { tag: refs.tag.clone(), ..RepositoryFacts::default() };
    let mut before = None;
    if let Some(tagged) = &tagged {
        facts.content = content(objects, tagged, questions).await?;
        if let Some(parent) = tagged.parents.first() {
            before = known(objects.commit(parent).await)?;
        }
        facts.rebuilt = rebuilt(objects, tagged, questions).await?;
    }
    if let Some(before) = &before {
        facts.content_before = content(objects, before, questions).await?;
    }
    if let (Some(main), Some(_)) = (&refs.main, &tagged) {
        facts.on_main = on_first_parent_line(objects, main, &questions.commit).await?;
    }
    if let Some(source) = &source {
        facts.source_content = content(objects, source, questions).await?;
        facts.touching = touching(objects, questions, source, before.as_ref()).await?;
        facts.heads_are_merged = true;
        for head in &questions.heads {
            let base = known(objects.merge_base(head, &source.id).await)?.flatten();
            facts.heads_are_merged &= base.as_ref() == Some(head);
        }
    }
    if let Some(previous) = &refs.previous
        && let Some(commit) = known(objects.commit(previous).await)?
    {
        facts.previous_content = content(objects, &commit, questions).await?;
    }
    facts.previous_end = previous_end(objects, questions, refs).await?;
    if let Some(from) = &questions.from {
        facts.from_is_contained = known(objects.merge_base(from, &questions.source).await)?.map(|base| base.as_ref() == Some(from));
        // Asked for nowhere else, and main may be long between the two.
        if matches!(&facts.previous_end, Ending::At(end) if end != from) {
            facts.from_was_carried = was_carried(objects, questions, refs, from).await?;
        }
    }
    Ok(facts)
}

/// Where the release before ended, by the lineage that the release branch serves for it.
async fn previous_end(objects: &dyn Objects, questions: &Questions, refs: &Refs) -> Result<Ending, FlowError> {
    let (Some(tag), Some(root), Some(release)) = (&questions.previous, &questions.previous_root, &refs.release) else { return Ok(Ending::Unknown) };
    let Some(version) = names(questions).version_of_tag(&questions.chart, tag.as_str()) else { return Ok(Ending::Unknown) };
    let Some(commit) = known(objects.commit(release).await)? else { return Ok(Ending::Unknown) };
    let path = format!("charts/{}-{version}.lineage.jsonl", questions.chart);
    let lineage = file(objects, &commit.tree, &path, super::served::LINEAGE_LIMIT).await?;
    Ok(lineage.map_or(Ending::Unknown, |lineage| ending(&lineage, root)))
}

/// Whether main held the chart as it is at `from`, between the release before and this one.
async fn was_carried(objects: &dyn Objects, questions: &Questions, refs: &Refs, from: &CommitId) -> Result<Option<bool>, FlowError> {
    let (Some(from), Some(previous)) = (known(objects.commit(from).await)?, &refs.previous) else { return Ok(None) };
    let wanted = tree(objects, &from, questions).await?;
    let Some(mut at) = known(objects.commit(&questions.commit).await)? else { return Ok(None) };
    while at.id != *previous {
        let Some(parent) = at.parents.first() else { return Ok(Some(false)) };
        let Some(parent) = known(objects.commit(parent).await)? else { return Ok(None) };
        if tree(objects, &parent, questions).await? == wanted {
            return Ok(Some(true));
        }
        at = parent;
    }
    Ok(Some(false))
}

/// What is not there, or not there in a shallow clone, is no failure but an answer.
fn known<T>(result: Result<T, ObjectError>) -> Result<Option<T>, FlowError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ObjectError::Missing { .. } | ObjectError::Shallow { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is not there, and what no chart can be.
fn readable<T>(result: Result<T, ObjectError>) -> Result<Option<T>, FlowError> {
    match result {
        Err(ObjectError::Refused { .. }) => Ok(None),
        result => known(result),
    }
}

/// The chart's tree at a commit: at its path, or where it was before.
async fn tree(objects: &dyn Objects, commit: &objects::Commit, questions: &Questions) -> Result<Option<TreeId>, FlowError> {
    for path in std::iter::once(&questions.path).chain(&questions.old_path) {
        if let Some(tree) = subtree(objects, &commit.tree, path.as_str()).await? {
            return Ok(Some(tree));
        }
    }
    Ok(None)
}

/// What a stranger calls the chart there. A directory without Chart.yaml, such as is left where files of others lay in a
/// chart that was removed, is none.
async fn content(objects: &dyn Objects, commit: &objects::Commit, questions: &Questions) -> Result<Option<ContentId>, FlowError> {
    match tree(objects, commit, questions).await? {
        Some(tree) => match readable(objects.files(&tree).await)? {
            Some(files) if files.get("Chart.yaml").is_some() => Ok(Some(files.content_id()?)),
            _ => Ok(None),
        },
        None => Ok(None),
    }
}

async fn on_first_parent_line(objects: &dyn Objects, tip: &CommitId, wanted: &CommitId) -> Result<Option<bool>, FlowError> {
    let mut at = tip.clone();
    loop {
        if at == *wanted {
            return Ok(Some(true));
        }
        match known(objects.commit(&at).await)? {
            Some(commit) => match commit.parents.into_iter().next() {
                Some(parent) => at = parent,
                None => return Ok(Some(false)),
            },
            None => return Ok(None),
        }
    }
}

/// The commits that count by the rule of a release, from the history alone: a squash stands for itself.
async fn touching(
    objects: &dyn Objects,
    questions: &Questions,
    source: &objects::Commit,
    before: Option<&objects::Commit>,
) -> Result<Option<Vec<CommitId>>, FlowError> {
    let Some(before) = before else { return Ok(None) };
    let mut hidden = vec![before.id.clone()];
    hidden.extend(questions.from.clone());
    let Some(found) = known(objects.history(&source.id, &hidden).await)? else { return Ok(None) };
    let mut trees = BTreeMap::new();
    for commit in &found {
        trees.insert(commit.id.clone(), tree(objects, commit, questions).await?);
    }
    for parent in found.iter().flat_map(|commit| &commit.parents) {
        if !trees.contains_key(parent) {
            let Some(commit) = known(objects.commit(parent).await)? else { return Ok(None) };
            trees.insert(parent.clone(), tree(objects, &commit, questions).await?);
        }
    }
    let history = History {
        chart: questions.chart.clone(),
        source: source.id.clone(),
        commits: found.into_iter().map(counted).collect(),
        trees,
        main: tree(objects, before, questions).await?,
        ways_back: std::collections::BTreeSet::new(),
        contributions: Vec::new(),
        touched: BTreeMap::new(),
        counted_before: std::collections::BTreeSet::new(),
    };
    Ok(history.range().ok().map(|range| range.counted.into_iter().map(|counted| counted.id).collect()))
}

fn counted(commit: objects::Commit) -> Commit {
    Commit {
        id: commit.id,
        parents: commit.parents,
        author: Author { name: commit.author.name, email: commit.author.email },
        committed: commit.committed,
        message: commit.message,
    }
}

/// The digest of the package built again; `None` where it cannot be built from this repository alone.
async fn rebuilt(objects: &dyn Objects, tagged: &objects::Commit, questions: &Questions) -> Result<Option<Sha256>, FlowError> {
    let Some(tree) = subtree(objects, &tagged.tree, questions.path.as_str()).await? else { return Ok(None) };
    let Some(files) = readable(objects.files(&tree).await)? else { return Ok(None) };
    let dependencies = local_dependencies(objects, &tagged.tree, &questions.path, &files).await?;
    let source = Source { path: questions.path.as_str(), files: &files, dependencies: &dependencies };
    Ok(package(&source, questions.epoch).ok().map(|package| package.sha256))
}
