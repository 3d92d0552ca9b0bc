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

/// Branches of the train's names that somebody made before there was a train, and a clone with a contribution.
fn with_branches_of_its_own() -> TestEnvironment {
    let test = TestEnvironment::new();
    test.commit("work", &[("charts/a/Chart.yaml", CHART), ("charts/a/values.yaml", "value: 0\n")], "feat(a): a chart");
    test.git("work", &["branch", "release"], b"");
    test.git("work", &["checkout", "-q", "-b", "integration"], b"");
    test.commit("work", &[("charts/a/values.yaml", "value: 7\n")], "somebody's own");
    test.git("", &["clone", "-q", "--bare", "work", "served.git"], b"");
    test.git("served.git", &["symbolic-ref", "HEAD", "refs/heads/main"], b"");
    test.git("", &["clone", "-q", "served.git", "clone"], b"");
    test.git("clone", &["checkout", "-q", "-b", "feature"], b"");
    test.commit("clone", &[("charts/a/values.yaml", "value: 1\n")], "fix(a): a value");
    test
}

#[test]
fn branches_from_before_the_adoption_are_not_the_train_s() {
    let test = with_branches_of_its_own();
    let init = || {
        let init = test.chartflow("clone", &["init", "--owner", "@acme/platform"]);
        assert_eq!(init.exit, Some(0), "{init}");
        assert!(init.stdout.contains("integration and release are on origin already"), "{init}");
    };
    init();
    let ran = rehearse(&test, "clone", "origin/main");
    assert_eq!(ran.exit, Some(0), "{ran}");
    insta::assert_snapshot!(notices(&ran), @"notice: integration and release of origin are taken for somebody's own: no file of the train was found on integration, nor on the commit that is taken for main; the rehearsal makes branches of its own");
    assert!(ran.stdout.starts_with("a 1.0.1 was released.\n"), "{ran}");
    // Where the train's files were merged meanwhile, they may be the train's, which is asked for.
    test.git("clone", &["switch", "-q", "main"], b"");
    test.commit("clone", &[], "chore: adopt chartflow");
    test.git("clone", &["push", "-q", "origin", "main"], b"");
    let init = test.chartflow("clone", &["init", "--owner", "@acme/platform"]);
    assert!(init.stdout.contains("main holds the train's files, and integration does not yet."), "{init}");
}

#[test]
fn an_integration_from_before_the_train_is_none() {
    let test = cloned();
    test.git("work", &["branch", "integration", "main~1"], b"");
    let ran = rehearse(&test, "work", "main");
    assert!(ran.exit == Some(0) && ran.stdout.starts_with("a 1.0.1 was released.\n"), "{ran}");
    insta::assert_snapshot!(notices(&ran), @"notice: the branches integration and release are taken as origin had them at the last `git fetch`");
    // And another remote's branches are not those of the train.
    test.git("", &["clone", "-q", "--bare", "served.git", "fork.git"], b"");
    test.git("fork.git", &["update-ref", "refs/heads/integration", "main~1"], b"");
    test.git("work", &["remote", "rename", "origin", "upstream"], b"");
    test.git("work", &["remote", "add", "origin", "../fork.git"], b"");
    test.git("work", &["fetch", "-q", "origin"], b"");
    std::fs::remove_dir_all(test.path("out")).unwrap();
    insta::assert_snapshot!(notices(&rehearse(&test, "work", "main")), @"notice: the branches integration and release are taken as upstream had them at the last `git fetch`");
}

#[test]
fn without_a_marker_nobody_s_branches_are_read() {
    let test = with_branches_of_its_own();
    let reference = test.path("clone/.git/refs/remotes/origin/integration");
    std::fs::write(reference, "1234567890123456789012345678901234567890\n").unwrap();
    let ran = rehearse(&test, "clone", "origin/main");
    assert_eq!((ran.exit, notices(&ran).as_str()), (Some(0), ""), "{ran}");
    // With one, a branch that cannot be read does not tell that it is the train's.
    let init = test.chartflow("clone", &["init", "--owner", "@acme/platform"]);
    assert_eq!(init.exit, Some(0), "{init}");
    let ran = rehearse(&test, "clone", "origin/main");
    assert_eq!(ran.exit, Some(0), "{ran}");
    insta::assert_snapshot!(notices(&ran), @"notice: integration and release of origin are taken for somebody's own: no file of the train was found on integration, nor on the commit that is taken for main; the rehearsal makes branches of its own");
}

#[test]
fn workflow_files_are_the_train_s_without_a_configuration() {
    let test = cloned();
    test.git("work", &["switch", "-q", "main"], b"");
    test.git("work", &["rm", "-q", "-f", ".chartflow.yaml"], b"");
    test.commit("work", &[], "chore: what is written is the default");
    test.git("work", &["push", "-q", "--force", "origin", "main:integration"], b"");
    test.git("work", &["push", "-q", "origin", "main"], b"");
    test.git("work", &["switch", "-q", "feature"], b"");
    test.git("", &["clone", "-q", "--branch", "feature", "served.git", "plain"], b"");
    assert!(notices(&rehearse(&test, "plain", "origin/main")).contains("to begin with those of origin"), "it has no marker");
    std::fs::remove_dir_all(test.path("out")).unwrap();
    let ran = rehearse(&test, "work", "main");
    insta::assert_snapshot!(notices(&ran), @"notice: the branches integration and release are taken as origin had them at the last `git fetch`");
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
fn branches_that_only_the_remote_has_are_taken_from_there() {
    let test = cloned();
    // Where init was run, only the remote has what was pushed there.
    let released = |ran: &Ran| assert!(ran.exit == Some(0) && ran.stdout.starts_with("a 1.0.1 was released.\n"), "{ran}");
    let ran = rehearse(&test, "work", "main");
    released(&ran);
    insta::assert_snapshot!(notices(&ran), @"notice: the branches integration and release are taken as origin had them at the last `git fetch`");
    let tip = |directory: &str, name: &str| test.git(directory, &["rev-parse", name], b"");
    assert_eq!(tip("out/origin.git", "release~1"), tip("served.git", "release"), "it began with the remote's");
    test.git("work", &["branch", "integration", "main"], b"");
    let ran = rehearse(&test, "work", "main");
    released(&ran);
    insta::assert_snapshot!(notices(&ran), @"notice: the branch release is taken as origin had it at the last `git fetch`");
    test.git("work", &["update-ref", "-d", "refs/remotes/origin/release"], b"");
    std::fs::remove_dir_all(test.path("out")).unwrap();
    insta::assert_snapshot!(rehearse(&test, "work", "main"), @"
    -- stderr
    error: the repository rides the train, but the branch release is not here
    hint: fetch it with `git fetch origin release:release`, or make it as `chartflow init` says
    -- exit 2
    ");
    assert!(!test.path("out").exists());
}

#[test]
fn a_train_at_work_is_not_adopted_anew() {
    let test = cloned();
    test.git("work", &["push", "-q", "origin", "main:refs/chartflow/attestations"], b"");
    test.git("", &["clone", "-q", "--single-branch", "--branch", "main", "served.git", "narrow"], b"");
    test.git("narrow", &["fetch", "-q", "origin", "+refs/chartflow/*:refs/chartflow/*"], b"");
    let told = rehearse(&test, "narrow", "main").to_string();
    insta::assert_snapshot!(told, @"
    -- stderr
    error: the repository rides the train, but the branches integration and release are not here
    hint: fetch them with `git fetch origin integration:integration release:release`, or make them as `chartflow init` says
    -- exit 2
    ");
    assert!(!test.path("out").exists());
}

#[test]
fn of_several_remotes_main_s_is_taken() {
    let test = cloned();
    test.git("work", &["remote", "rename", "origin", "upstream"], b"");
    test.git("work", &["remote", "add", "fork", "../served.git"], b"");
    test.git("work", &["fetch", "-q", "fork"], b"");
    insta::assert_snapshot!(rehearse(&test, "work", "main"), @"
    -- stderr
    error: the repository rides the train, but the branches integration and release are not here, and more than one remote has them: fork, upstream
    hint: fetch them from the one that is meant, such as `git fetch fork integration:integration release:release`
    -- exit 2
    ");
    test.git("work", &["config", "branch.main.remote", "upstream"], b"");
    let ran = rehearse(&test, "work", "main");
    insta::assert_snapshot!(notices(&ran), @"notice: the branches integration and release are taken as upstream had them at the last `git fetch`");
}

/// A repository that is served from a branch of its own already.
#[test]
fn a_branch_that_is_there_before_the_train_is_not_the_train_s() {
    let test = adopted();
    test.git("work", &["branch", "release", "main"], b"");
    let ran = test.chartflow("", &["rehearse", "work", "--out", "out"]);
    assert!(ran.stdout.starts_with("a 1.0.1 was released.\n"), "{ran}");
    insta::assert_snapshot!(notices(&ran), @"notice: your branch release is named as one of the train's; the rehearsal makes its own and ignores what is there");
}
