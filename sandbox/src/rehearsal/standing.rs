//! How far a repository rides the train already, as its refs tell.

use chartflow_core::domain::branch::{Names, RELEASED};
use chartflow_core::domain::names::BranchName;

/// Where a rehearsal of a repository begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// With its adoption: it rides no train, or nothing of what `chartflow init` recorded was made known to anybody yet.
    Outside,
    /// With its own tiers.
    Aboard,
    /// Nowhere: it rides the train, but this clone lacks tiers.
    Lacking {
        /// The branches that are not here.
        branches: Vec<BranchName>,
        /// A remote that has them all, as its last fetch told.
        remote: Option<String>,
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
    let remote = remote_with(references, &branches);
    match branches.len() {
        0 => Standing::Aboard,
        len if len == tiers(names).len() && remote.is_none() => Standing::Outside,
        _ => Standing::Lacking { branches, remote },
    }
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
        Standing::Lacking { branches, remote: remote.map(ToOwned::to_owned) }
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
        assert_eq!(check(&[released, "remotes/a/integration", "remotes/b/release"]), Standing::Outside);
    }
}
