//! What every command has in common.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

mod common;

use common::TestEnvironment;

#[test]
fn usage_errors() {
    let test = TestEnvironment::new();
    let check = |arguments: &[&str]| test.chartflow("", arguments).to_string();
    insta::assert_snapshot!(check(&["completions", "nonsense"]), @"
    -- stderr
    error: invalid value 'nonsense' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

    For more information, try '--help'.
    -- exit 2
    ");
    insta::assert_snapshot!(check(&["--format", "json", "completions"]), @r#"
    {
      "error": {
        "kind": "request",
        "message": "the following required arguments were not provided:\n  <SHELL>",
        "hint": "Usage: chartflow completions <SHELL>\n\nFor more information, try '--help'.",
        "exit": 2
      }
    }
    -- exit 2
    "#);
    insta::assert_snapshot!(check(&["completions", "bash", "--format", "matrix"]), @"
    -- stderr
    error: this command does not print a matrix
    hint: use --format text or --format json; only `chartflow detect` prints a matrix
    -- exit 2
    ");
    let ran = test.chartflow("", &[]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("Usage: chartflow"), "{ran}");
}

#[test]
fn help_and_version_are_results() {
    let test = TestEnvironment::new();
    let help = test.chartflow("", &["--help"]);
    assert_eq!(help.exit, Some(0));
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("Exit codes:") && help.stderr.is_empty(), "{help}");
    let version = test.chartflow("", &["--version"]);
    assert_eq!((version.exit, version.stdout), (Some(0), format!("chartflow {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn completions_for_every_shell() {
    let test = TestEnvironment::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = test.chartflow("", &["completions", shell]);
        assert!(ran.exit == Some(0) && ran.stdout.contains("completions") && ran.stderr.is_empty(), "{ran}");
    }
    let json: serde_json::Value = serde_json::from_str(&test.chartflow("", &["completions", "fish", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["shell"], "fish");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let test = TestEnvironment::new();
    // The pipe's reading end is closed before the command starts.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_chartflow")).args(["completions", "bash"]).current_dir(test.path("")).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_chartflow")).args(["completions", "bash"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"
    error: the result cannot be written to standard output
      caused by: No space left on device (os error 28)
    ");
}
