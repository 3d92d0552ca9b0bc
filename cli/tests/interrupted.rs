//! What a command leaves behind that is stopped while helm looks at a chart.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]
#![allow(missing_docs, reason = "a test")]

mod common;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::TestEnvironment;

/// A helm that says that it lints, and does not come to an end.
fn slow_helm(test: &TestEnvironment) {
    let linting = test.path("linting");
    let text = format!("#!/bin/sh\ncase $1 in version) echo v3.0.0;; *) : > '{}'; exec /bin/sleep 2;; esac\n", linting.display());
    std::fs::create_dir(test.path("bin")).unwrap();
    std::fs::write(test.path("bin/helm"), text).unwrap();
    std::fs::set_permissions(test.path("bin/helm"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn path(test: &TestEnvironment) -> OsString {
    std::env::join_paths(std::iter::once(test.path("bin")).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap()))).unwrap()
}

/// Starts a command with that helm and an empty folder `temporary`, sends it a signal when helm lints, and looks at what is
/// left there; the exit code.
fn stopped(test: &TestEnvironment, arguments: &[&str], signal: &str) -> Option<i32> {
    std::fs::create_dir_all(test.path("temporary")).unwrap();
    let mut command = test.command(env!("CARGO_BIN_EXE_chartflow"), &test.path(""));
    command.args(arguments).env("PATH", path(test)).env("TMPDIR", test.path("temporary"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !test.path("linting").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "it never came to helm");
        std::thread::sleep(Duration::from_millis(10));
    }
    let killed = test.command("kill", &test.path("")).args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = child.wait().unwrap();
    assert!(!ended.success());
    let left: Vec<_> = std::fs::read_dir(test.path("temporary")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{signal} leaves {left:?}");
    std::fs::remove_file(test.path("linting")).unwrap();
    ended.code()
}

#[test]
fn lint_puts_away_what_helm_was_given() {
    let test = TestEnvironment::new();
    std::fs::create_dir(test.path("a")).unwrap();
    std::fs::write(test.path("a/Chart.yaml"), "apiVersion: v2\nname: a\nversion: 1.0.0\n").unwrap();
    slow_helm(&test);
    assert_eq!(stopped(&test, &["lint", "a"], "INT"), Some(130));
    assert_eq!(stopped(&test, &["lint", "a"], "TERM"), Some(143));
}

/// Everything lies in the rehearsal's folder, which the next rehearsal clears, so that not even KILL leaves anything else.
#[test]
fn nothing_stays_outside_the_rehearsal_s_folder() {
    let test = TestEnvironment::new();
    test.commit("r", &[("charts/a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: a chart\n")], "feat(a): a chart");
    test.git("r", &["checkout", "-q", "-b", "feature"], b"");
    test.commit("r", &[("charts/a/values.yaml", "value: 1\n")], "fix(a): a value");
    slow_helm(&test);
    for signal in ["INT", "TERM", "KILL"] {
        stopped(&test, &["rehearse", "r", "--base", "main", "--out", "out", "-q"], signal);
    }
    // What is in the folder disturbs nobody.
    std::fs::write(test.path("bin/helm"), "#!/bin/sh\ncase $1 in version) echo v3.0.0;; esac\n").unwrap();
    let mut command = test.command(env!("CARGO_BIN_EXE_chartflow"), &test.path(""));
    let done = command.args(["rehearse", "r", "--base", "main", "--out", "out", "-q"]).env("PATH", path(&test)).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut files = vec![test.path("out")];
    while let Some(at) = files.pop() {
        assert!(!at.to_string_lossy().contains("chartflow-helm-"), "{} stays", at.display());
        if at.is_dir() {
            files.extend(std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}
