//! The bare git repository behind the embedded GitHub.

mod diff;
mod error;
mod history;
mod merge;
mod objects;
mod process;
mod refs;
mod resolve;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;

pub(crate) use diff::FileChange;
pub use error::StoreError;
pub(crate) use merge::Merge;
pub(crate) use objects::{Commit, Signature, Tag};
pub(crate) use process::hermetic;

/// What was found to differ between two trees.
type Diffs = HashMap<(ObjectId, ObjectId), Arc<Vec<FileChange>>>;

/// Whether a text is the id of an object.
pub(crate) fn is(id: ObjectId, text: &str) -> bool {
    ObjectId::from_hex(text.as_bytes()).is_ok_and(|given| given == id)
}

/// A bare repository. Objects and refs are read and written in process; merges are git's own.
pub(crate) struct Store {
    repository: gix::Repository,
    path: PathBuf,
    diffs: RefCell<Diffs>,
}

impl Store {
    /// Makes an empty bare repository at `path`, borrowing the objects in `objects_from`.
    ///
    /// It is written by hand rather than by `git init`, so that no template or configuration of the user's gets in.
    pub(crate) fn create(path: &Path, default_branch: &str, objects_from: Option<&Path>) -> Result<Self, StoreError> {
        let io = |source| StoreError::Files { path: path.to_owned(), source };
        for directory in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            std::fs::create_dir_all(path.join(directory)).map_err(io)?;
        }
        std::fs::write(path.join("HEAD"), format!("ref: refs/heads/{default_branch}\n")).map_err(io)?;
        std::fs::write(path.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogallrefupdates = false\n").map_err(io)?;
        if let Some(objects) = objects_from {
            let objects = std::fs::canonicalize(objects).map_err(|source| StoreError::Files { path: objects.to_owned(), source })?;
            std::fs::write(path.join("objects/info/alternates"), format!("{}\n", objects.display())).map_err(io)?;
        }
        let mut repository = gix::open_opts(path, gix::open::Options::isolated().open_path_as_is(true))
            .map_err(|source| StoreError::Git { doing: "opening the repository", source: Box::new(source) })?;
        repository.object_cache_size(4 << 20);
        let store = Self { repository, path: path.to_owned(), diffs: RefCell::default() };
        if let Some(text) = objects_from.and_then(Path::parent).and_then(|git| std::fs::read_to_string(git.join("shallow")).ok()) {
            std::fs::write(path.join("shallow"), store.boundary(&text)).map_err(io)?;
        }
        Ok(store)
    }

    /// Where the history borrowed from a shallow clone ends: at those of the commits listed there whose parents are not
    /// there. A clone lists the tip of each branch, even where one is the parent of another.
    fn boundary(&self, listed: &str) -> String {
        let open = |line: &&str| {
            let commit = ObjectId::from_hex(line.trim().as_bytes()).ok().and_then(|id| self.commit(id));
            commit.is_some_and(|commit| commit.parents.iter().any(|parent| self.kind(*parent).is_none()))
        };
        listed.lines().filter(open).map(|line| format!("{line}\n")).collect()
    }
}
