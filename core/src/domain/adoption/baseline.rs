//! The first commits of `refs/chartflow/released`, `refs/chartflow/published` and the release branch, as git objects.
//!
//! They follow from their content and one date alone, so whoever makes them twice makes the same ones.

use std::collections::BTreeMap;

use crate::domain::digest::{CommitId, ObjectFormat, TreeId};
use crate::domain::names::RepoPath;
use crate::domain::tree::{Entry, Mode, Tree, TreeError};

/// The index of an empty Helm repository.
pub const EMPTY_INDEX: &str = "apiVersion: v1\nentries: {}\ngenerated: \"1970-01-01T00:00:00Z\"\n";

/// Who makes these commits: nobody in particular. `.invalid` is nobody's address (RFC 2606).
const WHO: &str = "chartflow <chartflow@chartflow.invalid>";

/// What a git object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file's bytes.
    Blob,
    /// A directory.
    Tree,
    /// A commit.
    Commit,
}

/// A git object that has to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its bytes, without git's header.
    pub bytes: Vec<u8>,
}

/// A commit without parents, and the objects it is made of, in an order in which each names only earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The commit.
    pub commit: CommitId,
    /// The objects that are new with it.
    pub objects: Vec<Object>,
}

/// A directory that is being put together.
#[derive(Default)]
struct Directory {
    charts: BTreeMap<String, TreeId>,
    below: BTreeMap<String, Directory>,
}

impl Directory {
    fn insert(&mut self, path: &str, tree: &TreeId) {
        match path.split_once('/') {
            // What lies in a chart is part of it already.
            Some((first, _)) if self.charts.contains_key(first) => {}
            Some((first, rest)) => self.below.entry(first.to_owned()).or_default().insert(rest, tree),
            None => {
                self.below.remove(path);
                self.charts.insert(path.to_owned(), tree.clone());
            }
        }
    }

    fn write(&self, format: ObjectFormat, objects: &mut Vec<Object>) -> Result<TreeId, TreeError> {
        let entry = |name: &String, id: &TreeId| Entry { name: name.clone(), mode: Mode::Directory, id: id.to_string() };
        let mut entries: Vec<Entry> = self.charts.iter().map(|(name, id)| entry(name, id)).collect();
        for (name, below) in &self.below {
            entries.push(entry(name, &below.write(format, objects)?));
        }
        tree(entries, format, objects)
    }
}

fn tree(entries: Vec<Entry>, format: ObjectFormat, objects: &mut Vec<Object>) -> Result<TreeId, TreeError> {
    let tree = Tree::new(entries)?;
    objects.push(Object { kind: Kind::Tree, bytes: tree.encode(format)? });
    tree.id(format)
}

fn commit(tree: &TreeId, message: &str, seconds: i64, format: ObjectFormat, mut objects: Vec<Object>) -> Result<Baseline, TreeError> {
    let bytes = format!("tree {tree}\nauthor {WHO} {seconds} +0000\ncommitter {WHO} {seconds} +0000\n\n{message}\n").into_bytes();
    let commit = CommitId::from_raw(&format.hash("commit", &bytes)).map_err(|source| TreeError::Id { name: String::new(), source })?;
    objects.push(Object { kind: Kind::Commit, bytes });
    Ok(Baseline { commit, objects })
}

/// The charts that main holds, as the state from which the train goes on: a tree of the charts' directories and nothing
/// else. `seconds` is the date of main's commit since 1970-01-01T00:00:00Z.
///
/// # Errors
/// When an id is not one of the format.
pub fn baseline(charts: &BTreeMap<RepoPath, TreeId>, seconds: i64, format: ObjectFormat) -> Result<Baseline, TreeError> {
    let mut top = Directory::default();
    for (path, tree) in charts {
        top.insert(path.as_str(), tree);
    }
    let mut objects = Vec::new();
    let tree = top.write(format, &mut objects)?;
    commit(&tree, "chore: adoption baseline", seconds, format, objects)
}

/// The release branch of a repository that has served nothing yet: an index without entries.
///
/// # Errors
/// Never for the formats there are.
pub fn empty_release(seconds: i64, format: ObjectFormat) -> Result<Baseline, TreeError> {
    let blob = Object { kind: Kind::Blob, bytes: EMPTY_INDEX.as_bytes().to_vec() };
    let id = hex::encode(format.hash("blob", &blob.bytes));
    let mut objects = vec![blob];
    let tree = tree(vec![Entry { name: "index.yaml".to_owned(), mode: Mode::File, id }], format, &mut objects)?;
    commit(&tree, "chore: an empty Helm repository", seconds, format, objects)
}
