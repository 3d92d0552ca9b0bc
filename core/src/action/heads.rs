//! The contributions to look at where the token may not list pull requests: by git's refs alone.
//!
//! Which pull requests are open, and where they aim at, is not to be had from refs. What is looked at too much costs a
//! run of helm; what is left out has no result, so that the job that signs refuses it until a later run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::error::ActionError;
use crate::domain::branch::Names;
use crate::domain::digest::CommitId;
use crate::domain::names::BranchName;
use crate::flow::tips::Tips;
use crate::flow::{FlowError, Train};
use crate::port::github::RefTarget;

/// At most so many contributions are looked at.
const HEADS: usize = 30;
/// GitHub is asked at most so many questions about them.
const QUESTIONS: usize = 100;
/// The trailer of every commit that the train makes.
const TRAILER: &str = "Chartflow-Source: ";

/// What was found.
pub(super) struct Found {
    /// The head of each contribution and where it left integration, the newest first.
    pub(super) heads: Vec<(CommitId, CommitId)>,
    /// Pull requests that were not looked at.
    pub(super) left: Vec<u64>,
}

/// How likely a pull request is an open contribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// GitHub keeps a test merge of it (`refs/pull/N/merge`), which it does for open ones that do not conflict.
    Merges,
    /// Its head is the tip of a branch: one whose branch is deleted is closed.
    Branch,
    /// A fork's, or a closed one's.
    Other,
}

/// A pull request, by its refs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    rank: Rank,
    number: u64,
    head: CommitId,
}

/// The pull requests that may be contributions, the likeliest first and of these the newest.
fn candidates(pulls: &[(String, RefTarget)], branches: &[(String, RefTarget)], tips: &[&CommitId], names: &Names) -> Vec<Candidate> {
    let mut on: BTreeMap<CommitId, Vec<&str>> = BTreeMap::new();
    for (name, target) in branches {
        if let Some(commit) = target.clone().commit() {
            on.entry(commit).or_default().push(name.strip_prefix("refs/heads/").unwrap_or(name));
        }
    }
    let number = |name: &str, kind: &str| name.strip_prefix("refs/pull/")?.strip_suffix(kind)?.parse::<u64>().ok();
    let merging: BTreeSet<u64> = pulls.iter().filter_map(|(name, _)| number(name, "/merge")).collect();
    let machine = |branch: &&str| names.is_machine_head(branch) || BranchName::new(*branch).is_ok_and(|branch| names.chart_of_branch(&branch).is_some());
    let mut found: Vec<Candidate> = Vec::new();
    for (name, target) in pulls {
        let Some((number, head)) = number(name, "/head").zip(target.clone().commit()) else { continue };
        let here = on.get(&head).map(Vec::as_slice).unwrap_or_default();
        if tips.contains(&&head) || here.iter().any(machine) {
            continue;
        }
        let rank = match (merging.contains(&number), here.is_empty()) {
            (true, _) => Rank::Merges,
            (false, false) => Rank::Branch,
            (false, true) => Rank::Other,
        };
        found.push(Candidate { rank, number, head });
    }
    found.sort_by_key(|candidate| (candidate.rank, Reverse(candidate.number)));
    let mut seen = BTreeSet::new();
    found.retain(|candidate| seen.insert(candidate.head.clone()));
    found
}

/// The likeliest contributions whose head integration does not hold.
///
/// # Errors
/// When GitHub does not answer.
pub(super) async fn by_refs(train: &Train, tips: &Tips) -> Result<Found, ActionError> {
    let (pulls, branches) = (train.github.matching_refs("pull/").await?, train.github.matching_refs("heads/").await?);
    let candidates = candidates(&pulls, &branches, &[&tips.integration, &tips.main], &tips.names);
    let mut found = Found { heads: Vec::new(), left: Vec::new() };
    let mut asked = 0;
    for Candidate { rank, number, head } in candidates {
        if found.heads.len() == HEADS || asked + 2 > QUESTIONS {
            found.left.push(number);
            continue;
        }
        // Most of what has no branch any more is the train's own, which one question tells.
        if rank == Rank::Other {
            asked += 1;
            let message = train.objects.commit(&head).await.map_err(FlowError::from)?.message;
            if message.lines().any(|line| line.starts_with(TRAILER)) {
                continue;
            }
        }
        asked += 1;
        if let Some(base) = train.objects.merge_base(&tips.integration, &head).await.map_err(FlowError::from)?.filter(|base| *base != head) {
            found.heads.push((head, base));
        }
    }
    Ok(found)
}

/// What is said of those that were left out; `None` when none was.
pub(super) fn left_out(left: &[u64]) -> Option<String> {
    let (newest, oldest) = (left.iter().max()?, left.iter().min()?);
    Some(format!(
        "without pull-requests: read it is not known which pull requests are open; {} of them were not looked at, #{oldest} to #{newest}, and have no result if they are: start the workflow of validate for them",
        left.len()
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::domain::configuration::Configuration;

    fn id(number: u64) -> CommitId {
        CommitId::new(format!("{number:040}")).unwrap()
    }

    /// The numbers of the candidates among pull requests (number, head, whether there is a test merge) and branches.
    fn check(pulls: &[(u64, u64, bool)], branches: &[(&str, u64)]) -> Vec<u64> {
        let mut refs = Vec::new();
        for (number, head, merges) in pulls {
            refs.push((format!("refs/pull/{number}/head"), RefTarget::Commit(id(*head))));
            if *merges {
                refs.push((format!("refs/pull/{number}/merge"), RefTarget::Commit(id(1000 + number))));
            }
        }
        let branches: Vec<_> = branches.iter().map(|(name, tip)| (format!("refs/heads/{name}"), RefTarget::Commit(id(*tip)))).collect();
        let names = Names::new(&Configuration::default());
        candidates(&refs, &branches, &[&id(1), &id(2)], &names).into_iter().map(|candidate| candidate.number).collect()
    }

    #[test]
    fn what_is_likely_open_comes_first_and_the_train_s_own_not_at_all() {
        let branches = [("feature", 10), ("chartflow-promote-a", 11), ("integration-a", 12), ("chartflow-back", 13), ("integration", 1)];
        assert_eq!(check(&[(1, 10, false), (2, 20, true), (3, 30, false), (4, 31, false)], &branches), [2, 1, 4, 3]);
        assert_eq!(check(&[(1, 11, true), (2, 12, true), (3, 13, false), (4, 1, false), (5, 2, true)], &branches), [0_u64; 0]);
        // One head in two pull requests is one content.
        assert_eq!(check(&[(1, 30, false), (2, 30, false)], &branches), [2]);
    }

    #[test]
    fn what_was_left_out_is_said() {
        assert_eq!(left_out(&[]), None);
        insta::assert_snapshot!(left_out(&[9, 3, 7]).unwrap(), @"without pull-requests: read it is not known which pull requests are open; 3 of them were not looked at, #3 to #9, and have no result if they are: start the workflow of validate for them");
    }
}
