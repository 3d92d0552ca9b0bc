//! `chartflow init`.

mod checked;
mod gather;
mod notices;
mod present;

use std::path::{Path, PathBuf};

use chartflow_core::domain::names::{RemoteName, RepositoryName};
use chartflow_core::io::write;
use chartflow_core::plan::init::{Plan, State, plan};
use clap::Args;

use crate::Answer;
use crate::error::{CommandError, Kind, file_kind};
use crate::output::{Format, Output};

use gather::Gathered;

/// Bring a repository of charts under the train: workflow files, configuration, adoption baseline.
///
/// Writes the workflow files and .chartflow.yaml into the work tree, and the refs refs/chartflow/released and published,
/// which say that the charts on main are released already. What ct.yaml and cr.yaml say is carried over. A file that
/// somebody changed stays as it is unless --force is given; a configuration always stays. Nothing is pushed: what is left
/// for a person to do is printed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chartflow init --dry-run                          say what would be written and what is to be done
  chartflow init --owner @acme/platform             with a GitHub App that is still to be made
  chartflow init --app-id 12345                     with an App that there is
  chartflow init --workflow-token                   without an App
  chartflow init --workflow-token --reusable        in chartflow's own workflows (SLSA Build L3)")]
pub(crate) struct Arguments {
    /// The top of a git work tree.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The number of the GitHub App that the train works as [default: one that is to be made].
    #[arg(long, value_name = "N", conflicts_with = "workflow_token", value_parser = clap::value_parser!(u64).range(1..))]
    app_id: Option<u64>,
    /// Work with the workflow's own token, without an App.
    #[arg(long)]
    workflow_token: bool,
    /// Sign with a key of your own (profile `key`) and not with the identity of the workflow run.
    #[arg(long)]
    signing_key: bool,
    /// Call chartflow's own workflows instead of running the actions in jobs of this repository.
    #[arg(long)]
    reusable: bool,
    /// The version of the actions: a tag or a commit [default: the commit of this release of chartflow, else v1].
    #[arg(long, value_name = "REF")]
    actions_ref: Option<String>,
    /// Where the actions and workflows of chartflow are, for a copy of your own.
    #[arg(long, value_name = "OWNER/NAME")]
    actions_repository: Option<RepositoryName>,
    /// Who owns what decides about signatures: @LOGIN or @ORGANISATION/TEAM.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// The repository on GitHub [default: the remote's].
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<RepositoryName>,
    /// The remote that stands for GitHub [default: that of ct.yaml or cr.yaml, else origin].
    #[arg(long, value_name = "NAME")]
    remote: Option<RemoteName>,
    /// The configuration of chart-testing [default: ct.yaml at the top or in .github].
    #[arg(long, value_name = "FILE")]
    ct: Option<PathBuf>,
    /// The configuration of chart-releaser [default: cr.yaml at the top or in .github].
    #[arg(long, value_name = "FILE")]
    cr: Option<PathBuf>,
    /// Write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Overwrite workflow files that somebody changed.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    let gathered = gather::gather(arguments, output)?;
    let plan = plan(&gathered.facts);
    let refused = !arguments.force && plan.changed().next().is_some();
    for file in plan.files.iter().filter(|file| file.state != State::Unchanged) {
        not_linked(&gathered.work_tree, &file.path)?;
    }
    let written = !arguments.dry_run && !refused;
    if written {
        apply(&plan, &gathered)?;
    }
    let outcome = present::Outcome { plan: &plan, present: &gathered.facts.present, written, refused, dry_run: arguments.dry_run };
    match output.format() {
        Format::Json => output.document(&outcome.document())?,
        _ => output.text(&outcome.text())?,
    }
    Ok(Answer::from(!refused))
}

/// A link on the way would lead the file out of the repository, and one in its place would be replaced by it.
fn not_linked(work_tree: &Path, file: &str) -> Result<(), CommandError> {
    let mut at = PathBuf::new();
    for part in Path::new(file) {
        at.push(part);
        if std::fs::symlink_metadata(work_tree.join(&at)).is_ok_and(|metadata| metadata.is_symlink()) {
            let message = format!("{} is a symbolic link, so {file} is not written", at.display());
            return Err(CommandError::new(Kind::Request, message).hint("put a directory or a file of the repository's own in its place"));
        }
    }
    Ok(())
}

/// Files first: a ref without them means nothing, and a second run makes what a first one did not come to.
fn apply(plan: &Plan, gathered: &Gathered) -> Result<(), CommandError> {
    for file in plan.files.iter().filter(|file| file.state != State::Unchanged) {
        write::whole(&gathered.work_tree.join(&file.path), file.text.as_bytes())
            .map_err(|error| CommandError::of(file_kind(&error.source), error).hint("run it again when this is mended; what is written already stays"))?;
    }
    gathered.repository.write_objects(&gathered.objects)?;
    for reference in plan.references.iter().filter(|reference| reference.state == State::New) {
        gathered.repository.create_reference(&reference.name, &gathered.facts.baseline)?;
    }
    Ok(())
}
