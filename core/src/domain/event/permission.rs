//! What the jobs of a stage may do.
//!
//! Source of each: GitHub documentation, "Permissions required for GitHub Apps", by the calls a stage makes.

use std::collections::BTreeMap;

use super::super::ruleset::Mode;
use super::StageName;

/// A permission of a token that a stage may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Rulesets. Apps and people only: a workflow's token never gets it.
    Administration,
    /// Attestations.
    Attestations,
    /// Git objects, refs, merges, releases, dispatches.
    Contents,
    /// The identity token of a workflow run. Workflow tokens only.
    IdToken,
    /// The container registry. Workflow tokens only: an App's cannot push there.
    Packages,
    /// Pull requests.
    PullRequests,
    /// Commit statuses.
    Statuses,
    /// Files below `.github/workflows`. Apps only: a workflow's token never gets it.
    Workflows,
}

impl Permission {
    /// The key below `permissions:` in a workflow file.
    #[must_use]
    pub const fn workflow_key(self) -> &'static str {
        match self {
            Self::Administration => "administration",
            Self::Attestations => "attestations",
            Self::Contents => "contents",
            Self::IdToken => "id-token",
            Self::Packages => "packages",
            Self::PullRequests => "pull-requests",
            Self::Statuses => "statuses",
            Self::Workflows => "workflows",
        }
    }

    /// The key of an App's permission in the REST API.
    #[must_use]
    pub const fn api_key(self) -> &'static str {
        match self {
            Self::IdToken => "id_token",
            Self::PullRequests => "pull_requests",
            other => other.workflow_key(),
        }
    }

    /// What GitHub's settings of an App call it.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Administration => "Administration",
            Self::Attestations => "Attestations",
            Self::Contents => "Contents",
            Self::IdToken => "ID token",
            Self::Packages => "Packages",
            Self::PullRequests => "Pull requests",
            Self::Statuses => "Commit statuses",
            Self::Workflows => "Workflows",
        }
    }
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Look.
    Read,
    /// Change.
    Write,
}

impl Access {
    /// The value in a workflow file and in the REST API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// What GitHub's settings of an App call it.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Read => "Read-only",
            Self::Write => "Read and write",
        }
    }
}

/// A token's permissions; what is not in it is `none`.
pub type Permissions = BTreeMap<Permission, Access>;

/// A job of a stage's workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// Runs programs on contributed content, so it has neither secrets nor an identity.
    Check,
    /// Recomputes the content's ids, decides, signs, writes.
    Act,
}

/// The jobs of a stage, in the order they run.
#[must_use]
pub const fn jobs(stage: StageName) -> &'static [Job] {
    match stage {
        StageName::Validate | StageName::Filter | StageName::Reconcile => &[Job::Check, Job::Act],
        _ => &[Job::Act],
    }
}

/// What the token that a stage works with must be allowed, be it an App's or the workflow's.
#[must_use]
pub fn token_permissions(stage: StageName) -> Permissions {
    use Access::Write;
    use Permission::{Attestations, Contents, PullRequests, Statuses};
    // Contents are written by every stage: the store of statements is a ref, and a dispatch needs the same.
    let list: &[(Permission, Access)] = match stage {
        StageName::Package | StageName::Reconcile => &[(Contents, Write), (PullRequests, Write), (Statuses, Write), (Attestations, Write)],
        StageName::Validate | StageName::Filter | StageName::Enforce | StageName::Bump => &[(Contents, Write), (PullRequests, Write), (Statuses, Write)],
        StageName::Format | StageName::Tag => &[(Contents, Write), (PullRequests, Write)],
        StageName::Publish => &[(Contents, Write), (Attestations, Write)],
    };
    list.iter().copied().collect()
}

/// What the token of an App's installation is narrowed to for a stage: what the stage needs, and workflow files where it
/// writes branches. Whatever moves a branch over a change of `.github/workflows` needs it, be the change main's own.
#[must_use]
pub fn installation_permissions(stage: StageName) -> Permissions {
    let mut permissions = token_permissions(stage);
    if moves_branches(stage) {
        permissions.insert(Permission::Workflows, Access::Write);
    }
    permissions
}

/// `format` and `publish` move no branch over commits of main.
const fn moves_branches(stage: StageName) -> bool {
    !matches!(stage, StageName::Format | StageName::Publish)
}

/// What an App is installed with: what any stage needs, and workflow files, without which neither the way back nor a
/// release of an older tag can pass a change of `.github/workflows`.
#[must_use]
pub fn app_permissions() -> Permissions {
    let mut all = token_permissions(StageName::Reconcile);
    all.insert(Permission::Workflows, Access::Write);
    all
}

/// Whether a stage makes statements. `format` only draws.
const fn signs(stage: StageName) -> bool {
    !matches!(stage, StageName::Format)
}

/// The `permissions:` of a job. With an App the workflow's own token only identifies the run and writes to the registry.
#[must_use]
pub fn job_permissions(stage: StageName, job: Job, mode: Mode) -> Permissions {
    if job == Job::Check {
        return Permissions::from([(Permission::Contents, Access::Read)]);
    }
    let mut permissions = match mode {
        Mode::App { .. } | Mode::PersonalToken => Permissions::new(),
        Mode::WorkflowToken => token_permissions(stage),
    };
    if signs(stage) {
        permissions.insert(Permission::IdToken, Access::Write);
    }
    if matches!(stage, StageName::Publish | StageName::Reconcile) {
        permissions.insert(Permission::Packages, Access::Write);
    }
    permissions
}
