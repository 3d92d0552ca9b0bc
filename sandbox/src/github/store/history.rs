//! Ancestry.

use gix::ObjectId;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use super::{Store, StoreError};

impl Store {
    /// The best common ancestor; `None` for unrelated histories.
    pub(crate) fn merge_base(&self, one: ObjectId, other: ObjectId) -> Option<ObjectId> {
        self.repository.merge_base(one, other).ok().flatten().map(gix::Id::detach)
    }

    /// Whether `ancestor` is `descendant` or one of its ancestors.
    pub(crate) fn is_ancestor(&self, ancestor: ObjectId, descendant: ObjectId) -> bool {
        ancestor == descendant || self.merge_base(ancestor, descendant) == Some(ancestor)
    }

    /// The commits reachable from `tip` and not from `hidden`, newest first by commit date, at most `limit`.
    pub(crate) fn history(&self, tip: ObjectId, hidden: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>, StoreError> {
        let failed = |source: gix::Error| StoreError::Git { doing: "walking the history", source: Box::new(source) };
        let walk = self.repository.rev_walk([tip]).with_hidden(hidden).sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
        let mut found = Vec::new();
        for commit in walk.all().map_err(failed)? {
            if found.len() == limit {
                break;
            }
            found.push(commit.map_err(failed)?.id);
        }
        Ok(found)
    }
}
