//! Ancestry.

use chartflow_core::io::git;
use gix::ObjectId;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use super::{Store, StoreError};

impl Store {
    /// The best common ancestor; `None` for unrelated histories.
    pub(crate) fn merge_base(&self, one: ObjectId, other: ObjectId) -> Option<ObjectId> {
        git::best_merge_base(&self.repository, one, other).ok().flatten()
    }

    /// Whether `ancestor` is `descendant` or one of its ancestors.
    pub(crate) fn is_ancestor(&self, ancestor: ObjectId, descendant: ObjectId) -> bool {
        ancestor == descendant || self.merge_base(ancestor, descendant) == Some(ancestor)
    }

    /// The commits reachable from `tip` and not from `hidden`, newest first by commit date, at most `limit`.
    pub(crate) fn history(&self, tip: ObjectId, hidden: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectId>, StoreError> {
        let failed = |source: gix::Error| StoreError::Git { doing: "walking the history", source: Box::new(source) };
        if let Some(hidden) = hidden {
            let mut found = git::reachable(&self.repository, tip, &[hidden]).map_err(failed)?;
            found.truncate(limit);
            return Ok(found);
        }
        let walk = self.repository.rev_walk([tip]).sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
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
