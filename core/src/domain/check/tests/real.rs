//! The checks over a real repository, where the machine has it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::domain::content::File;
use crate::domain::tree::Mode;

/// The charts of a commit, by directory.
fn charts(git: &std::path::Path, commit: &str) -> BTreeMap<String, Files> {
    let archive = Command::new("git").arg("-C").arg(git).args(["archive", "--format=tar", commit, "charts"]).output().unwrap();
    assert!(archive.status.success());
    let mut charts: BTreeMap<String, Files> = BTreeMap::new();
    for entry in tar::Archive::new(archive.stdout.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut parts = path.splitn(3, '/');
        let (Some(top), Some(chart), Some(file)) = (parts.next(), parts.next(), parts.next()) else { continue };
        if !entry.header().entry_type().is_file() || file.is_empty() {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        charts.entry(format!("{top}/{chart}")).or_default().insert_file(file, File { mode: Mode::File, bytes });
    }
    charts
}

#[test]
fn real_charts_pass() {
    let Some(data) = std::env::var_os("CHARTFLOW_TEST_DATA") else { return };
    let tar = PathBuf::from(data).join("grafana-helm-charts.git.tar");
    if !tar.is_file() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    tar::Archive::new(std::fs::File::open(tar).unwrap()).unpack(top.path()).unwrap();
    let git = top.path().join("grafana-helm-charts.git");
    let mut failed = BTreeSet::new();
    let mut count = 0;
    for before in ["2022-01-01T00:00:00Z", "2024-06-01T00:00:00Z", "2025-06-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let commit = Command::new("git").arg("-C").arg(&git).args(["rev-list", "-1", "--first-parent", "--before", before, "HEAD"]).output().unwrap();
        for (directory, files) in charts(&git, String::from_utf8(commit.stdout).unwrap().trim()) {
            let directory = RepoPath::new(directory).unwrap();
            // Some directories are a notice that the chart has moved away.
            if files.get("Chart.yaml").is_none() {
                continue;
            }
            count += 1;
            let subject = Subject { directory: &directory, files: &files };
            for result in lint(&subject, &layout::Surroundings::default(), helm_lint::check(&subject, None)) {
                failed.extend(result.errors().map(|finding| format!("{} {finding}", finding.rule)));
            }
        }
    }
    assert!(count > 20, "{count} charts");
    let known = "layout/directory charts/agent-operator/Chart.yaml:2: the chart grafana-agent-operator lies in charts/agent-operator";
    assert_eq!(failed.into_iter().collect::<Vec<_>>(), [known]);
}
