use std::collections::BTreeMap;

use super::*;
use crate::domain::content::File;
use crate::domain::tree::Mode;

fn check(list: &[(&str, &str)], around: &layout::Surroundings<'_>) -> String {
    told(&layout::check(&Subject { directory: &directory(), files: &files(list) }, around))
}

#[test]
fn name_and_directory() {
    let none = layout::Surroundings::default();
    assert_eq!(check(&[("Chart.yaml", GOOD)], &none), "passed");
    assert_eq!(check(&[("Chart.yaml", "not: a chart")], &none), "passed");
    insta::assert_snapshot!(check(&[("values.yaml", "")], &none), @r"
    failed
    Error layout/chart-file charts/a/Chart.yaml: charts/a holds no Chart.yaml | add one, or remove what is left of the chart
    ");
    let other = [("Chart.yaml", "name: b\nversion: 1.0.0\n")];
    insta::assert_snapshot!(check(&other, &none), @r"
    failed
    Error layout/directory charts/a/Chart.yaml:1: the chart b lies in charts/a | move it to a directory called b, or add `directories: {b: charts/a}` to .chartflow.yaml
    ");
    let directories = BTreeMap::from([("b".parse().unwrap(), directory())]);
    assert_eq!(check(&other, &layout::Surroundings { directories: Some(&directories), ..none }), "passed");
    let elsewhere = BTreeMap::from([("a".parse().unwrap(), "charts/x".parse().unwrap())]);
    assert!(check(&[("Chart.yaml", GOOD)], &layout::Surroundings { directories: Some(&elsewhere), ..none }).starts_with("failed\nError layout/directory"));
    insta::assert_snapshot!(check(&[("Chart.yaml", GOOD)], &layout::Surroundings { name_before: Some("z"), ..none }), @r"
    failed
    Error layout/renamed-in-place charts/a/Chart.yaml:2: charts/a held the chart z and now holds a | remove z in one pull request, and add a in a directory of its own in another
    ");
    let doubles = ["charts/b".parse().unwrap(), directory()];
    insta::assert_snapshot!(check(&[("Chart.yaml", GOOD)], &layout::Surroundings { doubles: &doubles, ..none }), @r"
    failed
    Error layout/doubled-name charts/a/Chart.yaml:2: charts/a and charts/b hold charts of the name a | give one of them another name
    ");
    for name in ["A", "a..b", "a.lock", &"x".repeat(300)] {
        assert!(check(&[("Chart.yaml", &format!("name: {name}\nversion: 1.0.0\n"))], &none).starts_with("failed\nError layout/name"), "{name}");
    }
}

#[test]
fn links_and_submodules() {
    let link = |path: &str, target: &str| {
        let mut files = files(&[("Chart.yaml", GOOD), ("templates/x.yaml", "")]);
        for (path, target) in [(path, target), ("templates/self", "."), ("to-x", "templates/x.yaml")] {
            files.insert_file(path, File { mode: Mode::Symlink, bytes: target.as_bytes().to_vec() });
        }
        let directory = directory();
        told(&layout::check(&Subject { directory: &directory, files: &files }, &layout::Surroundings::default()))
    };
    for (path, target) in
        [("l", "Chart.yaml"), ("l", "templates"), ("templates/l", "../Chart.yaml"), ("l", "templates/self/x.yaml"), ("l", "./to-x"), ("d/l", "../to-x")]
    {
        assert_eq!(link(path, target), "passed", "{target}");
    }
    insta::assert_snapshot!(link("l", "../b/Chart.yaml"), @r#"
    failed
    Error layout/symlink charts/a/l: the symbolic link to "../b/Chart.yaml" leaves the chart | put a copy of the file in its place
    "#);
    for (path, target, problem) in [
        ("l", "/etc/passwd", "leaves the chart"),
        ("templates/l", "self/../../..", "leaves the chart"),
        ("l", "nowhere", "leads nowhere"),
        ("l", "Chart.yaml/x", "leads nowhere"),
        ("l", "l", "leads in a circle"),
        ("l", "templates/../../a/Chart.yaml", "leaves the chart"),
    ] {
        let text = link(path, target);
        assert!(text.contains(problem), "{target}: {text}");
    }
    let mut files = files(&[("Chart.yaml", GOOD)]);
    files.insert_file("sub", File { mode: Mode::Submodule, bytes: Vec::new() });
    let directory = directory();
    insta::assert_snapshot!(told(&layout::check(&Subject { directory: &directory, files: &files }, &layout::Surroundings::default())), @r"
    failed
    Error layout/submodule charts/a/sub: a submodule inside a chart; its content is not part of this repository | copy the files into the chart, or name them as a dependency
    ");
    files.insert_file("Chart.yaml", File { mode: Mode::Symlink, bytes: b"other".to_vec() });
    assert!(told(&layout::check(&Subject { directory: &directory, files: &files }, &layout::Surroundings::default())).contains("layout/chart-file"));
}

/// What the check says of charts/a, beside which lie `around`: directories and their Chart.yaml.
fn built(chart: &str, around: &[(&str, &str)]) -> String {
    let dependencies = around.iter().map(|(path, chart)| ((*path).to_owned(), files(&[("Chart.yaml", chart)]))).collect();
    check(&[("Chart.yaml", chart)], &layout::Surroundings { dependencies: Some(&dependencies), ..layout::Surroundings::default() })
}

#[test]
fn the_package_can_be_built() {
    let needs = |repository: &str, version: &str| format!("{GOOD}dependencies:\n- name: b\n  version: \"{version}\"\n  repository: {repository}\n");
    let b = "apiVersion: v2\nname: b\nversion: 1.0.0\n";
    assert_eq!(built(GOOD, &[]), "passed");
    assert_eq!(built(&needs("file://../b", "1.x"), &[("charts/b", b)]), "passed");
    insta::assert_snapshot!(built(&needs("file://../b", "^2"), &[("charts/b", b)]), @r#"
    passed
    Notice layout/dependency-version charts/a/Chart.yaml:5: charts/b has the version 1.0.0, which "^2" excludes: the bump writes the version that main then has
    "#);
    insta::assert_snapshot!(built(&needs("file://../nope", "1.x"), &[]), @r#"
    failed
    Error layout/package charts/a/Chart.yaml:5: chart a depends on b 1.x from "file://../nope", which is not in its charts directory | there is no chart in charts/nope: correct `repository`, or put b into charts/a/charts
    "#);
    insta::assert_snapshot!(built(&needs("https://charts.example.com", "1.x"), &[]), @r#"
    failed
    Error layout/package charts/a/Chart.yaml:5: chart a depends on b 1.x from "https://charts.example.com", which is not in its charts directory | run `helm dependency update charts/a` and commit charts/a/charts; charts are not downloaded
    "#);
    insta::assert_snapshot!(built(&needs("file://../b", "1.x"), &[("charts/b", "apiVersion: v2\nname: c\nversion: 1.0.0\n")]), @r#"
    failed
    Error layout/package charts/a/Chart.yaml:5: the chart in "charts/a" depends on b, but the chart in "charts/b" is called c | write the name that the chart has, or correct `repository`
    "#);
    let circle = format!("{b}dependencies:\n- name: a\n  version: 1.x\n  repository: file://../a\n");
    insta::assert_snapshot!(built(&needs("file://../b", "1.x"), &[("charts/b", &circle)]), @r"
    failed
    Error layout/package charts/a/Chart.yaml: charts depend on each other in a circle: charts/a -> charts/b -> charts/a | take one of the dependencies out
    ");
    insta::assert_snapshot!(built(&needs("file://../b", "1.x"), &[("charts/b", "name: [")]), @r"
    failed
    Error layout/package charts/a/Chart.yaml: charts/b/Chart.yaml:2:1: not YAML: while parsing a node, did not find expected node content
    ");
    // What is wrong with its own files is told by the check `schema`.
    for broken in ["name: [", "name: a\nversion: 1.0.0\n", "apiVersion: v2\nname: a\nversion: x\n"] {
        assert_eq!(built(broken, &[]), "passed", "{broken}");
    }
    let values = check(
        &[("Chart.yaml", GOOD), ("values.yaml", "- a")],
        &layout::Surroundings { dependencies: Some(&BTreeMap::new()), ..layout::Surroundings::default() },
    );
    assert_eq!(values, "passed");
}
