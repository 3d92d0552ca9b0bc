//! `chartflow rehearse`: what it prints, keeps up and leaves when it is stopped.

#![allow(clippy::unwrap_used, reason = "a test, where a panic is the answer")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};

use common::TestEnvironment;

/// A repository `work` with three charts on main and a branch `feature` that changes each.
fn repository() -> TestEnvironment {
    let test = TestEnvironment::new();
    let names = ["a", "b", "c"];
    let charts: Vec<(String, String)> = names
        .iter()
        .flat_map(|name| {
            let metadata = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\ndescription: a chart\n");
            [(format!("charts/{name}/Chart.yaml"), metadata), (format!("charts/{name}/values.yaml"), "switch: false\n".to_owned())]
        })
        .collect();
    let charts: Vec<(&str, &str)> = charts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    test.commit("work", &charts, "feat: three charts");
    test.git("work", &["checkout", "-q", "-b", "feature"], b"");
    let values = names.map(|name| format!("charts/{name}/values.yaml"));
    let values = values.each_ref().map(|path| (path.as_str(), "switch: true\n"));
    test.commit("work", &values, "feat: switch on");
    test
}

const ARGUMENTS: [&str; 7] = ["rehearse", "work", "--head", "feature", "--out", "out", "--color=never"];

fn spawn(test: &TestEnvironment, more: &[&str]) -> Child {
    let mut command = test.command(env!("CARGO_BIN_EXE_chartflow"), &test.path(""));
    command.args(ARGUMENTS).args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(test: &TestEnvironment, child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(test.command("sh", &test.path("")).args(["-c", &kill]).status().unwrap().success());
}

/// What must not change in the user's repository: every ref, the working tree, every file below `.git`.
fn state(test: &TestEnvironment) -> (String, String, Vec<String>) {
    fn files(directory: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(format!("{} {}", path.display(), std::fs::metadata(&path).unwrap().len())) }
        }
    }
    let mut found = Vec::new();
    files(&test.path("work/.git"), &mut found);
    found.sort();
    (test.git("work", &["for-each-ref"], b""), test.git("work", &["--no-optional-locks", "status", "--porcelain", "--ignored"], b""), found)
}

#[test]
fn standard_output_is_the_result_alone() {
    let test = repository();
    let text = test.chartflow("", &ARGUMENTS);
    assert_eq!(text.exit, Some(0), "{text}");
    assert!(text.stdout.starts_with("a 1.1.0, b 1.1.0 and c 1.1.0 were released.\n"), "{text}");
    assert!(text.stderr.contains("person    acts    reviewer approves and merges pull request 1\n"), "{text}");
    assert!(text.stderr.contains("publish   done    a: published a 1.1.0"), "{text}");

    let quiet = test.chartflow("", &[&ARGUMENTS[..], &["-q"]].concat());
    assert_eq!((quiet.exit, quiet.stderr.as_str()), (Some(0), ""), "{quiet}");

    let json = test.chartflow("", &[&ARGUMENTS[..], &["--format", "json"]].concat());
    assert_eq!((json.exit, json.stderr.as_str()), (Some(0), ""), "{json}");
    assert_eq!(json.stdout, std::fs::read_to_string(test.path("out/summary.json")).unwrap());

    let verbose = test.chartflow("", &[&ARGUMENTS[..], &["--format", "json", "-v"]].concat());
    assert!(verbose.stderr.contains("publish   done    a: published a 1.1.0"), "{verbose}");
    let page = std::fs::read_to_string(test.path("out/report.html")).unwrap();
    assert!(page.contains("chartflow verify release/charts/a-1.1.0.tgz --trust trust"));

    // Who did what: people at the beginning and before the release, the train everywhere else.
    let summary: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let acts = |stage: &str| {
        let pull = summary["pulls"].as_array().unwrap().iter().find(|pull| pull["stage"] == stage).unwrap();
        format!("{} {} {}", pull["author"], pull["approved"], pull["mergedBy"])
    };
    assert_eq!(acts("validate"), r#""contributor" ["reviewer"] "reviewer""#);
    assert_eq!(acts("format"), r#""chartflow[bot]" ["reviewer"] "reviewer""#);
    assert_eq!(acts("filter"), r#""chartflow[bot]" [] "chartflow[bot]""#);
    assert!(page.contains("a contribution, opened by contributor, approved by <b>reviewer</b>, merged by <b>reviewer</b>"));
}

#[test]
fn the_printed_lines_work() {
    let test = repository();
    let text = test.chartflow("", &ARGUMENTS);
    let lines: Vec<&str> = text.stdout.lines().filter_map(|line| line.trim().strip_prefix("chartflow ")).collect();
    assert_eq!(lines.len(), 3, "{text}");
    for line in lines {
        let verified = test.chartflow("", &line.split(' ').collect::<Vec<_>>());
        assert_eq!(verified.exit, Some(0), "{line}: {verified}");
    }
}

/// INT is Ctrl-C; it ends the program as TERM does, by the system's default. KILL leaves it no chance at all.
#[cfg(unix)]
#[test]
fn a_rehearsal_that_is_stopped_harms_nothing() {
    let test = repository();
    let before = state(&test);
    for (name, number) in [("INT", 2), ("TERM", 15), ("KILL", 9)] {
        let mut child = spawn(&test, &[]);
        let mut told = String::new();
        let mut progress = BufReader::new(child.stderr.take().unwrap());
        while !told.contains("filter ") {
            assert_ne!(progress.read_line(&mut told).unwrap(), 0, "it ended before it could be stopped: {told}");
        }
        signal(&test, &child, name);
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(number), "{name}: {told}");
        assert!(test.path("out/origin.git").exists() && !test.path("out/summary.json").exists(), "it was stopped in the middle");
        assert_eq!(state(&test), before, "after {name}");
    }
    let again = test.chartflow("", &ARGUMENTS);
    assert_eq!(again.exit, Some(0), "{again}");
    assert_eq!(state(&test), before);
}

/// A limit on the length of files refuses writes as a full disk does, and needs no disk. The longer the files may be, the
/// later comes the first write that fails: the repository's first objects, then statements, packages, lineages, at last the
/// report and the summary.
#[cfg(unix)]
#[test]
fn a_disk_without_room_is_told_and_the_next_run_works() {
    let test = repository();
    let before = state(&test);
    let mut stopped_after = std::collections::BTreeSet::new();
    for limit in (0..20).map(|power| 1_u32 << power) {
        let limited = format!("trap '' XFSZ; ulimit -f {limit}; exec {} {}", env!("CARGO_BIN_EXE_chartflow"), ARGUMENTS.join(" "));
        let output = test.command("sh", &test.path("")).args(["-c", &limited]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap().replace(test.path("").to_str().unwrap(), "$TOP");
        assert_eq!(state(&test), before, "{limit}");
        if output.status.code() == Some(0) {
            break;
        }
        let (errors, progress): (Vec<&str>, Vec<&str>) =
            told.lines().partition(|line| line.starts_with("error") || line.contains("caused by") || line.starts_with("hint"));
        let last = progress.last().and_then(|line| line.split(' ').next()).unwrap_or_default();
        stopped_after.insert(last.to_owned());
        insta::allow_duplicates! {
            insta::assert_snapshot!(errors.join("\n"), @"
            error: the rehearsal stopped: nothing more can be written to $TOP/out
              caused by: File too large (os error 27)
            hint: make room, or name another place with --out, and run it again; your repository was not touched
            ");
        }
        assert_eq!(output.status.code(), Some(3), "{limit}");
        assert!(!test.path("out/summary.json").exists(), "{limit}: the summary says that the rehearsal came to its end");
    }
    // From the first write to the last.
    let early_and_late = ["", "package", "publish"];
    assert!(early_and_late.iter().all(|stage| stopped_after.contains(*stage)) && stopped_after.len() > 3, "{stopped_after:?}");
    assert_eq!(test.chartflow("", &ARGUMENTS).exit, Some(0));
    assert_eq!(state(&test), before);
}

#[cfg(unix)]
#[test]
fn the_embedded_github_stays_up_until_it_is_interrupted() {
    let test = repository();
    let mut child = spawn(&test, &["-q", "--serve"]);
    let mut told = String::new();
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    while !told.contains("--plain-http") {
        assert_ne!(printed.read_line(&mut told).unwrap(), 0, "it ended: {told}");
    }
    let clone = told.lines().find_map(|line| line.trim().strip_prefix("git clone ")).unwrap();
    test.git("", &["clone", "-q", clone, "clone"], b"");
    assert_eq!(test.git("clone", &["tag"], b""), "a-v1.1.0\nb-v1.1.0\nc-v1.1.0");

    signal(&test, &child, "INT");
    let status = child.wait().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
}
