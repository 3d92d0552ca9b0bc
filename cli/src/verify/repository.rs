//! What a local repository says: about a lineage, and about a tag that is to be verified.

use std::path::Path;

use chartflow_core::domain::branch::Names;
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, Configuration};
use chartflow_core::domain::content::ContentId;
use chartflow_core::domain::digest::{CommitId, TagObjectId, TreeId};
use chartflow_core::domain::lineage::{Questions, RepositoryFacts, TagFact, questions};
use chartflow_core::domain::names::{ChartName, TagName};
use chartflow_core::domain::tree::Tree;
use chartflow_core::flow::lineage::{Refs, facts, names};
use chartflow_core::io::git::{GitError, LocalRepository, ready};
use chartflow_core::port::objects::{ObjectError, Objects};

use crate::error::{CommandError, Kind};

/// Lineages are far shorter; the verification says so.
const LINEAGE_LIMIT: usize = 8 << 20;
const LINEAGE: &str = ".lineage.jsonl";

/// A tag's content and its lineage, as the repository holds them.
pub(super) struct Tagged {
    pub(super) tag: TagName,
    /// Nothing where what the tag names does not hold the chart: it was moved.
    pub(super) content: Option<ContentId>,
    pub(super) lineage: Vec<u8>,
}

fn now<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    ready(future).ok_or_else(|| CommandError::new(Kind::Bug, "reading a local repository had to wait"))
}

fn read<T>(result: Result<T, ObjectError>) -> Result<T, CommandError> {
    result.map_err(|error| CommandError::of(Kind::Request, error))
}

pub(super) fn open(path: &Path) -> Result<LocalRepository, CommandError> {
    Ok(LocalRepository::open(path)?)
}

/// Answers what the lineage asks; nothing when it is no lineage at all, which the verification will say.
pub(super) fn look_up(repository: &LocalRepository, lineage: &[u8]) -> Result<Option<RepositoryFacts>, CommandError> {
    let Some(questions) = questions(lineage) else { return Ok(None) };
    let refs = refs(repository, &questions)?;
    now(facts(repository, &questions, &refs))?.map(Some).map_err(|error| CommandError::of(Kind::Request, error))
}

fn refs(repository: &LocalRepository, questions: &Questions) -> Result<Refs, CommandError> {
    let commit = |tag: &TagName| repository.resolve(&format!("refs/tags/{tag}")).ok();
    let references = repository.references()?;
    let target = |name: &str| references.iter().find(|(found, _)| found == name).map(|(_, id)| id.clone());
    let tag = commit(&questions.tag).map(|commit| {
        // A light tag points to the commit itself.
        let object = target(&format!("refs/tags/{}", questions.tag)).filter(|id| id != commit.as_str()).and_then(|id| TagObjectId::new(id).ok());
        TagFact { object, commit }
    });
    let names = names(questions);
    let branch = |name: &str| repository.resolve(&format!("refs/heads/{name}")).or_else(|_| repository.resolve(name)).ok();
    let (main, release) = (branch(names.main().as_str()), branch(names.release().as_str()));
    Ok(Refs { tag, previous: questions.previous.as_ref().and_then(commit), main, release })
}

/// A tag, the chart's content at it and, unless one is given, its lineage from the release branch.
pub(super) fn tagged(repository: &LocalRepository, tag: &str, given: Option<Vec<u8>>) -> Result<Tagged, CommandError> {
    let tag = TagName::new(tag).map_err(|error| CommandError::of(Kind::Request, error))?;
    let root = match repository.resolve(&format!("refs/tags/{tag}")) {
        Ok(commit) => Some(root(repository, &commit)?),
        // It was moved to something that is no release, which the verification will say.
        Err(GitError::NoCommit { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let lineage = match given {
        Some(lineage) => lineage,
        None => served(repository, &tag, root.as_ref())?,
    };
    // Of what is no lineage the verification says why; it needs no content for that.
    let content = match (questions(&lineage), &root) {
        (Some(asked), Some(root)) => content(repository, root, asked.path.as_str())?,
        _ => None,
    };
    Ok(Tagged { tag, content, lineage })
}

fn root(repository: &LocalRepository, commit: &CommitId) -> Result<Tree, CommandError> {
    let commit = read(now(repository.commit(commit))?)?;
    read(now_tree(repository, &commit.tree))
}

/// The content of the chart at a path; nothing where no chart can be there.
fn content(repository: &LocalRepository, root: &Tree, path: &str) -> Result<Option<ContentId>, CommandError> {
    let Some(tree) = subtree(repository, root, path)? else { return Ok(None) };
    match now(repository.files(&tree))? {
        Ok(files) => Ok(files.content_id().ok()),
        Err(ObjectError::Refused { .. }) => Ok(None),
        Err(error) => Err(CommandError::of(Kind::Request, error)),
    }
}

fn now_tree(repository: &LocalRepository, id: &TreeId) -> Result<Tree, ObjectError> {
    ready(repository.tree(id)).unwrap_or_else(|| Err(ObjectError::Missing { kind: "tree", id: id.to_string() }))
}

fn subtree(repository: &LocalRepository, root: &Tree, path: &str) -> Result<Option<TreeId>, CommandError> {
    let mut at = root.clone();
    let mut found = None;
    for name in path.split('/') {
        let Some(id) = at.get(name).and_then(|entry| entry.as_tree()) else { return Ok(None) };
        at = read(now_tree(repository, &id))?;
        found = Some(id);
    }
    Ok(found)
}

/// The names that the configuration at a commit's tree gives; nothing where it cannot be used.
fn configured(repository: &LocalRepository, root: &Tree) -> Option<Names> {
    let Some(blob) = root.get(CONFIGURATION_FILE).and_then(|entry| entry.as_blob()) else { return Some(Names::new(&Configuration::default())) };
    let bytes = ready(repository.blob(&blob, 1 << 20))?.ok()?;
    Some(Names::new(&Configuration::read(&bytes).ok()?))
}

/// The lineage that the release branch serves for a tag, by the names that hold at the tag, or else (it may have been moved)
/// where the repository stands.
fn served(repository: &LocalRepository, tag: &TagName, tagged: Option<&Tree>) -> Result<Vec<u8>, CommandError> {
    let head = repository.resolve("HEAD").ok().and_then(|head| root(repository, &head).ok());
    let names: Vec<Names> = tagged.into_iter().chain(&head).filter_map(|root| configured(repository, root)).collect();
    let mut failed = None;
    for names in names.into_iter().chain([Names::new(&Configuration::default())]) {
        match served_by(repository, tag, &names) {
            Ok(lineage) => return Ok(lineage),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    Err(failed.unwrap_or_else(|| CommandError::new(Kind::Bug, "no name of a release branch was tried")))
}

/// The file on the release branch whose chart and version make this tag's name.
fn served_by(repository: &LocalRepository, tag: &TagName, names: &Names) -> Result<Vec<u8>, CommandError> {
    let release: CommitId = repository.resolve(names.release().as_str())?;
    let root = root(repository, &release)?;
    let missing =
        || CommandError::new(Kind::Request, format!("the branch {} holds no lineage for the tag {tag}", names.release())).hint("name its file with --lineage");
    let folder = subtree(repository, &root, "charts")?.ok_or_else(missing)?;
    let folder = read(now_tree(repository, &folder))?;
    let entry = folder.entries().iter().find(|entry| entry.name.strip_suffix(LINEAGE).is_some_and(|stem| is_of(stem, tag, names)));
    let blob = entry.and_then(|entry| entry.as_blob()).ok_or_else(missing)?;
    read(now(repository.blob(&blob, LINEAGE_LIMIT))?)
}

/// Whether `<chart>-<version>` makes this tag. Both may hold dashes, so every split is tried.
fn is_of(stem: &str, tag: &TagName, names: &Names) -> bool {
    stem.match_indices('-').any(|(at, _)| {
        let (Ok(chart), Ok(version)) = (stem[..at].parse::<ChartName>(), stem[at + 1..].parse()) else { return false };
        names.tag(&chart, &version).is_ok_and(|name| name == *tag)
    })
}
