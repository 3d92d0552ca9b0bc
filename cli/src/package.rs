//! `chartflow package`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chartflow_core::domain::chart::CHART_FILE;
use chartflow_core::domain::check::schema;
use chartflow_core::domain::package::ignore::IGNORE_FILE;
use chartflow_core::domain::package::{self, Package, PackageError, Source};
use chartflow_core::io::gpg::{GpgError, Signer};
use chartflow_core::io::{chart_directory, write};
use clap::Args;
use serde_json::{Value, json};

use crate::Answer;
use crate::error::{CommandError, Kind, file_kind};
use crate::interruption::Interruption;
use crate::output::{Format, Output};

/// The variable of <https://reproducible-builds.org/specs/source-date-epoch/>.
const EPOCH_VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// Make the package of each chart, as `helm package` does, byte for byte the same every time.
///
/// Dependencies are taken from the chart's charts directory; one that is declared and not there is an error, unless
/// --dependency-update puts it in. Nothing is written unless every chart could be packaged.
#[derive(Debug, Args)]
#[command(after_help = "\
The time of every file in a package is SOURCE_DATE_EPOCH (seconds since 1970), or 1970-01-01 when it is not set.

Examples:
  chartflow package charts/web
  chartflow package charts/* -d packages
  chartflow package charts/web --dependency-update
  chartflow package charts/web --sign --key 'Jane Doe'
  chartflow package charts/web --sign --key jane@example.com --keyring secret.gpg
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) chartflow package charts/web --format json")]
pub(crate) struct Arguments {
    /// The chart's directory.
    #[arg(value_name = "CHART", required = true)]
    charts: Vec<PathBuf>,
    /// Put `file://` dependencies in as their directories hold them, in place of copies in charts; the chart's directory
    /// stays as it is, Chart.lock with it, and nothing is downloaded.
    #[arg(short = 'u', long)]
    dependency_update: bool,
    /// Where to write the packages; it is made when it is missing.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// Write a provenance file beside each package, signed by gpg, as `helm package --sign` does and `helm verify` checks it.
    #[arg(long, requires = "key")]
    sign: bool,
    /// The key to sign with: a name, an address or a fingerprint by which gpg finds one key and no other.
    #[arg(long, value_name = "KEY", requires = "sign")]
    key: Option<String>,
    /// Where gpg looks for that key in place of its own keyring: what `gpg --export-secret-keys` wrote, or public keys whose
    /// secret halves gpg's agent has.
    #[arg(long, value_name = "FILE", requires = "sign")]
    keyring: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    let epoch = epoch(std::env::var_os(EPOCH_VARIABLE).map(|value| value.to_string_lossy().into_owned()).as_deref())?;
    let mut packages = Vec::with_capacity(arguments.charts.len());
    let mut names = BTreeSet::new();
    for chart in &arguments.charts {
        let package = package(chart, arguments.dependency_update, epoch, output)?;
        if !names.insert(package.file_name.clone()) {
            let message = format!("two of the charts make {}", package.file_name);
            return Err(CommandError::new(Kind::Request, message).hint("package them into different directories, each with its own -d"));
        }
        packages.push((chart, package));
    }
    let signed = match &arguments.key {
        Some(key) if arguments.sign => match sign(&packages, key, arguments.keyring.as_deref())? {
            Ok(signed) => signed,
            Err(signal) => return Ok(Answer::Stopped { signal }),
        },
        _ => Vec::new(),
    };
    let mut text = String::new();
    let mut list = Vec::with_capacity(packages.len());
    for ((chart, package), signed) in packages.iter().zip(signed.iter().map(Some).chain(std::iter::repeat(None))) {
        let file = arguments.destination.join(&package.file_name);
        let whole = |file: &Path, bytes: &[u8]| {
            write::whole(file, bytes).map_err(|error| CommandError::of(file_kind(&error.source), error).hint("name a folder that can be written with -d"))
        };
        whole(&file, &package.bytes)?;
        text.push_str(&format!("packaged {} as {}\n  sha256:{}\n", chart.display(), file.display(), package.sha256));
        let mut described = description(chart, &file, package);
        if let Some(signed) = signed {
            let provenance = arguments.destination.join(format!("{}.prov", package.file_name));
            whole(&provenance, signed.as_bytes())?;
            text.push_str(&format!("  signed in {}\n", provenance.display()));
            described["provenance"] = provenance.display().to_string().into();
        }
        list.push(described);
    }
    match output.format() {
        Format::Json => output.document(&json!({ "packages": list }))?,
        _ => output.text(&text)?,
    }
    Ok(Answer::Yes)
}

/// The provenance file of each package, or the number of the signal that ended this.
fn sign(packages: &[(&PathBuf, Package)], key: &str, keyring: Option<&Path>) -> Result<Result<Vec<String>, u8>, CommandError> {
    if let Some(keyring) = keyring.filter(|keyring| !keyring.is_file()) {
        let message = format!("the keyring {} is no file", keyring.display());
        return Err(CommandError::new(Kind::Request, message).hint("name the file of a keyring, or leave --keyring out to sign with gpg's own"));
    }
    let texts = packages.iter().map(|(_, package)| package::provenance_text(package).map_err(translate)).collect::<Result<Vec<_>, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::new(Kind::Outside, "the program's threads could not be started").because(error))?;
    let signed = async {
        let signer = Signer::find(key, keyring).await?;
        let mut signed = Vec::with_capacity(texts.len());
        for text in &texts {
            signed.push(signer.clear_sign(text).await?);
        }
        Ok(signed)
    };
    runtime.block_on(async {
        let interruption = Interruption::listen()?;
        // The keys that were laid out for gpg go when that is dropped.
        tokio::select! {
            biased;
            signal = interruption.wait() => Ok(Err(signal)),
            signed = signed => signed.map(Ok).map_err(unsigned),
        }
    })
}

fn unsigned(error: GpgError) -> CommandError {
    let (kind, hint) = match &error {
        GpgError::Unknown { keyring: None, .. } => {
            (Kind::Request, "`gpg --list-secret-keys` lists the keys that sign, `gpg --import FILE` adds those of a file")
        }
        GpgError::Unknown { keyring: Some(_), .. } => {
            (Kind::Request, "`gpg --export-secret-keys KEY > FILE` writes a keyring that signs, `gpg --show-keys FILE` lists one")
        }
        GpgError::Several { .. } => (Kind::Request, "name one of them by its fingerprint"),
        GpgError::Passphrase { .. } => {
            (Kind::Request, "run this at a terminal, with GPG_TTY=$(tty) in the environment; where there is none, sign with a key that has no passphrase")
        }
        GpgError::OtherSigner { .. } => (Kind::Request, "take `local-user` out of gpg.conf; nothing was written"),
        GpgError::OtherText { .. } => {
            (Kind::Request, "gpg cuts lines after about 20,000 bytes: shorten that value in Chart.yaml, or let `helm package --sign` sign; nothing was written")
        }
        GpgError::Refused { .. } => (Kind::Request, "`gpg --list-secret-keys` lists the keys that sign, and until when"),
        _ => (Kind::Outside, "install GnuPG, or let `helm package --sign` make and sign the package"),
    };
    CommandError::of(kind, error).hint(hint)
}

fn description(chart: &Path, file: &Path, package: &Package) -> Value {
    json!({
        "chart": package.name,
        "version": package.version,
        "path": chart.display().to_string(),
        "file": file.display().to_string(),
        "sha256": package.sha256,
        "members": package.members.len(),
    })
}

fn package(chart: &Path, update: bool, epoch: i64, output: &Output) -> Result<Package, CommandError> {
    // Not to read half a disk for a directory that is no chart.
    if chart.is_dir() && std::fs::symlink_metadata(chart.join(CHART_FILE)).is_err() {
        return Err(CommandError::new(Kind::Request, format!("{} holds no Chart.yaml", chart.display())).hint("name the directory of a chart"));
    }
    let contents = chart_directory::contents(chart)
        .map_err(|error| CommandError::of(Kind::Request, error).hint("name the directory of a chart, which holds files with UTF-8 names"))?;
    let shown = chart.to_string_lossy();
    let path = if shown == "/" { "/" } else { shown.trim_end_matches('/') };
    let files = &contents.files;
    let dependencies = if update { chart_directory::dependencies(chart, path, files) } else { Ok(BTreeMap::new()) };
    let dependencies = dependencies.map_err(|error| CommandError::new(Kind::Request, error.to_string()).because(error))?;
    if let Some(name) = package::unreadable_constraint(path, files, &dependencies) {
        let message = format!("{path} depends on {name} by a version that is neither a version nor a constraint");
        return Err(CommandError::new(Kind::Request, message).hint(format!("write a version such as 1.2.3 or ^1.2 in {path}/{CHART_FILE}")));
    }
    if let Some(found) = package::excluded(path, files, &dependencies).first() {
        let (name, constraint) = (&found.dependency.name, &found.dependency.version);
        let message = format!("{path} depends on {name} {constraint:?}, but {} has the version {}", found.path, found.version);
        return Err(CommandError::new(Kind::Request, message).hint(format!("correct the constraint in {path}/{CHART_FILE}")));
    }
    let package = package::package(&Source { path, files, dependencies: &dependencies }, epoch).map_err(translate)?;
    if let Some(left_out) = contents.helm_alone_packages() {
        output.notice(&format!("{path}/{left_out} is left out, as git cannot hold it; helm packages it until {path}/{IGNORE_FILE} names .git"));
    }
    // helm packages these, and so is it done here; but not what the file says.
    for finding in files.bytes(CHART_FILE).map(|bytes| schema::read_otherwise(&format!("{path}/{CHART_FILE}"), bytes)).unwrap_or_default() {
        output.notice(&format!("{finding}; {}", finding.hint.as_deref().unwrap_or_default()));
    }
    Ok(package)
}

fn translate(error: PackageError) -> CommandError {
    let kind = if matches!(error, PackageError::Write { .. }) { Kind::Outside } else { Kind::Request };
    let hint = error.hint();
    let translated = CommandError::new(kind, error.to_string()).because(error);
    match hint {
        Some(hint) => translated.hint(hint),
        None if kind == Kind::Request => translated.hint("`chartflow lint` says what else is wrong with the chart"),
        None => translated,
    }
}

fn epoch(value: Option<&str>) -> Result<i64, CommandError> {
    match value {
        None | Some("") => Ok(0),
        Some(text) => text.parse().map_err(|error: std::num::ParseIntError| {
            CommandError::new(Kind::Request, format!("{EPOCH_VARIABLE} is {text:?}, a number of seconds since 1970 is expected"))
                .because(error)
                .hint("set it such as SOURCE_DATE_EPOCH=$(git log -1 --format=%ct), or not at all")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_a_number() {
        assert_eq!(epoch(None).unwrap(), 0);
        assert_eq!(epoch(Some("1700000000")).unwrap(), 1_700_000_000);
        assert!(epoch(Some("yesterday")).is_err());
    }
}
