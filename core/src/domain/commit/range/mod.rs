//! Which commits count for the release of one chart.
//!
//! Neither `main..integration` nor any single walk git offers is right, because main never holds the contributions: it
//! holds the chart's content under commits of its own. What counts is reachable from the promotion's source, not from
//! main, not from the source of the chart's last promotion that was merged to main, and not from the newest commit on
//! integration's first-parent line whose chart equals main's; it touches the chart, and is neither a merge nor the way
//! back. A squash stands for the pull request's own commits, each for the charts it touched.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::conventional::{co_authors, split_for, without_pull_number};
use super::{Author, Commit};
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::ChartName;

/// How a pull request was merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// One new commit for all.
    Squash,
    /// A new commit for each.
    Rebase,
}

/// One of a pull request's own commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContributedCommit {
    /// The commit.
    pub commit: Commit,
    /// The charts whose directory it changed against its first parent.
    pub charts: BTreeSet<ChartName>,
}

/// A pull request that was merged into integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// Its number.
    pub pull: u64,
    /// The last commit of its branch.
    pub head: CommitId,
    /// What GitHub names `merge_commit_sha`: the merge, the squash, or the last rebased commit.
    pub merge_commit: CommitId,
    /// How it was merged.
    pub method: MergeMethod,
    /// Its own commits, oldest first, as GitHub lists them.
    pub commits: Vec<ContributedCommit>,
}

/// The part of history that matters for one chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The chart.
    pub chart: ChartName,
    /// The commit on integration whose content is promoted.
    pub source: CommitId,
    /// The commits reachable from `source`, but neither from main nor from the source of the chart's last promotion
    /// that was merged to main; newest first.
    pub commits: Vec<Commit>,
    /// The chart's tree (`None`: no chart there) at each of these commits and at each of their parents.
    pub trees: BTreeMap<CommitId, Option<TreeId>>,
    /// The chart's tree on main.
    pub main: Option<TreeId>,
    /// Those of `commits` that brought main back into integration.
    pub ways_back: BTreeSet<CommitId>,
    /// The pull requests merged on the way, oldest first, as far as they are known.
    pub contributions: Vec<Contribution>,
    /// For a squash whose pull request is not among `contributions`: the charts it touched.
    pub touched: BTreeMap<CommitId, Vec<ChartName>>,
    /// Commits that an earlier release of the chart has counted, when they were squashed: a pull request stacked on a
    /// squashed one lists them again.
    pub counted_before: BTreeSet<CommitId>,
}

/// A commit that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Its id. After a squash the pull request's own commit, which no branch may hold any more.
    pub id: CommitId,
    /// Who wrote it.
    pub author: Author,
    /// When it was committed, in seconds since 1970-01-01T00:00:00Z.
    pub committed: i64,
    /// Its message. Of a squash whose own commits are not known, only what speaks about this chart, in GitHub's form.
    pub message: String,
    /// The pull request it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<u64>,
}

impl Counted {
    /// Who made it: its author, then those whom its message names as co-authors.
    pub fn people(&self) -> impl Iterator<Item = Author> + use<> {
        std::iter::once(self.author.clone()).chain(co_authors(&self.message))
    }
}

/// Why a commit does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It lies behind a commit of integration at which the chart equalled main's.
    Released,
    /// It lies on a side that a merge did not take for this chart, so that nothing of it is left.
    Dropped,
    /// It brings main back.
    WayBack,
    /// It has several parents.
    Merge,
    /// It does not change the chart.
    Untouched,
    /// It is a squash, in whose place the pull request's own commits are counted.
    Squash,
    /// It was counted already, here or for an earlier release.
    CountedBefore,
}

impl Reason {
    /// The reason as a clause that follows the commit.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "lies behind a state that main already holds",
            Self::Dropped => "was dropped by a merge",
            Self::WayBack => "brings main back",
            Self::Merge => "is a merge",
            Self::Untouched => "does not touch the chart",
            Self::Squash => "stands for its pull request's own commits",
            Self::CountedBefore => "was counted before",
        }
    }
}

/// The outcome: every commit of the history is counted or excluded, once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Range {
    /// The commits that count, newest first.
    pub counted: Vec<Counted>,
    /// The others, in the order met, each with its reason.
    pub excluded: Vec<(CommitId, Reason)>,
    /// The commit of integration behind which everything is on main already.
    pub stop: Option<CommitId>,
}

impl Range {
    /// The newest commit date among those that count, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.counted.iter().map(|counted| counted.committed).max()
    }
}

/// Why commits cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// The chart's tree at a commit that matters is not among the facts.
    #[error("the tree of chart {chart} at commit {commit} is not known")]
    Tree {
        /// The chart.
        chart: ChartName,
        /// The commit.
        commit: CommitId,
    },
}

impl History {
    fn tree(&self, commit: &CommitId) -> Result<&Option<TreeId>, RangeError> {
        self.trees.get(commit).ok_or_else(|| RangeError::Tree { chart: self.chart.clone(), commit: commit.clone() })
    }

    /// Counts.
    ///
    /// # Errors
    /// [`RangeError`] when a tree is missing from the facts.
    pub fn range(&self) -> Result<Range, RangeError> {
        let commits: BTreeMap<&CommitId, &Commit> = self.commits.iter().map(|commit| (&commit.id, commit)).collect();
        let stop = self.stop(&commits)?;
        let behind = stop.map(|stop| reachable(stop, &commits)).unwrap_or_default();
        let followed = self.followed(&commits, &behind)?;
        let pulls = self.pulls(&commits);
        let mut range = Range { stop: stop.cloned(), ..Range::default() };
        let mut seen: BTreeSet<CommitId> = self.counted_before.clone();
        for commit in &self.commits {
            match self.reason(commit, &behind, &followed)? {
                Some(reason) => range.excluded.push((commit.id.clone(), reason)),
                None => self.count(commit, &pulls, &mut seen, &mut range),
            }
        }
        Ok(range)
    }

    /// The newest commit on the first-parent line of integration at which the chart equals main's.
    fn stop<'a>(&'a self, commits: &BTreeMap<&'a CommitId, &'a Commit>) -> Result<Option<&'a CommitId>, RangeError> {
        let mut at = commits.get(&self.source);
        while let Some(commit) = at {
            if *self.tree(&commit.id)? == self.main {
                return Ok(Some(&commit.id));
            }
            at = commit.parents.first().and_then(|parent| commits.get(parent));
        }
        Ok(None)
    }

    /// The commits that a walk meets which, at a merge that took the chart unchanged from one side, follows that side
    /// only (git's default history simplification, `git log -- <path>`): what the other side did to the chart is not in
    /// the content.
    fn followed<'a>(&'a self, commits: &BTreeMap<&'a CommitId, &'a Commit>, behind: &BTreeSet<&CommitId>) -> Result<BTreeSet<&'a CommitId>, RangeError> {
        let mut followed = BTreeSet::new();
        let mut open: Vec<&CommitId> = vec![&self.source];
        while let Some(id) = open.pop() {
            let Some(commit) = commits.get(id).filter(|_| !behind.contains(id)) else { continue };
            if !followed.insert(&commit.id) {
                continue;
            }
            let tree = self.tree(id)?;
            let unchanged = commit.parents.iter().find(|parent| commit.parents.len() > 1 && self.trees.get(parent) == Some(tree));
            match unchanged {
                Some(parent) => open.push(parent),
                None => open.extend(&commit.parents),
            }
        }
        Ok(followed)
    }

    fn reason(&self, commit: &Commit, behind: &BTreeSet<&CommitId>, followed: &BTreeSet<&CommitId>) -> Result<Option<Reason>, RangeError> {
        if behind.contains(&commit.id) {
            return Ok(Some(Reason::Released));
        }
        if !followed.contains(&commit.id) {
            return Ok(Some(Reason::Dropped));
        }
        if self.ways_back.contains(&commit.id) {
            return Ok(Some(Reason::WayBack));
        }
        if commit.parents.len() > 1 {
            return Ok(Some(Reason::Merge));
        }
        let before = commit.parents.first().map_or(Ok(&None), |parent| self.tree(parent))?;
        Ok((before == self.tree(&commit.id)?).then_some(Reason::Untouched))
    }

    fn count(&self, commit: &Commit, pulls: &BTreeMap<CommitId, u64>, seen: &mut BTreeSet<CommitId>, range: &mut Range) {
        let pull = |commit: &Commit| pulls.get(&commit.id).copied();
        let squash = self.contributions.iter().find(|one| one.method == MergeMethod::Squash && one.merge_commit == commit.id);
        let mut stands_for_others = false;
        for own in squash.iter().flat_map(|squash| squash.commits.iter().rev()) {
            let reason = if own.commit.parents.len() > 1 {
                Some(Reason::Merge)
            } else if !own.charts.contains(&self.chart) {
                Some(Reason::Untouched)
            } else {
                stands_for_others = true;
                (!seen.insert(own.commit.id.clone())).then_some(Reason::CountedBefore)
            };
            match reason {
                Some(reason) => range.excluded.push((own.commit.id.clone(), reason)),
                None => range.counted.push(counted(&own.commit, own.commit.message.clone(), pull(&own.commit))),
            }
        }
        if stands_for_others {
            range.excluded.push((commit.id.clone(), Reason::Squash));
            return;
        }
        let message = match self.touched.get(&commit.id) {
            Some(touched) if squash.is_none() => joined(commit, split_for(&commit.message, &self.chart, touched)),
            _ => commit.message.clone(),
        };
        seen.insert(commit.id.clone());
        range.counted.push(counted(commit, message, pull(commit)));
    }

    /// Which pull request a commit came with. A rebase made new commits, so its are found by their messages.
    fn pulls(&self, commits: &BTreeMap<&CommitId, &Commit>) -> BTreeMap<CommitId, u64> {
        let mut pulls = BTreeMap::new();
        for one in &self.contributions {
            for id in one.commits.iter().map(|own| &own.commit.id).chain([&one.merge_commit]) {
                pulls.entry(id.clone()).or_insert(one.pull);
            }
            if one.method != MergeMethod::Rebase {
                continue;
            }
            let mut own = one.commits.iter().rev().filter(|own| own.commit.parents.len() < 2).peekable();
            let mut at = commits.get(&one.merge_commit);
            while let (Some(commit), Some(expected)) = (at, own.peek()) {
                if commit.message.trim_end() == expected.commit.message.trim_end() {
                    pulls.insert(commit.id.clone(), one.pull);
                    at = commit.parents.first().and_then(|parent| commits.get(parent));
                }
                own.next();
            }
        }
        pulls
    }
}

fn reachable<'a>(from: &'a CommitId, commits: &BTreeMap<&'a CommitId, &'a Commit>) -> BTreeSet<&'a CommitId> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if let Some(commit) = commits.get(id)
            && found.insert(&commit.id)
        {
            open.extend(&commit.parents);
        }
    }
    found
}

fn counted(commit: &Commit, message: String, pull: Option<u64>) -> Counted {
    let pull = pull.or_else(|| without_pull_number(commit.message.lines().next().unwrap_or_default()).1);
    Counted { id: commit.id.clone(), author: commit.author.clone(), committed: commit.committed, message, pull }
}

/// Parts in the form they were split from, so that reading the message again finds the same parts.
fn joined(commit: &Commit, mut parts: Vec<String>) -> String {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_else(|| commit.message.clone());
    }
    let title = commit.message.lines().next().map(|title| without_pull_number(title).0);
    // A part with a body cannot be the title: the list has to begin right below it.
    let own = parts.first().is_some_and(|part| Some(without_pull_number(part).0) == title);
    let head = if own { parts.remove(0) } else { "Squashed".to_owned() };
    parts.into_iter().fold(head, |message, part| format!("{message}\n\n* {part}"))
}

#[cfg(test)]
mod tests;
