//! `chartflow index`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chartflow_core::domain::causes;
use chartflow_core::domain::digest::Sha256;
use chartflow_core::domain::index::{self, Finding, INDEX_LIMIT, IndexError, IndexedPackage, NewEntry};
use chartflow_core::domain::package::{Limits, PackageContents, PackageError, read_package};
use chartflow_core::io::file::read_at_most;
use chartflow_core::io::write;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::Answer;
use crate::error::{CommandError, Kind, file_kind};
use crate::output::{Format, Output};

/// The largest package that is read, compressed, in bytes.
const PACKAGE_LIMIT: usize = 100 << 20;
/// Directories are searched this deep for packages.
const DEPTH_LIMIT: usize = 16;

/// Extend or prove the index of a Helm repository.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chartflow index add index.yaml charts/web-1.2.3.tgz
  chartflow index add index.yaml web-1.2.3.tgz --url https://example.com/charts
  chartflow index check index.yaml .")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List packages; what is listed already stays as it is, byte for byte.
    ///
    /// A version's time is that of the newest file in its package. A version that is listed with another digest is
    /// refused: what was published does not change. An index that has no lines of its own, such as one in JSON, is
    /// written anew as helm writes it, and it is said.
    #[command(after_help = "\
Examples:
  chartflow index add index.yaml charts/web-1.2.3.tgz
  chartflow index add index.yaml web-1.2.3.tgz --url https://example.com/charts")]
    Add {
        /// The index; a new one begins when it is missing.
        index: PathBuf,
        /// The packages.
        #[arg(value_name = "PACKAGE", required = true)]
        packages: Vec<PathBuf>,
        /// What stands before the packages' paths in their URLs; without it they are relative to the index.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Hold an index against itself, and against the packages in the directory that it serves.
    #[command(after_help = "\
Examples:
  chartflow index check index.yaml
  chartflow index check index.yaml . --format json")]
    Check {
        /// The index.
        index: PathBuf,
        /// The directory that the relative URLs of the index are meant in.
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    match &arguments.command {
        Command::Add { index, packages, url } => add(index, packages, url.as_deref(), output),
        Command::Check { index, directory } => check(index, directory.as_deref(), output),
    }
}

fn add(path: &Path, packages: &[PathBuf], url: Option<&str>, output: &Output) -> Result<Answer, CommandError> {
    url.map_or(Ok(()), check_url)?;
    let before = read_if_there(path, INDEX_LIMIT)?;
    let mut after = before.clone().unwrap_or_default();
    let mut rewritten = false;
    let (mut text, mut list) = (String::new(), Vec::new());
    for package in packages {
        let (contents, digest) = read(package)?;
        let (name, version) = (contents.metadata.name.clone(), contents.metadata.version.clone());
        let address = package_url(path, package, url)?;
        if !address.below {
            let (package, address) = (package.display(), &address.url);
            output.notice(&format!("{package} does not lie below the index's directory; it is listed as {address}, so that is where it has to be served"));
        }
        let urls = vec![address.url];
        let created = i64::try_from(contents.modified).unwrap_or(i64::MAX);
        let entry = NewEntry { metadata: contents.metadata, digest, urls, created };
        let extended = index::extend(Some(&after), &entry).map_err(|error| translate(path, Kind::Request, error))?;
        let added = extended.bytes != after;
        rewritten |= extended.rewritten;
        text.push_str(&if added { format!("added {name} {version}\n") } else { format!("{name} {version} was listed already\n") });
        list.push(json!({ "chart": name, "version": version, "sha256": digest, "url": entry.urls.first(), "added": added }));
        after = extended.bytes;
    }
    if before.as_deref() != Some(after.as_slice()) {
        write::whole(path, &after)
            .map_err(|error| CommandError::of(file_kind(&error.source), error).hint("name an index in a folder that is there and can be written"))?;
    }
    if rewritten {
        let shown = path.display();
        output.notice(&format!("{shown} has no lines between which a version could be put, so it was written anew: it says the same, in helm's layout"));
    }
    print(output, &text, &json!({ "index": path.display().to_string(), "packages": list }))?;
    Ok(Answer::Yes)
}

fn check(path: &Path, directory: Option<&Path>, output: &Output) -> Result<Answer, CommandError> {
    let bytes = read_if_there(path, INDEX_LIMIT)?.ok_or_else(|| absent(path))?;
    let mut garbled = Vec::new();
    let packages = directory.map(|directory| packages(directory, &mut garbled)).transpose()?;
    let mut findings = index::check(&bytes, packages.as_deref()).map_err(|error| translate(path, Kind::AnswerNo, error))?;
    findings.extend(garbled);
    let count = packages.as_ref().map_or(0, Vec::len);
    let mut text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    text.push_str(&match (findings.len(), &packages) {
        (0, None) => format!("{} holds\n", path.display()),
        (0, Some(_)) => format!("{} holds and lists the {count} packages that are there\n", path.display()),
        (number, _) => format!("{} does not hold: {number} findings\n", path.display()),
    });
    let list: Vec<Value> = findings
        .iter()
        .map(|Finding { rule, chart, version, problem, .. }| json!({ "rule": rule, "chart": chart, "version": version, "problem": problem }))
        .collect();
    let result = if findings.is_empty() { "proved" } else { "refused" };
    print(output, &text, &json!({ "result": result, "index": path.display().to_string(), "packages": count, "findings": list }))?;
    Ok(Answer::from(findings.is_empty()))
}

fn print(output: &Output, text: &str, document: &Value) -> Result<(), CommandError> {
    match output.format() {
        Format::Json => output.document(document),
        _ => output.text(text),
    }
}

/// Every package below a directory; what is named as one and is none becomes a finding.
fn packages(directory: &Path, garbled: &mut Vec<Finding>) -> Result<Vec<IndexedPackage>, CommandError> {
    let mut paths = Vec::new();
    search(directory, "", 0, &mut paths)?;
    let mut packages = Vec::new();
    for (relative, path) in paths {
        let bytes = read_if_there(&path, PACKAGE_LIMIT)?.ok_or_else(|| absent(&path))?;
        match read_package(&bytes, Limits::default()) {
            Ok(contents) => packages.push(IndexedPackage { path: relative, sha256: Sha256::of(&bytes), metadata: contents.metadata }),
            Err(PackageError::Archive { source, .. }) => garbled.push(Finding::garbled_package(&relative, &causes(&source))),
            Err(error) => garbled.push(Finding::garbled_package(&relative, &causes(&error))),
        }
    }
    Ok(packages)
}

fn search(directory: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) -> Result<(), CommandError> {
    let failed = |error: io::Error| {
        CommandError::new(Kind::Request, format!("{} cannot be read", directory.display())).because(error).hint("name a directory that you may read")
    };
    let mut entries = fs::read_dir(directory).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(failed)?;
        let relative = format!("{prefix}{name}");
        if kind.is_dir() && !name.starts_with('.') && depth < DEPTH_LIMIT {
            search(&entry.path(), &format!("{relative}/"), depth + 1, found)?;
        } else if kind.is_file() && name.ends_with(".tgz") {
            found.push((relative, entry.path()));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<(PackageContents, Sha256), CommandError> {
    let bytes = read_if_there(path, PACKAGE_LIMIT)?.ok_or_else(|| absent(path))?;
    let garbled = CommandError::new(Kind::AnswerNo, format!("{} is no chart package", path.display())).hint("`chartflow package` makes one of a chart");
    let contents = match read_package(&bytes, Limits::default()) {
        Ok(contents) => contents,
        Err(PackageError::Archive { source, .. }) => return Err(garbled.because(source)),
        Err(error) => return Err(garbled.because(error)),
    };
    Ok((contents, Sha256::of(&bytes)))
}

fn absent(path: &Path) -> CommandError {
    CommandError::new(Kind::Request, format!("{} does not exist", path.display())).hint("name a file that is there")
}

fn read_if_there(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, CommandError> {
    let failed =
        |error: io::Error| CommandError::new(Kind::Request, format!("{} cannot be read", path.display())).because(error).hint("name a file that you may read");
    let bytes = match read_at_most(path, limit) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if bytes.len() > limit {
        return Err(CommandError::new(Kind::Request, format!("{} has more than {limit} bytes", path.display())).hint("nothing as long is read"));
    }
    Ok(Some(bytes))
}

/// What stands before the paths in an index is an address that a client can ask.
fn check_url(url: &str) -> Result<(), CommandError> {
    let scheme = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    let parts = url.split_once("://").filter(|(name, rest)| scheme(name) && !rest.trim_matches('/').is_empty());
    if parts.is_some() && !url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    let hint = "write such as --url https://example.com/charts; without it the addresses are relative to the index";
    Err(CommandError::new(Kind::Request, format!("--url {url:?} is no address")).hint(hint))
}

/// Where a package can be had.
struct Address {
    url: String,
    /// Whether it lies below the index's directory.
    below: bool,
}

/// The package's path relative to the index, behind `url` where there is one. A package that does not lie below the
/// index's directory goes by its name alone.
fn package_url(index: &Path, package: &Path, url: Option<&str>) -> Result<Address, CommandError> {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let directory = index.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside = real(directory).zip(real(package)).and_then(|(directory, package)| package.strip_prefix(directory).ok().map(Path::to_owned));
    let below = inside.is_some();
    let relative = inside.or_else(|| package.file_name().map(PathBuf::from)).unwrap_or_default();
    let relative = relative.to_str().filter(|text| !text.is_empty()).map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    let relative = relative.ok_or_else(|| {
        CommandError::new(Kind::Request, format!("{} is not a name in UTF-8", package.display())).hint("give the package the name that `helm package` gives it")
    })?;
    Ok(Address { url: url.map_or_else(|| relative.clone(), |url| format!("{}/{relative}", url.trim_end_matches('/'))), below })
}

/// An index to be proved is refused for what it holds; one to be extended is an input that cannot be read (`garbled`).
fn translate(path: &Path, garbled: Kind, error: IndexError) -> CommandError {
    let message = format!("{}: the index cannot be used", path.display());
    match error {
        IndexError::Digest { name, version, listed, new } => {
            let message = format!("{} already lists {name} {version} with digest {listed}, not {new}", path.display());
            CommandError::new(Kind::AnswerNo, message).hint("publish the changed chart under a new version")
        }
        _ => CommandError::new(garbled, message).because(error).hint("mend it, or make it anew with `chartflow index add` and another file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_relative_to_the_index() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        fs::create_dir_all(top.join("site/charts")).unwrap();
        for file in ["site/charts/a-1.0.0.tgz", "b-1.0.0.tgz"] {
            fs::write(top.join(file), "").unwrap();
        }
        let check = |package: &str, url: Option<&str>| package_url(&top.join("site/index.yaml"), &top.join(package), url).unwrap().url;
        assert_eq!(check("site/charts/a-1.0.0.tgz", None), "charts/a-1.0.0.tgz");
        assert_eq!(check("site/../site/charts/a-1.0.0.tgz", Some("https://example.com/x/")), "https://example.com/x/charts/a-1.0.0.tgz");
        assert_eq!(check("b-1.0.0.tgz", None), "b-1.0.0.tgz");
    }
}
