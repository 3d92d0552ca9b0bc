//! Merges: git's own, without a work tree.

use gix::ObjectId;

use super::{Commit, Store, StoreError};

/// What a merge of two commits gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// A tree.
    Clean(ObjectId),
    /// Something for a person.
    Conflict,
}

impl Store {
    /// Merges two commits; without a common ancestor they conflict (`git merge-tree --write-tree`, git 2.38).
    pub(crate) fn merge(&self, ours: ObjectId, theirs: ObjectId) -> Result<Merge, StoreError> {
        let Some(base) = self.merge_base(ours, theirs) else { return Ok(Merge::Conflict) };
        // A merge of a commit with its descendant is the descendant; that spares a process.
        let newer = if base == ours { Some(theirs) } else { (base == theirs).then_some(ours) };
        if let Some(commit) = newer.and_then(|id| self.commit(id)) {
            return Ok(Merge::Clean(commit.tree));
        }
        let output = self.git("merge-tree", &["--write-tree", "--no-messages", &ours.to_string(), &theirs.to_string()], &[0, 1])?;
        if output.status.code() == Some(1) {
            return Ok(Merge::Conflict);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let tree = ObjectId::from_hex(text.trim().as_bytes());
        tree.map(Merge::Clean).map_err(|_| StoreError::Command { command: "merge-tree", output: text.into_owned() })
    }

    /// Applies what `commit` changed against its first parent to `onto`.
    ///
    /// The merge base is chosen by giving a helper commit with `onto`'s tree the same parent, because
    /// `merge-tree --merge-base` came only with git 2.40.
    pub(crate) fn pick(&self, commit: &Commit, id: ObjectId, onto: ObjectId) -> Result<Merge, StoreError> {
        let parent = commit.parents.first().copied();
        let tree_of = |id: ObjectId| self.commit(id).map(|commit| commit.tree);
        let onto_tree = tree_of(onto).ok_or_else(|| StoreError::Command { command: "merge-tree", output: format!("{onto} is not a commit") })?;
        if parent.and_then(tree_of) == Some(onto_tree) {
            return Ok(Merge::Clean(commit.tree));
        }
        let Some(parent) = parent else { return Ok(Merge::Conflict) };
        let helper = Commit { tree: onto_tree, parents: vec![parent], message: "helper\n".to_owned(), ..commit.clone() };
        let helper = self.write_commit(&helper)?;
        self.merge(helper, id)
    }
}
