//! What may be rehearsed, by which names, and what is told of a contribution that is none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]
#![allow(missing_docs, reason = "a test")]

mod common;

use chartflow_core::io::signing::KeySigner;
use common::TestEnvironment;

const CHART: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: a chart\n";

/// A repository `r` with a chart on `main`.
fn repository() -> TestEnvironment {
    let test = TestEnvironment::new();
    test.commit("r", &[("charts/a/Chart.yaml", CHART), ("charts/a/values.yaml", "value: 0\n")], "feat(a): a chart");
    test
}

/// A branch from main that sets a value.
fn branch(test: &TestEnvironment, name: &str, value: &str) {
    test.git("r", &["checkout", "-q", "-b", name, "main"], b"");
    test.commit("r", &[("charts/a/values.yaml", &format!("value: {value}\n"))], "fix(a): a value");
}

/// The name the contribution's branch gets in a rehearsal, which must release something.
fn named(test: &TestEnvironment, head: &str) -> String {
    let done = test.chartflow("", &["rehearse", "r", "--base", "main", "--head", head, "--out", "out", "-q", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, &summary["result"]), (Some(0), &"released".into()), "{head}: {done}");
    summary["pulls"][0]["head"].as_str().unwrap().to_owned()
}

fn told(test: &TestEnvironment, arguments: &[&str]) -> String {
    test.chartflow("", &[&["rehearse"], arguments, &["--out", "out", "-q"]].concat()).to_string()
}

#[test]
fn branches_keep_their_names_where_the_train_does_not_need_them() {
    let test = repository();
    branch(&test, "release/1.0", "1");
    test.git("r", &["tag", "some-tag"], b"");
    assert_eq!(named(&test, "HEAD~0"), "contribution-1");
    assert_eq!(named(&test, "HEAD^{}"), "contribution-1");
    assert_eq!(named(&test, "release/1.0@{0}"), "contribution-1");
    assert_eq!(named(&test, "release/1.0"), "contribution-1");
    assert_eq!(named(&test, "some-tag"), "contribution-1");
    for (name, expected) in [
        ("integration/x", "contribution-1"),
        ("integration-a", "contribution-1"),
        ("feature/of-a-person-who-likes-long-names-of-branches", "feature/of-a-person-who-likes-long-names-of-branches"),
    ] {
        branch(&test, name, "2");
        assert_eq!(named(&test, name), expected);
        assert_eq!(named(&test, "HEAD"), expected);
    }
}

#[test]
fn contributions_that_are_none() {
    let test = repository();
    branch(&test, "feature", "1");
    insta::assert_snapshot!(told(&test, &["r", "--head", "feature", "--head", "refs/heads/feature"]), @"
    -- stderr
    error: --head refs/heads/feature is the commit of feature once more
    hint: name each contribution once
    -- exit 2
    ");
    test.git("r", &["checkout", "-q", "--orphan", "other"], b"");
    test.commit("r", &[("charts/a/values.yaml", "value: 3\n")], "feat(a): from nothing");
    let unrelated = told(&test, &["r", "--base", "main"]).replace(test.git("r", &["rev-parse", "--short=10", "main"], b"").trim(), "MAIN");
    insta::assert_snapshot!(unrelated, @"
    -- stderr
    error: HEAD and the base MAIN have no history in common
    hint: a contribution starts from a commit of main; --base and --head name others
    -- exit 2
    ");
    assert!(!test.path("out").exists());
}

#[test]
fn contributions_that_conflict() {
    let test = repository();
    branch(&test, "one", "1");
    branch(&test, "two", "2");
    let done = test.chartflow("", &["rehearse", "r", "--base", "main", "--head", "one", "--head", "two", "--out", "out", "-q", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, &summary["result"], summary["charts"].as_array().unwrap().len()), (Some(1), &"refused".into(), 1), "{done}");
    insta::assert_snapshot!(summary["refused"][0], @r#"{"chart":null,"stage":"validate","rule":"contribution/unmerged","message":"pull request 2 cannot be merged into integration: Pull Request is not mergeable","hint":"merge integration into the branch, solve what conflicts and push again"}"#);
}

#[test]
fn directories_without_charts() {
    let test = repository();
    std::fs::create_dir(test.path("empty")).unwrap();
    insta::assert_snapshot!(told(&test, &["empty"]), @"
    -- stderr
    error: empty holds no chart
    hint: name a directory of charts, or the top of a git repository
    -- exit 2
    ");
    insta::assert_snapshot!(told(&test, &["r/charts/a"]), @"
    -- stderr
    error: r/charts/a is itself a chart
    hint: name the directory that it lies in
    -- exit 2
    ");
    assert!(!test.path("out").exists());
}

#[test]
fn tiers_of_other_names() {
    let test = TestEnvironment::new();
    let configuration = "branches:\n  main: trunk\n  integration: next\n  chart: on-the-way/{chart}\n  release: served\ntag: \"{chart}-{version}\"\n";
    test.commit("r", &[("charts/a/Chart.yaml", CHART), ("charts/a/values.yaml", "value: 0\n"), (".chartflow.yaml", configuration)], "feat(a): a chart");
    test.git("r", &["branch", "-m", "trunk"], b"");
    test.git("r", &["checkout", "-q", "-b", "main"], b"");
    test.commit("r", &[("charts/a/values.yaml", "value: 1\n")], "fix(a): a value");
    let done = test.chartflow("", &["rehearse", "r", "--out", "out", "-q", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, &summary["charts"][0]["tag"], &summary["pulls"][0]["head"]), (Some(0), &"a-1.0.1".into(), &"main".into()), "{done}");
    insta::assert_snapshot!(test.git("out/origin.git", &["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"], b""), @"
    refs/heads/main
    refs/heads/next
    refs/heads/served
    refs/heads/trunk
    refs/tags/a-1.0.1
    ");
    let verified = test.chartflow("", &["verify", "a-1.0.1", "--trust", "out/trust", "--repo", "out/origin.git", "-q"]);
    assert_eq!(verified.exit, Some(0), "{verified}");
}

#[test]
fn configurations_that_cannot_be_used() {
    let test = repository();
    branch(&test, "feature", "1");
    let check = |text: &str| {
        test.git("r", &["checkout", "-q", "main"], b"");
        test.commit("r", &[(".chartflow.yaml", text)], "chore: configure");
        told(&test, &["r", "--base", "main", "--head", "feature"])
    };
    insta::assert_snapshot!(check("branchs: {}\n"), @r#"
    -- stderr
    error: .chartflow.yaml:1: the key "branchs" is unknown; did you mean "branches"?
    hint: docs/configuration.md says what each key takes; without the key its default holds
    -- exit 2
    "#);
    insta::assert_snapshot!(check("branches:\n  chart: integration/{chart}\n"), @r#"
    -- stderr
    error: .chartflow.yaml: branches.integration: "integration" collides with branches.chart: git cannot hold both "integration" and "integration/{chart}", because a ref is a file and cannot be a directory ("{chart}") as well
    hint: give branches.integration another value in .chartflow.yaml
    -- exit 2
    "#);
    insta::assert_snapshot!(check("tag: v{version}\n"), @r#"
    -- stderr
    error: .chartflow.yaml:1: tag: "v{version}" does not hold {chart}
    hint: every chart needs a name of its own; write such as tag: "{chart}-v{version}"
    -- exit 2
    "#);
    assert!(!test.path("out").exists());
}

/// `rehearse` finds the charts that `detect` finds, and says what to write down.
#[test]
fn charts_elsewhere_than_configured() {
    for configuration in ["tag: \"{chart}-{version}\"\n", "charts: []\ntag: \"{chart}-{version}\"\n"] {
        let test = TestEnvironment::new();
        test.commit("r", &[("helm/a/Chart.yaml", CHART), ("helm/a/values.yaml", "value: 0\n"), (".chartflow.yaml", configuration)], "feat(a): a chart");
        test.git("r", &["checkout", "-q", "-b", "feature"], b"");
        test.commit("r", &[("helm/a/values.yaml", "value: 1\n")], "fix(a): a value");
        let notice = |done: &str| done.lines().find(|line| line.starts_with("notice: ")).map(str::to_owned);
        let detected = test.chartflow("r", &["detect"]);
        let done = test.chartflow("", &["rehearse", "r", "--base", "main", "--out", "out", "--format", "json"]);
        assert_eq!((done.exit, notice(&done.stderr)), (Some(0), notice(&detected.stderr)), "{done}");
        let told = notice(&done.stderr).unwrap();
        if configuration.starts_with("charts") {
            insta::assert_snapshot!(told, @r#"notice: no chart is where `charts: []` says; every directory was searched instead. Write `charts: ["helm/*"]` into .chartflow.yaml"#);
        } else {
            insta::assert_snapshot!(told, @r#"notice: no chart is where "charts/*" says; every directory was searched instead. Write `charts: ["helm/*"]` into .chartflow.yaml"#);
        }
        let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!((&summary["charts"][0]["path"], &summary["charts"][0]["tag"]), (&"helm/a".into(), &"a-1.0.1".into()), "{done}");
    }
}

#[test]
fn branches_named_like_the_train_s_are_told() {
    let test = repository();
    branch(&test, "feature", "1");
    let notices = || {
        let done = test.chartflow("", &["rehearse", "r", "--base", "main", "--out", "out"]);
        assert_eq!(done.exit, Some(0), "{done}");
        done.stderr.lines().filter(|line| line.starts_with("notice: ")).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(notices(), "");
    test.git("r", &["branch", "integration", "main"], b"");
    insta::assert_snapshot!(notices(), @"notice: your branch integration is named as one of the train's; the rehearsal makes its own and ignores what is there");
    for name in ["release", "integration-a", "integration-b", "other"] {
        test.git("r", &["branch", name, "main"], b"");
    }
    insta::assert_snapshot!(notices(), @"notice: your branches integration, integration-a, integration-b and 1 more are named as the train's; the rehearsal makes its own and ignores what is there");
}

/// What a clone tells of the repository on GitHub, by the rules of the preflight.
#[test]
fn a_default_branch_that_is_not_main_is_told() {
    let test = repository();
    branch(&test, "feature", "1");
    test.git("r", &["checkout", "-q", "-b", "trunk", "main"], b"");
    test.git("", &["clone", "-q", "r", "clone"], b"");
    test.git("clone", &["remote", "set-url", "origin", "git@github.com:acme/charts.git"], b"");
    let arguments = ["rehearse", "clone", "--base", "origin/main", "--head", "origin/feature", "--out", "out"];
    let done = test.chartflow("", &arguments);
    let notices: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("notice: ")).collect();
    insta::assert_snapshot!(notices.join("\n"), @"notice: the default branch is trunk, not main: whoever can push to trunk could sign as the train; set it at https://github.com/acme/charts/settings (General, Default branch), or write `branches: {main: trunk}` into .chartflow.yaml (preflight/default-branch)");
    assert_eq!(done.exit, Some(0), "{done}");
    test.git("clone", &["remote", "set-head", "origin", "main"], b"");
    let done = test.chartflow("", &arguments);
    assert!(done.exit == Some(0) && !done.stderr.contains("notice: "), "{done}");
}

#[test]
fn clones_that_lack_something() {
    let test = repository();
    test.commit("r", &[("charts/a/values.yaml", "value: 7\n")], "fix(a): before");
    branch(&test, "feature", "1");
    test.git("r", &["config", "uploadpack.allowFilter", "true"], b"");
    let from = format!("file://{}", test.path("r").display());
    test.git("", &["clone", "-q", "--depth", "1", "--no-single-branch", &from, "shallow"], b"");
    // Both tips are boundaries, but the one is the parent of the other.
    let done = test.chartflow("", &["rehearse", "shallow", "--base", "origin/main", "--out", "out", "-q"]);
    assert_eq!(done.exit, Some(0), "{done}");
    test.git("r", &["commit", "-q", "--allow-empty", "-m", "fix(a): between"], b"");
    test.git("", &["clone", "-q", "--depth", "1", "--no-single-branch", &from, "cut"], b"");
    std::fs::remove_dir_all(test.path("out")).unwrap();
    let cut = told(&test, &["cut", "--base", "origin/main"]);
    assert!(cut.contains("git fetch --unshallow") && cut.ends_with("-- exit 2") && !test.path("out").exists(), "{cut}");
    test.git("", &["clone", "-q", "--filter=blob:none", "--no-checkout", &from, "partial"], b"");
    let partial = told(&test, &["partial", "--base", "origin/main"]);
    assert!(partial.contains("partial clone") && partial.contains("hint: fetch them") && partial.ends_with("-- exit 2"), "{partial}");
}

#[test]
fn a_folder_belongs_to_one_rehearsal() {
    let test = repository();
    branch(&test, "feature", "1");
    std::fs::create_dir(test.path("out")).unwrap();
    let marker = std::fs::File::create(test.path("out/.chartflow-rehearsal")).unwrap();
    marker.lock().unwrap();
    insta::assert_snapshot!(told(&test, &["r", "--base", "main"]), @"
    -- stderr
    error: another rehearsal is running in out
    hint: name an absent or empty folder with --out
    -- exit 2
    ");
    drop(marker);
    let done = test.chartflow("", &["rehearse", "r", "--base", "main", "--out", "out", "-q"]);
    assert_eq!(done.exit, Some(0), "{done}");
}

#[test]
fn private_keys_are_kept_elsewhere_and_private() {
    let test = repository();
    branch(&test, "feature", "1");
    insta::assert_snapshot!(told(&test, &["r", "--base", "main", "--keep-key", "out/../out/key.pem"]), @"
    -- stderr
    error: out/../out/key.pem lies in the rehearsal's folder, where no private key is left
    hint: name a file elsewhere with --keep-key
    -- exit 2
    ");
    insta::assert_snapshot!(told(&test, &["r", "--base", "main", "--keep-key", "nowhere/key.pem"]), @"
    -- stderr
    error: nowhere/key.pem is no file that can be written
    hint: name a file in a folder that is there
    -- exit 2
    ");
    assert!(!test.path("out").exists());
    std::fs::write(test.path("key.pem"), "not a key").unwrap();
    insta::assert_snapshot!(told(&test, &["r", "--base", "main", "--keep-key", "key.pem"]), @"
    -- stderr
    error: key.pem is there and is not the key of a rehearsal, so it is not overwritten
    hint: name a file that is not there yet, or remove this one
    -- exit 2
    ");
    assert!(!test.path("out").exists());
    assert_eq!(std::fs::read_to_string(test.path("key.pem")).unwrap(), "not a key");
    // A key that somebody else made, or a rehearsal of long ago that did not say so.
    let foreign = KeySigner::generate().unwrap().to_pkcs8_pem();
    std::fs::write(test.path("key.pem"), &foreign).unwrap();
    insta::assert_snapshot!(told(&test, &["r", "--base", "main", "--keep-key", "key.pem"]), @"
    -- stderr
    error: key.pem is there and is not the key of a rehearsal, so it is not overwritten
    hint: name a file that is not there yet, or remove this one
    -- exit 2
    ");
    assert_eq!(std::fs::read_to_string(test.path("key.pem")).unwrap(), foreign);
    std::fs::remove_file(test.path("key.pem")).unwrap();
    let keep = ["rehearse", "r", "--base", "main", "--out", "out", "--keep-key", "key.pem", "-q"];
    let kept = || {
        let done = test.chartflow("", &keep);
        assert_eq!(done.exit, Some(0), "{done}");
        std::fs::read_to_string(test.path("key.pem")).unwrap()
    };
    let (first, second) = (kept(), kept());
    assert_ne!(first, second, "each rehearsal has its own key");
    insta::assert_snapshot!(second.lines().next().unwrap(), @"The private key of a chartflow rehearsal, which nothing else trusts.");
    // What stands above a key disturbs no reader of keys.
    let policy = std::fs::read_to_string(test.path("out/trust/policy.json")).unwrap();
    assert!(policy.contains(KeySigner::from_pkcs8_pem(&second).unwrap().id()), "{policy}");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(test.path("key.pem")).unwrap()) & 0o777, 0o600);
}

#[test]
fn a_machine_without_git() {
    let test = repository();
    let mut command = test.command(env!("CARGO_BIN_EXE_chartflow"), &test.path(""));
    let done = command.env("PATH", test.path("")).args(["rehearse", "r", "--out", "out", "--format", "json"]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    insta::assert_snapshot!(answer["error"]["message"].as_str().unwrap(), @"git cannot be run: No such file or directory (os error 2)");
    assert_eq!((done.status.code(), test.path("out").exists()), (Some(3), false));
}

#[test]
fn a_check_that_somebody_else_brings_is_left_out_and_told() {
    let test = TestEnvironment::new();
    let configuration = "checks:\n  outside:\n    scan: {workflow: .github/workflows/scan.yml}\n";
    test.commit("r", &[("charts/a/Chart.yaml", CHART), ("charts/a/values.yaml", "value: 0\n"), (".chartflow.yaml", configuration)], "feat(a): a chart");
    branch(&test, "feature", "1");
    let done = test.chartflow("", &["rehearse", "r", "--base", "main", "--head", "feature", "--out", "out", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, &summary["result"]), (Some(0), &"released".into()), "{done}");
    assert!(done.stderr.contains("the outside check \"scan\" is left out: here nobody brings its result"), "{done}");
    let policy: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(test.path("out/trust/policy.json")).unwrap()).unwrap();
    let skipped = &policy["epochs"][0]["checks"]["skipped"];
    assert!(skipped.as_array().unwrap().contains(&"scan".into()), "{policy}");
    let package = summary["charts"][0]["package"]["file"].as_str().unwrap();
    assert_eq!(test.chartflow("", &["verify", &format!("out/{package}"), "--trust", "out/trust"]).exit, Some(0));
}
