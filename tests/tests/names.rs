//! Names that are not UTF-8, on a GitHub whose answers are JSON: what no local repository tells the stages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chartflow_core::flow::{FlowError, Report, Train};
use chartflow_core::port::github::GitHubObjects;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::brakes::Brakes;
use chartflow_tests::charts;
use chartflow_tests::people::NewCommit;
use chartflow_tests::world::{CONTRIBUTOR, Step, World, block_on, causes, run};

/// A repository whose main holds files of these paths, in git's own escapes.
fn founded(paths: &[&str]) -> World {
    let files: Vec<(String, String)> = paths.iter().map(|path| (format!("\"{path}\""), "name: x\nversion: 1.0.0\n".to_owned())).collect();
    World::founded(7, charts::CONFIGURATION, chartflow_core::domain::ruleset::Mode::App { id: 424_242 }, &files)
}

/// Runs a stage that has no repository at hand.
fn remote(world: &World, step: Step) -> Result<Report, FlowError> {
    let train = world.train(&Brakes::none());
    let train = Train { objects: Arc::new(GitHubObjects::new(train.github.clone())), ..train };
    block_on(run(step, &train))
}

/// What a stage that has no repository at hand refuses: rule, file, message.
fn refused(world: &World, step: Step) -> String {
    let report = remote(world, step).unwrap();
    let lines =
        report.entries.iter().filter_map(|entry| Some(format!("{} ({}): {}", entry.rule.as_ref()?, entry.file.as_deref().unwrap_or("-"), entry.message)));
    lines.collect::<Vec<_>>().join("\n")
}

fn git(world: &World, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("git");
    let mut child = command.args(arguments).current_dir(world.hub.git_directory()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A pull request to integration that writes files of these paths.
fn contribute(world: &World, paths: &[&str]) {
    let files: String = paths.iter().map(|path| format!("M 100644 inline \"{path}\"\ndata 2\ny\n\n")).collect();
    let stream = format!(
        "commit refs/heads/feature\ncommitter carol <carol@example.com> 1767225700 +0000\ndata 9\nfeat: new\nfrom refs/heads/integration^0\n{files}\ndone\n"
    );
    git(world, &["fast-import", "--quiet", "--done"], &stream);
    world.hub.person(CONTRIBUTOR).unwrap().open("feature", "integration", "feat: new", "").unwrap();
}

#[test]
fn a_contribution_is_told_which_name() {
    let world = founded(&["docs/caf\\351.txt"]);
    contribute(&world, &["charts/caf\\351/Chart.yaml"]);
    assert_eq!(refused(&world, Step::Validate), "layout/content (-): charts/caf\u{fffd}: the name is not UTF-8");

    let world = founded(&["docs/caf\\351.txt"]);
    contribute(&world, &["docs/caf\\351.txt", "charts/\\351", "charts/app/templates/\\377.yaml"]);
    let outside = "pull request 1 changes files outside the charts: charts/\u{fffd}, docs/caf\u{fffd}.txt";
    let inside = "layout/content (-): charts/app/templates/\u{fffd}.yaml: the name is not UTF-8";
    assert_eq!(refused(&world, Step::Validate), format!("layout/outside (charts/\u{fffd}): {outside}\n{inside}"));
    let local = block_on(run(Step::Validate, &world.train(&Brakes::none()))).unwrap();
    // Whoever has the objects reads the very bytes.
    let local: Vec<&str> = local.entries.iter().map(|entry| entry.message.as_str()).collect();
    let outside = r"pull request 1 changes files outside the charts: charts/\xe9, docs/caf\xe9.txt";
    assert_eq!(local, [outside, r"charts/app/templates/\xff.yaml: the name is not UTF-8"]);
}

/// Opens a pull request with one commit, made from fast-import's lines.
fn offer(world: &World, branch: &str, base: &str, lines: &str) -> u64 {
    let stream = format!(
        "commit refs/heads/{branch}\ncommitter carol <carol@example.com> 1767225700 +0000\ndata 8\nfeat: it\nfrom refs/heads/{base}^0\n{lines}\ndone\n"
    );
    git(world, &["fast-import", "--quiet", "--done"], &stream);
    world.hub.person(CONTRIBUTOR).unwrap().open(branch, base, "feat: it", "").unwrap()
}

/// The hint of `layout/outside` leads to the end of it.
#[test]
fn a_chart_gets_a_name_in_two_steps() {
    let mut world = founded(&["charts/caf\\351/Chart.yaml"]);
    let gone = "D \"charts/caf\\351\"\n";
    let named = "M 100644 inline charts/coffee/Chart.yaml\ndata <<END\napiVersion: v2\nname: coffee\nversion: 0.3.0\ndescription: coffee\nEND\n\n";
    let both = offer(&world, "both", "integration", &format!("{gone}{named}"));
    let refused = world.stage(Step::Validate, None).unwrap();
    let hints: Vec<&str> = refused.entries.iter().filter_map(|entry| entry.hint.as_deref()).collect();
    insta::assert_snapshot!(hints.join("\n"), @r"files outside charts travel by an ordinary pull request to main; open one that takes charts/caf\xe9/ away, and leave here what has a new name alone");
    assert!(!world.merge(both, MergeMethod::Merge), "{}", world.told());

    let first = offer(&world, "gone", "main", gone);
    let second = offer(&world, "named", "integration", named);
    for step in [Step::Validate, Step::Bump] {
        world.stage(step, None);
    }
    assert!(world.merge(first, MergeMethod::Squash) && world.merge(second, MergeMethod::Merge), "{}", world.told());
    for _ in 0..4 {
        for step in Step::ALL {
            world.stage(step, None);
        }
        world.release();
    }
    assert!(world.verify("coffee", "0.3.0").is_ok(), "{}", world.told());
    for branch in ["main", "integration"] {
        let listed = git(&world, &["ls-tree", "-r", "--name-only", branch], "");
        assert!(listed.contains("charts/coffee/Chart.yaml") && !listed.contains("351"), "{branch}: {listed}");
    }
}

#[test]
fn what_no_stage_looks_into_is_carried_along() {
    let paths = ["docs/caf\\351.txt", "charts/caf\\303\\251/notes \\351"];
    let mut world = founded(&paths);
    let number = world.contribute(&[NewCommit::new("app", "feat(app): more").value("more: 1")]);
    for step in [Step::Validate, Step::Filter] {
        remote(&world, step).unwrap();
        if step == Step::Validate {
            assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
        }
    }
    for _ in 0..4 {
        for step in Step::ALL {
            remote(&world, step).unwrap();
        }
        world.release();
    }
    assert_eq!(world.version("release", "app"), None);
    assert!(world.verify("app", "1.1.0").is_ok(), "{}", world.told());
    for branch in ["main", "integration"] {
        assert_eq!(world.version(branch, "app").as_deref(), Some("1.1.0"), "{}", world.told());
        let listed = git(&world, &["ls-tree", "-r", "--name-only", branch], "");
        assert!(paths.iter().all(|path| listed.lines().any(|line| line.trim_matches('"') == *path)), "{listed}");
    }
}

#[test]
fn what_cannot_be_compared_or_rebuilt_is_refused() {
    let mut world = founded(&["caf\\351.txt"]);
    let number = world.contribute(&[NewCommit::new("app", "feat(app): more").value("more: 1")]);
    let told = |outcome: Result<Report, FlowError>| outcome.map(|report| report.entries.len()).map_err(|error| causes(&error));
    let problem = "the directories above the charts: a name in tree 63a824cd9f26b6979e8c73affc5550149f99b9d7 is not UTF-8 (caf\u{fffd}.txt), \
        and a listing as text does not tell its bytes, so that it can be neither compared nor rebuilt through GitHub's API; \
        rename that file on every branch";
    assert_eq!(told(remote(&world, Step::Validate)), Err(problem.to_owned()));
    // With the repository at hand nothing is in the way.
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
    // What integration has got is a tree of another id.
    let told = told(remote(&world, Step::Filter)).unwrap_err();
    assert!(told.ends_with("rename that file on every branch"), "{told}");
    assert_eq!(world.pull_from("chartflow-promote-app"), None);
    world.finish();
    assert!(world.verify("app", "1.1.0").is_ok(), "{}", world.told());
}
