//! Rehearsals in a repository that `chartflow init` brought under the train, and in clones of it.

#![allow(clippy::unwrap_used, reason = "a test, where a panic is the answer")]

mod common;

use common::{Ran, TestEnvironment};

const CHART: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: a chart\n";

/// A repository `work` right after `chartflow init`, with a contribution that HEAD is at.
fn adopted() -> TestEnvironment {
    let test = TestEnvironment::new();
    test.commit("work", &[("charts/a/Chart.yaml", CHART), ("charts/a/values.yaml", "value: 0\n")], "feat(a): a chart");
    let init = test.chartflow("work", &["init", "--owner", "@acme/platform", "-q"]);
    assert_eq!(init.exit, Some(0), "{init}");
    test.commit("work", &[], "chore: adopt chartflow");
    test.git("work", &["checkout", "-q", "-b", "feature"], b"");
    test.commit("work", &[("charts/a/values.yaml", "value: 1\n")], "fix(a): a value");
    test
}

/// What `init` says is to be pushed, in a bare repository beside it, and a clone of that with the contribution.
fn cloned() -> TestEnvironment {
    let test = adopted();
    test.git("", &["clone", "-q", "--bare", "work", "served.git"], b"");
    test.git("served.git", &["symbolic-ref", "HEAD", "refs/heads/main"], b"");
    test.git("work", &["remote", "add", "origin", "../served.git"], b"");
    let empty = test.git("work", &["mktree"], b"");
    let release = test.git("work", &["commit-tree", "-m", "chore: an empty Helm repository", &empty], b"");
    let refs = ["main:refs/heads/integration", &format!("{release}:refs/heads/release"), "refs/chartflow/released", "refs/chartflow/published"];
    test.git("work", &[&["push", "-q", "origin"], &refs[..]].concat(), b"");
    test.git("", &["clone", "-q", "--branch", "feature", "served.git", "clone"], b"");
    test
}

fn rehearse(test: &TestEnvironment, directory: &str, base: &str) -> Ran {
    let out = test.path("out");
    test.chartflow("", &["rehearse", directory, "--base", base, "--out", out.to_str().unwrap()])
}

fn notices(ran: &Ran) -> String {
    ran.stderr.lines().filter(|line| line.starts_with("notice: ")).collect::<Vec<_>>().join("\n")
}

/// Runs the git command that a text names between backquotes.
fn follow(test: &TestEnvironment, directory: &str, text: &str) {
    let command = text.split('`').find_map(|part| part.strip_prefix("git ")).unwrap();
    let arguments: Vec<&str> = command.split(' ').map(|argument| argument.trim_matches('\'')).collect();
    test.git(directory, &arguments, b"");
}

#[test]
fn what_init_left_is_rehearsed_before_anything_of_it_is_pushed() {
    let test = adopted();
    let ran = test.chartflow("", &["rehearse", "work", "--out", "out"]);
    assert_eq!((ran.exit, notices(&ran).as_str()), (Some(0), ""), "{ran}");
    assert!(ran.stdout.starts_with("a 1.0.1 was released.\n"), "{ran}");
}

#[test]
fn a_clone_is_told_how_to_begin_with_the_train_s_own_branches() {
    let test = cloned();
    let ran = rehearse(&test, "clone", "origin/main");
    assert!(ran.stdout.starts_with("a 1.0.1 was released.\n"), "{ran}");
    insta::assert_snapshot!(notices(&ran), @"notice: the rehearsal makes branches of its own; to begin with those of origin, run `git fetch origin integration:integration release:release '+refs/chartflow/*:refs/chartflow/*'` before");
    follow(&test, "clone", &notices(&ran));
    let ran = rehearse(&test, "clone", "origin/main");
    assert_eq!((ran.exit, notices(&ran).as_str()), (Some(0), ""), "{ran}");
    assert!(ran.stdout.starts_with("a 1.0.1 was released.\n"), "{ran}");
    let tip = |directory: &str, name: &str| test.git(directory, &["rev-parse", name], b"");
    assert_eq!(tip("out/origin.git", "release~1^{tree}"), tip("clone", "release^{tree}"), "it began with the clone's");
}

#[test]
fn branches_that_only_the_remote_has_are_asked_for() {
    let test = cloned();
    // Where init was run, only the remote has what was pushed there.
    insta::assert_snapshot!(rehearse(&test, "work", "main"), @"
    -- stderr
    error: the repository rides the train, but its branches integration and release are not here
    hint: run `git fetch origin integration:integration release:release`
    -- exit 2
    ");
    assert!(!test.path("out").exists());
    test.git("work", &["branch", "integration", "main"], b"");
    let ran = rehearse(&test, "work", "main");
    insta::assert_snapshot!(ran, @"
    -- stderr
    error: the repository rides the train, but its branch release is not here
    hint: run `git fetch origin release:release`
    -- exit 2
    ");
    test.git("work", &["update-ref", "-d", "refs/remotes/origin/release"], b"");
    insta::assert_snapshot!(rehearse(&test, "work", "main"), @"
    -- stderr
    error: the repository rides the train, but its branch release is not here
    hint: fetch it, or make it as `chartflow init` says
    -- exit 2
    ");
    follow(&test, "work", &ran.stderr);
    let ran = rehearse(&test, "work", "main");
    assert_eq!((ran.exit, notices(&ran).as_str()), (Some(0), ""), "{ran}");
}
