//! `chartflow verify`.

mod repository;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chartflow_core::domain::content::ContentId;
use chartflow_core::domain::lineage::{Artifact, Proof, Report, verify};
use chartflow_core::domain::names::TagName;
use chartflow_core::io::chart_directory;
use chartflow_core::io::file::read_at_most;
use chartflow_core::io::trust::Trust;
use clap::Args;

use crate::Answer;
use crate::error::{CommandError, Kind};
use crate::output::{Format, Output};
use repository::Tagged;

/// Longer packages are refused by the verification.
const PACKAGE_LIMIT: usize = 256 << 20;
/// Longer lineages are refused by the verification.
const LINEAGE_LIMIT: usize = 8 << 20;

/// Verify a package, a tag or a chart's directory against its lineage.
///
/// Nothing is fetched. Whom to trust is yours to say, with --trust or --repository: what a package says of its origin is
/// never a reason to trust it. With --repo the lineage is also held against the repository it speaks about.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chartflow verify web-1.3.0.tgz --trust trust                    with web-1.3.0.lineage.jsonl beside it
  chartflow verify web-1.3.0.tgz --repository example/charts      a public repository on github.com
  chartflow verify web-v1.3.0 --trust trust --repo .              a tag, with its lineage from the release branch
  chartflow verify charts/web --trust trust --lineage web-1.3.0.lineage.jsonl")]
pub(crate) struct Arguments {
    /// A package, a chart's directory or, with --repo, a tag.
    artifact: String,
    /// The lineage [default: the package's name with .lineage.jsonl in place of .tgz].
    #[arg(long, value_name = "FILE")]
    lineage: Option<PathBuf>,
    /// The folder with the policy, and the trusted root where the policy names one.
    #[arg(long, value_name = "DIR", conflicts_with = "repository")]
    trust: Option<PathBuf>,
    /// A public repository on github.com whose charts you trust.
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// The top of a git work tree, or a bare repository, that the lineage speaks about.
    #[arg(long, value_name = "PATH")]
    repo: Option<PathBuf>,
}

/// What is verified, read.
enum Subject {
    Package(Vec<u8>),
    Directory(ContentId),
    /// Without the chart's content, where what the tag names does not hold it.
    Tag(TagName, Option<ContentId>),
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    let trust = trust(arguments)?;
    let local = arguments.repo.as_deref().map(repository::open).transpose()?;
    let given = arguments.lineage.as_deref().map(|path| read(path, LINEAGE_LIMIT)).transpose()?;
    let path = Path::new(&arguments.artifact);
    let (subject, lineage) = match (&local, std::fs::metadata(path)) {
        (_, Ok(metadata)) if metadata.is_dir() => (directory(path)?, given.ok_or_else(|| without_lineage(path))?),
        (_, Ok(_)) => package(path, given)?,
        (Some(local), Err(_)) => {
            let Tagged { tag, content, lineage } = repository::tagged(local, &arguments.artifact, given)?;
            (Subject::Tag(tag, content), lineage)
        }
        (None, Err(error)) => return Err(absent(&arguments.artifact).because(error)),
    };
    let facts = match &local {
        Some(local) => repository::look_up(local, &lineage)?,
        None => None,
    };
    let artifact = match &subject {
        Subject::Package(bytes) => Artifact::Package { bytes },
        Subject::Directory(content) => Artifact::Directory { content },
        Subject::Tag(tag, content) => Artifact::Tag { tag, content: content.as_ref() },
    };
    let report = verify(&artifact, &lineage, &trust.policy, &trust.anchor, facts.as_ref());
    match output.format() {
        Format::Json => output.document(&report)?,
        _ => output.text(&text(&report, &arguments.artifact, &trust.shown))?,
    }
    Ok(Answer::from(report.verified()))
}

/// What a directory must be to be verified.
const DIRECTORY_HINT: &str = "name a chart's directory as it was released: files with UTF-8 names and links that stay within it";

fn trust(arguments: &Arguments) -> Result<Trust, CommandError> {
    match (&arguments.trust, &arguments.repository) {
        (Some(folder), _) => Ok(Trust::from_folder(folder)?),
        (None, Some(name)) => Ok(Trust::public(name.parse().map_err(|error| CommandError::of(Kind::Request, error).hint("name it as OWNER/NAME"))?)?),
        (None, None) => Err(CommandError::new(Kind::Request, "whom to trust was not said")
            .hint("--trust DIR names a folder with your policy, --repository OWNER/NAME a public repository on github.com")),
    }
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CommandError> {
    read_at_most(path, limit).map_err(|error| {
        CommandError::new(Kind::Request, format!("{} cannot be read", path.display())).because(error).hint("name a file that is there and that you may read")
    })
}

fn absent(artifact: &str) -> CommandError {
    let hint = "name a package or a chart's directory; for a tag, --repo PATH names its repository";
    CommandError::new(Kind::Request, format!("{artifact} cannot be read")).hint(hint)
}

fn without_lineage(path: &Path) -> CommandError {
    CommandError::new(Kind::Request, format!("which lineage {} belongs to was not said", path.display())).hint("--lineage FILE names it")
}

fn directory(path: &Path) -> Result<Subject, CommandError> {
    let files = chart_directory::read(path).map_err(|error| CommandError::of(Kind::Request, error).hint(DIRECTORY_HINT))?;
    let content = files.content_id().map_err(|error| CommandError::of(Kind::Request, error).hint(DIRECTORY_HINT))?;
    Ok(Subject::Directory(content))
}

fn package(path: &Path, given: Option<Vec<u8>>) -> Result<(Subject, Vec<u8>), CommandError> {
    let bytes = read(path, PACKAGE_LIMIT)?;
    let lineage = match given {
        Some(lineage) => lineage,
        None => read(&beside(path), LINEAGE_LIMIT).map_err(|error| error.hint("fetch the .lineage.jsonl of this release, or name it with --lineage"))?,
    };
    Ok((Subject::Package(bytes), lineage))
}

/// `<package without .tgz>.lineage.jsonl`.
fn beside(package: &Path) -> PathBuf {
    let name = package.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    package.with_file_name(format!("{}.lineage.jsonl", name.strip_suffix(".tgz").unwrap_or(&name)))
}

fn text(report: &Report, artifact: &str, trusted: &str) -> String {
    let mut text = String::new();
    let chart = report.chart.as_deref().unwrap_or(artifact);
    let version = report.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let verdict = if report.verified() { "verified" } else { "refused" };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{verdict}: {chart}{version}, by {trusted}");
    if let Some(digest) = report.artifact.sha256 {
        let _ = writeln!(text, "  {}", digest.prefixed());
    }
    for refusal in &report.refused {
        let stage = refusal.stage.map(|stage| format!(" ({stage})")).unwrap_or_default();
        // A line feed in a signed field must not make a line that looks like ours.
        let message = refusal.message.replace('\n', "\\n");
        let _ = writeln!(text, "  {}{stage}: {message}\n    {}", refusal.rule, refusal.rule.explanation().hint);
    }
    if report.verified() {
        for link in &report.chain {
            let kind = link.predicate_type.rsplit_once("//").map_or(link.predicate_type.as_str(), |(_, rest)| rest);
            let proof = match link.proof {
                Proof::Rederived => "repeated with the same result",
                Proof::Signed => "signed",
            };
            let _ = writeln!(text, "  {:<9} {kind}, {proof}", link.stage.as_str());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lineage_lies_beside_its_package() {
        assert_eq!(beside(Path::new("x/a-1.0.0.tgz")), Path::new("x/a-1.0.0.lineage.jsonl"));
        assert_eq!(beside(Path::new("a")), Path::new("a.lineage.jsonl"));
    }
}
