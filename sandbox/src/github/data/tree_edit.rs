//! A tree made of another one and a list of changes.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::Tree;
use gix::objs::tree::{Entry, EntryKind, EntryMode};

use crate::github::http::ApiError;
use crate::github::store::Store;
use crate::github::update::broken;

/// What is at a path afterwards.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    /// This.
    Put(EntryMode, ObjectId),
    /// Nothing.
    Delete,
}

/// Changes by path component. A change at a directory comes before those inside it, so that a subtree can be grafted
/// and then adjusted in one request.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    here: Option<Change>,
    inside: BTreeMap<String, Edits>,
}

impl Edits {
    /// Adds a change at a path that was checked before.
    pub(crate) fn add(&mut self, path: &str, change: Change) {
        let mut node = self;
        for component in path.split('/') {
            node = node.inside.entry(component.to_owned()).or_default();
        }
        node.here = Some(change);
    }

    /// The tree after the changes. A directory left without entries disappears.
    ///
    /// 422 when something is deleted that is not there.
    pub(crate) fn apply(&self, store: &Store, base: Option<ObjectId>) -> Result<ObjectId, ApiError> {
        let tree = self.applied(store, base)?;
        store.write_tree(tree).map_err(broken)
    }

    fn applied(&self, store: &Store, base: Option<ObjectId>) -> Result<Tree, ApiError> {
        let mut tree = match base {
            Some(id) => store.tree(id).ok_or_else(bad_object)?,
            None => Tree::empty(),
        };
        for (name, edits) in &self.inside {
            let position = tree.entries.iter().position(|entry| entry.filename == name.as_str());
            let existing = position.map(|position| tree.entries.remove(position));
            if let Some(entry) = edits.entry(store, name, existing)? {
                tree.entries.push(entry);
            }
        }
        Ok(tree)
    }

    /// The entry of this name after the changes at it and inside it.
    fn entry(&self, store: &Store, name: &str, existing: Option<Entry>) -> Result<Option<Entry>, ApiError> {
        let entry = match self.here {
            None => existing,
            Some(Change::Put(mode, oid)) => Some(Entry { mode, filename: name.into(), oid }),
            Some(Change::Delete) if existing.is_none() => return Err(bad_object()),
            Some(Change::Delete) => None,
        };
        if self.inside.is_empty() {
            return Ok(entry.filter(|entry| !entry.mode.is_tree() || entry.oid != ObjectId::empty_tree(entry.oid.kind())));
        }
        let base = entry.filter(|entry| entry.mode.is_tree()).map(|entry| entry.oid);
        let tree = self.applied(store, base)?;
        if tree.entries.is_empty() {
            return Ok(None);
        }
        let oid = store.write_tree(tree).map_err(broken)?;
        Ok(Some(Entry { mode: EntryKind::Tree.into(), filename: name.into(), oid }))
    }
}

/// GitHub's answer when a tree cannot be made of what was given.
pub(super) fn bad_object() -> ApiError {
    ApiError::unprocessable("GitRPC::BadObjectState")
}
