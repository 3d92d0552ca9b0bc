//! A rehearsal: the whole train on the embedded GitHub, for contributions that lie in a local repository.
//!
//! The user's repository is borrowed (git alternates) and never written to. Stages start by the same event table as in
//! GitHub Actions; a contributor opens the pull requests, and a second person approves and merges where people do.

mod adopt;
mod commands;
mod drive;
mod error;
mod import;
mod key;
mod left_open;
mod links;
mod output;
mod people;
mod report;
mod serve;
mod standing;
mod summary;
mod world;

use std::path::PathBuf;

use chartflow_core::domain::digest::CommitId;

pub use commands::{PORT, is_served, pull, serve_release, verify};
pub use error::RehearsalError;
pub use key::KEY_NOTE;
pub use output::{Claim, MARKER, OutputError, has_room, prepare};
pub use serve::{VISITOR, repository, serve};
pub use standing::{Found, Standing, fetch_of, found};
pub use summary::{ChartRow, CheckRow, CommitRow, Edge, LineageRow, LinkRow, OciRow, PackageRow, PullRow, RefusedRow, StageRow, Summary, TreeRow};

/// One contribution: a commit and the name its branch gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The branch's name.
    pub branch: String,
    /// The title its pull request gets.
    pub title: String,
    /// Its tip.
    pub commit: CommitId,
}

/// Where the contributions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A git repository: the commit main starts at, and the contributions.
    Repository {
        /// Its git directory.
        git_directory: PathBuf,
        /// What main starts at.
        base: CommitId,
        /// The contributions, opened together and merged in this order.
        heads: Vec<Head>,
    },
    /// A plain directory of charts, imported as one contribution.
    Directory {
        /// The directory.
        path: PathBuf,
    },
}

/// What to rehearse.
#[derive(Debug, Clone)]
pub struct Options {
    /// The contributions.
    pub origin: Origin,
    /// Where everything is left; prepared by [`prepare`].
    pub out: PathBuf,
    /// Where the private key is written, when anybody asks for it.
    pub keep_key: Option<PathBuf>,
}

/// Something a rehearsal does, to be shown while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A person did something.
    Person {
        /// What.
        text: String,
    },
    /// A stage ran.
    Stage {
        /// The stage.
        stage: String,
        /// How it ended: `done`, `refused` or `nothing to do`.
        outcome: String,
        /// What it did.
        steps: Vec<Step>,
    },
    /// Something worth knowing.
    Notice {
        /// What.
        text: String,
    },
}

/// One thing that a stage did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How it ended: `done`, `refused` or `nothing to do`, which is said of what waits.
    pub outcome: String,
    /// What it was, with the chart before it.
    pub text: String,
}

/// A rehearsal that has come to its end and whose server can be kept up.
pub struct Rehearsed {
    /// The result.
    pub summary: Summary,
    /// The embedded GitHub.
    pub hub: std::sync::Arc<crate::github::Hub>,
    /// The embedded registry, which listens until this is dropped.
    pub registry: crate::registry::RegistryServer,
}

/// Runs all stages for the contributions.
///
/// # Errors
/// See [`RehearsalError`]; what the train refuses is in the summary and no error.
pub async fn rehearse(options: &Options, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Rehearsed, RehearsalError> {
    let mut world = adopt::adopt(options, progress).await?;
    drive::drive(&mut world, progress).await?;
    people::refuse_unmerged(&mut world);
    left_open::refuse(&mut world);
    drive::forgive(&mut world, progress);
    let summary = output::write(&world, options).await?;
    Ok(Rehearsed { summary, hub: world.hub, registry: world.registry })
}
