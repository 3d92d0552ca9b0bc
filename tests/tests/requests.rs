//! What a release costs at GitHub: a constant for each chart, however many charts lie beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use chartflow_core::flow::listing::file;
use chartflow_core::io::git::LocalRepository;
use chartflow_core::port::github::GitHubObjects;
use chartflow_core::port::objects::Objects as _;
use chartflow_sandbox::rehearsal::{Head, Options, Origin, Summary, prepare, rehearse};
use chartflow_tests::brakes::Brakes;
use chartflow_tests::world::{World, block_on};

/// GitHub API calls of one released chart over all stages.
const REQUESTS: u64 = 120;
/// Those of them that create content: GitHub allows 80 a minute and 500 an hour.
const CREATING: u64 = 45;
/// How many charts the contribution changes.
const CHANGED: usize = 3;

/// How the changed charts depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    /// Not at all.
    None,
    /// Each of the first so many links leads to the chart before it, by `file://` and a range.
    Ranges(usize),
    /// The same with the dependency's exact version, which its next one leaves behind.
    Pins(usize),
}

/// A bare repository with `charts` charts on `main`, and `feature`, which changes some of them in a commit each.
fn repository(directory: &Path, charts: usize, changed: usize, links: Links) {
    let mut stream = String::new();
    let mut commit = |branch: &str, from: Option<&str>, time: usize, message: &str, files: &[(String, String)]| {
        stream.push_str(&format!("commit refs/heads/{branch}\ncommitter A <a@example.com> {} +0000\n", 1_700_000_000 + time));
        stream.push_str(&format!("data {}\n{message}\n", message.len()));
        stream.push_str(&from.map(|from| format!("from {from}\n")).unwrap_or_default());
        for (path, text) in files {
            stream.push_str(&format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()));
        }
    };
    let name = |number: usize| format!("chart-{number:03}");
    let mut files = Vec::new();
    for number in 0..charts {
        let chart = name(number);
        let dependency = |version: String| {
            let before = name(number - 1);
            format!("dependencies:\n  - name: {before}\n    version: \"{version}\"\n    repository: file://../{before}\n")
        };
        let dependencies = match links {
            Links::Ranges(count) if (1..=count).contains(&number) => dependency(">=1.0.0".to_owned()),
            Links::Pins(count) if (1..=count).contains(&number) => dependency(format!("1.{}.0", number - 1)),
            _ => String::new(),
        };
        let metadata = format!("apiVersion: v2\nname: {chart}\nversion: 1.{number}.0\ndescription: chart {number}\n{dependencies}");
        files.push((format!("charts/{chart}/Chart.yaml"), metadata));
        files.push((format!("charts/{chart}/values.yaml"), "value: 0\n".to_owned()));
    }
    commit("main", None, 0, "feat: charts", &files);
    for number in 0..changed {
        let chart = name(number);
        let from = (number == 0).then_some("refs/heads/main");
        commit("feature", from, number + 1, &format!("feat({chart}): a new value"), &[(format!("charts/{chart}/values.yaml"), "value: 1\n".to_owned())]);
    }
    let git = |arguments: &[&str], input: &str| {
        let mut child = Command::new("git").args(arguments).current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "git {arguments:?}");
    };
    git(&["init", "-q", "--bare", "--initial-branch=main", "--template=", "."], "");
    git(&["fast-import", "--quiet"], &stream);
}

async fn rehearsed(charts: usize, changed: usize, links: Links) -> Summary {
    let directory = tempfile::tempdir().unwrap();
    repository(directory.path(), charts, changed, links);
    let user = LocalRepository::open(directory.path()).unwrap();
    let head = Head { branch: "feature".to_owned(), title: "feat: new values".to_owned(), commit: user.resolve("feature").unwrap() };
    let origin = Origin::Repository { git_directory: user.git_directory(), base: user.resolve("main").unwrap(), heads: vec![head] };
    let out = tempfile::tempdir().unwrap();
    prepare(out.path()).unwrap();
    rehearse(&Options { origin, out: out.path().to_owned(), keep_key: None }, &mut |_| {}).await.unwrap().summary
}

/// What each released chart cost: the chart, all requests, those that create. Never more than there may be.
fn costs(summary: &Summary, changed: usize) -> Vec<(String, u64, u64)> {
    assert_eq!((summary.result, summary.charts.len()), ("released", changed), "{:?}", summary.refused);
    let costs: Vec<_> = summary.charts.iter().map(|chart| (chart.chart.clone(), chart.requests, chart.creating)).collect();
    for (chart, requests, creating) in &costs {
        assert!(*requests > 0 && *requests <= REQUESTS, "{chart} took {requests} requests of {REQUESTS}: {costs:?}");
        assert!(*creating > 0 && *creating <= CREATING, "{chart} took {creating} creating requests of {CREATING}: {costs:?}");
    }
    costs
}

#[test]
fn a_small_file_is_asked_for_once() {
    let world = World::new(611);
    let objects = GitHubObjects::new(world.train(&Brakes::none()).github);
    let asked = || world.hub.counts().values().filter_map(|count| count.operations.get("git/get-blob")).sum::<u64>();
    let read = |limit| {
        block_on(async {
            let root = objects.commit(&world.tip("main").unwrap()).await.unwrap().tree;
            file(&objects, &root, "charts/app/Chart.yaml", limit).await
        })
    };
    let before = asked();
    for _ in 0..3 {
        assert!(read(1 << 20).unwrap().unwrap().starts_with(b"apiVersion"));
    }
    assert_eq!(asked() - before, 1);
    assert!(read(3).is_err(), "what is kept is no longer than whoever asks allows");
}

#[tokio::test]
async fn a_release_costs_the_same_among_4_and_400_charts() {
    let (few, many) = (rehearsed(4, CHANGED, Links::None).await, rehearsed(400, CHANGED, Links::None).await);
    assert_eq!(costs(&few, CHANGED), costs(&many, CHANGED), "the number of charts beside the changed ones costs nothing");
}

#[tokio::test]
async fn charts_that_wait_for_each_other_cost_no_more_than_they_may() {
    for (changed, links) in [(1, Links::None), (2, Links::Ranges(1)), (2, Links::Pins(1)), (3, Links::Ranges(2)), (4, Links::Ranges(3)), (4, Links::Pins(3))] {
        let summary = rehearsed(6, changed, links).await;
        println!("{changed} charts, {links:?}: {:?}", costs(&summary, changed));
    }
}
