//! Content identity: a chart at a commit *is* its git tree.
//!
//! The trusted id is the tree's id in git's SHA-256 object format, computed from the files' bytes; the SHA-1 id, which
//! GitHub knows, is its index only. Both are what
//! `git init --object-format=… && git add -A -f && git write-tree` prints for the same files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::{ObjectFormat, Sha256, TreeId};
use super::tree::{Entry, Mode, Tree, TreeError};

/// Files of one directory larger than this together are refused, so that hostile content cannot exhaust memory.
pub const CONTENT_LIMIT: u64 = 512 << 20;
/// Directories nested deeper than this are refused.
pub const DEPTH_LIMIT: usize = 32;

/// One file of a chart as git stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Regular, executable or symbolic link; never a directory or submodule.
    pub mode: Mode,
    /// The content; of a symbolic link its target.
    pub bytes: Vec<u8>,
}

/// Both ids of one content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentId {
    /// The SHA-1 tree id: how GitHub finds the content. Never trusted alone.
    pub sha1: TreeId,
    /// The SHA-256 tree id: the identity.
    pub sha256: Sha256,
}

/// Why a directory has no content identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// A submodule: its content is not in this repository.
    #[error("{path} is a submodule; its content is not part of this repository")]
    Submodule {
        /// Where it stands.
        path: String,
    },
    /// A path that is a file and a directory at once, or otherwise no path.
    #[error("{path:?} cannot be a file in a git tree")]
    Path {
        /// The path.
        path: String,
        /// The cause, where there is one.
        source: Option<TreeError>,
    },
    /// Too many directories within each other.
    #[error("{path} lies more than {limit} directories deep")]
    Depth {
        /// The path.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// Too many bytes.
    #[error("the files hold more than {limit} bytes together")]
    Size {
        /// The limit.
        limit: u64,
    },
}

/// The files below one directory, by path relative to it. Empty directories do not exist, as in git.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    files: BTreeMap<String, File>,
}

impl Files {
    /// No file at all; its tree is git's empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a regular file.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Option<File> {
        let path = path.into();
        let mode = self.files.get(&path).map_or(Mode::File, |f| f.mode);
        self.files.insert(path, File { mode, bytes: bytes.into() })
    }

    /// Adds or replaces a file of any mode.
    pub fn insert_file(&mut self, path: impl Into<String>, file: File) -> Option<File> {
        self.files.insert(path.into(), file)
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &str) -> Option<File> {
        self.files.remove(path)
    }

    /// The file at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// The bytes of a regular file at a path (not of a symbolic link).
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).filter(|f| f.mode != Mode::Symlink).map(|f| f.bytes.as_slice())
    }

    /// All files, by path in byte order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files below a directory, with paths relative to it.
    #[must_use]
    pub fn below(&self, directory: &str) -> Self {
        let prefix = format!("{directory}/");
        Self { files: self.files.iter().filter_map(|(path, file)| Some((path.strip_prefix(&prefix)?.to_owned(), file.clone()))).collect() }
    }

    /// Both ids of this content.
    ///
    /// # Errors
    /// See [`ContentError`].
    pub fn content_id(&self) -> Result<ContentId, ContentError> {
        let (sha1, _) = self.trees(ObjectFormat::Sha1)?;
        let (sha256, _) = self.trees(ObjectFormat::Sha256)?;
        let path = || ContentError::Path { path: String::new(), source: None };
        Ok(ContentId { sha1, sha256: sha256.as_str().parse().map_err(|_| path())? })
    }

    /// The id of the top directory and every tree object below and with it, by its path (`""` is the top).
    ///
    /// # Errors
    /// See [`ContentError`].
    pub fn trees(&self, format: ObjectFormat) -> Result<(TreeId, BTreeMap<String, Tree>), ContentError> {
        if self.files.values().map(|f| f.bytes.len() as u64).sum::<u64>() > CONTENT_LIMIT {
            return Err(ContentError::Size { limit: CONTENT_LIMIT });
        }
        let mut directories: BTreeMap<String, Vec<Entry>> = BTreeMap::from([(String::new(), Vec::new())]);
        for (path, file) in &self.files {
            if matches!(file.mode, Mode::Directory | Mode::Submodule) {
                return Err(ContentError::Submodule { path: path.clone() });
            }
            if path.split('/').count() > DEPTH_LIMIT {
                return Err(ContentError::Depth { path: path.clone(), limit: DEPTH_LIMIT });
            }
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            let mut ancestor = parent;
            while !ancestor.is_empty() {
                directories.entry(ancestor.to_owned()).or_default();
                ancestor = ancestor.rsplit_once('/').map_or("", |(up, _)| up);
            }
            let id = hex::encode(format.hash("blob", &file.bytes));
            directories.entry(parent.to_owned()).or_default().push(Entry { name: name.to_owned(), mode: file.mode, id });
        }
        let mut trees = BTreeMap::new();
        let mut top = None;
        // Deepest first, so that a directory's id is known before its parent's entry is made.
        let mut paths: Vec<String> = directories.keys().cloned().collect();
        paths.sort_by_key(|path| std::cmp::Reverse(if path.is_empty() { 0 } else { path.split('/').count() }));
        for path in paths {
            let bad = |source| ContentError::Path { path: path.clone(), source: Some(source) };
            let tree = Tree::new(directories.remove(&path).unwrap_or_default()).map_err(bad)?;
            let id = tree.id(format).map_err(bad)?;
            trees.insert(path.clone(), tree);
            if path.is_empty() {
                top = Some(id);
            } else {
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
                directories.entry(parent.to_owned()).or_default().push(Entry { name: name.to_owned(), mode: Mode::Directory, id: id.to_string() });
            }
        }
        top.map(|id| (id, trees)).ok_or(ContentError::Path { path: String::new(), source: None })
    }
}

impl FromIterator<(String, File)> for Files {
    fn from_iter<I: IntoIterator<Item = (String, File)>>(files: I) -> Self {
        Self { files: files.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What git itself says, in one object format.
    fn git_tree(files: &Files, format: &str) -> String {
        let top = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let out = Command::new("git").current_dir(top.path()).args(args).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", top.path()).output().unwrap();
            assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8(out.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q", "--object-format", format]);
        for (path, file) in files.iter() {
            let at = top.path().join(path);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            if file.mode == Mode::Symlink {
                std::os::unix::fs::symlink(String::from_utf8(file.bytes.clone()).unwrap(), &at).unwrap();
                continue;
            }
            std::fs::write(&at, &file.bytes).unwrap();
            if file.mode == Mode::Executable {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&at, std::fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        git(&["-c", "core.autocrlf=false", "add", "-A", "-f"]);
        git(&["write-tree"])
    }

    fn check(files: &Files) {
        let id = files.content_id().unwrap();
        assert_eq!(id.sha1.as_str(), git_tree(files, "sha1"));
        assert_eq!(id.sha256.to_string(), git_tree(files, "sha256"));
    }

    #[test]
    fn ids_are_git_s_own() {
        check(&Files::new());
        let mut files = Files::new();
        files.insert("Chart.yaml", "name: a\n");
        files.insert("empty", "");
        files.insert("templates/a.yaml", "x");
        files.insert("templates.yaml", "sorts before the directory");
        files.insert("templates-b/deep/er/file", "\r\n\0");
        files.insert("ünïcode", "x");
        files.insert("huge", vec![b'x'; 9 << 20]);
        files.insert_file("run.sh", File { mode: Mode::Executable, bytes: b"#!/bin/sh\n".to_vec() });
        files.insert_file("link", File { mode: Mode::Symlink, bytes: b"templates/a.yaml".to_vec() });
        check(&files);
    }

    #[test]
    fn refuses_what_has_no_identity() {
        let mut files = Files::new();
        files.insert_file("sub", File { mode: Mode::Submodule, bytes: vec![] });
        insta::assert_snapshot!(files.content_id().unwrap_err(), @"sub is a submodule; its content is not part of this repository");
        let mut files = Files::new();
        files.insert("a", "file");
        files.insert("a/b", "and directory");
        assert!(files.content_id().is_err());
        let mut files = Files::new();
        files.insert(["d"; 40].join("/"), "deep");
        assert!(matches!(files.content_id(), Err(ContentError::Depth { .. })));
    }
}
