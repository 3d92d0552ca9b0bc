//! The two things that `chartflow init` leaves in a repository beside files: objects, and refs that nobody has yet.

use gix::prelude::Write as _;
use gix::refs::transaction::PreviousValue;

use super::{GitError, LocalRepository};
use crate::domain::adoption::{Kind, Object};
use crate::domain::digest::CommitId;

impl LocalRepository {
    /// Writes objects; those that are there already stay as they are.
    ///
    /// # Errors
    /// [`GitError::Unwritable`].
    pub fn write_objects(&self, objects: &[Object]) -> Result<(), GitError> {
        let repository = self.handle();
        for Object { kind, bytes } in objects {
            let kind = match kind {
                Kind::Blob => gix::objs::Kind::Blob,
                Kind::Tree => gix::objs::Kind::Tree,
                Kind::Commit => gix::objs::Kind::Commit,
            };
            repository.write_buf(kind, bytes).map_err(|source| GitError::Unwritable { path: self.path.clone(), source: source.into() })?;
        }
        Ok(())
    }

    /// Makes a ref (`refs/…`) that must not exist.
    ///
    /// # Errors
    /// [`GitError::Unwritable`], also when the ref has come to exist.
    pub fn create_reference(&self, name: &str, commit: &CommitId) -> Result<(), GitError> {
        let unwritable = |source: Box<dyn std::error::Error + Send + Sync>| GitError::Unwritable { path: self.path.clone(), source };
        let id = gix::ObjectId::from_hex(commit.as_str().as_bytes()).map_err(|source| unwritable(source.into()))?;
        let repository = self.handle();
        repository.reference(name, id, PreviousValue::MustNotExist, "chartflow init").map_err(|source| unwritable(source.into()))?;
        Ok(())
    }

    /// The address of a remote, as the repository's own configuration has it.
    #[must_use]
    pub fn remote_url(&self, remote: &str) -> Option<String> {
        let repository = self.handle();
        let url = repository.config_snapshot().string(format!("remote.{remote}.url").as_str())?.to_string();
        Some(url)
    }
}
