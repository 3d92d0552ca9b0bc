//! A chart directory in the order in which helm walks it (helm `internal/sympath`): the names of each directory sorted
//! by bytes, depth first, symbolic links followed.

use std::collections::{BTreeMap, VecDeque};

use super::super::content::{DEPTH_LIMIT, Files};
use super::super::tree::Mode;
use super::ignore::IgnoreRules;

/// More files and directories than this, symbolic links followed, are refused.
pub const NODE_LIMIT: usize = 100_000;
/// Links that lead through more links than this are refused (what Linux allows).
const LINK_LIMIT: usize = 40;

/// Why a directory cannot be walked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalkError {
    /// The link's target is absolute or lies above the chart.
    #[error("{path} is a symbolic link to {target:?}, which lies outside the chart")]
    LinkOutside {
        /// The link.
        path: String,
        /// Its target as written.
        target: String,
    },
    /// The link's target does not exist, is no text, or leads in a circle.
    #[error("{path} is a symbolic link to {target:?}, which leads nowhere")]
    LinkBroken {
        /// The link.
        path: String,
        /// Its target as written.
        target: String,
    },
    /// A submodule's content is not part of the repository.
    #[error("{path} is a submodule; its content is not part of this repository")]
    Submodule {
        /// Where it stands.
        path: String,
    },
    /// Directories, symbolic links followed, are nested too deep; a link to a directory above itself does this.
    #[error("{path} lies more than {limit} directories deep")]
    Depth {
        /// The path.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// Too many files and directories.
    #[error("there are more than {limit} files and directories, symbolic links followed")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// A file that belongs into the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<'f> {
    /// Where helm sees it.
    pub(super) path: String,
    /// Where its bytes are: elsewhere than `path` behind a symbolic link.
    pub(super) source: String,
    pub(super) bytes: &'f [u8],
}

/// A directory's files as a tree.
pub(super) struct Directories<'f> {
    files: &'f Files,
    names: BTreeMap<&'f str, BTreeMap<&'f str, Node>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    File,
    Link,
    Submodule,
    Directory,
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

impl<'f> Directories<'f> {
    pub(super) fn new(files: &'f Files) -> Self {
        let mut names: BTreeMap<&str, BTreeMap<&str, Node>> = BTreeMap::from([("", BTreeMap::new())]);
        for (path, file) in files.iter() {
            let mut node = match file.mode {
                Mode::File | Mode::Executable => Node::File,
                Mode::Symlink => Node::Link,
                Mode::Submodule | Mode::Directory => Node::Submodule,
            };
            let mut rest = path;
            loop {
                let (parent, name) = rest.rsplit_once('/').unwrap_or(("", rest));
                let known = names.contains_key(parent);
                names.entry(parent).or_default().insert(name, node);
                if known || parent.is_empty() {
                    break;
                }
                (rest, node) = (parent, Node::Directory);
            }
        }
        Self { files, names }
    }

    fn node(&self, path: &str) -> Option<Node> {
        if path.is_empty() {
            return Some(Node::Directory);
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.names.get(parent)?.get(name).copied()
    }

    /// The file or directory a link leads to.
    fn resolve(&self, link: &str, shown: &str) -> Result<(String, Node), WalkError> {
        let bytes = self.files.get(link).map(|file| file.bytes.as_slice()).unwrap_or_default();
        let target = String::from_utf8_lossy(bytes).into_owned();
        let outside = || WalkError::LinkOutside { path: shown.to_owned(), target: target.clone() };
        let broken = || WalkError::LinkBroken { path: shown.to_owned(), target: target.clone() };
        let mut place = link.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
        let mut node = Node::Directory;
        let mut pending: VecDeque<String> = target.split('/').map(str::to_owned).collect();
        let mut links = 1;
        if target.starts_with('/') {
            return Err(outside());
        }
        if target.is_empty() {
            return Err(broken());
        }
        while let Some(component) = pending.pop_front() {
            if node != Node::Directory {
                return Err(broken());
            }
            match component.as_str() {
                "" | "." => continue,
                ".." if place.is_empty() => return Err(outside()),
                ".." => place = place.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned(),
                name => {
                    let next = join(&place, name);
                    node = self.node(&next).ok_or_else(broken)?;
                    if node != Node::Link {
                        place = next;
                        continue;
                    }
                    links += 1;
                    let further = self.files.get(&next).and_then(|file| std::str::from_utf8(&file.bytes).ok()).ok_or_else(broken)?;
                    if further.starts_with('/') {
                        return Err(outside());
                    }
                    if links > LINK_LIMIT {
                        return Err(broken());
                    }
                    further.split('/').rev().for_each(|component| pending.push_front(component.to_owned()));
                    node = Node::Directory;
                }
            }
        }
        Ok((place, node))
    }

    /// The bytes of the file at a path at the top, a link followed; `None` when there is nothing of that name.
    pub(super) fn file(&self, name: &str) -> Result<Option<&'f [u8]>, WalkError> {
        let place = match self.node(name) {
            Some(Node::Link) => self.resolve(name, name)?.0,
            _ => name.to_owned(),
        };
        Ok(self.files.bytes(&place))
    }

    /// The files that the rules leave, in helm's order.
    pub(super) fn walk(&self, rules: &IgnoreRules) -> Result<Vec<Found<'f>>, WalkError> {
        let mut found = Vec::new();
        let mut left = NODE_LIMIT;
        self.descend("", "", rules, &mut left, &mut found)?;
        Ok(found)
    }

    fn descend(&self, shown: &str, place: &str, rules: &IgnoreRules, left: &mut usize, found: &mut Vec<Found<'f>>) -> Result<(), WalkError> {
        if shown.split('/').count() > DEPTH_LIMIT {
            return Err(WalkError::Depth { path: shown.to_owned(), limit: DEPTH_LIMIT });
        }
        let Some(names) = self.names.get(place) else { return Ok(()) };
        for (name, &node) in names {
            *left = left.checked_sub(1).ok_or(WalkError::TooMany { limit: NODE_LIMIT })?;
            let path = join(shown, name);
            let (source, node) = match node {
                Node::Link => self.resolve(&join(place, name), &path)?,
                other => (join(place, name), other),
            };
            if rules.ignores(&path, node == Node::Directory) {
                continue;
            }
            match node {
                Node::Directory => self.descend(&path, &source, rules, left, found)?,
                Node::Submodule | Node::Link => return Err(WalkError::Submodule { path }),
                Node::File => {
                    if let Some(bytes) = self.files.bytes(&source) {
                        found.push(Found { path, source, bytes });
                    }
                }
            }
        }
        Ok(())
    }
}
