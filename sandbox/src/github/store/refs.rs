//! Refs, with git's rule that a name cannot be a file and a directory at once.

use std::collections::BTreeMap;

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
        // gix refuses directories whose names another operating system could not write.
        let iterator = platform.prefixed(directory).or_else(|_| platform.prefixed("refs/")).map_err(failed("listing refs"))?;
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

    /// Adds many refs at once, packed into one file. None of them may exist.
    pub(crate) fn import_references(&self, references: &[(String, ObjectId)]) -> Result<(), StoreError> {
        let path = self.path.join("packed-refs");
        let io = |source| StoreError::Files { path: path.clone(), source };
        let present = if path.exists() { std::fs::read_to_string(&path).map_err(io)? } else { String::new() };
        let mut packed: BTreeMap<&str, String> = present
            .lines()
            .filter(|line| !line.starts_with(['#', '^']))
            .filter_map(|line| line.split_once(' ').map(|(id, name)| (name, id.to_owned())))
            .collect();
        packed.extend(references.iter().map(|(name, id)| (name.as_str(), id.to_string())));
        let mut text = String::from("# pack-refs with: sorted \n");
        for (name, id) in &packed {
            text.push_str(&format!("{id} {name}\n"));
        }
        let new = self.path.join("packed-refs.new");
        std::fs::write(&new, text).map_err(io)?;
        std::fs::rename(&new, &path).map_err(io)
    }
}
