//! `chartflow detect`: what it prints, what it says about bad input, and that it leaves the repository alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

mod common;

use common::TestEnvironment;

const A: (&str, &str) = ("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n");
const B: (&str, &str) = ("charts/b/Chart.yaml", "name: b\nversion: 1.0.0\ndependencies:\n- name: a\n  version: 1.0.0\n  repository: file://../a\n");

/// A repository with two charts on main and a branch that changes the first.
fn repository() -> TestEnvironment {
    let test = TestEnvironment::new();
    test.commit("r", &[A, B], "feat: charts");
    test.git("r", &["checkout", "-q", "-b", "topic"], b"");
    test.commit("r", &[("charts/a/values.yaml", "x: 1\n")], "feat(a): x");
    test
}

#[test]
fn what_a_branch_changes() {
    let test = repository();
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @"
    modified   a  charts/a
    1 chart between 82d90f2f2c and 8fa3420f5b
    -- exit 0
    ");
    insta::assert_snapshot!(test.chartflow("", &["detect", "r", "--dependents"]), @"
    modified   a  charts/a
    dependent  b  charts/b
    2 charts between 82d90f2f2c and 8fa3420f5b
    -- exit 0
    ");
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--format", "matrix"]), @r#"
    {"include":[{"chart":"a","path":"charts/a"}]}
    -- exit 0
    "#);
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--format", "json"]), @r#"
    {
      "base": "82d90f2f2c65983c60530eb9d4a498e7848811f4",
      "head": "8fa3420f5b865d74165a3c9175c732577d940b21",
      "mergeBase": "82d90f2f2c65983c60530eb9d4a498e7848811f4",
      "charts": [
        {
          "chart": "a",
          "path": "charts/a",
          "change": "modified"
        }
      ]
    }
    -- exit 0
    "#);
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--head", "main", "--exact", "--base", "main"]), @"
    no chart differs between 82d90f2f2c and 82d90f2f2c
    -- exit 0
    ");
}

#[test]
fn the_base_is_the_configured_main_branch() {
    let test = TestEnvironment::new();
    test.commit(
        "r",
        &[
            A,
            (".chartflow.yaml", "charts: [\"stable/*\"]\nbranches:\n  main: trunk\ndirectories:\n  redis: stable/redis-ha\n"),
            ("stable/redis-ha/Chart.yaml", "name: redis\nversion: 1.0.0\n"),
        ],
        "feat: one",
    );
    test.git("r", &["branch", "-m", "trunk"], b"");
    test.git("r", &["checkout", "-q", "-b", "topic"], b"");
    // A contribution cannot change where charts are.
    test.commit(
        "r",
        &[("stable/redis-ha/x", "x"), ("charts/a/x", "x"), (".chartflow.yaml", "charts: [\"charts/*\"]\nbranches:\n  main: trunk\n")],
        "feat: two",
    );
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--format", "matrix"]), @r#"
    {"include":[{"chart":"redis","path":"stable/redis-ha"}]}
    -- exit 0
    "#);
    test.commit("r", &[(".chartflow.yaml", "chart: [x]\n")], "chore: broken");
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @r#"
    -- stderr
    error: .chartflow.yaml:1: the key "chart" is unknown; did you mean "charts"?
    hint: docs/configuration.md says what each key takes; without the key its default holds
    -- exit 2
    "#);
}

#[test]
fn notices_go_beside_the_result() {
    let test = TestEnvironment::new();
    test.commit("r", &[("stable/a/Chart.yaml", "name: a\nversion: 1.0.0\n")], "feat: one");
    test.git("r", &["checkout", "-q", "-b", "topic"], b"");
    test.commit("r", &[("stable/a/x", "x")], "feat: two");
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--format", "matrix"]), @r#"
    {"include":[{"chart":"a","path":"stable/a"}]}
    -- stderr
    notice: no chart is where "charts/*" says; every directory was searched instead. Write `charts: ["stable/*"]` into .chartflow.yaml
    -- exit 0
    "#);
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--format", "matrix", "-q"]), @r#"
    {"include":[{"chart":"a","path":"stable/a"}]}
    -- exit 0
    "#);
}

#[test]
fn no_repository() {
    let test = repository();
    std::fs::create_dir(test.path("empty")).unwrap();
    insta::assert_snapshot!(test.chartflow("", &["detect", "empty"]), @"
    -- stderr
    error: $TOP/empty is not the top of a git repository
    hint: name the top of a git work tree or a bare repository
    -- exit 2
    ");
    insta::assert_snapshot!(test.chartflow("", &["detect", "absent"]), @"
    -- stderr
    error: $TOP/absent does not exist
    hint: name the top of a git work tree or a bare repository
    -- exit 2
    ");
    insta::assert_snapshot!(test.chartflow("r/charts/a", &["detect"]), @"
    -- stderr
    error: $TOP/r/charts/a is not the top of a git repository
    hint: the repository's top is $TOP/r
    -- exit 2
    ");
    insta::assert_snapshot!(test.chartflow("", &["detect", "absent", "--format", "json"]), @r#"
    {
      "error": {
        "kind": "request",
        "message": "$TOP/absent does not exist",
        "hint": "name the top of a git work tree or a bare repository",
        "exit": 2
      }
    }
    -- exit 2
    "#);
}

#[test]
fn unknown_references() {
    let test = repository();
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--base", "mian"]), @r#"
    -- stderr
    error: "mian" is neither a branch, a tag nor a commit of this repository
    hint: did you mean `main`?
    -- exit 2
    "#);
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--head", "no-such-branch-anywhere"]), @r#"
    -- stderr
    error: "no-such-branch-anywhere" is neither a branch, a tag nor a commit of this repository
    hint: `git branch --all` and `git tag` list what there is
    -- exit 2
    "#);
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--base", "\u{1b}[31mred"]), @r#"
    -- stderr
    error: "\u{1b}[31mred" is neither a branch, a tag nor a commit of this repository
    hint: `git branch --all` and `git tag` list what there is
    -- exit 2
    "#);
    test.git("r", &["branch", "-D", "-q", "main"], b"");
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @r#"
    -- stderr
    error: "main" is neither a branch, a tag nor a commit of this repository
    hint: `git branch --all` and `git tag` list what there is
    hint: --base REF names another branch to compare with
    -- exit 2
    "#);
    test.git("unborn", &["init", "-q", "-b", "main", "--template="], b"");
    insta::assert_snapshot!(test.chartflow("unborn", &["detect"]), @"
    -- stderr
    error: HEAD has no commit yet
    hint: commit something first
    -- exit 2
    ");
}

#[test]
fn only_the_remote_knows_main() {
    let test = repository();
    let main = test.git("r", &["rev-parse", "main"], b"");
    test.git("r", &["update-ref", "refs/remotes/origin/main", &main], b"");
    test.git("r", &["branch", "-D", "-q", "main"], b"");
    assert_eq!(test.chartflow("r", &["detect", "--base", "main", "--format", "matrix"]).stdout, "{\"include\":[{\"chart\":\"a\",\"path\":\"charts/a\"}]}\n");
}

#[test]
fn unrelated_histories() {
    let test = repository();
    test.git("r", &["checkout", "-q", "--orphan", "other"], b"");
    test.commit("r", &[], "feat: alone");
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @"
    -- stderr
    error: 82d90f2f2c65983c60530eb9d4a498e7848811f4 and a4d319ce1d4472ab3dd0aa12cb237e42cddd4546 have no common ancestor
    hint: --exact compares the two commits themselves
    -- exit 2
    ");
    assert_eq!(test.chartflow("r", &["detect", "--exact"]).exit, Some(0));
}

#[test]
fn shallow_clones() {
    let test = repository();
    let topic = test.git("r", &["rev-parse", "--abbrev-ref", "HEAD"], b"");
    test.git("r", &["checkout", "-q", "main"], b"");
    test.commit("r", &[("charts/b/x", "x")], "feat(b): x");
    test.git("r", &["checkout", "-q", &topic], b"");
    let url = format!("file://{}", test.path("r").display());
    // Both commits are there, but not where they meet.
    test.git("", &["clone", "-q", "--depth", "1", "--no-single-branch", &url, "shallow"], b"");
    insta::assert_snapshot!(test.chartflow("shallow", &["detect"]), @"
    -- stderr
    error: the merge base of d76102b562 and 8fa3420f5b lies behind the boundary of this shallow clone
    hint: fetch what is missing: git fetch --unshallow; in GitHub Actions, give actions/checkout `fetch-depth: 0`
    -- exit 2
    ");
    assert_eq!(test.chartflow("shallow", &["detect", "--exact"]).exit, Some(0), "the commits themselves are there");
    test.git("", &["clone", "-q", "--depth", "1", &url, "single"], b"");
    insta::assert_snapshot!(test.chartflow("single", &["detect", "--base", "HEAD~1"]), @"
    -- stderr
    error: HEAD~1 lies behind the boundary of this shallow clone
    hint: fetch what is missing: git fetch --unshallow; in GitHub Actions, give actions/checkout `fetch-depth: 0`
    -- exit 2
    ");
    insta::assert_snapshot!(test.chartflow("single", &["detect", "--base", "release-2"]), @r#"
    -- stderr
    error: "release-2" is neither a branch, a tag nor a commit of this repository
    hint: this clone is shallow and may lack it: git fetch origin release-2; in GitHub Actions, give actions/checkout `fetch-depth: 0`
    -- exit 2
    "#);
    test.git("", &["clone", "-q", "--depth", "2", "--no-single-branch", &url, "deep-enough"], b"");
    assert_eq!(test.chartflow("deep-enough", &["detect", "--format", "matrix"]).stdout, "{\"include\":[{\"chart\":\"a\",\"path\":\"charts/a\"}]}\n");
}

#[test]
fn two_directories_with_one_name() {
    let test = repository();
    test.commit("r", &[("charts/c/Chart.yaml", "name: a\nversion: 1.0.0\n")], "feat: copy");
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @r#"
    -- stderr
    error: charts/a and charts/c both hold a chart named "a"
    hint: give one of them another `name` in its Chart.yaml, or remove it
    -- exit 2
    "#);
}

#[test]
fn names_nothing_can_be_released_under() {
    let test = repository();
    test.commit("r", &[("charts/c/Chart.yaml", "name: ../Evil\nversion: 1.0.0\n")], "feat: evil");
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @r#"
    -- stderr
    error: charts/c cannot be released under its name
      caused by: chart name "../Evil" holds a path separator
    hint: change `name` in its Chart.yaml, and the directory with it
    -- exit 2
    "#);
}

#[test]
fn submodules() {
    let test = repository();
    let head = test.git("r", &["rev-parse", "HEAD"], b"");
    test.git("r", &["update-index", "--add", "--cacheinfo", &format!("160000,{head},charts/sub")], b"");
    test.git("r", &["commit", "-q", "-m", "feat: sub"], b"");
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @"
    -- stderr
    error: charts/sub is a submodule; its content is not part of this repository and cannot be released from it
    hint: put the files themselves into the repository, or the submodule outside the charts
    -- exit 2
    ");
}

#[test]
fn paths_that_are_not_utf8() {
    let test = repository();
    let blob = test.git("r", &["hash-object", "-w", "--stdin"], b"x");
    let mut rows = format!("100644 blob {blob}\tChart.yaml\0100644 blob {blob}\tcaf").into_bytes();
    rows.extend_from_slice(b"\xe9\0");
    let chart = test.git("r", &["mktree", "-z"], &rows);
    test.git("r", &["read-tree", "--prefix=charts/c", &chart], b"");
    test.git("r", &["commit", "-q", "-m", "feat: latin"], b"");
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @"
    -- stderr
    error: charts/c/caf�: the name is not UTF-8
    hint: rename or remove it; charts hold files with UTF-8 names and nothing else
    -- exit 2
    ");
}

#[test]
fn cycles() {
    let test = repository();
    test.commit(
        "r",
        &[("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\ndependencies:\n- name: b\n  version: 1.0.0\n  repository: file://../b\n")],
        "feat: round",
    );
    insta::assert_snapshot!(test.chartflow("r", &["detect", "--dependents"]), @"
    -- stderr
    error: the file:// dependencies of these charts form a cycle: charts/a → charts/b → charts/a
    hint: move what they share into a chart of its own
    -- exit 2
    ");
    assert_eq!(test.chartflow("r", &["detect"]).exit, Some(0), "only dependents are told by dependencies");
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user() {
    let test = repository();
    // Only root may give a directory away; elsewhere there is nothing to test.
    if std::os::unix::fs::chown(test.path("r/.git"), Some(4711), None).is_err() {
        return;
    }
    insta::assert_snapshot!(test.chartflow("r", &["detect"]), @"
    -- stderr
    error: the git repository at $TOP/r belongs to another user
    hint: if you trust it: git config --global --add safe.directory $TOP/r
    -- exit 2
    ");
    std::fs::write(test.path(".gitconfig"), format!("[safe]\n\tdirectory = {}\n", test.path("r").display())).unwrap();
    assert_eq!(test.chartflow("r", &["detect"]).exit, Some(0));
}

#[test]
fn more_is_said_when_asked() {
    insta::assert_snapshot!(repository().chartflow("r", &["detect", "-v", "--format", "matrix"]), @r#"
    {"include":[{"chart":"a","path":"charts/a"}]}
    -- stderr
    comparing 82d90f2f2c65983c60530eb9d4a498e7848811f4 with 8fa3420f5b865d74165a3c9175c732577d940b21; charts are at charts/*
    -- exit 0
    "#);
}

#[test]
fn the_repository_is_left_alone() {
    let test = repository();
    let listing = || {
        let find = std::process::Command::new("find").arg(test.path("r")).args(["-printf", "%p %s %T@ %m\n"]).output().unwrap();
        assert!(find.status.success());
        String::from_utf8(find.stdout).unwrap()
    };
    let before = listing();
    assert_eq!(test.chartflow("r", &["detect", "--dependents"]).exit, Some(0));
    assert_eq!(listing(), before);
}
