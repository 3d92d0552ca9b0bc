use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::console::Console;
use super::declaration::Verb;
use super::environment::Environment;
use super::event_file::{EVENT_LIMIT, EventFile, Start};
use super::inputs::Inputs;
use super::protocol::command::{Annotation, Level};
use crate::domain::branch::Names;
use crate::domain::causes;
use crate::domain::configuration::Configuration;
use crate::domain::event::StageName;
use crate::domain::ruleset::Tiers;

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn inputs(verb: &str, pairs: &[(&str, &str)]) -> Result<Inputs, String> {
    Inputs::read(&Verb::named(verb).unwrap().declaration(), &variables(pairs)).map_err(|error| causes(&error))
}

#[test]
fn inputs_as_the_runner_writes_them_and_as_a_shell_can() {
    let read =
        inputs("validate", &[("INPUT_DRY-RUN", " True\n"), ("INPUT_APP_ID", "0042"), ("INPUT_JOB", "sign"), ("INPUT_CHECKS", ""), ("PATH", "/bin")]).unwrap();
    assert!(read.flag("dry-run"));
    assert_eq!((read.number("app-id"), read.text("job"), read.text("checks"), read.text("token")), (Some(42), Some("sign"), None, None));
    assert_eq!(format!("{read:?}"), r#"{"app-id", "dry-run", "job"}"#, "values may be secrets");
    assert!(!inputs("validate", &[("INPUT_DRY-RUN", "FALSE")]).unwrap().flag("dry-run"));
    assert!(inputs("validate", &[("INPUT_ENTRYPOINT", "/x"), ("INPUT_ARGS", "y"), ("INPUT_UNKNOWN", " ")]).is_ok());
}

#[test]
fn errors_name_the_input_and_what_it_takes() {
    let error = |verb, pairs: &[(&str, &str)]| inputs(verb, pairs).unwrap_err();
    insta::assert_snapshot!(error("tag", &[("INPUT_DRY-RUN", "yes")]), @r#"the input dry-run is "yes", which is not true or false"#);
    insta::assert_snapshot!(error("tag", &[("INPUT_APP-ID", "-1")]), @r#"the input app-id is "-1", which is not a whole number"#);
    insta::assert_snapshot!(error("validate", &[("INPUT_JOB", "both")]), @r#"the input job is "both", which is not check, sign"#);
    insta::assert_snapshot!(error("validate", &[("INPUT_CHECKS", "{")]), @"the input checks cannot be read: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(error("attest", &[]), @"the input check is mandatory: The key of the check in `checks.outside` of `.chartflow.yaml`.");
    insta::assert_snapshot!(error("tag", &[("INPUT_DRY-RUN", "true"), ("INPUT_DRY_RUN", "false")]), @"the input dry-run is given twice, with different values");
    insta::assert_snapshot!(error("detect", &[("INPUT_HAED", "x")]), @"the input haed is unknown to detect; known inputs are token, app-id, private-key, signing-key, dry-run, base, head, exact, dependents; did you mean head?");
}

#[test]
fn what_the_variables_must_say() {
    let read = |pairs: &[(&str, &str)]| Environment::read(&variables(pairs));
    let least = read(&[("GITHUB_REPOSITORY", "acme/charts"), ("GITHUB_RUN_ID", "7")]).unwrap();
    assert_eq!((least.api_url.as_str(), least.server_url.as_str()), ("https://api.github.com", "https://github.com"));
    assert_eq!(least.run_page.as_deref(), Some("https://github.com/acme/charts/actions/runs/7"));
    let enterprise =
        read(&[("GITHUB_REPOSITORY", "a/b"), ("GITHUB_API_URL", "https://ghe.example/api/v3/"), ("GITHUB_SERVER_URL", "https://ghe.example")]).unwrap();
    assert_eq!((enterprise.api_url.as_str(), enterprise.server_url.as_str()), ("https://ghe.example/api/v3", "https://ghe.example"));
    let error = |pairs: &[(&str, &str)]| causes(&read(pairs).unwrap_err());
    insta::assert_snapshot!(error(&[]), @"the variable GITHUB_REPOSITORY is not set");
    insta::assert_snapshot!(error(&[("GITHUB_REPOSITORY", "a")]), @r#"the variable GITHUB_REPOSITORY is "a", which is not of the form OWNER/NAME"#);
    insta::assert_snapshot!(error(&[("GITHUB_REPOSITORY", "a/b"), ("GITHUB_SERVER_URL", "ftp://x")]), @r#"the variable GITHUB_SERVER_URL is "ftp://x", which is not a URL"#);
}

fn event(name: &str, document: &serde_json::Value) -> EventFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    std::fs::write(&path, document.to_string()).unwrap();
    EventFile::read(name, Some(&path)).unwrap()
}

/// What an event means for a stage.
fn start(name: &str, document: &serde_json::Value, stage: StageName) -> String {
    let tiers = Tiers::from(&Names::new(&Configuration::default()));
    match event(name, document).start(stage, &tiers) {
        Ok(Start::Everything) => "everything".to_owned(),
        Ok(Start::Pull { number, base }) => format!("#{number} to {}", base.map_or_else(|| "?".to_owned(), |base| base.to_string())),
        Ok(Start::Nothing { why }) => why,
        Err(error) => error.to_string(),
    }
}

#[test]
fn events_are_hints() {
    let pull = |action: &str, base: &str, merged: bool| json!({ "action": action, "pull_request": { "number": 7, "merged": merged, "base": { "ref": base }, "head": { "ref": "x", "sha": "y" } } });
    let target = "pull_request_target";
    assert_eq!(start(target, &pull("opened", "integration", false), StageName::Validate), "#7 to integration");
    assert_eq!(start(target, &pull("closed", "integration-web", true), StageName::Format), "#7 to integration-web");
    assert_eq!(start("push", &json!({ "ref": "refs/heads/main" }), StageName::Tag), "everything");
    assert_eq!(start("repository_dispatch", &json!({ "action": "chartflow-bump", "client_payload": { "pull": 9 } }), StageName::Bump), "#9 to ?");
    assert_eq!(start("repository_dispatch", &json!({ "action": "chartflow-bump", "client_payload": { "pull": "9" } }), StageName::Bump), "everything");
    assert_eq!(start("repository_dispatch", &json!({ "action": "another", "client_payload": { "pull": 9 } }), StageName::Bump), "everything");
    assert_eq!(start("schedule", &json!({}), StageName::Reconcile), "everything");
    assert_eq!(start("workflow_run", &json!({ "pull_request": 1 }), StageName::Tag), "everything");
    assert_eq!(start(target, &json!({ "pull_request": [] }), StageName::Validate), "everything", "a document without what decides is no hint");
    insta::assert_snapshot!(start(target, &pull("closed", "integration", false), StageName::Filter), @"that pull request 7 to integration was closed does not start filter");
    insta::assert_snapshot!(start("pull_request", &pull("opened", "integration", false), StageName::Validate), @"a pull_request event runs the pull request's own workflow file, so nothing may be signed there");
}

#[test]
fn event_files_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    let error = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        causes(&EventFile::read("push", Some(&path)).unwrap_err()).replace(&path.display().to_string(), "EVENT")
    };
    insta::assert_snapshot!(error(b"[]"), @"the event file EVENT is not a JSON object");
    insta::assert_snapshot!(error("[".repeat(200).as_bytes()), @"the event file EVENT is not a JSON object: recursion limit exceeded at line 1 column 128");
    insta::assert_snapshot!(error(b"{\"a\":\"\xff\"}"), @"the event file EVENT is not a JSON object: invalid unicode code point at line 1 column 7");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(EVENT_LIMIT as u64 + 1).unwrap();
    let long = causes(&EventFile::read("push", Some(&path)).unwrap_err());
    assert!(long.ends_with("is longer than 26214400 bytes"), "{long}");
    assert!(EventFile::read("schedule", None).unwrap().event.is_some());
    assert!(causes(&EventFile::read("push", Some(folder.path())).unwrap_err()).contains("cannot be read"));
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn more_annotations_than_github_keeps_are_counted_and_told() {
    let kept = Kept::default();
    let console = Console::new(Box::new(kept.clone()), &BTreeMap::new());
    let one = |n: usize, level| Annotation {
        level,
        title: "rule".to_owned(),
        message: format!("problem {n}"),
        file: Some("charts/a/Chart.yaml".to_owned()),
        line: Some(3),
    };
    let mut all: Vec<Annotation> = (0..13).map(|n| one(n, Level::Error)).collect();
    all.push(one(99, Level::Notice));
    console.annotate(&all);
    console.annotate(&[one(14, Level::Error)]);
    let said = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert_eq!(said.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    assert_eq!(said.lines().filter(|line| line.starts_with("::notice ")).count(), 1);
    insta::assert_snapshot!(said.lines().skip(9).collect::<Vec<_>>().join("\n"), @r"
    ::error file=charts/a/Chart.yaml,line=3,title=rule::problem 9
    3 more of level error, beyond what GitHub shows:
    charts/a/Chart.yaml: problem 10 (rule)
    charts/a/Chart.yaml: problem 11 (rule)
    charts/a/Chart.yaml: problem 12 (rule)
    ::notice file=charts/a/Chart.yaml,line=3,title=rule::problem 99
    1 more of level error, beyond what GitHub shows:
    charts/a/Chart.yaml: problem 14 (rule)
    ");
}

#[test]
fn files_of_the_runner_are_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let variables = variables(&[("GITHUB_OUTPUT", &path("output")), ("GITHUB_STEP_SUMMARY", &path("summary")), ("GITHUB_STATE", &path("state"))]);
    std::fs::write(path("output"), "before=1\n").unwrap();
    std::fs::write(path("summary"), "x".repeat((1 << 20) - 10)).unwrap();
    let kept = Kept::default();
    let console = Console::new(Box::new(kept.clone()), &variables);
    console.output("charts", "[\"a\nb\"]").unwrap();
    console.state("token", "x").unwrap();
    console.summary("a summary that is too long").unwrap();
    assert!(std::fs::read_to_string(path("output")).unwrap().starts_with("before=1\ncharts<<ghadelimiter_"));
    assert!(std::fs::read_to_string(path("state")).unwrap().starts_with("token<<ghadelimiter_"));
    assert!(std::fs::metadata(path("summary")).unwrap().len() <= 1 << 20);
    assert_eq!(*kept.0.lock().unwrap(), b"");
    std::fs::remove_file(path("output")).unwrap();
    std::fs::create_dir(path("output")).unwrap();
    assert!(causes(&console.output("x", "y").unwrap_err()).contains("cannot be written"));
}
