//! How far a repository rides the train already, as its refs tell.

use chartflow_core::domain::branch::{Names, RELEASED};
use chartflow_core::domain::names::BranchName;

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
    /// Nowhere: it rides the train, and these tiers are neither here nor at any one remote.
    Lacking {
        /// The branches.
        branches: Vec<BranchName>,
    },
}

/// Where a rehearsal begins of a repository with these refs, full names before ids.
#[must_use]
pub fn standing(references: &[(String, String)], names: &Names) -> Standing {
    let there = |name: String| references.iter().any(|(known, _)| *known == name);
    if !there(format!("refs/{RELEASED}")) {
        return Standing::Outside;
    }
    let branches: Vec<BranchName> = tiers(names).into_iter().filter(|branch| !there(format!("refs/heads/{branch}"))).cloned().collect();
    let integration = std::slice::from_ref(names.integration());
    match remote_with(references, &branches) {
        _ if branches.is_empty() => Standing::Aboard,
        Some(remote) => Standing::Remote { branches, remote },
        None if branches.contains(names.integration()) && remote_with(references, integration).is_none() => Standing::Outside,
        None => Standing::Lacking { branches },
    }
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

/// The remote whose branches, as they were last fetched, are those of a train; for a repository that is
/// [`Standing::Outside`], that is the clone of one that is not.
#[must_use]
pub fn remote_train(references: &[(String, String)], names: &Names) -> Option<String> {
    remote_with(references, &tiers(names).map(Clone::clone))
}

/// The git command that brings branches here.
#[must_use]
pub fn fetch_of(remote: &str, branches: &[BranchName]) -> String {
    branches.iter().fold(format!("git fetch {remote}"), |command, branch| format!("{command} {branch}:{branch}"))
}

fn tiers(names: &Names) -> [&BranchName; 2] {
    [names.integration(), names.release()]
}

fn remote_with(references: &[(String, String)], branches: &[BranchName]) -> Option<String> {
    let remotes_of = |branch: &BranchName| -> Vec<&str> {
        let remotes = references.iter().filter_map(|(name, _)| name.strip_prefix("refs/remotes/")?.strip_suffix(branch.as_str())?.strip_suffix('/'));
        remotes.collect()
    };
    let (first, others) = branches.split_first()?;
    let mut remotes = remotes_of(first);
    remotes.retain(|remote| others.iter().all(|branch| remotes_of(branch).contains(remote)));
    // The one that the clone was made from goes before all others.
    remotes.iter().find(|remote| **remote == "origin").or(remotes.first()).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use chartflow_core::domain::configuration::Configuration;

    use super::*;

    fn check(references: &[&str]) -> Standing {
        let references: Vec<_> = references.iter().map(|name| (format!("refs/{name}"), "0".repeat(40))).collect();
        standing(&references, &Names::new(&Configuration::default()))
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
    }
}
