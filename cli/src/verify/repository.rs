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
use chartflow_core::io::git::{LocalRepository, ready};
use chartflow_core::port::objects::{ObjectError, Objects};

use crate::error::{CommandError, Kind};

/// Lineages are far shorter; the verification says so.
const LINEAGE_LIMIT: usize = 8 << 20;
const LINEAGE: &str = ".lineage.jsonl";

/// A tag's content and its lineage, as the repository holds them.
pub(super) struct Tagged {
    pub(super) tag: TagName,
    pub(super) content: ContentId,
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
    let commit = repository.resolve(&format!("refs/tags/{tag}"))?;
    let root =
        now(repository.commit(&commit))?.and_then(|commit| now_tree(repository, &commit.tree)).map_err(|error| CommandError::of(Kind::Request, error))?;
    let lineage = match given {
        Some(lineage) => lineage,
        None => served(repository, &tag, &configuration(repository, &root)?)?,
    };
    let Some(asked) = questions(&lineage) else {
        // It is no lineage. The verification says why; it needs no content for that.
        return Ok(Tagged { tag, content: nothing()?, lineage });
    };
    let tree = subtree(repository, &root, asked.path.as_str())?
        .ok_or_else(|| CommandError::new(Kind::AnswerNo, format!("the lineage is that of {}, which the tag {tag} does not hold", asked.path)))?;
    let content = read(now(repository.files(&tree))?)?.content_id().map_err(|error| CommandError::of(Kind::AnswerNo, error))?;
    Ok(Tagged { tag, content, lineage })
}

fn nothing() -> Result<ContentId, CommandError> {
    chartflow_core::domain::content::Files::new().content_id().map_err(|error| CommandError::of(Kind::Bug, error))
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

fn configuration(repository: &LocalRepository, root: &Tree) -> Result<Names, CommandError> {
    let Some(blob) = root.get(CONFIGURATION_FILE).and_then(|entry| entry.as_blob()) else { return Ok(Names::new(&Configuration::default())) };
    let bytes = read(now(repository.blob(&blob, 1 << 20))?)?;
    Ok(Names::new(&Configuration::read(&bytes)?))
}

/// The lineage that the release branch serves for a tag: the file whose chart and version make this tag's name.
fn served(repository: &LocalRepository, tag: &TagName, names: &Names) -> Result<Vec<u8>, CommandError> {
    let release: CommitId = repository.resolve(names.release().as_str())?;
    let root = read(now(repository.commit(&release))?).and_then(|commit| read(now_tree(repository, &commit.tree)))?;
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
