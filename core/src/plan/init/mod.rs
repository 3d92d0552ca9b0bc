//! What `chartflow init` writes into a repository, and what it leaves for a person to do.

mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::adoption::Note;
use crate::domain::branch::{PUBLISHED, RELEASED, nested};
use crate::domain::digest::CommitId;
use crate::domain::names::{BranchName, EnvironmentName, RemoteName, RepositoryName};
use crate::domain::workflow::{CODE_OWNERS_PATH, CONFIGURATION_PATH, File, code_owners};

pub use steps::{Step, app_permission_names};

/// As whom the train will work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// An App, which may still have to be made.
    App {
        /// Its id, when it is known.
        id: Option<u64>,
    },
    /// The workflow's own token alone.
    WorkflowToken,
}

/// Where the release branch starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseStart {
    /// It is there.
    Exists,
    /// From the branch that is served today, on the remote.
    Branch {
        /// Its name.
        name: String,
    },
    /// From an empty Helm repository.
    Empty {
        /// The commit that holds it.
        commit: CommitId,
    },
}

/// What was found in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// As whom the train will work.
    pub worker: Worker,
    /// Whether a key signs.
    pub signing_key: bool,
    /// `https://HOST`.
    pub server: String,
    /// The repository on GitHub, when it is known.
    pub repository: Option<RepositoryName>,
    /// The remote that stands for it.
    pub remote: RemoteName,
    /// The main branch.
    pub main: BranchName,
    /// The integration branch.
    pub integration: BranchName,
    /// The release branch.
    pub release: BranchName,
    /// The environment of what signs.
    pub environment: EnvironmentName,
    /// The workflow files and, unless there is one, the configuration, as they should be.
    pub wanted: Vec<File>,
    /// Those of them that are in the work tree, as they are.
    pub present: BTreeMap<String, Vec<u8>>,
    /// Whether main holds all of them as they should be.
    pub on_main: bool,
    /// Whether main holds a workflow file of the train, of whichever version.
    pub main_runs: bool,
    /// Whether the remote's integration holds a file of the train; `None` where there is none, or where it cannot be told.
    pub integration_rides: Option<bool>,
    /// The file of code owners, where there is one: path and text.
    pub owners: Option<(String, String)>,
    /// Who is to own what decides about signatures.
    pub owner: Option<String>,
    /// Every ref and what it points to.
    pub references: BTreeMap<String, String>,
    /// The commit of the adoption baseline.
    pub baseline: CommitId,
    /// Where the release branch starts.
    pub release_start: ReleaseStart,
    /// Workflow files of the tools that released the charts so far: path and tool.
    pub former: Vec<(String, String)>,
    /// What became of the keys of their configuration.
    pub notes: Vec<Note>,
}

/// A file against what is in the work tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is not there.
    New,
    /// It is as it should be.
    Unchanged,
    /// It is there and differs.
    Differs,
}

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedFile {
    /// Where.
    pub path: String,
    /// Against what is there.
    pub state: State,
    /// Its text.
    #[serde(skip)]
    pub text: String,
}

/// A ref that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedReference {
    /// Its full name.
    pub name: String,
    /// What it points to, or is to point to.
    pub commit: String,
    /// `Differs`: it points elsewhere already, and stays.
    pub state: State,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The repository on GitHub.
    pub repository: Option<RepositoryName>,
    /// What became of the configuration of former tools.
    pub notes: Vec<Note>,
    /// The files.
    pub files: Vec<PlannedFile>,
    /// The refs.
    pub references: Vec<PlannedReference>,
    /// What is left for a person, in this order.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The files that somebody has changed.
    pub fn changed(&self) -> impl Iterator<Item = &PlannedFile> {
        self.files.iter().filter(|file| file.state == State::Differs)
    }
}

impl Facts {
    /// Whether a branch is known of the remote.
    fn on_remote(&self, branch: &BranchName) -> bool {
        self.references.contains_key(&format!("refs/remotes/{}/{branch}", self.remote))
    }

    /// Branches on the remote beside which git cannot hold one that is to be made: one of the two would be a directory.
    fn in_the_way(&self) -> Vec<&str> {
        let prefix = format!("refs/remotes/{}/", self.remote);
        let branches = self.references.keys().filter_map(|name| name.strip_prefix(&prefix));
        let made = [self.integration.as_str(), self.release.as_str()];
        branches.filter(|branch| made.iter().any(|name| name != branch && nested(name, branch))).collect()
    }

    /// Whether the train was set up before, as it seems: main has its files, and its branches are there. Then `released` and
    /// `published` are the train's, and a clone that does not hold them lacks them alone.
    fn adopted(&self) -> bool {
        self.main_runs && self.on_remote(&self.integration) && self.on_remote(&self.release)
    }
}

/// Whether a file of code owners names what decides about signatures.
fn owned(text: &str) -> bool {
    let patterns: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    patterns.iter().any(|pattern| pattern.trim_start_matches('/') == CONFIGURATION_PATH)
        && patterns.iter().any(|pattern| matches!(pattern.trim_matches('/'), ".github" | ".github/workflows" | ".github/**"))
}

/// Decides.
#[must_use]
pub fn plan(facts: &Facts) -> Plan {
    let mut wanted = facts.wanted.clone();
    if let (None, Some(owner)) = (&facts.owners, &facts.owner) {
        wanted.push(File { path: CODE_OWNERS_PATH.to_owned(), text: code_owners(owner) });
    }
    let state = |file: &File| match facts.present.get(&file.path) {
        None => State::New,
        Some(bytes) if bytes == file.text.as_bytes() => State::Unchanged,
        Some(_) => State::Differs,
    };
    let files = wanted.into_iter().map(|file| PlannedFile { state: state(&file), path: file.path, text: file.text }).collect();
    let reference = |marker: &str| {
        let name = format!("refs/{marker}");
        let wanted = facts.baseline.to_string();
        match facts.references.get(&name) {
            None if facts.adopted() => None,
            None => Some(PlannedReference { name, commit: wanted, state: State::New }),
            Some(held) => Some(PlannedReference { name, state: if *held == wanted { State::Unchanged } else { State::Differs }, commit: held.clone() }),
        }
    };
    Plan {
        repository: facts.repository.clone(),
        notes: facts.notes.clone(),
        files,
        references: [RELEASED, PUBLISHED].into_iter().filter_map(reference).collect(),
        steps: steps::steps(facts),
    }
}
