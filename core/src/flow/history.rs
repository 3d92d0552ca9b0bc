//! Gathering the part of history that a release of one chart takes.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::Chain;
use super::listing::{listing, subtree};
use super::pulls::record;
use super::tips::{Pair, Tips};
use super::{FlowError, Train};
use crate::domain::commit::range::{ContributedCommit, Contribution, History, MergeMethod};
use crate::domain::commit::{Author, Commit};
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::statement::PullRecord;
use crate::port::github::Pull;
use crate::port::objects;

/// What a release takes of integration's history.
#[derive(Debug, Clone)]
pub(crate) struct Gathered {
    pub(crate) history: History,
    pub(crate) records: Vec<PullRecord>,
    /// Pull requests that brought the chart's content from main again, in commits that do not count.
    pub(crate) returning: BTreeSet<u64>,
}

pub(crate) fn commit_of(commit: &objects::Commit) -> Commit {
    Commit {
        id: commit.id.clone(),
        parents: commit.parents.clone(),
        author: Author { name: commit.author.name.clone(), email: commit.author.email.clone() },
        committed: commit.committed,
        message: commit.message.clone(),
    }
}

/// Reads the history between the source of the chart's last release and integration.
///
/// # Errors
/// When an object or a pull request cannot be read.
pub(crate) async fn gather(train: &Train, tips: &Tips, chart: &ChartName, pair: &Pair, last: Option<&Chain>) -> Result<Gathered, FlowError> {
    let objects = &*train.objects;
    let mut hidden = vec![tips.main.clone()];
    hidden.extend(last.and_then(Chain::promotion).map(|promotion| promotion.commit.clone()));
    let found = objects.history(&tips.integration, &hidden).await?;
    let ids: BTreeSet<&CommitId> = found.iter().map(|commit| &commit.id).collect();
    let paths: Vec<&RepoPath> = pair.new.iter().chain(&pair.old).map(|place| &place.path).collect();
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let mut trees: BTreeMap<CommitId, Option<TreeId>> = BTreeMap::new();
    for commit in &found {
        trees.insert(commit.id.clone(), tree_at(train, &patterns, chart, &commit.tree, &paths).await?);
    }
    for parent in found.iter().flat_map(|commit| &commit.parents) {
        if !trees.contains_key(parent) {
            let tree = objects.commit(parent).await?.tree;
            trees.insert(parent.clone(), tree_at(train, &patterns, chart, &tree, &paths).await?);
        }
    }
    let from_main = async |parent: &CommitId| -> Result<bool, FlowError> {
        Ok(!ids.contains(parent) && objects.merge_base(parent, &tips.main).await?.as_ref() == Some(parent))
    };
    let mut ways_back = BTreeSet::new();
    for commit in found.iter().filter(|commit| commit.parents.len() > 1) {
        for parent in commit.parents.iter().skip(1) {
            if from_main(parent).await? {
                ways_back.insert(commit.id.clone());
            }
        }
    }
    let mut gathered = Gathered {
        history: History {
            chart: chart.clone(),
            source: tips.integration.clone(),
            commits: found.iter().map(commit_of).collect(),
            trees,
            main: pair.old.as_ref().map(|place| place.tree.clone()),
            ways_back,
            contributions: Vec::new(),
            touched: BTreeMap::new(),
            counted_before: last
                .and_then(Chain::promotion)
                .map(|promotion| promotion.commits.iter().map(|commit| commit.id.clone()).collect())
                .unwrap_or_default(),
        },
        records: Vec::new(),
        returning: BTreeSet::new(),
    };
    contributions(train, tips, &found, &mut gathered).await?;
    Ok(gathered)
}

/// The chart's content in a tree: where it stands or stood, else in a directory of its name.
async fn tree_at(train: &Train, patterns: &Globs, chart: &ChartName, root: &TreeId, paths: &[&RepoPath]) -> Result<Option<TreeId>, FlowError> {
    for path in paths {
        if let Some(tree) = subtree(&*train.objects, root, path.as_str()).await? {
            return Ok(Some(tree));
        }
    }
    let found = listing(&*train.objects, root, patterns).await?;
    Ok(found.into_iter().find(|(path, _)| path.base_name() == chart.as_str()).map(|(_, tree)| tree))
}

/// The pull requests on integration's first-parent line that changed the chart, with their own commits and reviews.
async fn contributions(train: &Train, tips: &Tips, found: &[objects::Commit], gathered: &mut Gathered) -> Result<(), FlowError> {
    let commits: BTreeMap<&CommitId, &objects::Commit> = found.iter().map(|commit| (&commit.id, commit)).collect();
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let mut at = commits.get(&tips.integration).copied();
    let mut seen = BTreeSet::new();
    while let Some(commit) = at {
        let parent = commit.parents.first();
        at = parent.and_then(|parent| commits.get(parent)).copied();
        let tree = |id: &CommitId| gathered.history.trees.get(id).cloned().flatten();
        let touched = parent.map_or_else(|| tree(&commit.id), |parent| if tree(parent) == tree(&commit.id) { None } else { Some(commit.tree.clone()) });
        if touched.is_none() && parent.is_some_and(|parent| tree(parent) == tree(&commit.id)) {
            continue;
        }
        if gathered.history.ways_back.contains(&commit.id) {
            continue;
        }
        // A rebase brought several commits, and the pull request is known by the last of them.
        let Some((pull, last)) = brought_by(train, &commit.id, &commits).await? else {
            gathered.history.touched.insert(commit.id.clone(), charts_touched(train, &patterns, commit).await?.into_iter().collect());
            continue;
        };
        if !seen.insert(pull.number) || pull.head.branch == tips.names.back_head().as_str() {
            continue;
        }
        gathered.records.push(record(train, &pull, &last.id).await?);
        let mut own = Vec::new();
        for object in own_commits(train, &pull, last, &commits).await? {
            let charts = charts_touched(train, &patterns, &object).await?;
            own.push(ContributedCommit { commit: commit_of(&object), charts });
        }
        let copies = copies(last, &own, &commits);
        let single = own.iter().filter(|own| own.commit.parents.len() < 2).count();
        let method = if last.parents.len() > 1 {
            MergeMethod::Merge
        } else if last.id != commit.id || copies.len() >= single.clamp(1, 2) {
            MergeMethod::Rebase
        } else {
            MergeMethod::Squash
        };
        if method != MergeMethod::Merge {
            // A branch from main holds releases that had not come back yet. They are no contribution.
            let news: BTreeSet<CommitId> =
                train.objects.history(&pull.head.sha, std::slice::from_ref(&tips.main)).await?.into_iter().map(|commit| commit.id).collect();
            let (brought, known): (Vec<ContributedCommit>, Vec<ContributedCommit>) = own.into_iter().partition(|own| news.contains(&own.commit.id));
            let touch = |commits: &[ContributedCommit]| commits.iter().any(|own| own.commit.parents.len() < 2 && own.charts.contains(&gathered.history.chart));
            let again = touch(&known);
            if again {
                gathered.returning.insert(pull.number);
            }
            if method == MergeMethod::Rebase {
                gathered.history.ways_back.extend(copies.into_iter().filter(|(_, of)| !news.contains(of)).map(|(copy, _)| copy));
            } else if again && !touch(&brought) {
                // All that the squash changes of this chart is what main had already.
                gathered.history.ways_back.insert(last.id.clone());
            }
            own = brought;
        }
        gathered.history.contributions.push(Contribution {
            pull: pull.number,
            head: pull.head.sha.clone(),
            merge_commit: last.id.clone(),
            method,
            commits: own,
        });
    }
    Ok(())
}

/// The pull request that brought a commit of integration's first-parent line, and the last commit it brought.
async fn brought_by<'a>(
    train: &Train,
    id: &CommitId,
    commits: &BTreeMap<&CommitId, &'a objects::Commit>,
) -> Result<Option<(Pull, &'a objects::Commit)>, FlowError> {
    let merged = train.github.pulls_of_commit(id).await?.into_iter().filter(Pull::merged);
    let mut found: Vec<(Pull, &objects::Commit)> = merged
        .filter_map(|pull| {
            let last = commits.get(pull.merge_commit_sha.as_ref()?).copied()?;
            Some((pull, last))
        })
        .collect();
    // Merged by a commit of its own, a pull request is the one that is meant, whoever else lists the commit.
    found.sort_by_key(|(pull, last)| (last.id != *id, last.parents.len() > 1, pull.number));
    Ok(found.into_iter().next().filter(|(_, last)| last.id == *id || (last.parents.len() < 2 && leads_to(last, id, commits))))
}

/// The pull request's own commits, oldest first: what its head has and the branch it went to had not. A merge left them in
/// the history, as far as they matter here; after a squash or a rebase they are in no branch, but GitHub keeps the head. Its
/// list of a pull request's commits would end at 250.
async fn own_commits(
    train: &Train,
    pull: &Pull,
    last: &objects::Commit,
    commits: &BTreeMap<&CommitId, &objects::Commit>,
) -> Result<Vec<objects::Commit>, FlowError> {
    let [base, side @ ..] = last.parents.as_slice() else { return Ok(Vec::new()) };
    if side.is_empty() {
        return Ok(oldest_first(train.objects.history(&pull.head.sha, std::slice::from_ref(base)).await?));
    }
    let before = reachable(std::slice::from_ref(base), commits);
    let own = reachable(side, commits).difference(&before).filter_map(|id| commits.get(*id)).map(|commit| (*commit).clone()).collect();
    Ok(oldest_first(own))
}

/// Parents before their children, and of what is free to come next the oldest.
fn oldest_first(commits: Vec<objects::Commit>) -> Vec<objects::Commit> {
    let mut waiting: BTreeMap<CommitId, objects::Commit> = commits.into_iter().map(|commit| (commit.id.clone(), commit)).collect();
    let mut children: BTreeMap<CommitId, Vec<CommitId>> = BTreeMap::new();
    let mut missing: BTreeMap<CommitId, usize> = BTreeMap::new();
    for commit in waiting.values() {
        let parents: BTreeSet<&CommitId> = commit.parents.iter().filter(|parent| waiting.contains_key(parent)).collect();
        missing.insert(commit.id.clone(), parents.len());
        for parent in parents {
            children.entry(parent.clone()).or_default().push(commit.id.clone());
        }
    }
    let free = waiting.values().filter(|commit| missing.get(&commit.id) == Some(&0));
    let mut free: BTreeSet<(i64, CommitId)> = free.map(|commit| (commit.committed, commit.id.clone())).collect();
    let mut sorted = Vec::new();
    while let Some((_, id)) = free.pop_first() {
        for child in children.remove(&id).unwrap_or_default() {
            let Some(count) = missing.get_mut(&child) else { continue };
            *count -= 1;
            if let (0, Some(commit)) = (*count, waiting.get(&child)) {
                free.insert((commit.committed, child));
            }
        }
        sorted.extend(waiting.remove(&id));
    }
    sorted
}

/// The commits that can be reached from some of them.
fn reachable<'a>(from: &'a [CommitId], commits: &BTreeMap<&'a CommitId, &'a objects::Commit>) -> BTreeSet<&'a CommitId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&CommitId> = from.iter().collect();
    while let Some(id) = open.pop() {
        if let Some((id, commit)) = commits.get_key_value(id)
            && found.insert(*id)
        {
            open.extend(&commit.parents);
        }
    }
    found
}

/// Whether a first-parent line of commits with one parent leads from one commit to another.
fn leads_to(from: &objects::Commit, to: &CommitId, commits: &BTreeMap<&CommitId, &objects::Commit>) -> bool {
    let mut at = Some(from);
    while let Some(commit) = at {
        if commit.id == *to {
            return true;
        }
        at = if commit.parents.len() == 1 { commits.get(&commit.parents[0]).copied() } else { None };
    }
    false
}

/// What a rebase made of a pull request's commits: the new commit and the one it is a copy of, newest first. GitHub leaves
/// out what turns out to be there already.
fn copies(last: &objects::Commit, own: &[ContributedCommit], commits: &BTreeMap<&CommitId, &objects::Commit>) -> Vec<(CommitId, CommitId)> {
    let mut at = Some(last);
    let mut copies = Vec::new();
    let mut rest = own.iter().rev().filter(|own| own.commit.parents.len() < 2);
    while let Some(commit) = at {
        let Some(of) = rest.find(|own| own.commit.message.trim_end() == commit.message.trim_end()) else { break };
        copies.push((commit.id.clone(), of.commit.id.clone()));
        at = commit.parents.first().and_then(|parent| commits.get(parent)).copied();
    }
    copies
}

/// The charts whose directory a commit changed against its first parent.
pub(crate) async fn charts_touched(train: &Train, patterns: &Globs, commit: &objects::Commit) -> Result<BTreeSet<ChartName>, FlowError> {
    let objects = &*train.objects;
    let after = listing(objects, &commit.tree, patterns).await?;
    let before = match commit.parents.first() {
        Some(parent) => listing(objects, &objects.commit(parent).await?.tree, patterns).await?,
        None => super::listing::Listing::new(),
    };
    let mut touched = BTreeSet::new();
    for path in before.keys().chain(after.keys()) {
        if before.get(path) == after.get(path) {
            continue;
        }
        for tree in [after.get(path), before.get(path)].into_iter().flatten() {
            let name = super::tips::chart_name(train, path, tree).await?;
            touched.extend(name.clone().ok().flatten());
            if !matches!(name, Ok(None)) {
                break;
            }
        }
    }
    Ok(touched)
}
