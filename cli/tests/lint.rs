//! `chartflow lint`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod common;

use common::{Ran, TestEnvironment};

fn write(test: &TestEnvironment, path: &str, text: &str) {
    let path = test.path("").join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Lints on a machine without helm, so that what is printed does not depend on it.
fn lint(test: &TestEnvironment, arguments: &[&str]) -> Ran {
    test.chartflow_with("", &[&["lint"], arguments].concat(), &[("PATH", "/nowhere")])
}

#[test]
fn findings_name_file_line_and_rule() {
    let test = TestEnvironment::new();
    write(&test, "charts/good/Chart.yaml", "apiVersion: v2\nname: good\nversion: 1.0.0\n");
    write(&test, "charts/bad/Chart.yaml", "apiVersion: v2\nname: bad\nversion: \"one\"\ncolour: red\n");
    write(&test, ".git/HEAD", "ref: refs/heads/main\n");
    insta::assert_snapshot!(lint(&test, &["charts/good"]), @r"
    notice: helm was not found; the templates were not rendered [helm-lint/absent]
      hint: install helm 3 or 4
    charts/good: passed layout, schema, artifact-hub; skipped helm-lint
    -- exit 0
    ");
    insta::assert_snapshot!(lint(&test, &["-q", "charts/good/", "charts/bad"]), @r#"
    notice: helm was not found; the templates were not rendered [helm-lint/absent]
      hint: install helm 3 or 4
    charts/good: passed layout, schema, artifact-hub; skipped helm-lint
    charts/bad/Chart.yaml:3: error: version "one" is not a version [schema/version]
      hint: write it as "1.2.3"
    charts/bad/Chart.yaml:4: warning: helm does not know the key "colour" [schema/unknown-key]
      hint: known keys are annotations, apiVersion, appVersion, condition, dependencies, deprecated, description, home, icon, keywords, kubeVersion, maintainers, name, sources, tags, type, version
    notice: helm was not found; the templates were not rendered [helm-lint/absent]
      hint: install helm 3 or 4
    charts/bad: failed schema; passed layout, artifact-hub; skipped helm-lint
    -- exit 1
    "#);
    let done = lint(&test, &["charts/bad", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.exit, &answer["charts"][0]["chart"], &answer["charts"][0]["path"]), (Some(1), &"bad".into(), &"charts/bad".into()), "{done}");
    let rules: Vec<&str> = answer["charts"][0]["checks"].as_array().unwrap().iter().filter_map(|check| check["findings"][0]["rule"].as_str()).collect();
    insta::assert_snapshot!(rules.join(" "), @"schema/version helm-lint/absent");
}

#[test]
fn the_configuration_says_where_a_chart_lies() {
    let test = TestEnvironment::new();
    write(&test, "charts/here/Chart.yaml", "apiVersion: v2\nname: there\nversion: 1.0.0\n");
    write(&test, ".git/HEAD", "ref: refs/heads/main\n");
    assert_eq!(lint(&test, &["charts/here"]).exit, Some(1));
    write(&test, ".chartflow.yaml", "directories:\n  there: charts/here\n");
    let done = lint(&test, &["charts/here"]);
    assert_eq!(done.exit, Some(0), "{done}");
}

#[test]
fn what_is_no_chart_is_refused() {
    let test = TestEnvironment::new();
    write(&test, "good/Chart.yaml", "apiVersion: v2\nname: good\nversion: 1.0.0\n");
    write(&test, "empty/values.yaml", "a: 1\n");
    insta::assert_snapshot!(lint(&test, &["good", "empty"]), @r"
    -- stderr
    error: empty holds no Chart.yaml
    hint: name the directory of a chart
    -- exit 2
    ");
    insta::assert_snapshot!(lint(&test, &["absent"]), @"
    -- stderr
    error: absent does not exist
    hint: `chartflow help COMMAND` says what the command takes, with examples
    -- exit 2
    ");
    insta::assert_snapshot!(lint(&test, &["good/Chart.yaml"]), @"
    -- stderr
    error: good/Chart.yaml is not a directory
    hint: `chartflow help COMMAND` says what the command takes, with examples
    -- exit 2
    ");
}

/// Where helm is there: a script that is content with everything.
fn lint_with_helm(test: &TestEnvironment, arguments: &[&str]) -> Ran {
    use std::os::unix::fs::PermissionsExt as _;
    write(test, "bin/helm", "#!/bin/sh\nexit 0\n");
    let helm = test.path("bin/helm");
    std::fs::set_permissions(&helm, std::fs::Permissions::from_mode(0o755)).unwrap();
    test.chartflow_with("", &[&["lint"], arguments].concat(), &[("PATH", helm.parent().unwrap().to_str().unwrap())])
}

#[test]
fn a_link_that_leaves_the_chart_is_a_finding_with_and_without_helm() {
    let test = TestEnvironment::new();
    write(&test, "charts/good/Chart.yaml", "apiVersion: v2\nname: good\nversion: 1.0.0\n");
    write(&test, "secret", "x");
    write(&test, ".git/HEAD", "ref: refs/heads/main\n");
    std::os::unix::fs::symlink("../../secret", test.path("charts/good/link")).unwrap();
    insta::assert_snapshot!(lint(&test, &["charts/good"]), @r#"
    charts/good/link: error: the symbolic link to "../../secret" leaves the chart [layout/symlink]
      hint: put a copy of the file in its place
    notice: helm was not found; the templates were not rendered [helm-lint/absent]
      hint: install helm 3 or 4
    charts/good: failed layout; passed schema, artifact-hub; skipped helm-lint
    -- exit 1
    "#);
    insta::assert_snapshot!(lint_with_helm(&test, &["charts/good"]), @r#"
    charts/good/link: error: the symbolic link to "../../secret" leaves the chart [layout/symlink]
      hint: put a copy of the file in its place
    error: the templates were not rendered: the chart's files cannot be given to helm: link is a symbolic link that leads out of the chart [helm-lint/finding]
    charts/good: failed layout, helm-lint; passed schema, artifact-hub
    -- exit 1
    "#);
}

#[test]
fn what_cannot_be_packaged_is_found() {
    let test = TestEnvironment::new();
    let chart = |name: &str, dependency: &str| {
        format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\ndependencies:\n- name: {dependency}\n  version: 1.x\n  repository: file://../{dependency}\n")
    };
    write(&test, "charts/one/Chart.yaml", &chart("one", "two"));
    write(&test, "charts/two/Chart.yaml", &chart("two", "three"));
    write(&test, "charts/three/Chart.yaml", "apiVersion: v2\nname: three\nversion: 1.0.0\n");
    write(&test, ".git/HEAD", "ref: refs/heads/main\n");
    assert_eq!(lint(&test, &["charts/one"]).exit, Some(0));
    write(&test, "charts/three/Chart.yaml", &chart("three", "one"));
    insta::assert_snapshot!(lint(&test, &["charts/one"]), @r"
    charts/one/Chart.yaml: error: charts depend on each other in a circle: charts/one -> charts/two -> charts/three -> charts/one [layout/package]
      hint: take one of the dependencies out
    notice: helm was not found; the templates were not rendered [helm-lint/absent]
      hint: install helm 3 or 4
    charts/one: failed layout; passed schema, artifact-hub; skipped helm-lint
    -- exit 1
    ");
}
