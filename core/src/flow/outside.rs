//! Where two trees differ outside the charts, for the people who have to take it out of a pull request.

use std::fmt;

use super::FlowError;
use crate::domain::digest::TreeId;
use crate::domain::names::BranchName;
use crate::domain::tree::{Entry, Mode, Tree, shown};
use crate::port::objects::Objects;

/// So many paths are named.
const NAMED: usize = 3;
/// So many pairs of directories are read; every pair may be two requests. A directory beyond them counts as one path.
const DIRECTORIES: usize = 32;

/// Paths at which two trees differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outside {
    /// The first ones in git's order, names that are no text escaped.
    pub(super) first: Vec<String>,
    /// How many others there are, at least.
    pub(super) more: usize,
    /// Whether there may be still more: not every directory was read.
    pub(super) unread: bool,
    /// How many of them are directories whose names are not UTF-8 and that the other tree does not have.
    nameless_gone: usize,
}

impl Outside {
    /// What its author can do, where `main` is the branch that files outside charts go to. Nothing that is not UTF-8 can be
    /// part of a promotion, and so neither can its end: who gives such a directory a name does it in two steps.
    pub(super) fn hint(&self, main: &BranchName) -> String {
        let travel = format!("files outside charts travel by an ordinary pull request to {main}");
        match self.first.as_slice() {
            [first, others @ ..] if self.nameless_gone == self.first.len() + self.more => {
                let it = if others.is_empty() { first } else { "them" };
                format!("{travel}; open one that takes {it} away, and leave here what has a new name alone")
            }
            _ => format!("{travel}; open one for them"),
        }
    }

    fn add(&mut self, path: String) {
        if self.first.len() < NAMED { self.first.push(path) } else { self.more += 1 }
    }
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        match (self.more, self.unread) {
            (0, _) => Ok(()),
            (more, false) => write!(f, " and {more} more"),
            (more, true) => write!(f, " and at least {more} more"),
        }
    }
}

enum Step {
    File(String),
    /// A directory that is gone and whose name is not UTF-8.
    NamelessGone(String),
    /// The path with a `/` behind it, both sides, and what is left of the paths that do not count.
    Directory(String, [Option<TreeId>; 2], Vec<String>),
}

/// The paths at which two trees differ, but for those at and below `paths`. Only directories that differ are read.
///
/// # Errors
/// When a directory cannot be read.
pub(super) async fn outside(objects: &dyn Objects, one: &TreeId, other: &TreeId, paths: &[&str]) -> Result<Outside, FlowError> {
    let mut found = Outside::default();
    let mut read = 0;
    let top = Step::Directory(String::new(), [Some(one.clone()), Some(other.clone())], paths.iter().map(|path| (*path).to_owned()).collect());
    let mut todo = vec![top];
    while let Some(step) = todo.pop() {
        match step {
            Step::File(path) => found.add(path),
            Step::NamelessGone(path) => {
                found.nameless_gone += 1;
                found.add(path);
            }
            Step::Directory(path, _, _) if read >= DIRECTORIES => {
                found.unread = true;
                found.add(path);
            }
            Step::Directory(path, sides, paths) => {
                read += 1;
                let [one, other] = sides;
                let (one, other) = (directory(objects, one).await?, directory(objects, other).await?);
                // The last one is looked at first.
                todo.extend(differing(&path, &one, &other, &paths).into_iter().rev());
            }
        }
    }
    Ok(found)
}

async fn directory(objects: &dyn Objects, id: Option<TreeId>) -> Result<Tree, FlowError> {
    match id {
        Some(id) => Ok(objects.tree(&id).await?),
        None => Ok(Tree::default()),
    }
}

/// What differs within one directory, in git's order.
fn differing(at: &str, one: &Tree, other: &Tree, paths: &[String]) -> Vec<Step> {
    let mut steps: Vec<(Vec<u8>, Step)> = Vec::new();
    let mut add = |name: &[u8], step: Step| {
        let directory = matches!(step, Step::Directory(..)).then_some(b'/');
        steps.push((name.iter().copied().chain(directory).collect(), step));
    };
    let differs = |entry: &&Entry, there: &Tree| there.get(&entry.name) != Some(*entry);
    let here = one.entries().iter().filter(|entry| differs(entry, other)).map(|entry| (entry, other.get(&entry.name)));
    let gained = other.entries().iter().filter(|entry| one.get(&entry.name).is_none()).map(|entry| (entry, None));
    for (entry, counterpart) in here.chain(gained) {
        if paths.contains(&entry.name) {
            continue;
        }
        let path = format!("{at}{}", shown(entry.name.as_bytes()));
        if entry.mode == Mode::Directory && counterpart.is_none_or(|other| other.mode == Mode::Directory) {
            let below = paths.iter().filter_map(|path| path.strip_prefix(&entry.name)?.strip_prefix('/').map(str::to_owned)).collect();
            add(entry.name.as_bytes(), Step::Directory(format!("{path}/"), [entry.as_tree(), counterpart.and_then(Entry::as_tree)], below));
        } else {
            add(entry.name.as_bytes(), Step::File(path));
        }
    }
    for (tree, there) in [(one, other), (other, one)] {
        for entry in tree.raw_entries() {
            let counterpart = there.raw_entries().iter().find(|other| other.name == entry.name);
            // Of one that differs each side would tell the same.
            let told = counterpart == Some(entry) || counterpart.is_some() && std::ptr::eq(tree, other);
            if !told && !paths.contains(&entry.shown()) {
                let path = format!("{at}{}", entry.shown());
                add(
                    &entry.name,
                    match entry.mode {
                        Mode::Directory if counterpart.is_none() && std::ptr::eq(tree, one) => Step::NamelessGone(format!("{path}/")),
                        Mode::Directory => Step::File(format!("{path}/")),
                        _ => Step::File(path),
                    },
                );
            }
        }
    }
    steps.sort_by(|(a, _), (b, _)| a.cmp(b));
    steps.into_iter().map(|(_, step)| step).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use async_trait::async_trait;

    use super::*;
    use crate::domain::content::Files;
    use crate::domain::digest::{BlobId, CommitId, ObjectFormat};
    use crate::io::git::ready;
    use crate::port::objects::{Commit, ObjectError};

    /// Trees in memory, which counts how often it is asked.
    #[derive(Default)]
    struct Memory {
        trees: BTreeMap<TreeId, Tree>,
        asked: std::sync::Mutex<usize>,
    }

    impl Memory {
        fn add(&mut self, rows: &[(&str, &str)]) -> TreeId {
            let mut files = Files::new();
            rows.iter().for_each(|(path, content)| drop(files.insert(*path, *content)));
            let (top, trees) = files.trees(ObjectFormat::Sha1).unwrap();
            self.trees.extend(trees.into_values().map(|tree| (tree.id(ObjectFormat::Sha1).unwrap(), tree)));
            top
        }
    }

    #[async_trait]
    impl Objects for Memory {
        async fn tree(&self, id: &TreeId) -> Result<Tree, ObjectError> {
            *self.asked.lock().unwrap() += 1;
            Ok(self.trees[id].clone())
        }
        async fn commit(&self, _: &CommitId) -> Result<Commit, ObjectError> {
            panic!("trees alone")
        }
        async fn blob(&self, _: &BlobId, _: usize) -> Result<Vec<u8>, ObjectError> {
            panic!("trees alone")
        }
        async fn files(&self, _: &TreeId) -> Result<Files, ObjectError> {
            panic!("trees alone")
        }
        async fn merge_base(&self, _: &CommitId, _: &CommitId) -> Result<Option<CommitId>, ObjectError> {
            panic!("trees alone")
        }
        async fn history(&self, _: &CommitId, _: &[CommitId]) -> Result<Vec<Commit>, ObjectError> {
            panic!("trees alone")
        }
    }

    fn check(before: &[(&str, &str)], after: &[(&str, &str)], paths: &[&str]) -> String {
        let mut memory = Memory::default();
        let (before, after) = (memory.add(before), memory.add(after));
        let found = ready(outside(&memory, &before, &after, paths)).unwrap().unwrap();
        format!("{found} | directories read: {}", memory.asked.lock().unwrap())
    }

    #[test]
    fn names_the_first_paths() {
        let before = [("README.md", "1"), ("charts/a/x", "1"), ("docs/a", "1"), ("docs/b/c", "1"), ("same/x", "1"), ("gone/x", "1")];
        let after = [("README.md", "2"), ("charts/a/x", "2"), ("docs/a", "1"), ("docs/b/c", "2"), ("same/x", "1"), ("new/deep/x", "1")];
        insta::assert_snapshot!(check(&before, &after, &["charts/a"]), @"README.md, docs/b/c, gone/x and 1 more | directories read: 11");
        insta::assert_snapshot!(check(&before[..2], &after[..2], &["charts/a"]), @"README.md | directories read: 4");
        insta::assert_snapshot!(check(&before[..2], &after[..2], &["charts/b"]), @"README.md, charts/a/x | directories read: 6");
        insta::assert_snapshot!(check(&before[1..], &before[1..], &[]), @" | directories read: 2");
        // As git orders them: `a.b` before what is in `a`; a file that became a directory is one path.
        insta::assert_snapshot!(check(&[("x", "1")], &[("a/b", "1"), ("a.b", "1"), ("x/y", "1"), ("x.y", "\u{1b}")], &[]), @"a.b, a/b, x and 1 more | directories read: 3");
    }

    #[test]
    fn reads_no_more_than_it_has_to() {
        let rows: Vec<(String, &str)> = (0..100).map(|number| (format!("d{number:02}/x"), "1")).collect();
        let rows: Vec<(&str, &str)> = rows.iter().map(|(path, content)| (path.as_str(), *content)).collect();
        insta::assert_snapshot!(check(&[], &rows, &[]), @"d00/x, d01/x, d02/x and at least 97 more | directories read: 33");
    }
}
