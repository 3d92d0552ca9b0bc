//! The remotes of a local repository.

use gix::bstr::ByteSlice as _;

use super::LocalRepository;

/// The remotes that a repository's configuration names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remotes {
    /// Their names, which may hold slashes.
    pub names: Vec<String>,
    /// The one that a branch follows: the branch that was asked for, else HEAD's.
    pub followed: Option<String>,
}

impl LocalRepository {
    /// The remotes that this repository's configuration names, and the one that `branch` follows, or else the branch that HEAD
    /// stands on (`branch.<name>.remote`). Names that are not UTF-8 are left out.
    #[must_use]
    pub fn remotes(&self, branch: &str) -> Remotes {
        let head = self.head_branch();
        let repository = self.handle();
        let names: Vec<String> = repository.remote_names().into_iter().filter_map(|name| Some(name.to_str().ok()?.to_owned())).collect();
        let configuration = repository.config_snapshot();
        let followed = |branch: &str| Some(configuration.string(format!("branch.{branch}.remote").as_str())?.to_str().ok()?.to_owned());
        let known = |remote: &String| names.contains(remote);
        let followed = followed(branch).filter(known).or_else(|| followed(&head?).filter(known));
        Remotes { names, followed }
    }
}
