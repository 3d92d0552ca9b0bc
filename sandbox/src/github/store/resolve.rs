//! From what people write to an object: ids, branches, tags, full ref names.

use gix::ObjectId;
use gix::objs::Kind;

use super::Store;

impl Store {
    /// An object id that exists, from its 40 digits or at least 7 of them.
    pub(crate) fn object(&self, text: &str) -> Option<ObjectId> {
        if !(7..=40).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        if text.len() == 40 {
            return ObjectId::from_hex(text.to_ascii_lowercase().as_bytes()).ok().filter(|id| self.kind(*id).is_some());
        }
        self.repository.rev_parse_single(text).ok().map(gix::Id::detach)
    }

    /// The commit a branch, tag, full ref name or id means; branches go before tags, and both before abbreviated ids.
    pub(crate) fn commitish(&self, text: &str) -> Option<ObjectId> {
        self.peel(self.named(text)?).filter(|(_, kind)| *kind == Kind::Commit).map(|(id, _)| id)
    }

    /// The directory that a branch, tag, full ref name, commit id or tree id means.
    pub(crate) fn treeish(&self, text: &str) -> Option<ObjectId> {
        match self.peel(self.named(text)?)? {
            (id, Kind::Tree) => Some(id),
            (id, Kind::Commit) => self.commit(id).map(|commit| commit.tree),
            _ => None,
        }
    }

    fn named(&self, text: &str) -> Option<ObjectId> {
        if text.len() == 40
            && let Some(id) = self.object(text)
        {
            return Some(id);
        }
        let full = text.strip_prefix("refs/").unwrap_or(text);
        let candidates = [format!("refs/heads/{text}"), format!("refs/tags/{text}"), format!("refs/{full}")];
        candidates.iter().find_map(|name| self.reference(name)).or_else(|| self.object(text))
    }

    /// What is at a path below a directory: its mode and id.
    pub(crate) fn at_path(&self, tree: ObjectId, path: &str) -> Option<(gix::objs::tree::EntryMode, ObjectId)> {
        let mut current = (gix::objs::tree::EntryKind::Tree.into(), tree);
        for component in path.split('/').filter(|component| !component.is_empty()) {
            let entries = self.tree(current.1)?.entries;
            let entry = entries.into_iter().find(|entry| entry.filename == component)?;
            current = (entry.mode, entry.oid);
        }
        Some(current)
    }
}
