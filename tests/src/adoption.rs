//! A chart repository as adoption leaves it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use chartflow_core::domain::digest::CommitId;
use chartflow_sandbox::github::Hub;

use crate::charts;
use crate::world::EPOCH;

/// Writes what adoption leaves: main with a configuration, integration beside it, an orphan `release` with an empty
/// index, and both markers at the charts as they are.
pub(crate) fn adopt(hub: &Hub, configuration: &str, more: &[(String, String)]) -> CommitId {
    let person = "ada <ada@example.com>";
    let mut stream = String::new();
    let mut commit = |reference: &str, mark: u32, from: Option<u32>, message: &str, files: &[(String, String)]| {
        stream.push_str(&format!(
            "commit {reference}\nmark :{mark}\ncommitter {person} {} +0000\ndata {}\n{message}\n",
            EPOCH - 100 + i64::from(mark),
            message.len()
        ));
        if let Some(from) = from {
            stream.push_str(&format!("from :{from}\n"));
        }
        for (path, text) in files {
            stream.push_str(&format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()));
        }
        stream.push('\n');
    };
    let files = charts::repository();
    let only_charts: Vec<_> = files.iter().filter(|(path, _)| path.starts_with("charts/")).cloned().collect();
    let file = |path: &str, text: &str| vec![(path.to_owned(), text.to_owned())];
    commit("refs/import/main", 1, None, "chore: the charts", &files);
    let adopted: Vec<_> = file(".chartflow.yaml", configuration).into_iter().chain(more.iter().cloned()).collect();
    commit("refs/import/main", 2, Some(1), "chore: adopt chartflow", &adopted);
    commit(
        "refs/import/release",
        3,
        None,
        "chore: an empty repository",
        &file("index.yaml", "apiVersion: v1\nentries: {}\ngenerated: \"2026-01-01T00:00:00Z\"\n"),
    );
    commit("refs/import/marker", 4, None, "chore: the baseline", &only_charts);
    stream.push_str("done\n");
    let git = hub.git_directory();
    run_git(git, &["fast-import", "--quiet", "--done"], &stream);
    CommitId::new(name_imported(hub)).unwrap()
}

/// Names what was imported as `main`, `release` and `marker` below `refs/import/` as adoption does; main's commit.
pub(crate) fn name_imported(hub: &Hub) -> String {
    let git = hub.git_directory();
    let id = |name: &str| run_git(git, &["rev-parse", &format!("refs/import/{name}")], "");
    let (main, release, marker) = (id("main"), id("release"), id("marker"));
    for name in ["main", "release", "marker"] {
        run_git(git, &["update-ref", "-d", &format!("refs/import/{name}")], "");
    }
    let references = [
        ("refs/heads/main", &main),
        ("refs/heads/integration", &main),
        ("refs/heads/release", &release),
        ("refs/chartflow/released", &marker),
        ("refs/chartflow/published", &marker),
    ];
    hub.import_references(&references.map(|(name, id)| (name.to_owned(), id.parse().unwrap()))).unwrap();
    main
}

fn run_git(directory: &std::path::Path, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("git")
        .arg("--git-dir")
        .arg(directory)
        .args(arguments)
        .env_remove("GIT_DIR")
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
