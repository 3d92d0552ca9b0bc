//! `chartflow lint`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chartflow_core::domain::causes;
use chartflow_core::domain::chart::{CHART_FILE, Metadata};
use chartflow_core::domain::check::layout::Surroundings;
use chartflow_core::domain::check::{CheckResult, Finding, Outcome, Severity, Subject, helm_lint, lint};
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, Configuration};
use chartflow_core::domain::content::Files;
use chartflow_core::domain::names::{ChartName, RepoPath};
use chartflow_core::domain::package::vendored;
use chartflow_core::io::chart_directory;
use chartflow_core::io::helm::HelmBinary;
use chartflow_core::port::helm::{Helm as _, HelmError};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::Answer;
use crate::error::{CommandError, Kind};
use crate::interruption::Interruption;
use crate::output::{Format, Output};

/// Run the checks that need no pull request: layout, schema, Artifact Hub and, where helm is found, `helm lint`.
#[derive(Debug, Args)]
#[command(after_help = "\
Findings are printed as `file:line: severity: message [rule]`, each with what to do about it.

Examples:
  chartflow lint charts/web
  chartflow lint charts/* --format json")]
pub(crate) struct Arguments {
    /// The chart's directory.
    #[arg(value_name = "CHART", required = true)]
    charts: Vec<PathBuf>,
}

/// What was found in one chart.
#[derive(Debug, Serialize)]
struct Linted {
    chart: String,
    path: String,
    checks: Vec<CheckResult>,
}

/// A chart's directory as it was named, and as its repository calls it.
struct Place {
    shown: String,
    directory: RepoPath,
    files: Files,
    directories: BTreeMap<ChartName, RepoPath>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    // Everything that was named is looked at first: a wrong request prints nothing but itself.
    let places = arguments.charts.iter().map(|chart| place(chart)).collect::<Result<Vec<_>, _>>()?;
    let helm = HelmBinary::find(std::env::var_os("PATH").as_deref());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::new(Kind::Outside, "the program's threads could not be started").because(error))?;
    let linted = async {
        let mut charts = Vec::with_capacity(places.len());
        for (place, chart) in places.iter().zip(&arguments.charts) {
            charts.push(check(place, chart, &helm).await?);
        }
        Ok::<_, CommandError>(charts)
    };
    let linted = runtime.block_on(async {
        let interruption = Interruption::listen()?;
        // What was laid out for helm goes when that is dropped.
        tokio::select! {
            biased;
            signal = interruption.wait() => Ok(Err(signal)),
            charts = linted => charts.map(Ok),
        }
    });
    let charts = match linted? {
        Ok(charts) => charts,
        Err(signal) => return Ok(Answer::Stopped { signal }),
    };
    let failed = charts.iter().flat_map(|chart| &chart.checks).any(|result| result.outcome == Outcome::Failed);
    match output.format() {
        Format::Json => output.document(&json!({ "charts": charts }))?,
        _ => output.text(&charts.iter().map(text).collect::<String>())?,
    }
    Ok(Answer::from(!failed))
}

fn place(chart: &Path) -> Result<Place, CommandError> {
    // Not to read half a disk for a directory that is no chart.
    if chart.is_dir() && std::fs::symlink_metadata(chart.join(CHART_FILE)).is_err() {
        return Err(CommandError::new(Kind::Request, format!("{} holds no {CHART_FILE}", chart.display())).hint("name the directory of a chart"));
    }
    let files = chart_directory::read(chart).map_err(|error| CommandError::of(Kind::Request, error))?;
    let shown = chart.to_string_lossy().trim_end_matches('/').to_owned();
    if files.get(CHART_FILE).is_none() {
        return Err(CommandError::new(Kind::Request, format!("{shown} holds no {CHART_FILE}")).hint("name the directory of a chart"));
    }
    let absolute = chart.canonicalize().map_err(|error| CommandError::new(Kind::Request, format!("{shown} cannot be read")).because(error))?;
    // The top of the repository; a chart outside any is called by its directory's name.
    let top = absolute.ancestors().skip(1).find(|above| above.join(".git").exists());
    let relative = absolute.strip_prefix(top.or(absolute.parent()).unwrap_or(&absolute)).unwrap_or(&absolute);
    let directory = RepoPath::new(relative.to_string_lossy().into_owned())
        .map_err(|error| CommandError::of(Kind::Request, error).hint("a chart lies in a directory of its own below the top of the repository"))?;
    let directories = match top.map(|top| std::fs::read(top.join(CONFIGURATION_FILE))) {
        Some(Ok(bytes)) => Configuration::read(&bytes)?.directories,
        Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(CommandError::new(Kind::Request, format!("{CONFIGURATION_FILE} cannot be read")).because(error));
        }
        _ => BTreeMap::new(),
    };
    Ok(Place { shown, directory, files, directories })
}

async fn check(place: &Place, chart: &Path, helm: &HelmBinary) -> Result<Linted, CommandError> {
    let name = name(place);
    let around = chart_directory::dependencies(chart, place.directory.as_str(), &place.files);
    let around = around.map_err(|error| CommandError::of(Kind::Request, error))?;
    let subject = Subject { directory: &place.directory, files: &place.files };
    let rendered = if helm.is_present() {
        match helm.lint(&name, &vendored(place.directory.as_str(), &place.files, &around)).await {
            Ok(output) => helm_lint::check(&subject, Some(&output)),
            Err(error @ HelmError::Content { .. }) => helm_lint::unable(&causes(&error)),
            Err(error) => return Err(CommandError::of(Kind::Outside, error).hint("is the helm on the PATH in order? `helm version` should say")),
        }
    } else {
        helm_lint::check(&subject, None)
    };
    let around = Surroundings { directories: Some(&place.directories), dependencies: Some(&around), ..Surroundings::default() };
    let mut checks = lint(&subject, &around, rendered);
    for finding in checks.iter_mut().flat_map(|result| &mut result.findings) {
        // People open a file from where they stand, not from the top of the repository.
        let below = finding.file.as_deref().and_then(|file| file.strip_prefix(place.directory.as_str()));
        finding.file = below.map(|below| format!("{}{below}", place.shown)).or_else(|| finding.file.take());
    }
    Ok(Linted { chart: name, path: place.shown.clone(), checks })
}

fn name(place: &Place) -> String {
    let metadata = place.files.bytes(CHART_FILE).and_then(|bytes| Metadata::read(CHART_FILE, bytes).ok());
    let name = metadata.and_then(|metadata| metadata.chart_name().ok());
    name.map_or_else(|| place.directory.base_name().to_owned(), |name| name.to_string())
}

fn text(linted: &Linted) -> String {
    let mut text = String::new();
    for finding in linted.checks.iter().flat_map(|result| &result.findings) {
        line(&mut text, finding);
    }
    let ended = |outcome| {
        let keys: Vec<&str> = linted.checks.iter().filter(|result| result.outcome == outcome).map(|result| result.check.as_str()).collect();
        (!keys.is_empty()).then(|| format!("{} {}", outcome.as_str(), keys.join(", ")))
    };
    let parts: Vec<String> = [Outcome::Failed, Outcome::Passed, Outcome::Skipped].into_iter().filter_map(ended).collect();
    text + &format!("{}: {}\n", linted.path, parts.join("; "))
}

fn line(text: &mut String, finding: &Finding) {
    let place = match (&finding.file, finding.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        (Some(file), None) => format!("{file}: "),
        (None, _) => String::new(),
    };
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{place}{severity}: {} [{}]", finding.message, finding.rule);
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
}
