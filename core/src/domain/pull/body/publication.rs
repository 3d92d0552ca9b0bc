//! Stage 7: the pull request to release.

use semver::Version;

use super::part::{COMMIT_LIMIT, checklist, code, commits, next, version};
use super::{CheckLine, Lineage, joined};
use crate::domain::commit::range::Counted;
use crate::domain::digest::Sha256;
use crate::domain::markdown::{Links, link};
use crate::domain::names::{ChartName, TagName};

/// What is being published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The chart.
    pub chart: ChartName,
    /// The version.
    pub version: Version,
    /// The tag.
    pub tag: TagName,
    /// The newest version of the chart that the index lists already.
    pub newest: Option<Version>,
    /// The paths on the release branch that are new.
    pub added: Vec<String>,
    /// The package's file name.
    pub file: String,
    /// The package's digest.
    pub package: Sha256,
    /// Where it is pushed to, with tag, and the manifest's digest.
    pub image: Option<(String, Sha256)>,
    /// Lines of the lineage.
    pub attestations: usize,
    /// The commits that count, newest first.
    pub commits: Vec<Counted>,
    /// The checks on the lineage.
    pub checks: Vec<CheckLine>,
    /// Where the content came from.
    pub lineage: Lineage,
}

/// Stage 7: the pull request to release.
#[must_use]
pub fn publication(published: &Published, links: &Links) -> String {
    let what = if published.added.is_empty() {
        "its entry in the index; package and lineage are files of the GitHub Release"
    } else {
        "the package, its entry in the index and its lineage, in one commit"
    };
    let summary = format!("Publishes `{}` {}: {what}.", published.chart, published.version);
    let after = published.newest.iter().chain([&published.version]).max_by(|one, other| one.cmp_precedence(other));
    let mut changes = format!("| | before | after |\n|---|---|---|\n| newest in the index | {} | {} |\n", version(published.newest.as_ref()), version(after));
    for path in &published.added {
        changes.push_str(&format!("| {} | – | new |\n", code(path)));
    }
    changes.push_str("| `index.yaml` | | one version more |");
    let mut table = format!("| | |\n|---|---|\n| tag | {} |\n", link(&format!("`{}`", published.tag), &links.release(&published.tag)));
    table.push_str(&format!("| package | {} |\n| sha256 | `{}` |\n", code(&published.file), published.package));
    if let Some((reference, digest)) = &published.image {
        table.push_str(&format!("| OCI | {} |\n| manifest | `{}` |\n", code(reference), digest.prefixed()));
    }
    table.push_str(&format!("| lineage | {} attestations |", published.attestations));
    joined([
        summary,
        changes,
        next(
            "`package` has verified the lineage and merges this. `publish` then pushes to the registry, publishes the release and checks what it published as a stranger would.",
        ),
        table,
        checklist(&published.checks),
        published.lineage.mermaid(&published.chart),
        commits("### Commits", &published.commits, COMMIT_LIMIT, links),
    ])
}
