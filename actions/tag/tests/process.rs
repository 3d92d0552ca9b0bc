//! The program itself: its variables, files, exit codes and signals.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is part of a test")]

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program as its container starts it, with these variables and no others.
fn start(variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tag"));
    command.env_clear().envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Its exit code, standard output and standard error.
fn end(mut child: Child) -> (Option<i32>, String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().code(), out, err)
}

/// A key of nobody, made for this test.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgebfhjUOdkU6jvKJG
NTx7dAkxWmARWVsIQJFhD5ne/iihRANCAAR5kDDfoE5BSR13MHuzCT8z1xiT4W6P
zR2ErOJkA3yrsr04uX2P+Z8Xx/rOFYUnAtPwfE8wi4/W8uUT8Ak25On0
-----END PRIVATE KEY-----";

#[test]
fn a_cancelled_run_ends_at_once_and_says_so() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        // A server that takes every request and answers none.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let folder = std::env::temp_dir().join(format!("chartflow-tag-{}-{signal}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let summary = folder.join("summary");
        let child = start(&[
            ("GITHUB_REPOSITORY", "acme/charts"),
            ("GITHUB_API_URL", &url),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
            ("INPUT_TOKEN", "ghs_secret"),
            ("INPUT_SIGNING-KEY", KEY),
        ]);
        // It has asked for something, so it is in the middle of its work.
        let connection = listener.accept().unwrap();
        let begun = Instant::now();
        assert!(Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap().success());
        let (exit, out, err) = end(child);
        assert!(begun.elapsed() < Duration::from_secs(7), "the runner kills after 7.5 s: {:?}", begun.elapsed());
        assert_eq!(exit, Some(code), "{out}{err}");
        assert!(out.contains(&format!("::error title=cancelled::cancelled by SIG{signal}; nothing was left half done")), "{out}");
        assert!(std::fs::read_to_string(&summary).unwrap().contains("cancelled by SIG"), "{out}");
        assert_eq!(err, "");
        drop(connection);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn secrets_are_masked_before_anything_else() {
    let (exit, out, _) = end(start(&[("INPUT_TOKEN", "ghs_secret"), ("INPUT_SIGNING-KEY", KEY), ("INPUT_TOKN", "x")]));
    assert_eq!(exit, Some(2));
    let lines: Vec<&str> = out.lines().collect();
    let (masks, rest) = lines.split_at(4);
    assert!(masks.iter().all(|line| line.starts_with("::add-mask::")) && masks[0].ends_with("ghs_secret"), "{out}");
    let [error] = rest else { panic!("{out}") };
    assert!(error.starts_with("::error title=chartflow::the input tokn is unknown to tag;") && error.ends_with("did you mean token?"), "{out}");
}
