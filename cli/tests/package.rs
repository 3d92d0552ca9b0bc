//! `chartflow package`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod common;

use chartflow_core::domain::package::{Limits, read_package};
use common::TestEnvironment;

fn write(test: &TestEnvironment, path: &str, text: &str) {
    let path = test.path("").join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn dependencies_in_directories_are_put_in_when_asked_for() {
    let test = TestEnvironment::new();
    let needs = |name: &str, dependency: &str| {
        format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\ndependencies:\n- name: {dependency}\n  version: ^1\n  repository: file://../{dependency}\n")
    };
    write(&test, "charts/web/Chart.yaml", &needs("web", "base"));
    write(&test, "charts/base/Chart.yaml", &needs("base", "lib"));
    write(&test, "charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.2.0\ntype: library\n");
    insta::assert_snapshot!(test.chartflow("", &["package", "charts/web"]), @r#"
    -- stderr
    error: chart web depends on base ^1 from "file://../base", which is not in its charts directory
    hint: `chartflow package --dependency-update` takes base from its directory; or add it to the charts directory
    -- exit 2
    "#);
    let done = test.chartflow("", &["package", "charts/web", "--dependency-update", "-d", "out"]);
    assert_eq!(done.exit, Some(0), "{done}");
    let package = read_package(&std::fs::read(test.path("out/web-1.0.0.tgz")).unwrap(), Limits::default()).unwrap();
    let members: Vec<&str> = package.members.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(members, ["web/Chart.yaml", "web/charts/base/Chart.yaml", "web/charts/base/charts/lib/Chart.yaml"]);
    // The same from where the chart lies, and by an absolute path.
    for (directory, chart) in [("charts/web", "."), ("charts", "./web/"), ("", test.path("charts/web").to_str().unwrap())] {
        let again = test.chartflow(directory, &["package", chart, "-u", "-d", test.path("again").to_str().unwrap()]);
        assert_eq!(again.exit, Some(0), "{chart}: {again}");
        assert_eq!(std::fs::read(test.path("again/web-1.0.0.tgz")).unwrap(), std::fs::read(test.path("out/web-1.0.0.tgz")).unwrap(), "{chart}");
    }
    write(&test, "charts/base/Chart.yaml", &needs("base", "lib").replace("version: 1.0.0", "version: 2.0.0"));
    insta::assert_snapshot!(test.chartflow("", &["package", "charts/web", "-u", "-d", "none"]), @r#"
    -- stderr
    error: charts/web depends on base "^1", but charts/base has the version 2.0.0
    hint: correct the constraint in charts/web/Chart.yaml
    -- exit 2
    "#);
    write(&test, "charts/web/Chart.yaml", &needs("web", "base").replace("^1", "latest"));
    insta::assert_snapshot!(test.chartflow("", &["package", "charts/web", "-u", "-d", "none"]), @r"
    -- stderr
    error: charts/web depends on base by a version that is neither a version nor a constraint
    hint: write a version such as 1.2.3 or ^1.2 in charts/web/Chart.yaml
    -- exit 2
    ");
    write(&test, "charts/web/Chart.yaml", &needs("web", "base"));
    write(&test, "charts/base/Chart.yaml", &needs("base", "web"));
    insta::assert_snapshot!(test.chartflow("", &["package", "charts/web", "-u", "-d", "none"]), @r"
    -- stderr
    error: charts depend on each other in a circle: charts/web -> charts/base -> charts/web
    hint: take one of the dependencies out
    -- exit 2
    ");
    assert!(!test.path("none").exists());
}

/// A release is made from a git tree, which cannot hold it; a package from the directory is the same.
#[test]
fn what_git_keeps_for_itself_stays_out() {
    let test = TestEnvironment::new();
    write(&test, "web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    let package = |out: &str| test.chartflow("", &["package", "web", "-d", out]);
    assert_eq!(package("without").stderr, "");
    write(&test, "web/.git", "gitdir: ../modules/web\n");
    insta::assert_snapshot!(package("with"), @r"
    packaged web as with/web-1.0.0.tgz
      sha256:167a1cf8bb4cfb8d6f5a1fae1cb62f018d4f076e5a449a64cdb2fb5aed877338
    -- stderr
    notice: web/.git is left out, as git cannot hold it; helm packages it until web/.helmignore names .git
    -- exit 0
    ");
    assert_eq!(std::fs::read(test.path("with/web-1.0.0.tgz")).unwrap(), std::fs::read(test.path("without/web-1.0.0.tgz")).unwrap());
    write(&test, "web/.helmignore", ".git\n");
    assert_eq!(package("ignored").stderr, "");
}
