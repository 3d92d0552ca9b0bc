//! Names that are not UTF-8, which git allows: no chart has one, and elsewhere they are in nobody's way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]
#![allow(missing_docs, reason = "a test")]
#![cfg(unix)]

mod common;

use common::TestEnvironment;

const CHART: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: a chart\n";
const OTHER: &str = "apiVersion: v2\nname: other\nversion: 1.0.0\ndescription: a chart\n";

/// Puts a file into the index whose path is any bytes.
fn stage(test: &TestEnvironment, path: &[u8], content: &str) {
    let blob = test.git("r", &["hash-object", "-w", "--stdin"], content.as_bytes());
    test.git("r", &["update-index", "--index-info"], &[format!("100644 {blob}\t").as_bytes(), path, b"\n"].concat());
}

/// Takes it out again.
fn unstage(test: &TestEnvironment, path: &[u8]) {
    test.git("r", &["update-index", "--index-info"], &[b"0 0000000000000000000000000000000000000000\t", path, b"\n"].concat());
}

fn commit(test: &TestEnvironment, message: &str) {
    test.git("r", &["commit", "-q", "-m", message], b"");
}

/// A repository `r` with a chart on main and files of these paths; the caller is on `feature`.
fn repository(paths: &[&[u8]]) -> TestEnvironment {
    let test = TestEnvironment::new();
    test.commit("r", &[("charts/a/Chart.yaml", CHART), ("charts/a/values.yaml", "value: 0\n")], "feat(a): a chart");
    paths.iter().for_each(|path| stage(&test, path, OTHER));
    test.git("r", &["commit", "-q", "--allow-empty", "-m", "chore: files"], b"");
    test.git("r", &["checkout", "-q", "-b", "feature"], b"");
    test
}

const REHEARSE: &[&str] = &["rehearse", "r", "--base", "main", "--head", "feature", "--out", "out", "-q"];

#[test]
fn a_chart_needs_a_name_that_can_be_told() {
    let test = repository(&[]);
    stage(&test, b"charts/caf\xe9/Chart.yaml", OTHER);
    commit(&test, "feat: a chart");
    insta::assert_snapshot!(test.chartflow("", &["detect", "r", "--head", "feature"]), @r"
    -- stderr
    error: charts/caf\xe9: the name is not UTF-8
    hint: rename or remove it; charts hold files with UTF-8 names and nothing else
    -- exit 2
    ");
    insta::assert_snapshot!(test.chartflow("", REHEARSE), @r"
    -- stderr
    error: charts/caf\xe9: the name is not UTF-8
    hint: rename or remove it; charts hold files with UTF-8 names and nothing else
    -- exit 2
    ");
    assert!(!test.path("out").exists());
}

#[test]
fn giving_one_a_name_takes_two_steps() {
    let test = repository(&[b"charts/caf\xe9/Chart.yaml", b"charts/caf\xe9/values.yaml"]);
    for file in [&b"charts/caf\xe9/Chart.yaml"[..], b"charts/caf\xe9/values.yaml"] {
        unstage(&test, file);
    }
    stage(&test, b"charts/other/Chart.yaml", OTHER);
    commit(&test, "feat(other): a name");
    insta::assert_snapshot!(test.chartflow("", &["detect", "r", "--head", "feature"]), @"
    added      other  charts/other
    1 chart between bc24ac71c5 and 762f596a5b
    -- exit 0
    ");
    insta::assert_snapshot!(test.chartflow("", REHEARSE), @r"
    Nothing was released: validate refused the contribution.

    validate refused the contribution (layout/outside):
      pull request 1 changes files outside the charts: charts/caf\xe9/
      hint: files outside charts travel by an ordinary pull request to main; open one that takes charts/caf\xe9/ away, and leave here what has a new name alone

    Everything is in out; to see the whole train, open out/report.html in a browser.
    -- exit 1
    ");
}

#[test]
fn changing_it_is_told_too() {
    let test = repository(&[b"charts/caf\xe9/Chart.yaml"]);
    stage(&test, b"charts/caf\xe9/values.yaml", "value: 1\n");
    commit(&test, "fix: a value");
    assert_eq!(test.chartflow("", &["detect", "r", "--head", "feature"]).exit, Some(2));
    assert_eq!(test.chartflow("", REHEARSE).exit, Some(2));
}

#[test]
fn elsewhere_such_names_are_carried_along() {
    let names: [&[u8]; 5] = [b"caf\xe9.txt", b"docs/caf\xe9/read me", b"charts/caf\xe9/Chart.yaml", b"charts/\xff\xfe", b"\xe9.d/charts/x/Chart.yaml"];
    let test = repository(&names);
    stage(&test, b"charts/a/values.yaml", "value: 1\n");
    commit(&test, "fix(a): a value");
    insta::assert_snapshot!(test.chartflow("", &["detect", "r", "--head", "feature", "--format", "matrix"]), @r#"
    {"include":[{"chart":"a","path":"charts/a"}]}
    -- exit 0
    "#);
    let done = test.chartflow("", REHEARSE);
    assert_eq!(done.exit, Some(0), "{done}");
    for branch in ["main", "integration", "a-v1.0.1"] {
        for name in names {
            // `git ls-tree` takes no pathspec that is not the platform's; the escaped listing shows every byte.
            let listed = test.git("out/origin.git", &["ls-tree", "-r", "--name-only", branch], b"");
            let escaped: String = name.iter().map(|byte| if byte.is_ascii() { char::from(*byte).to_string() } else { format!("\\{byte:o}") }).collect();
            assert!(listed.lines().any(|line| line.trim_matches('"') == escaped), "{branch}: {escaped} in\n{listed}");
        }
    }
    let fsck = test.git("out/origin.git", &["fsck", "--strict"], b"");
    assert_eq!(fsck.lines().filter(|line| !line.starts_with("dangling")).count(), 0, "{fsck}");
    let verified = test.chartflow("", &["verify", "a-v1.0.1", "--repo", "out/origin.git", "--trust", "out/trust"]);
    assert_eq!(verified.exit, Some(0), "{verified}");
}

#[test]
fn a_contribution_that_changes_one_is_told_where() {
    let test = repository(&[b"docs/caf\xe9.txt"]);
    stage(&test, b"docs/caf\xe9.txt", "changed\n");
    stage(&test, b"docs/\xff\x1b", "new\n");
    stage(&test, b"charts/a/values.yaml", "value: 1\n");
    commit(&test, "fix(a): a value, and files");
    insta::assert_snapshot!(test.chartflow("", REHEARSE), @r"
    Nothing was released: validate refused the contribution.

    validate refused the contribution (layout/outside):
      pull request 1 changes files outside the charts: docs/caf\xe9.txt, docs/\xff\u{1b}
      hint: files outside charts travel by an ordinary pull request to main; open one for them

    Everything is in out; to see the whole train, open out/report.html in a browser.
    -- exit 1
    ");
}

#[test]
fn a_plain_directory_is_told_the_same() {
    use std::os::unix::ffi::OsStrExt as _;
    let test = TestEnvironment::new();
    let write = |path: &[u8], content: &str| {
        let at = test.path("plain").join(std::ffi::OsStr::from_bytes(path));
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, content).unwrap();
    };
    write(b"charts/a/Chart.yaml", CHART);
    write(b"caf\xe9.txt", "x");
    assert_eq!(test.chartflow("", &["rehearse", "plain", "--out", "out", "-q"]).exit, Some(0));
    write(b"charts/caf\xe9/Chart.yaml", OTHER);
    insta::assert_snapshot!(test.chartflow("", &["rehearse", "plain", "--out", "out2", "-q"]), @r"
    -- stderr
    error: the rehearsal stopped
      caused by: charts/caf\xe9: the name is not UTF-8
    hint: rename or remove it; charts hold files with UTF-8 names and nothing else
    -- exit 2
    ");
}
