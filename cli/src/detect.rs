//! `chartflow detect`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use chartflow_core::domain::configuration::ReadConfiguration;
use chartflow_core::domain::detection::{ChangeKind, Detection};
use chartflow_core::domain::digest::CommitId;
use chartflow_core::flow::detect::{Request, detect};
use chartflow_core::io::git::LocalRepository;
use clap::Args;

use crate::Answer;
use crate::configuration::{configuration, now, usable};
use crate::error::CommandError;
use crate::output::{Format, Output};

/// List the charts that a branch changes.
///
/// Compares the merge base of BASE and HEAD with HEAD, as a pull request does. Charts are where the `charts` globs of
/// .chartflow.yaml say (charts/* without one). `--format matrix` prints one line for the matrix of a workflow.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chartflow detect                                  what the checked out branch changes
  chartflow detect --base v1 --head v2 --exact      what differs between two commits
  chartflow detect --dependents                     and the charts that use a changed one through file://
  echo \"matrix=$(chartflow detect --format matrix)\" >> \"$GITHUB_OUTPUT\"")]
pub(crate) struct Arguments {
    /// The top of a git work tree, or a bare repository.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The branch, tag or commit to compare with [default: the configured main branch].
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// The branch, tag or commit whose changes to list.
    #[arg(long, value_name = "REF", default_value = "HEAD")]
    head: String,
    /// Compare the two commits themselves instead of their merge base with HEAD.
    #[arg(long)]
    exact: bool,
    /// Also list charts that use a changed one through file:// dependencies, and order all as they can be released.
    #[arg(long)]
    dependents: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    let repository = LocalRepository::open(&arguments.path)?;
    let head = repository.resolve(&arguments.head)?;
    let (base, read) = base(arguments, &repository, &head)?;
    let (_, globs) = usable(&read)?;
    let map = read.configuration.directories.into_iter().map(|(chart, directory)| (directory, chart)).collect::<BTreeMap<_, _>>();
    let request = Request { base, head, exact: arguments.exact, dependents: arguments.dependents, globs, map };
    output.detail(&format!("comparing {} with {}; charts are at {}", request.base, request.head, request.globs.written().join(", ")));
    let (detection, notices) = now(detect(&repository, &request))??;
    notices.iter().for_each(|notice| output.notice(&notice.to_string()));
    match output.format() {
        Format::Json => output.document(&detection)?,
        Format::Matrix => output.json_line(&detection.matrix())?,
        Format::Text => output.text(&text(&detection))?,
    }
    Ok(Answer::Yes)
}

/// The commit to compare with and the configuration that holds: the base's, which a contribution cannot change. Only
/// the name of the main branch, when no base is given, comes from where the user stands.
fn base(arguments: &Arguments, repository: &LocalRepository, head: &CommitId) -> Result<(CommitId, ReadConfiguration), CommandError> {
    let reference = match &arguments.base {
        Some(reference) => reference.clone(),
        None => configuration(repository, head)?.unwrap_or_default().configuration.branches.main.to_string(),
    };
    let base = repository.resolve(&reference).map_err(|error| {
        let error = CommandError::from(error);
        if arguments.base.is_none() { error.hint("--base REF names another branch to compare with") } else { error }
    })?;
    let found = match configuration(repository, &base)? {
        Some(found) => found,
        None => configuration(repository, head)?.unwrap_or_default(),
    };
    Ok((base, found))
}

fn text(detection: &Detection) -> String {
    let from = detection.merge_base.as_ref().unwrap_or(&detection.base).short();
    let to = detection.head.short();
    if detection.charts.is_empty() {
        return format!("no chart differs between {from} and {to}\n");
    }
    let width = detection.charts.iter().map(|change| change.chart.as_str().len()).max().unwrap_or_default();
    let mut text = String::new();
    for change in &detection.charts {
        let from = if let ChangeKind::Renamed { from } = &change.kind { format!(" (was {from})") } else { String::new() };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<9}  {:<width$}  {}{from}", change.kind.as_str(), change.chart.as_str(), change.path);
    }
    let count = detection.charts.len();
    let _ = writeln!(text, "{count} {} between {from} and {to}", if count == 1 { "chart" } else { "charts" });
    text
}
