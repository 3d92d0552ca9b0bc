//! Proving an index: against itself and against the packages it lists.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::chart::{Metadata, version::lenient};
use super::super::digest::Sha256;
use super::{Entry, Index, IndexError, order};

/// A package that lies in a repository's directory.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedPackage {
    /// Its path relative to the directory of the index, with `/` between components.
    pub path: String,
    /// Its digest.
    pub sha256: Sha256,
    /// The description in it.
    pub metadata: Metadata,
}

/// Every rule: its stable id, and what it says.
pub const RULES: [(&str, &str); 10] = [
    ("index/order", "A chart's versions do not stand highest first."),
    ("index/duplicate", "A version is listed twice."),
    ("index/name", "An entry describes a chart of another name than the one it is listed under."),
    ("index/version", "What is listed as a version is none."),
    ("index/url", "An entry has no URL."),
    ("index/digest", "An entry has no digest, none that is a SHA-256, or another one than its package."),
    ("index/metadata", "An entry describes its chart otherwise than the package does."),
    ("index/missing-package", "There is no package where an entry's URL points."),
    ("index/unlisted", "A package is there that no entry lists."),
    ("index/garbled-package", "A file is named as a package and is none."),
];

/// Something in an index that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// A stable id, one of [`RULES`].
    pub rule: &'static str,
    /// The chart.
    pub chart: String,
    /// The version.
    pub version: String,
    /// What is wrong, as a clause.
    pub problem: String,
}

impl Finding {
    /// A file beside the index that is named as a package but is none.
    #[must_use]
    pub fn garbled_package(path: &str, problem: &str) -> Self {
        finding("index/garbled-package", path, "", format!("is no chart package: {problem}"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.version.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}: {} ({})", self.chart, self.version, self.problem, self.rule)
    }
}

/// Reads an index strictly and holds it against the packages in its directory; without a list of packages only against
/// itself. Nothing found is the proof.
///
/// # Errors
/// When the index cannot be read, see [`IndexError`].
pub fn check(index: &[u8], packages: Option<&[IndexedPackage]>) -> Result<Vec<Finding>, IndexError> {
    let index = Index::parse(index)?;
    let mut findings = Vec::new();
    for (name, entries) in &index.entries {
        check_order(name, entries, &mut findings);
        for entry in entries {
            check_entry(name, entry, &mut findings);
        }
    }
    if let Some(packages) = packages {
        check_packages(&index, packages, &mut findings);
    }
    Ok(findings)
}

fn finding(rule: &'static str, chart: &str, version: &str, problem: impl Into<String>) -> Finding {
    Finding { rule, chart: chart.to_owned(), version: version.to_owned(), problem: problem.into() }
}

fn check_order(name: &str, entries: &[Entry], findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for pair in entries.windows(2) {
        if let [one, other] = pair
            && order(&one.metadata.version, &other.metadata.version) == Ordering::Less
        {
            let problem = format!("stands behind {}, which is lower", one.metadata.version);
            findings.push(finding("index/order", name, &other.metadata.version, problem));
        }
    }
    for entry in entries {
        if !seen.insert(entry.metadata.version.as_str()) {
            findings.push(finding("index/duplicate", name, &entry.metadata.version, "is listed twice"));
        }
    }
}

fn check_entry(name: &str, entry: &Entry, findings: &mut Vec<Finding>) {
    let version = entry.metadata.version.as_str();
    if entry.metadata.name != name {
        findings.push(finding("index/name", name, version, format!("is an entry of chart {:?}", entry.metadata.name)));
    }
    if lenient(version).is_none() {
        findings.push(finding("index/version", name, version, "is not a version"));
    }
    if entry.urls.as_ref().is_none_or(Vec::is_empty) && !entry.removed {
        findings.push(finding("index/url", name, version, "has no URL"));
    }
    if entry.digest.is_empty() {
        findings.push(finding("index/digest", name, version, "has no digest"));
    } else if !is_sha256(&entry.digest) {
        findings.push(finding("index/digest", name, version, format!("has digest {:?}, which is no SHA-256", entry.digest)));
    }
}

/// Whether a digest can be a package's: 64 hexadecimal digits, as Helm 2 wrote it with the algorithm before them.
fn is_sha256(digest: &str) -> bool {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn check_packages(index: &Index, packages: &[IndexedPackage], findings: &mut Vec<Finding>) {
    let by_path: BTreeMap<&str, &IndexedPackage> = packages.iter().map(|package| (package.path.as_str(), package)).collect();
    let mut listed = BTreeSet::new();
    for (name, entry) in index.entries.iter().flat_map(|(name, entries)| entries.iter().map(move |entry| (name, entry))) {
        let version = entry.metadata.version.as_str();
        let relative = entry.urls.iter().flatten().filter(|url| !url.contains("://")).map(|url| url.strip_prefix("./").unwrap_or(url));
        let file_name = format!("{name}-{version}.tgz");
        let elsewhere = entry.urls.iter().flatten().any(|url| url.contains("://"));
        let by_name = || packages.iter().find(|package| package.path.rsplit('/').next() == Some(&file_name));
        let package = relative.filter_map(|path| by_path.get(path).copied()).next().or_else(|| if elsewhere { by_name() } else { None });
        let Some(package) = package else {
            if !elsewhere && !entry.removed {
                findings.push(finding("index/missing-package", name, version, "has no package where its URL points"));
            }
            continue;
        };
        listed.insert(package.path.as_str());
        if entry.digest.strip_prefix("sha256:").unwrap_or(&entry.digest) != package.sha256.to_string() && is_sha256(&entry.digest) {
            findings.push(finding("index/digest", name, version, format!("has digest {}, {} has {}", entry.digest, package.path, package.sha256)));
        }
        if entry.metadata != package.metadata {
            findings.push(finding("index/metadata", name, version, format!("is described otherwise than in {}", package.path)));
        }
    }
    for package in packages.iter().filter(|package| !listed.contains(package.path.as_str())) {
        findings.push(finding("index/unlisted", &package.metadata.name, &package.metadata.version, format!("is not listed, but {} is there", package.path)));
    }
}
