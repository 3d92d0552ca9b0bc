//! How far a repository rides the train already, as its refs tell.

use std::collections::BTreeSet;

use chartflow_core::domain::branch::{Names, RELEASED};
use chartflow_core::domain::digest::CommitId;
use chartflow_core::domain::names::BranchName;
use chartflow_core::domain::shell::word;
use chartflow_core::flow::FlowError;
use chartflow_core::flow::adoption::{rides, rides_at};
use chartflow_core::flow::store::ATTESTATIONS;
use chartflow_core::io::git::{LocalRepository, Remotes};
use chartflow_core::port::objects::Objects as _;

/// Where a rehearsal of a repository begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// With its adoption: it rides no train, or `chartflow init` was run and its branches are not made yet.
    Outside,
    /// With its own tiers.
    Aboard,
    /// With its own tiers, of which these are not here, but at a remote, as its last fetch told.
    Remote {
        /// The branches that are not here.
        branches: Vec<BranchName>,
        /// The remote's name.
        remote: String,
    },
    /// Nowhere: it rides the train, and these tiers are neither here nor at any one remote, or at several of which none
    /// goes before the others.
    Lacking {
        /// The branches.
        branches: Vec<BranchName>,
    },
}

/// What a rehearsal finds around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it begins.
    pub standing: Standing,
    /// The remotes whose branches, as they were last fetched, are those of a train, the one that goes before the others first.
    pub trains: Vec<String>,
    /// The remotes with branches of these names on which no file of the train was found.
    pub others: Vec<String>,
}

/// Where a rehearsal begins that takes a commit for main, of a repository with these refs, full names before ids.
///
/// `chartflow init` makes the marker before its files are merged, and until then branches of the train's names may be somebody's
/// own. So an integration counts that holds a file of the train; where none does, all are the train's if main has such a file.
///
/// # Errors
/// When the commit cannot be read.
pub async fn found(
    repository: &LocalRepository,
    base: &CommitId,
    references: &[(String, String)],
    names: &Names,
    remotes: &Remotes,
) -> Result<Found, FlowError> {
    let there = |name: &str| references.iter().any(|(known, _)| known == name);
    if !there(&format!("refs/{RELEASED}")) {
        return Ok(placed(references, names, remotes, &|_| true));
    }
    let mut trains = BTreeSet::new();
    for (place, id) in references.iter().filter(|(name, _)| name.ends_with(&format!("/{}", names.integration()))) {
        if rides_at(repository, id).await == Some(true) {
            trains.insert(place.as_str());
        }
    }
    let main = there(&format!("refs/{ATTESTATIONS}")) || rides(repository, &repository.commit(base).await?.tree).await?;
    Ok(placed(references, names, remotes, &|place| if trains.is_empty() { main } else { trains.contains(place) }))
}

/// `of_train`: whether an integration, by its full name, is the train's. One that is not counts as absent.
fn placed(references: &[(String, String)], names: &Names, remotes: &Remotes, of_train: &dyn Fn(&str) -> bool) -> Found {
    let there = |name: String| references.iter().any(|(known, _)| *known == name);
    let of_train = |place: &str| of_train(&format!("{place}/{}", names.integration()));
    let remotes_with = |branches: &[BranchName]| -> (Vec<String>, Vec<String>) {
        remotes_with(references, branches, remotes).into_iter().partition(|remote| of_train(&format!("refs/remotes/{remote}")))
    };
    let (mut trains, others) = remotes_with(&tiers(names).map(Clone::clone));
    let first = preferred(&trains, remotes);
    trains.sort_by_key(|name| Some(name) != first.as_ref());
    let found = |standing| Found { standing, trains, others };
    if !there(format!("refs/{RELEASED}")) {
        return found(Standing::Outside);
    }
    let integration = names.integration();
    let here = |branch: &BranchName| there(format!("refs/heads/{branch}")) && (branch != integration || of_train("refs/heads"));
    let branches: Vec<BranchName> = tiers(names).into_iter().filter(|branch| !here(branch)).cloned().collect();
    // Who has statements was at work already: then nothing is adopted anew.
    let begun = there(format!("refs/{ATTESTATIONS}"));
    found(match preferred(&remotes_with(&branches).0, remotes) {
        _ if branches.is_empty() => Standing::Aboard,
        Some(remote) => Standing::Remote { branches, remote },
        None if !begun && branches.contains(integration) && remotes_with(std::slice::from_ref(integration)).0.is_empty() => Standing::Outside,
        None => Standing::Lacking { branches },
    })
}

/// Where the tiers of a repository stand, as full names of branches before ids: those of a remote where they are not here.
pub(super) fn tiers_of(references: &[(String, String)], names: &Names, standing: &Standing) -> Vec<(String, String)> {
    let id = |name: &str| references.iter().find(|(known, _)| known == name).map(|(_, id)| id.clone());
    let place = |branch: &BranchName| match standing {
        Standing::Remote { branches, remote } if branches.contains(branch) => format!("refs/remotes/{remote}/{branch}"),
        _ => format!("refs/heads/{branch}"),
    };
    tiers(names).into_iter().filter_map(|branch| Some((format!("refs/heads/{branch}"), id(&place(branch))?))).collect()
}

/// The git command that brings branches here.
#[must_use]
pub fn fetch_of(remote: &str, branches: &[BranchName]) -> String {
    branches.iter().fold(format!("git fetch {}", word(remote)), |command, branch| format!("{command} {}", word(&format!("{branch}:{branch}"))))
}

fn tiers(names: &Names) -> [&BranchName; 2] {
    [names.integration(), names.release()]
}

/// The remotes that have all of the branches.
fn remotes_with(references: &[(String, String)], branches: &[BranchName], remotes: &Remotes) -> Vec<String> {
    let there = |remote: &String, branch: &BranchName| {
        let name = format!("refs/remotes/{remote}/{branch}");
        references.iter().any(|(known, _)| *known == name)
    };
    remotes.names.iter().filter(|remote| branches.iter().all(|branch| there(remote, branch))).cloned().collect()
}

/// The one that main follows goes before the one that the clone was made from; among others there is no order.
fn preferred(found: &[String], remotes: &Remotes) -> Option<String> {
    let named = |wanted: &str| found.iter().find(|name| *name == wanted);
    let alone = || if let [one] = found { Some(one) } else { None };
    remotes.followed.as_deref().and_then(named).or_else(|| named("origin")).or_else(alone).cloned()
}

#[cfg(test)]
mod tests {
    use chartflow_core::domain::configuration::Configuration;

    use super::*;

    fn check(references: &[&str]) -> Standing {
        check_following(None, references)
    }

    fn check_following(followed: Option<&str>, references: &[&str]) -> Standing {
        check_trains(&|_| true, followed, references)
    }

    fn check_trains(of_train: &dyn Fn(&str) -> bool, followed: Option<&str>, references: &[&str]) -> Standing {
        let references: Vec<_> = references.iter().map(|name| (format!("refs/{name}"), "0".repeat(40))).collect();
        let remotes = Remotes { names: ["a", "a/b", "b", "origin", "up"].map(ToOwned::to_owned).to_vec(), followed: followed.map(ToOwned::to_owned) };
        placed(&references, &Names::new(&Configuration::default()), &remotes, of_train).standing
    }

    #[test]
    fn branches_without_configuration_are_somebody_s_own() {
        let here = ["chartflow/released", "heads/main", "heads/integration", "heads/release"];
        let there = ["chartflow/released", "heads/main", "remotes/origin/integration", "remotes/origin/release"];
        for references in [here, there] {
            assert_eq!(check_trains(&|_| false, None, &references), Standing::Outside);
        }
        // Each branch for itself: that of another remote says nothing about these.
        let both = ["integration", "release"];
        let two = [&there[..], &["remotes/up/integration", "remotes/up/release"]].concat();
        let up = |place: &str| place == "refs/remotes/up/integration";
        assert_eq!(check_trains(&up, None, &two), lacking(&both, Some("up")));
        // One that is here and is not the train's is none.
        assert_eq!(check_trains(&up, None, &[&here[..], &two[2..]].concat()), lacking(&["integration"], Some("up")));
        assert_eq!(check_trains(&|_| false, None, &[&here[..], &["chartflow/attestations"]].concat()), lacking(&["integration"], None));
    }

    fn lacking(branches: &[&str], remote: Option<&str>) -> Standing {
        let branches = branches.iter().map(|branch| BranchName::new(*branch).unwrap()).collect();
        match remote {
            Some(remote) => Standing::Remote { branches, remote: remote.to_owned() },
            None => Standing::Lacking { branches },
        }
    }

    #[test]
    fn where_a_rehearsal_begins() {
        let released = "chartflow/released";
        assert_eq!(check(&["heads/main", "heads/integration", "heads/release"]), Standing::Outside);
        assert_eq!(check(&["heads/main", "remotes/origin/integration", "remotes/origin/release"]), Standing::Outside);
        assert_eq!(check(&[released, "heads/main"]), Standing::Outside);
        assert_eq!(check(&[released, "heads/integration", "heads/release"]), Standing::Aboard);
        let both = ["integration", "release"];
        assert_eq!(check(&[released, "remotes/up/integration", "remotes/up/release"]), lacking(&both, Some("up")));
        let remotes = ["remotes/a/integration", "remotes/a/release", "remotes/origin/integration", "remotes/origin/release", released];
        assert_eq!(check(&remotes), lacking(&both, Some("origin")));
        assert_eq!(check(&[released, "heads/release", "remotes/a/b/integration"]), lacking(&["integration"], Some("a/b")));
        assert_eq!(check(&[released, "heads/integration"]), lacking(&["release"], None));
        assert_eq!(check(&[released, "heads/integration", "remotes/a/integration", "remotes/a/old-release"]), lacking(&["release"], None));
        assert_eq!(check(&[released, "heads/release"]), Standing::Outside);
        assert_eq!(check(&[released, "remotes/a/integration", "remotes/b/release"]), lacking(&both, None));
        // Somebody's branch is no remote's, and what was at work is not adopted anew.
        assert_eq!(check(&[released, "heads/main", "remotes/origin/jane/integration", "remotes/origin/jane/release"]), Standing::Outside);
        assert_eq!(check(&[released, "chartflow/attestations", "heads/main", "remotes/origin/main"]), lacking(&both, None));
        // Of several remotes the one that main follows, else origin, else none.
        let two = ["remotes/a/integration", "remotes/a/release", "remotes/up/integration", "remotes/up/release", released];
        assert_eq!(check(&two), lacking(&both, None));
        assert_eq!(check_following(Some("up"), &two), lacking(&both, Some("up")));
        assert_eq!(check_following(Some("b"), &two), lacking(&both, None));
        assert_eq!(check_following(Some("a"), &[&two[..], &remotes[2..4]].concat()), lacking(&both, Some("a")));
    }
}
