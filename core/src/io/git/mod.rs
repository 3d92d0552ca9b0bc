//! A local git repository, read with gix. Nothing writes to it but [`write`], which adds objects and refs and changes
//! none.
//!
//! Only the repository's own configuration is read, nothing of the environment, and no program is run: neither hooks
//! nor filters nor what a configuration names. Replacement refs are ignored, because an id must mean its content.

mod history;
mod objects;
mod remotes;
mod resolve;
mod write;

pub use history::{best_merge_base, reachable};
pub use remotes::Remotes;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use gix::bstr::ByteSlice as _;

use crate::domain::digest::{CommitId, ObjectFormat};

/// Why a local repository cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is nothing at the path.
    #[error("{} does not exist", .path.display())]
    Absent {
        /// The path.
        path: PathBuf,
    },
    /// The path is neither the top of a work tree nor a bare repository.
    #[error("{} is not the top of a git repository", .path.display())]
    NoRepository {
        /// The path.
        path: PathBuf,
        /// The directory above it that is one.
        above: Option<PathBuf>,
    },
    /// The repository belongs to another user, who could have prepared it.
    #[error("the git repository at {} belongs to another user", .path.display())]
    Ownership {
        /// The path that `safe.directory` has to name.
        path: PathBuf,
    },
    /// The repository is damaged, or of a kind that cannot be read.
    #[error("the git repository at {} cannot be read", .path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An object or ref could not be written.
    #[error("nothing can be written to the git repository at {}", .path.display())]
    Unwritable {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The repository has no commit yet.
    #[error("{reference} has no commit yet")]
    Unborn {
        /// What was asked for.
        reference: String,
    },
    /// Nothing goes by that name.
    #[error("{reference:?} is neither a branch, a tag nor a commit of this repository")]
    UnknownReference {
        /// What was asked for.
        reference: String,
        /// Names that are like it, the nearest first.
        near: Vec<String>,
        /// Whether the repository is a shallow clone, which often lacks branches.
        shallow: bool,
    },
    /// The commit is not there, but the repository is a shallow clone and may lack it.
    #[error("{reference} lies behind the boundary of this shallow clone")]
    BehindShallow {
        /// What was asked for.
        reference: String,
    },
    /// It names an object that is no commit.
    #[error("{reference:?} names a {kind}, not a commit")]
    NoCommit {
        /// What was asked for.
        reference: String,
        /// What it is.
        kind: String,
    },
}

/// An id means its content, and no object may claim more memory than a whole chart may have (a gibibyte and some).
const OVERRIDES: [&str; 2] = ["core.useReplaceRefs=false", "gitoxide.objects.allocLimit=1200000000"];
/// Bytes of objects kept for the next question.
const OBJECT_CACHE: usize = 4 << 20;
/// Bytes of unpacked objects kept because others may be stored as differences from them.
const DELTA_BASE_CACHE: usize = 16 << 20;

/// A work tree or bare repository on this machine.
#[derive(Debug, Clone)]
pub struct LocalRepository {
    path: PathBuf,
    /// One handle for all reads: its caches are worth more than reading in parallel.
    repository: Arc<Mutex<gix::Repository>>,
}

impl LocalRepository {
    /// Opens the work tree, linked work tree or bare repository whose top `path` is.
    ///
    /// A repository of another user is refused unless the user's or the system's git configuration names it in
    /// `safe.directory`, as git does since 2.35.2.
    ///
    /// # Errors
    /// See [`GitError`].
    pub fn open(path: &Path) -> Result<Self, GitError> {
        let permissions = gix::open::Permissions::isolated();
        match Self::open_with(path, permissions) {
            Err(error) if error.is_permission_denied() => {
                // Only now is it worth reading more than the repository's own configuration.
                let mut permissions = gix::open::Permissions::isolated();
                permissions.config = gix::open::permissions::Config { system: true, git: true, user: true, ..permissions.config };
                permissions.env.home = gix::sec::Permission::Allow;
                permissions.env.xdg_config_home = gix::sec::Permission::Allow;
                Self::open_with(path, permissions).map_err(|error| Self::open_error(path, error))
            }
            result => result.map_err(|error| Self::open_error(path, error)),
        }
    }

    /// The same for a repository that another user owns, such as a job's workspace seen from a container: as if
    /// `safe.directory` named it. Only objects and refs are read, no program of its configuration is run.
    ///
    /// # Errors
    /// See [`GitError`].
    pub fn open_whoever_owns_it(path: &Path) -> Result<Self, GitError> {
        let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
        Self::open_as(path, options).map_err(|error| Self::open_error(path, error))
    }

    fn open_with(path: &Path, permissions: gix::open::Permissions) -> Result<Self, gix::Error> {
        Self::open_as(path, gix::open::Options::isolated().permissions(permissions).bail_if_untrusted(true))
    }

    fn open_as(path: &Path, options: gix::open::Options) -> Result<Self, gix::Error> {
        let options = options.config_overrides(OVERRIDES);
        let mut repository = gix::ThreadSafeRepository::open_opts(path, options)?.to_thread_local();
        // The same commits and directories are asked for again and again, in short succession.
        repository.object_cache_size(OBJECT_CACHE);
        // Two versions of a directory are usually stored as differences from the same third one.
        repository.objects.set_pack_cache(|| Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(DELTA_BASE_CACHE)));
        Ok(Self { path: path.to_owned(), repository: Arc::new(Mutex::new(repository)) })
    }

    fn open_error(path: &Path, error: gix::Error) -> GitError {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if !path.exists() {
            return GitError::Absent { path };
        }
        if error.is_permission_denied() && is_repository(&path) {
            return GitError::Ownership { path };
        }
        if is_repository(&path) {
            return GitError::Unreadable { path, source: error.into() };
        }
        let above = path.ancestors().skip(1).find(|above| is_repository(above)).map(Path::to_owned);
        GitError::NoRepository { path, above }
    }

    /// The path it was opened at.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory with objects and refs (`.git`, or the repository itself when it is bare); of a linked work tree
    /// the one it shares with its main work tree.
    #[must_use]
    pub fn git_directory(&self) -> PathBuf {
        self.handle().common_dir().to_owned()
    }

    /// The top of the work tree; `None` for a bare repository.
    #[must_use]
    pub fn work_tree(&self) -> Option<PathBuf> {
        self.handle().workdir().map(Path::to_owned)
    }

    /// The hash function of its object ids.
    #[must_use]
    pub fn object_format(&self) -> ObjectFormat {
        format(&self.handle())
    }

    /// Whether history was cut when it was cloned (`git clone --depth`).
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.handle().is_shallow().unwrap_or(false)
    }

    /// Whether objects were left out when it was cloned (`git clone --filter`): git fetches them when it needs them, and
    /// nothing here does.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let packs = std::fs::read_dir(self.git_directory().join("objects/pack"));
        packs.is_ok_and(|packs| packs.flatten().any(|pack| pack.path().extension().is_some_and(|extension| extension == "promisor")))
    }

    /// The commit that a branch, tag, remote branch, abbreviated id or expression such as `HEAD~2` stands for.
    ///
    /// A plain branch name that is only known from a remote is found there too, `origin` first, as `git switch` does.
    ///
    /// # Errors
    /// [`GitError::UnknownReference`] and its neighbours.
    pub fn resolve(&self, reference: &str) -> Result<CommitId, GitError> {
        resolve::commit(self, reference)
    }

    /// The branch that HEAD stands on, without `refs/heads/`; `None` when it is detached.
    #[must_use]
    pub fn head_branch(&self) -> Option<String> {
        let repository = self.handle();
        let name = repository.head_name().ok().flatten()?;
        Some(name.shorten().to_str().ok()?.to_owned())
    }

    /// Every ref with the commit or other object it points to (annotated tags not followed), by name.
    ///
    /// # Errors
    /// [`GitError::Unreadable`]; refs whose names are not UTF-8 are left out, as nothing here can name them.
    pub fn references(&self) -> Result<Vec<(String, String)>, GitError> {
        let unreadable = |source: gix::Error| GitError::Unreadable { path: self.path.clone(), source: source.into() };
        let repository = self.handle();
        let mut references = Vec::new();
        for reference in repository.references().map_err(unreadable)?.all().map_err(unreadable)?.filter_map(Result::ok) {
            if let (Ok(name), Some(id)) = (reference.name().as_bstr().to_str(), reference.target().try_id()) {
                references.push((name.to_owned(), id.to_string()));
            }
        }
        Ok(references)
    }

    fn handle(&self) -> MutexGuard<'_, gix::Repository> {
        // Reading leaves nothing half done, so a handle that a panic let go is as good as before.
        self.repository.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a future that only reads locally: such a future never waits, so it needs no runtime. `None` when it
/// waits after all.
pub fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn format(repository: &gix::Repository) -> ObjectFormat {
    match repository.object_hash() {
        gix::hash::Kind::Sha256 => ObjectFormat::Sha256,
        _ => ObjectFormat::Sha1,
    }
}

fn is_repository(path: &Path) -> bool {
    path.join(".git").exists() || (path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir())
}

#[cfg(test)]
mod tests;
