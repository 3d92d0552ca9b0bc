//! The commits that one commit reaches and others do not, and where two histories meet.
//!
//! Two colours flow from children to parents, newest commit first, until nothing is left that only the tip reaches.
//! Dates need not follow the history (clocks are wrong, commits are rebased), so a hidden commit with a date far too
//! old may still wait while its ancestors were taken for visible. git goes on for five commits more, and errs beyond
//! (`SLOP` in git's revision.c). Here the walk goes on from both ends of the queue, because a commit whose
//! date is far too old waits at the old end: a run of wrong dates as long as half of [`SLOP`] is seen through.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

use gix::revwalk::graph::Commit;
use gix::{ObjectId, Repository};

/// How many commits are looked at beyond the point where consistent dates would have told everything.
const SLOP: usize = 512;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Colors {
    visible: bool,
    hidden: bool,
}

impl Colors {
    fn only_visible(self) -> bool {
        self.visible && !self.hidden
    }
}

struct Walk<'repository, 'cache> {
    graph: gix::revwalk::Graph<'repository, 'cache, Commit<Colors>>,
    /// Commits whose colours their parents do not have yet, by date.
    queue: BTreeSet<(i64, ObjectId)>,
    /// How many of them only the tip reaches.
    open: usize,
    /// Commits that only the tip was seen to reach.
    seen: Vec<ObjectId>,
}

impl Walk<'_, '_> {
    /// Adds colours to a commit. Commits behind the boundary of a shallow clone are not there and left out.
    fn paint(&mut self, id: ObjectId, colors: Colors) -> gix::Result<()> {
        let Some(commit) = self.graph.get_or_insert_full_commit(id, |_| {})? else { return Ok(()) };
        let before = commit.data;
        let after = Colors { visible: before.visible || colors.visible, hidden: before.hidden || colors.hidden };
        if after == before {
            return Ok(());
        }
        let date = commit.commit_time;
        if let Some(commit) = self.graph.get_mut(&id) {
            commit.data = after;
        }
        let waiting = !self.queue.insert((date, id));
        self.open -= usize::from(waiting && before.only_visible());
        self.open += usize::from(after.only_visible());
        Ok(())
    }

    fn visit(&mut self, (date, id): (i64, ObjectId)) -> gix::Result<()> {
        self.queue.remove(&(date, id));
        let Some(commit) = self.graph.get(&id) else { return Ok(()) };
        let (colors, parents) = (commit.data, commit.parents.clone());
        if colors.only_visible() {
            self.open -= 1;
            self.seen.push(id);
        }
        parents.into_iter().try_for_each(|parent| self.paint(parent, colors))
    }

    fn date(&self, id: &ObjectId) -> i64 {
        self.graph.get(id).map_or(i64::MIN, |commit| commit.commit_time)
    }

    fn only_visible(&self, id: &ObjectId) -> bool {
        self.graph.get(id).is_some_and(|commit| commit.data.only_visible())
    }

    fn run(&mut self) -> gix::Result<()> {
        while self.open > 0 {
            let Some(newest) = self.queue.last().copied() else { break };
            self.visit(newest)?;
        }
        let Some(oldest_seen) = self.seen.iter().filter(|id| self.only_visible(id)).map(|id| self.date(id)).min() else { return Ok(()) };
        while let Some(newest) = self.queue.last().copied().filter(|(date, _)| *date >= oldest_seen) {
            self.visit(newest)?;
        }
        for turn in 0..SLOP {
            let end = if turn % 2 == 0 { self.queue.first() } else { self.queue.last() };
            let Some(next) = end.copied() else { break };
            self.visit(next)?;
        }
        Ok(())
    }

    /// What was found, in the order of `git rev-list`: newest first among those whose children were listed.
    fn listed(&self, tip: ObjectId) -> Vec<ObjectId> {
        let mut ready = BTreeSet::from([(Reverse(self.date(&tip)), 0, tip)]);
        let (mut listed, mut queued) = (Vec::new(), HashSet::from([tip]));
        while let Some((_, _, id)) = ready.pop_first() {
            if !self.only_visible(&id) {
                continue;
            }
            listed.push(id);
            for parent in self.graph.get(&id).into_iter().flat_map(|commit| commit.parents.iter().copied()) {
                if queued.insert(parent) {
                    ready.insert((Reverse(self.date(&parent)), queued.len(), parent));
                }
            }
        }
        listed
    }
}

/// The best common ancestor of two commits; `None` for unrelated histories.
///
/// Merges that cross have several best bases. git, and so GitHub's comparisons, takes the newest of them
/// (`get_merge_bases_many` in git's commit-reach.c); gix gives the one that its walk met first. Where merges have a
/// parent in common, gix 0.90 also leaves bases in the list that others of the list reach, so these are left out here.
///
/// # Errors
/// When a commit is absent or cannot be read.
pub fn best_merge_base(repository: &Repository, one: ObjectId, other: ObjectId) -> gix::Result<Option<ObjectId>> {
    let cache = repository.commit_graph_if_enabled()?;
    let mut graph = repository.revision_graph(cache.as_ref());
    let mut bases: Vec<ObjectId> = repository.merge_bases_many_with_graph(one, &[other], &mut graph)?.into_iter().map(gix::Id::detach).collect();
    bases.sort_by_key(|base| Reverse(graph.get(base).map_or(i64::MIN, |commit| commit.commit_time)));
    'bases: for base in &bases {
        for other in bases.iter().filter(|other| *other != base) {
            if reachable(repository, *base, &[*other])?.is_empty() {
                continue 'bases;
            }
        }
        return Ok(Some(*base));
    }
    Ok(None)
}

/// The commits reachable from `tip` and from none of `hidden`, newest first.
///
/// # Errors
/// When a commit cannot be read.
pub fn reachable(repository: &Repository, tip: ObjectId, hidden: &[ObjectId]) -> gix::Result<Vec<ObjectId>> {
    let cache = repository.commit_graph_if_enabled()?;
    let mut walk = Walk { graph: repository.revision_graph(cache.as_ref()), queue: BTreeSet::new(), open: 0, seen: Vec::new() };
    walk.paint(tip, Colors { visible: true, hidden: false })?;
    for id in hidden {
        walk.paint(*id, Colors { visible: false, hidden: true })?;
    }
    walk.run()?;
    Ok(walk.listed(tip))
}
