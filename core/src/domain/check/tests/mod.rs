//! What the checks say, as a person reads it.

mod annotations;
mod description;
mod files;
mod real;

use std::collections::BTreeSet;

use super::*;
use crate::domain::configuration::Versions;
use crate::port::helm::LintOutput;

const GOOD: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\n";

fn files(list: &[(&str, &str)]) -> Files {
    let mut files = Files::new();
    for (path, text) in list {
        files.insert(*path, *text);
    }
    files
}

fn directory() -> RepoPath {
    "charts/a".parse().unwrap()
}

/// The outcome and a line for each finding.
fn told(result: &CheckResult) -> String {
    let mut text = result.outcome.as_str().to_owned();
    for finding in &result.findings {
        assert!(RULES.iter().any(|rule| rule.id == finding.rule), "{} is not in the table", finding.rule);
        assert!(finding.rule.starts_with(&format!("{}/", result.check)), "{} belongs to another check", finding.rule);
        let hint = finding.hint.as_deref().map(|hint| format!(" | {hint}")).unwrap_or_default();
        text += &format!("\n{:?} {} {finding}{hint}", finding.severity, finding.rule);
    }
    text
}

#[test]
fn keys_and_rules_are_stable() {
    for check in CheckId::ALL {
        assert_eq!(check.as_str().parse(), Ok(check));
        assert_eq!(serde_json::to_value(check).unwrap(), check.as_str());
        assert!(check.definition().starts_with(&format!("{check}/")));
    }
    insta::assert_snapshot!("lint".parse::<CheckId>().unwrap_err(), @r#""lint" is no built-in check"#);
    assert_eq!(CheckId::ALL.iter().map(|check| check.definition_digest()).collect::<BTreeSet<_>>().len(), 7);
    assert_eq!(RULES.iter().map(|rule| rule.id).collect::<BTreeSet<_>>().len(), RULES.len());
}

#[test]
fn commits_follow_the_convention() {
    let check = |list: &[(&str, bool)]| {
        let commits: Vec<_> = list
            .iter()
            .map(|(message, is_merge)| commits::Commit {
                id: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
                message: (*message).to_owned(),
                is_merge: *is_merge,
            })
            .collect();
        told(&commits::check(&commits))
    };
    assert_eq!(check(&[]), "passed");
    assert_eq!(
        check(&[("feat(a)!: x\n\nbody", false), ("Revert \"changed some stuff\"\n\nThis reverts commit 0123456.", false), ("Merge branch 'main'", true)]),
        "passed"
    );
    insta::assert_snapshot!(check(&[("fix: x\n\nRelease-As: 2.0.0", false), ("fix: x\n\nRelease-As: 2.0", false)]), @r#"
    failed
    Error commits/release-as commit 0123456789: the footer Release-As names "2.0", which is not a version like 1.2.3 | write the whole version, such as `Release-As: 2.0.0`; `git commit --amend` or `git rebase -i` changes it
    "#);
    insta::assert_snapshot!(check(&[("fix: x", false), ("changed some stuff", false)]), @r#"
    failed
    Error commits/convention commit 0123456789: "changed some stuff" does not begin with a type and a colon, such as "fix: " or "feat(redis): " | write the title as `<type>(<scope>): <description>`, for example `fix: restart the pod when the secret changes`; `git commit --amend` or `git rebase -i` changes it
    "#);
}

#[test]
fn versions_do_not_go_down() {
    let check = |chart: &str, floor: Option<&str>| {
        let (files, directory) = (files(&[("Chart.yaml", chart)]), directory());
        let floor = floor.map(|floor| floor.parse().unwrap());
        told(&version::check(&Subject { directory: &directory, files: &files }, floor.as_ref(), Versions::Higher, None))
    };
    for (chart, floor) in [(GOOD, None), (GOOD, Some("1.0.0")), ("name: a\nversion: 1.0\n", Some("2.0.0")), ("", Some("1.0.0"))] {
        assert_eq!(check(chart, floor), "passed", "{chart}");
    }
    insta::assert_snapshot!(check(GOOD, Some("1.0.1")), @r"
    failed
    Error version/lower charts/a/Chart.yaml:3: version 1.0.0 is lower than 1.0.1, which is out | leave the version at 1.0.1; the bump raises it, or write a higher one
    ");
    insta::assert_snapshot!(check(GOOD, Some("1.0.0-rc.1")), @r"
    passed
    Notice version/raised charts/a/Chart.yaml:3: version 1.0.0 was raised by hand from 1.0.0-rc.1: it counts when the commits ask for less
    ");
}

#[test]
fn a_next_version_can_be_given() {
    use crate::domain::version::VersionError;
    let check = |refused: VersionError, floor: &str| {
        let (files, directory) = (files(&[("Chart.yaml", GOOD)]), directory());
        told(&version::check(&Subject { directory: &directory, files: &files }, Some(&floor.parse().unwrap()), Versions::Higher, Some(Err(&refused))))
    };
    let version = |text: &str| semver::Version::parse(text).unwrap();
    insta::assert_snapshot!(check(VersionError::ReleaseAs { asked: version("0.9.0"), floor: version("1.0.0") }, "1.0.0"), @r"
    failed
    Error version/release-as charts/a/Chart.yaml:3: the footer Release-As asks for 0.9.0, which is not higher than 1.0.0 | ask for a higher version in a new commit with the footer Release-As, or revert the commit that asks for this one
    ");
    insta::assert_snapshot!(check(VersionError::Exhausted { version: version("1.0.0") }, "1.0.0"), @r"
    failed
    Error version/exhausted charts/a/Chart.yaml:3: the version 1.0.0 cannot be raised: a number in it is as high as it can be | ask for another version with the footer Release-As
    ");
    let not_raised = VersionError::NotRaised { contributed: version("1.0.0"), floor: version("1.0.0"), suggestion: version("1.0.1") };
    insta::assert_snapshot!(check(not_raised, "1.0.0"), @r"
    failed
    Error version/not-raised charts/a/Chart.yaml:3: the version 1.0.0 is not higher than 1.0.0; set at least 1.0.1 in Chart.yaml | raise the version in Chart.yaml, or set `versions: higher` in .chartflow.yaml
    ");
    // A branch from an old commit has an old version without having lowered it: the merge restores main's.
    assert_eq!(check(VersionError::Older { contributed: version("1.0.0"), main: version("1.1.0") }, "1.0.0"), "passed");
    assert!(check(VersionError::Older { contributed: version("1.0.0"), main: version("1.1.0") }, "1.1.0").starts_with("failed\nError version/lower"));
}

#[test]
fn the_bump_can_write_another_version() {
    let to = |chart: &str, next: &str| {
        let (files, directory) = (files(&[("Chart.yaml", chart)]), directory());
        told(&version::check(&Subject { directory: &directory, files: &files }, None, Versions::Higher, Some(Ok(&next.parse().unwrap()))))
    };
    let check = |chart: &str| to(chart, "1.0.1");
    // What stays as it is written needs no writing.
    assert_eq!(to("name: a\nversion: &v 1.0.0\nappVersion: *v\n", "1.0.0"), "passed");
    for plain in [GOOD, "name: a\nversion: '1.0.0' # why\n", "{name: a, version: \"1.0.0\"}", "version: 1.0.0\r\nname: a"] {
        assert_eq!(check(plain), "passed", "{plain}");
    }
    insta::assert_snapshot!(check("name: a\nversion: &v 1.0.0\nappVersion: *v\n"), @r"
    failed
    Error version/unwritable charts/a/Chart.yaml:2: the bump cannot write the version 1.0.1: version shares its value with another key through an anchor | write the value out
    ");
    insta::assert_snapshot!(check("name: a\nversion: >-\n  1.0.0\n"), @r"
    failed
    Error version/unwritable charts/a/Chart.yaml:3: the bump cannot write the version 1.0.1: version is written as a block | write it on the key's line, plain or in quotes
    ");
}

#[test]
fn the_changelog_is_only_shown() {
    assert_eq!(told(&changelog::check(None)), "passed");
    let result = changelog::check(Some("## 1.1.0\n\n- x\n"));
    assert_eq!((result.outcome, result.message().as_str()), (Outcome::Passed, "passed"));
    insta::assert_snapshot!(told(&result), @r"
    passed
    Notice changelog/preview CHANGELOG.md will gain:

    ## 1.1.0

    - x
    ");
}

#[test]
fn what_helm_lint_prints_becomes_findings() {
    let check = |success: bool, text: &str| {
        let files = files(&[("Chart.yaml", GOOD), ("values.yaml", ""), ("templates/x.yaml", "")]);
        told(&helm_lint::check(&Subject { directory: &directory(), files: &files }, Some(&LintOutput { success, text: text.to_owned() })))
    };
    insta::assert_snapshot!(check(true, "==> Linting a\n[INFO] Chart.yaml: icon is recommended\n[WARNING] templates/: directory not found\n\n1 chart(s) linted, 0 chart(s) failed\n"), @"
    passed
    Warning helm-lint/finding templates/: directory not found
    Notice helm-lint/finding charts/a/Chart.yaml: icon is recommended
    ");
    insta::assert_snapshot!(check(false, "==> Linting a\n[ERROR] templates/: template: a/templates/x.yaml:12:3: executing \"a/templates/x.yaml\" at <.Values.b.c>: nil pointer evaluating interface {}.c\n[ERROR] values.yaml: unable to parse YAML: error converting YAML to JSON: yaml: line 7: did not find expected key\n\nError: 1 chart(s) linted, 1 chart(s) failed\n"), @r#"
    failed
    Error helm-lint/finding charts/a/templates/x.yaml:12: template: a/templates/x.yaml:12:3: executing "a/templates/x.yaml" at <.Values.b.c>: nil pointer evaluating interface {}.c
    Error helm-lint/finding charts/a/values.yaml:7: unable to parse YAML: error converting YAML to JSON: yaml: line 7: did not find expected key
    "#);
    insta::assert_snapshot!(check(false, "Error: something else\n"), @r"
    failed
    Error helm-lint/finding helm lint failed: Error: something else
    ");
    // Only files that are in the chart are named.
    insta::assert_snapshot!(check(false, "[INFO] values.schema.json: file does not exist\n[ERROR] templates/: template: a/charts/b/templates/y.yaml:3:1: bad\n[ERROR] /tmp/x/a: chart.metadata is missing\n"), @"
    failed
    Error helm-lint/finding templates/: template: a/charts/b/templates/y.yaml:3:1: bad
    Error helm-lint/finding /tmp/x/a: chart.metadata is missing
    Notice helm-lint/finding values.schema.json: file does not exist
    ");
    let empty = Files::new();
    let skipped = helm_lint::check(&Subject { directory: &directory(), files: &empty }, None);
    assert_eq!((skipped.outcome, skipped.message().as_str()), (Outcome::Skipped, "helm was not found; the templates were not rendered"));
    insta::assert_snapshot!(told(&helm_lint::unable("the chart's files cannot be given to helm")), @r"
    failed
    Error helm-lint/finding the templates were not rendered: the chart's files cannot be given to helm
    ");
}

#[test]
fn lint_runs_all_that_need_no_pull_request() {
    let (files, directory) = (files(&[("Chart.yaml", GOOD), ("values.yaml", "a: 1\n")]), directory());
    let subject = Subject { directory: &directory, files: &files };
    let results = lint(&subject, &layout::Surroundings::default(), helm_lint::check(&subject, None));
    let outcomes: Vec<_> = results.iter().map(|result| (result.check.as_str(), result.outcome.as_str())).collect();
    assert_eq!(outcomes, [("layout", "passed"), ("schema", "passed"), ("artifact-hub", "passed"), ("helm-lint", "skipped")]);
}
