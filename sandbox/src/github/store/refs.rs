//! Refs, with git's rule that a name cannot be a file and a directory at once.

use gix::ObjectId;
use gix::refs::Target;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};

use super::{Store, StoreError};

fn failed<E: std::error::Error + Send + Sync + 'static>(doing: &'static str) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Git { doing, source: Box::new(source) }
}

impl Store {
    /// What a ref points at; `None` when there is none of that full name.
    pub(crate) fn reference(&self, name: &str) -> Option<ObjectId> {
        let reference = self.repository.try_find_reference(name).ok().flatten()?;
        (reference.name().as_bstr() == name.as_bytes()).then(|| reference.try_id().map(gix::Id::detach))?
    }

    /// The refs whose full names begin with `prefix`, in order of names.
    pub(crate) fn references(&self, prefix: &str) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let platform = self.repository.references().map_err(failed("listing refs"))?;
        let directory = prefix.rfind('/').map_or("refs/", |end| &prefix[..=end]);
        let iterator = platform.prefixed(directory).map_err(failed("listing refs"))?;
        let mut found: Vec<(String, ObjectId)> = iterator
            .filter_map(Result::ok)
            .filter_map(|reference| Some((reference.name().as_bstr().to_string(), reference.try_id()?.detach())))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect();
        found.sort();
        Ok(found)
    }

    /// The ref that keeps `name` from existing, because one is a directory of the other.
    pub(crate) fn colliding(&self, name: &str) -> Result<Option<String>, StoreError> {
        for (end, _) in name.match_indices('/').filter(|(end, _)| *end > "refs/heads".len()) {
            if self.reference(&name[..end]).is_some() {
                return Ok(Some(name[..end].to_owned()));
            }
        }
        Ok(self.references(&format!("{name}/"))?.into_iter().next().map(|(name, _)| name))
    }

    /// Makes or moves a ref.
    pub(crate) fn set_reference(&self, name: &str, id: ObjectId) -> Result<(), StoreError> {
        let change = Change::Update { log: LogChange::default(), expected: PreviousValue::Any, new: Target::Object(id) };
        self.edit(name, change)
    }

    /// Removes a ref.
    pub(crate) fn delete_reference(&self, name: &str) -> Result<(), StoreError> {
        self.edit(name, Change::Delete { expected: PreviousValue::Any, log: RefLog::AndReference })
    }

    fn edit(&self, name: &str, change: Change) -> Result<(), StoreError> {
        let name = name.try_into().map_err(failed::<gix::validate::reference::name::Error>("reading a ref's name"))?;
        self.repository.edit_references_as([RefEdit { change, name, deref: false }], None).map(|_| ()).map_err(failed("editing a ref"))
    }

    /// Adds many refs at once. None of them may exist.
    pub(crate) fn import_references(&self, references: &[(String, ObjectId)]) -> Result<(), StoreError> {
        let edits = references
            .iter()
            .map(|(name, id)| {
                let name = name.as_str().try_into().map_err(failed::<gix::validate::reference::name::Error>("reading a ref's name"))?;
                let change = Change::Update { log: LogChange::default(), expected: PreviousValue::Any, new: Target::Object(*id) };
                Ok(RefEdit { change, name, deref: false })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        self.repository.edit_references_as(edits, None).map(|_| ()).map_err(failed("importing refs"))
    }
}
