//! What a release of a contribution would be, as far as it can be told before it is merged.

use semver::Version;

use super::release_version;
use crate::domain::changelog;
use crate::domain::commit::conventional::changes;
use crate::domain::commit::range::Counted;
use crate::domain::configuration::Versions;
use crate::domain::content::Files;
use crate::domain::markdown::Links;
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::package::is_packaged_change;
use crate::domain::version::{self, Decision, Level, VersionError, VersionPolicy};

/// What the bump would do. It also knows tags and index, which nobody asks for at a pull request, so that its version can
/// be higher where a version was published that main does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    /// The version on main.
    pub(crate) before: Option<Version>,
    /// The version in the contributed Chart.yaml.
    pub(crate) contributed: Option<Version>,
    /// The version, the level and why, where they can be decided.
    pub(crate) decision: Option<Decision>,
    /// Why they cannot.
    pub(crate) refused: Option<VersionError>,
    /// What CHANGELOG.md gains, where there is a version.
    pub(crate) entry: Option<String>,
}

impl Preview {
    /// The version that would be written, or why there is none; `None` where nothing is released.
    pub(crate) fn next(&self) -> Option<Result<&Version, &VersionError>> {
        let decided = self.decision.as_ref().filter(|decision| decision.level != Level::None).map(|decision| Ok(&decision.version));
        decided.or(self.refused.as_ref().map(Err))
    }
}

/// A chart before and after a contribution.
pub(crate) struct Contribution<'a> {
    pub(crate) chart: &'a ChartName,
    pub(crate) path: &'a RepoPath,
    pub(crate) base: Option<&'a Files>,
    /// `None` when it is removed.
    pub(crate) files: Option<&'a Files>,
    /// Newest first.
    pub(crate) commits: &'a [Counted],
    pub(crate) versions: Versions,
}

pub(crate) fn preview(contribution: &Contribution<'_>, links: &Links) -> Preview {
    let version = |files: Option<&Files>| files.and_then(|files| files.bytes("Chart.yaml")).and_then(|bytes| release_version(contribution.path, bytes).ok());
    let (before, contributed) = (version(contribution.base), version(contribution.files));
    let decided = contributed.clone().zip(contribution.files).map(|(contributed, files)| {
        let packaged = contribution.base.is_none_or(|base| is_packaged_change(base, files));
        let messages = || contribution.commits.iter().map(|commit| commit.message.as_str());
        let facts = version::Facts {
            main: before.clone(),
            contributed,
            floor: before.clone(),
            level: version::level_of(messages(), packaged),
            policy: policy(contribution.versions),
            release_as: messages().flat_map(changes).find_map(|change| change.release_as()?.ok()),
        };
        version::decide(&facts)
    });
    let (decided, refused) = match decided.transpose() {
        Ok(decided) => (decided, None),
        Err(error) => (None, Some(error)),
    };
    let date = contribution.commits.iter().map(|commit| commit.committed).max();
    let entry = decided
        .as_ref()
        .filter(|decision| decision.level != Level::None)
        .zip(date)
        .map(|(decision, date)| changelog::Entry::new(contribution.chart, decision.version.clone(), None, date, contribution.commits).markdown(links));
    Preview { before, contributed, decision: decided, refused, entry }
}

/// Who decides versions, as the rule for versions names it.
pub(crate) const fn policy(versions: Versions) -> VersionPolicy {
    match versions {
        Versions::Commits => VersionPolicy::Commits,
        Versions::Contributed => VersionPolicy::Contributed,
        Versions::Higher => VersionPolicy::Higher,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::commit::Author;
    use crate::domain::digest::CommitId;

    fn chart(version: &str, values: &str) -> Files {
        let mut files = Files::new();
        files.insert("Chart.yaml", format!("apiVersion: v2\nname: a\nversion: {version}\n").into_bytes());
        files.insert("values.yaml", values.as_bytes().to_vec());
        files
    }

    fn check(base: Option<Files>, files: Option<Files>, message: &str, expected: &str) -> Preview {
        let commits = [Counted {
            id: CommitId::new("1".repeat(40)).unwrap(),
            author: Author { name: "Ann".to_owned(), email: "ann@example.com".to_owned() },
            committed: 1_700_000_000,
            message: message.to_owned(),
            pull: Some(3),
        }];
        let contribution = Contribution {
            chart: &"a".parse().unwrap(),
            path: &"charts/a".parse().unwrap(),
            base: base.as_ref(),
            files: files.as_ref(),
            commits: &commits,
            versions: Versions::Higher,
        };
        let preview = preview(&contribution, &Links::new("https://github.com", "o/r".parse().unwrap()));
        let show = |version: Option<&Version>| version.map_or_else(|| "-".to_owned(), ToString::to_string);
        let refused = || preview.refused.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let decision = preview.decision.as_ref().map_or_else(refused, |decision| format!("{} {}", decision.version, decision.level));
        assert_eq!(format!("{} {} {decision}", show(preview.before.as_ref()), show(preview.contributed.as_ref())), expected);
        preview
    }

    #[test]
    fn versions() {
        check(Some(chart("1.2.3", "a")), Some(chart("1.2.3", "b")), "fix: b", "1.2.3 1.2.3 1.2.4 patch");
        check(Some(chart("1.2.3", "a")), Some(chart("2.0.0", "b")), "fix: b", "1.2.3 2.0.0 2.0.0 patch");
        check(Some(chart("1.2.3", "a")), Some(chart("1.2.3", "b")), "fix: b\n\nRelease-As: 3.0.0", "1.2.3 1.2.3 3.0.0 patch");
        check(None, Some(chart("0.1.0", "b")), "feat: b", "- 0.1.0 0.1.0 initial");
        assert_eq!(check(Some(chart("1.2.3", "a")), None, "feat: gone", "1.2.3 - -").entry, None);
        assert_eq!(
            check(
                Some(chart("1.2.3", "a")),
                Some(chart("1.0.0", "b")),
                "fix: down",
                "1.2.3 1.0.0 the version 1.0.0 is older than 1.2.3, which main already has"
            )
            .entry,
            None
        );
        let low = "1.2.3 1.2.3 the footer Release-As asks for 1.2.3, which is not higher than 1.2.3";
        assert_eq!(check(Some(chart("1.2.3", "a")), Some(chart("1.2.3", "b")), "fix: b\n\nRelease-As: 1.2.3", low).entry, None);
        assert_eq!(check(Some(chart("1.2.3", "a")), Some(chart("x", "b")), "fix: no version", "1.2.3 - -").entry, None);
        assert_eq!(check(Some(chart("1.2.3", "a")), Some(chart("1.2.3", "a")), "fix: nothing", "1.2.3 1.2.3 1.2.3 none").entry, None);
    }

    #[test]
    fn the_entry() {
        let preview = check(Some(chart("1.2.3", "a")), Some(chart("1.2.3", "b")), "feat(a): a switch", "1.2.3 1.2.3 1.3.0 minor");
        insta::assert_snapshot!(preview.entry.unwrap(), @"
        ## 1.3.0 (2023-11-14)

        ### Features

        - a switch ([#3](https://github.com/o/r/pull/3), [`1111111111`](https://github.com/o/r/commit/1111111111111111111111111111111111111111))

        Contributors: Ann
        ");
    }
}
