//! The example on what a rehearsal leaves.

#![allow(missing_docs, reason = "a test")]

use std::process::Command;

use chartflow_sandbox::rehearsal::{Options, Origin, rehearse};

#[test]
fn a_rehearsed_release_is_detected_and_verified() {
    let top = tempfile::tempdir().unwrap();
    let chart = top.path().join("repository/charts/a");
    std::fs::create_dir_all(&chart).unwrap();
    std::fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: a chart\n").unwrap();
    std::fs::write(chart.join("values.yaml"), "switch: false\n").unwrap();
    let out = top.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let options = Options { origin: Origin::Directory { path: top.path().join("repository") }, out: out.clone(), keep_key: None };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let done = runtime.block_on(rehearse(&options, &mut |_| {})).unwrap();

    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_chartflow-example-library")).current_dir(&out).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run(&["changed", "origin.git", &done.summary.base, "main"]), (Some(0), "added a charts/a\n".to_owned()));
    let (package, lineage) = ("release/charts/a-1.0.0.tgz", "release/charts/a-1.0.0.lineage.jsonl");
    let (exit, text) = run(&["verify", package, lineage, "trust"]);
    assert_eq!((exit, text.lines().count()), (Some(0), 8), "{text}");
    std::fs::write(out.join(package), "another package").unwrap();
    let (exit, text) = run(&["verify", package, lineage, "trust"]);
    assert!(exit == Some(1) && text.contains("refused: artifact/digest"), "{text}");
    assert_eq!(run(&["nonsense"]).0, Some(1));
}
