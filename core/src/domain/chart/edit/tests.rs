use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::domain::chart::Metadata;

const CHANGES: &str = "- kind: added\n  description: a thing\n- kind: fixed\n  description: \"another: one\"\n";

fn version(text: &str, to: &str) -> String {
    match set_version(text.as_bytes(), &Version::parse(to).unwrap()) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(error) => error.to_string(),
    }
}

fn changes(text: &str) -> String {
    match set_changes_annotation(text.as_bytes(), CHANGES) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn only_the_version_changes() {
    for (before, after) in [
        ("name: a\nversion: 1.0.0\nappVersion: 1.0.0\n", "name: a\nversion: 2.0.0-rc.1\nappVersion: 1.0.0\n"),
        ("version: \"1.0.0\" # version: 1.0.0", "version: \"2.0.0-rc.1\" # version: 1.0.0"),
        ("\u{feff}version: '1.0.0'\r\n# end\r\n", "\u{feff}version: '2.0.0-rc.1'\r\n# end\r\n"),
        ("{name: a, version: 1.0.0}", "{name: a, version: 2.0.0-rc.1}"),
        ("{\"name\":\"a\",\"version\":\"1.0.0\"}", "{\"name\":\"a\",\"version\":\"2.0.0-rc.1\"}"),
        ("\"version\" :   1.0\nmap:\n  version: 1\n", "\"version\" :   2.0.0-rc.1\nmap:\n  version: 1\n"),
        ("---\nVersion: 1.0.0\n...\n", "---\nVersion: 2.0.0-rc.1\n...\n"),
        ("version:\n  1.0.0\nname: |\n  version: 1.0.0\n", "version:\n  2.0.0-rc.1\nname: |\n  version: 1.0.0\n"),
        ("version: 1.0.0\n---\nversion: 1.0.0\n", "version: 2.0.0-rc.1\n---\nversion: 1.0.0\n"),
        ("name:\ta\nversion:\t1.0.0\t# x\nkeywords:\t[a,\tb]\n", "name:\ta\nversion:\t2.0.0-rc.1\t# x\nkeywords:\t[a,\tb]\n"),
        ("name:\ta\nversion:\t\"1.0.0\"\n", "name:\ta\nversion:\t\"2.0.0-rc.1\"\n"),
        ("a: &x 1.0.0\nb: *x\nversion: 1.0.0\n", "a: &x 1.0.0\nb: *x\nversion: 2.0.0-rc.1\n"),
    ] {
        assert_eq!(version(before, "2.0.0-rc.1"), after);
    }
    assert_eq!(version_span(b"name: a\nversion: \"1.0.0\" # x\n"), Ok(17..24));
}

#[test]
fn what_cannot_be_edited_is_refused() {
    let check = |text: &str| version(text, "2.0.0");
    insta::assert_snapshot!(check("name: a\n"), @"Chart.yaml: version is missing");
    insta::assert_snapshot!(check("- a\n"), @"Chart.yaml: holds a list where a mapping is expected");
    insta::assert_snapshot!(check("a: &v 1.0.0\nversion: *v\n"), @"Chart.yaml:2: version shares its value with another key through an anchor; write the value out");
    insta::assert_snapshot!(check("version: &v 1.0.0\na: *v\n"), @"Chart.yaml:1: version shares its value with another key through an anchor; write the value out");
    insta::assert_snapshot!(check("a: &a\n  version: 1.0.0\n<<: *a\n"), @"Chart.yaml:2: version shares its value with another key through an anchor; write the value out");
    insta::assert_snapshot!(check("version: !!str 1.0.0\n"), @"Chart.yaml:1: version is tagged; write it on the key's line, plain or in quotes");
    insta::assert_snapshot!(check("version: |\n  1.0.0\n"), @"Chart.yaml:2: version is written as a block; write it on the key's line, plain or in quotes");
    insta::assert_snapshot!(check("version:\n"), @"Chart.yaml:1: version is empty; write it on the key's line, plain or in quotes");
    insta::assert_snapshot!(check("version: \"1.0\\\n  .0\"\n"), @"Chart.yaml:1: version is written over several lines; write it on the key's line, plain or in quotes");
    insta::assert_snapshot!(check("version: [1.0.0]\n"), @"Chart.yaml:1: version is a list or mapping; write it on the key's line, plain or in quotes");
    insta::assert_snapshot!(check("version: 1.0.0\nversion: 1.0.0\n"), @r#"Chart.yaml:2:1: the key "version" stands twice, first on line 1; remove one of them"#);
    insta::assert_snapshot!(check("version: 1.0.0\nVersion: 1.0.0\n"), @"Chart.yaml:2: version stands more than once");
}

#[test]
fn dependency_versions() {
    let text = "version: 1.0.0\ndependencies:\n  - name: b # first\n    version: 1.0.0\n    repository: \"\"\n  - {name: b, alias: c, version: \"~1.0\"}\n  - name: d\n";
    let set = |name: &str, alias: Option<&str>, to: &str| match set_dependency_version(text.as_bytes(), name, alias, to) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(error) => error.to_string(),
    };
    assert_eq!(set("b", None, "2.0.0"), text.replace("    version: 1.0.0", "    version: 2.0.0"));
    assert_eq!(set("b", None, ">= 2.0 < 3"), text.replace("    version: 1.0.0", "    version: \">= 2.0 < 3\""));
    assert_eq!(set("b", None, "1.5"), text.replace("    version: 1.0.0", "    version: \"1.5\""));
    assert_eq!(set("b", Some("c"), "^2"), text.replace("\"~1.0\"", "\"^2\""));
    insta::assert_snapshot!(set("d", None, "1.0.0"), @r#"Chart.yaml: version of dependency "d" is missing"#);
    // An empty alias is none, as helm has it.
    let empty = "dependencies:\n- name: b\n  alias: \"\"\n  version: 1.0.0\n";
    assert_eq!(set_dependency_version(empty.as_bytes(), "b", None, "2.0.0").unwrap(), empty.replace("1.0.0", "2.0.0").into_bytes());
    insta::assert_snapshot!(set("e", None, "1.0.0"), @r#"Chart.yaml: dependency "e" is missing"#);
    insta::assert_snapshot!(set("b", None, "a\nb"), @r#"the new value "a\nb" of version of dependency "b" cannot be written in YAML"#);
}

#[test]
fn the_annotation_is_replaced_in_place() {
    let after = "annotations:\n  # before\n  artifacthub.io/changes: |\n    - kind: added\n      description: a thing\n    - kind: fixed\n      description: \"another: one\"\n\n  # after\n  other: x\nversion: 1.0.0\n";
    for old in ["|\n    - old\n\n    - more", "|\n    - old", "\"- old\"", "'- old'", "- old\n    - folded", ""] {
        let before = format!("annotations:\n  # before\n  artifacthub.io/changes: {old}\n\n  # after\n  other: x\nversion: 1.0.0\n").replace(": \n", ":\n");
        if old.starts_with("- ") {
            assert!(changes(&before).contains("not YAML"), "{before}");
        } else {
            assert_eq!(changes(&before), after, "{before}");
        }
    }
    insta::assert_snapshot!(changes("annotations:\n  artifacthub.io/changes: >2- # why\n    - a\n    - b\n # less\nname: a"), @r#"
    annotations:
      artifacthub.io/changes: | # why
        - kind: added
          description: a thing
        - kind: fixed
          description: "another: one"
     # less
    name: a
    "#);
    insta::assert_snapshot!(changes("annotations: {a: b, artifacthub.io/changes: x}\nname: a\n"), @r#"
    annotations: {a: b, artifacthub.io/changes: "- kind: added\n  description: a thing\n- kind: fixed\n  description: \"another: one\""}
    name: a
    "#);
}

#[test]
fn the_annotation_is_added() {
    let added = "artifacthub.io/changes: |\n    - kind: added\n      description: a thing\n    - kind: fixed\n      description: \"another: one\"";
    assert_eq!(changes("annotations: # x\n  # y\n  b: c\nname: a"), format!("annotations: # x\n  {added}\n  # y\n  b: c\nname: a"));
    assert_eq!(changes("annotations:\nname: a\n"), format!("annotations:\n  {added}\nname: a\n"));
    assert_eq!(changes("name: a\n# end\n"), format!("name: a\n# end\nannotations:\n  {added}\n"));
    assert_eq!(changes("name: a"), format!("name: a\nannotations:\n  {added}"));
    assert_eq!(changes("---\r\nname: a\r\n...\r\n"), format!("---\nname: a\nannotations:\n  {added}\n...\n").replace('\n', "\r\n"));
    insta::assert_snapshot!(changes("annotations: {}\nname: a\n"), @r#"
    annotations: {"artifacthub.io/changes": "- kind: added\n  description: a thing\n- kind: fixed\n  description: \"another: one\""}
    name: a
    "#);
    insta::assert_snapshot!(changes("{name: a}"), @r#"{annotations: {"artifacthub.io/changes": "- kind: added\n  description: a thing\n- kind: fixed\n  description: \"another: one\""}, name: a}"#);
    // A block at the end of the file without a line end would take the new one as its own.
    insta::assert_snapshot!(changes("# top\nname: a\ndescription: |+\n  b"), @r#"
    # top
    annotations:
      artifacthub.io/changes: |
        - kind: added
          description: a thing
        - kind: fixed
          description: "another: one"
    name: a
    description: |+
      b
    "#);
    insta::assert_snapshot!(changes("annotations: x\n"), @"Chart.yaml:1: annotations is not a mapping; write it on the key's line, plain or in quotes");
    insta::assert_snapshot!(changes("a: &a {}\nannotations: *a\n"), @"Chart.yaml:2: annotations shares its value with another key through an anchor; write the value out");
    insta::assert_snapshot!(set_changes_annotation(b"name: a\n", " - x\n").unwrap_err(), @r#"the new value " - x" of artifacthub.io/changes cannot be written in YAML"#);
}

/// Edits one file in both ways and holds what must hold.
fn holds(bytes: &[u8]) {
    let to = Version::new(987, 65, 4321);
    let Ok(span) = version_span(bytes) else { return };
    let edited = set_version(bytes, &to).unwrap();
    let (start, end) = (span.start, edited.len() - (bytes.len() - span.end));
    assert_eq!((&edited[..start], &edited[end..]), (&bytes[..start], &bytes[span.end..]));
    assert_eq!(std::str::from_utf8(&edited[start..end]).unwrap().trim_matches(['"', '\'']), to.to_string());
    if let (Ok(before), Ok(after)) = (Metadata::read("a", bytes), Metadata::read("b", &edited)) {
        assert_eq!(Metadata { version: to.to_string(), ..before }, after);
    }
    if let Ok(changed) = set_changes_annotation(bytes, CHANGES) {
        let lines = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
        let (before, after) = (lines(bytes), lines(&changed));
        let comments = |lines: &[String]| lines.iter().filter(|line| line.trim_start().starts_with('#')).cloned().collect::<Vec<_>>();
        assert_eq!(comments(&before), comments(&after));
        assert_eq!(set_changes_annotation(&changed, CHANGES).unwrap(), changed);
    }
}

proptest! {
    #[test]
    fn every_other_byte_survives(
        head in proptest::sample::select(vec!["", "\u{feff}", "# licence\n", "---\n", "\n\n"]),
        lines in proptest::sample::subsequence(vec![
            "name: a", "description: 'it''s'", "# version: 0.0.1", "", "keywords: [version, a]", "home: https://example.com/#x", "annotations:\n  version: \"1\"",
            "maintainers:\n- name: ü\n  email: a@b.c", "long: >-\n  version: 1.0.0\n\n  x", "tail: |+\n  x\n",
        ], 0..10).prop_shuffle(),
        at in 0..10_usize,
        form in proptest::sample::select(vec!["version: 1.2.3", "version:  \"1.2.3\"  # why", "'version': '1.2.3'", "version: 1.2", "version: 1.2.3-rc.1+b"]),
        crlf in any::<bool>(),
        end in any::<bool>(),
    ) {
        let mut lines = lines;
        lines.insert(at.min(lines.len()), form);
        let mut text = format!("{head}{}", lines.join("\n"));
        if end {
            text.push('\n');
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        prop_assert!(version_span(text.as_bytes()).is_ok(), "{}", text);
        holds(text.as_bytes());
    }

    #[test]
    fn never_panics(text in "(version|annotations|artifacthub.io/changes|[:|>&*{}\\[\\] \n\r'\"#a1.-]){0,16}") {
        holds(text.as_bytes());
    }
}

/// The tar with a real repository, where the machine has it.
fn real_repository() -> Option<PathBuf> {
    let tar = PathBuf::from(std::env::var_os("CHARTFLOW_TEST_DATA")?).join("grafana-helm-charts.git.tar");
    tar.is_file().then_some(tar)
}

#[test]
fn real_charts() {
    let Some(tar) = real_repository() else { return };
    let top = tempfile::tempdir().unwrap();
    tar::Archive::new(std::fs::File::open(tar).unwrap()).unpack(top.path()).unwrap();
    let git = top.path().join("grafana-helm-charts.git");
    let git = |args: &[&str]| Command::new("git").arg("-C").arg(&git).args(args).output().unwrap().stdout;
    let objects = String::from_utf8(git(&["rev-list", "--objects", "--all"])).unwrap();
    let all: Vec<&str> = objects.lines().filter_map(|line| line.split_once(' ')).filter(|(_, path)| path.ends_with("/Chart.yaml")).map(|(id, _)| id).collect();
    let blobs: Vec<&str> = all.iter().step_by(all.len() / 300 + 1).copied().collect();
    assert!(blobs.len() > 100, "{} blobs", blobs.len());
    for id in blobs {
        let bytes = git(&["cat-file", "blob", id]);
        // Some commits of the history hold conflict marks.
        if bytes.windows(7).any(|mark| mark == b"<<<<<<<") {
            continue;
        }
        Metadata::read(id, &bytes).unwrap();
        version_span(&bytes).unwrap();
        assert!(set_changes_annotation(&bytes, CHANGES).is_ok(), "{id}");
        holds(&bytes);
    }
}
