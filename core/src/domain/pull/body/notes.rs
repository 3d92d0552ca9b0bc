//! The text of a GitHub Release.

use semver::Version;

use super::joined;
use crate::domain::digest::Sha256;
use crate::domain::names::{ChartName, RepositoryName};

/// GitHub refuses longer texts: "body is too long (maximum is 125000 characters)", answered with 422.
pub const NOTES_LIMIT: usize = 125_000;

const CUT: &str = "\n\n*Cut here: the whole entry is in the chart's CHANGELOG.md.*";

/// What the text of a release speaks about.
#[derive(Debug, Clone, Copy)]
pub struct Notes<'a> {
    /// The chart.
    pub chart: &'a ChartName,
    /// The version.
    pub version: &'a Version,
    /// The package's file name.
    pub file: &'a str,
    /// The package's digest.
    pub package: Sha256,
    /// Where it is pushed to, without a tag, such as `ghcr.io/o/charts/redis`.
    pub image: &'a str,
    /// The repository it was made in.
    pub repository: &'a RepositoryName,
    /// The changelog's entry, Markdown already, with its heading.
    pub entry: &'a str,
}

/// The changelog's entry, and how to get the package and verify it; at most [`NOTES_LIMIT`] characters.
#[must_use]
pub fn release_notes(notes: &Notes<'_>) -> String {
    let stem = notes.file.trim_end_matches(".tgz");
    let commands = format!(
        "helm pull oci://{} --version {}\nchartflow verify {} --lineage {stem}.lineage.jsonl --repository {}",
        notes.image, notes.version, notes.file, notes.repository
    );
    let verify = joined([
        "### Get and verify".to_owned(),
        format!("```shell\n{commands}\n```"),
        format!(
            "The lineage is beside the package; it leads from the package back to the contributions, and `chartflow verify` needs no network. The package of `{}` is `sha256:{}`.",
            notes.chart, notes.package
        ),
    ]);
    // The heading repeats the release's own title.
    let entry = notes.entry.trim();
    let entry = if entry.starts_with("## ") { entry.split_once('\n').map_or("", |(_, rest)| rest).trim() } else { entry };
    let room = NOTES_LIMIT.saturating_sub(verify.chars().count() + 2);
    joined([cut(entry, room), verify])
}

/// At most `room` characters, whole lines.
fn cut(entry: &str, room: usize) -> String {
    if entry.chars().count() <= room {
        return entry.to_owned();
    }
    let room = room.saturating_sub(CUT.chars().count());
    let mut kept = String::new();
    let mut characters = 0;
    for line in entry.split_inclusive('\n') {
        characters += line.chars().count();
        if characters > room {
            break;
        }
        kept.push_str(line);
    }
    format!("{}{CUT}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release() {
        let repository = "o/r".parse().unwrap();
        let (chart, number) = ("redis".parse::<ChartName>().unwrap(), Version::new(1, 3, 0));
        let notes = Notes {
            chart: &chart,
            version: &number,
            file: "redis-1.3.0.tgz",
            package: Sha256::of(b""),
            image: "ghcr.io/o/charts/redis",
            repository: &repository,
            entry: "## 1.3.0 (2026-01-01)\n\n### Fixes\n\n- one\n",
        };
        insta::assert_snapshot!(release_notes(&notes), @"
        ### Fixes

        - one

        ### Get and verify

        ```shell
        helm pull oci://ghcr.io/o/charts/redis --version 1.3.0
        chartflow verify redis-1.3.0.tgz --lineage redis-1.3.0.lineage.jsonl --repository o/r
        ```

        The lineage is beside the package; it leads from the package back to the contributions, and `chartflow verify` needs no network. The package of `redis` is `sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`.
        ");
        let long = release_notes(&Notes { entry: &"- é one\n".repeat(40_000), ..notes });
        assert!(long.chars().count() <= NOTES_LIMIT && long.chars().count() > NOTES_LIMIT - 100);
        assert!(long.contains("- é one\n\n*Cut here: ") && long.contains("helm pull"), "{}", long.len());
        let one_line = release_notes(&Notes { entry: &"é".repeat(200_000), ..notes });
        assert!(one_line.chars().count() <= NOTES_LIMIT && one_line.contains("helm pull"));
    }
}
