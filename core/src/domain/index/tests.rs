use std::io::Read as _;

use proptest::prelude::*;

use super::*;
use crate::domain::chart::Metadata;

pub(super) fn entry(name: &str, version: &str, created: i64) -> NewEntry {
    let text = format!("apiVersion: v2\nname: {name}\nversion: {version:?}\nappVersion: \"1.10\"\n");
    let metadata = Metadata::read("Chart.yaml", text.as_bytes()).unwrap();
    NewEntry { metadata, digest: Sha256::of(version.as_bytes()), urls: vec![format!("charts/{name}-{version}.tgz")], created }
}

fn add_all(entries: &[(&str, &str, i64)]) -> String {
    let bytes = entries.iter().fold(Vec::new(), |index, (name, version, created)| add(Some(&index), &entry(name, version, *created)).unwrap());
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_index_begins() {
    insta::assert_snapshot!(String::from_utf8(add(None, &entry("web", "1.0.0", 0)).unwrap()).unwrap(), @r#"
    apiVersion: v1
    entries:
      web:
      - apiVersion: v2
        appVersion: "1.10"
        created: "1970-01-01T00:00:00Z"
        digest: 92521fc3cbd964bdc9f584a991b89fddaa5754ed1cc96d6d42445338669c1305
        name: web
        urls:
        - charts/web-1.0.0.tgz
        version: 1.0.0
    generated: "1970-01-01T00:00:00Z"
    "#);
    let empty = b"apiVersion: v1\nentries: {}\n";
    assert_eq!(add(Some(empty), &entry("web", "1.0.0", 0)).unwrap(), add(None, &entry("web", "1.0.0", 0)).unwrap());
}

/// Adding in any order, spliced or written anew, gives the same index.
#[test]
fn order_of_adding_does_not_matter() {
    let versions =
        [("web", "1.0.0", 5), ("web", "1.10.0", 4), ("web", "1.9.0", 3), ("a10", "1.0.0", 2), ("a9", "1.0.0", 9), ("web", "1.10.0-rc.1", 1), ("b", "v2", 0)];
    let forward = add_all(&versions);
    let mut reversed = versions;
    reversed.reverse();
    assert_eq!(add_all(&reversed), forward);
    let index = Index::parse(forward.as_bytes()).unwrap();
    assert_eq!(index.to_yaml(), forward);
    let listed: Vec<&str> = index.entries["web"].iter().map(|entry| entry.metadata.version.as_str()).collect();
    assert_eq!(listed, ["1.10.0", "1.10.0-rc.1", "1.9.0", "1.0.0"]);
    assert_eq!(index.generated.as_deref(), Some("1970-01-01T00:00:09Z"));
    let names: Vec<&str> = forward.lines().filter(|line| line.starts_with("  ") && line.ends_with(':') && !line.starts_with("   ")).collect();
    assert_eq!(names, ["  a9:", "  a10:", "  b:", "  web:"]);
    assert_eq!(check(forward.as_bytes(), None).unwrap(), []);
    assert_eq!(highest_version(forward.as_bytes(), "web").unwrap(), Some(Version::new(1, 10, 0)));
    assert_eq!(highest_version(forward.as_bytes(), "none").unwrap(), None);
    assert_eq!(highest_version(b"", "none").unwrap(), None);
}

#[test]
fn what_is_published_does_not_change() {
    let index = add_all(&[("web", "1.0.0", 5)]);
    assert_eq!(add(Some(index.as_bytes()), &entry("web", "1.0.0", 99)).unwrap(), index.as_bytes());
    let other = NewEntry { digest: Sha256::of(b"other"), ..entry("web", "1.0.0", 5) };
    insta::assert_snapshot!(add(Some(index.as_bytes()), &other).unwrap_err(), @"the index already lists web 1.0.0 with digest 92521fc3cbd964bdc9f584a991b89fddaa5754ed1cc96d6d42445338669c1305, not d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa");
    let flow = format!(
        "{{apiVersion: v1, entries: {{web: [{{name: web, version: 1.0.0, created: \"2020-01-01T00:00:00Z\", digest: \"sha256:{}\"}}]}}}}",
        Sha256::of(b"1.0.0")
    );
    assert_eq!(add(Some(flow.as_bytes()), &entry("web", "1.0.0", 5)).unwrap(), flow.as_bytes());
    assert!(matches!(add(Some(flow.as_bytes()), &other), Err(IndexError::Digest { .. })));
    let versions = NewEntry { metadata: Metadata { version: "x".to_owned(), ..other.metadata.clone() }, ..other };
    assert!(matches!(add(None, &versions), Err(IndexError::Version { .. })));
}

/// Everything but the new lines and `generated` stays, byte for byte.
#[test]
fn text_around_stays() {
    let index = "apiVersion: v1\nentries:\n  web:\n  - name: web\n    description: |2-\n        - fake\n        created: x\n    version: 0.9.0\n    created: \"2020-01-01T02:00:00.5+02:00\"\n    urls:\n    - b\n  \"y\":\n  - version: 1.0.0\n    name: \"y\"\ngenerated: '2000-01-01T00:00:00Z'\nserverInfo:\n  a: b\n";
    let added = String::from_utf8(add(Some(index.as_bytes()), &entry("web", "1.0.0", 0)).unwrap()).unwrap();
    let new = add_all(&[("web", "1.0.0", 0)]);
    let block: String = new.lines().skip(3).take_while(|line| line.starts_with("  ")).map(|line| format!("{line}\n")).collect();
    let expected = index.replacen("  web:\n", &format!("  web:\n{block}"), 1).replace("'2000-01-01T00:00:00Z'", "\"2020-01-01T02:00:00.5+02:00\"");
    assert_eq!(added, expected);
    assert_eq!(add(Some(index.trim_end().as_bytes()), &entry("web", "1.0.0", 0)).unwrap(), expected.as_bytes());
    // The same meaning in another layout.
    let indented = "entries:\n    web:\n        - {name: web, version: 0.9.0, urls: [b], created: \"2020-01-01T00:00:00Z\"}\napiVersion: v1\n";
    let added = add(Some(indented.as_bytes()), &entry("web", "1.0.0", 0)).unwrap();
    let index = Index::parse(&added).unwrap();
    assert_eq!((index.entries["web"].len(), index.generated.as_deref()), (2, Some("2020-01-01T00:00:00Z")));
    assert!(std::str::from_utf8(&added).unwrap().contains("\n        - {name: web, version: 0.9.0, urls: [b], created: \"2020-01-01T00:00:00Z\"}\n"));
}

#[test]
fn indexes_are_read_strictly() {
    let error = |text: &str| Index::parse(text.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(error("apiVersion: v1\nentries:\n  a:\n  - name: a\n    extra: 1\n"), @r#"the index:5: "extra" is no key of an index; helm refuses the whole file"#);
    insta::assert_snapshot!(error("apiVersion: v1\nfoo: 1\n"), @r#"the index:2: "foo" is no key of an index; helm refuses the whole file"#);
    insta::assert_snapshot!(error("entries: {}\n"), @"the index names no apiVersion");
    insta::assert_snapshot!(error("apiVersion: v1\nentries: []\n"), @"the index:2: entries is a list, a mapping is expected");
    insta::assert_snapshot!(error("- a\n"), @"the index:1: the index is a list, a mapping is expected");
    insta::assert_snapshot!(error("apiVersion: v1\nentries:\n  a:\n  - created: now\n"), @"the index:4: created is text, a time of the form 2006-01-02T15:04:05Z is expected");
    assert!(error("apiVersion: v1\napiVersion: v1\n").contains("stands twice"));
    assert!(Index::parse(br#"{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0","urls":null,"engine":"gotpl"}]}}"#).is_ok());
}

#[test]
fn an_index_is_proved() {
    let index = add_all(&[("web", "1.0.0", 0), ("web", "2.0.0", 0)]);
    let package = |version: &str, text: &str| IndexedPackage {
        path: format!("charts/web-{version}.tgz"),
        sha256: Sha256::of(text.as_bytes()),
        metadata: entry("web", version, 0).metadata,
    };
    let told = |index: &str, packages: &[IndexedPackage]| {
        check(index.as_bytes(), Some(packages)).unwrap().iter().map(|finding| format!("{finding}\n")).collect::<String>()
    };
    assert_eq!(told(&index, &[package("1.0.0", "1.0.0"), package("2.0.0", "2.0.0")]), "");
    insta::assert_snapshot!(told(&index, &[package("1.0.0", "other"), package("3.0.0", "")]), @r"
    web 2.0.0: has no package where its URL points (index/missing-package)
    web 1.0.0: has digest 92521fc3cbd964bdc9f584a991b89fddaa5754ed1cc96d6d42445338669c1305, charts/web-1.0.0.tgz has d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa (index/digest)
    web 3.0.0: is not listed, but charts/web-3.0.0.tgz is there (index/unlisted)
    ");
    let listed = Sha256::of(b"1.0.0").to_string();
    insta::assert_snapshot!(told(&index.replace(&listed, "\"00\""), &[package("1.0.0", "1.0.0"), package("2.0.0", "2.0.0")]), @r#"web 1.0.0: has digest "00", which is no SHA-256 (index/digest)"#);
    assert_eq!(told(&index.replace(&listed, &format!("sha256:{listed}")), &[package("1.0.0", "1.0.0"), package("2.0.0", "2.0.0")]), "");
    let edited = index.replace("appVersion: \"1.10\"", "appVersion: \"2\"");
    assert!(
        told(&edited, &[package("1.0.0", "1.0.0"), package("2.0.0", "2.0.0")])
            .contains("web 2.0.0: is described otherwise than in charts/web-2.0.0.tgz (index/metadata)")
    );
    insta::assert_snapshot!(told("apiVersion: v1\nentries:\n  a:\n  - {name: b, version: 1.0.0}\n  - {name: a, version: x, digest: d, urls: [\"https://x/a\"]}\n  - {name: a, version: 2.0.0, digest: d, urls: [u], removed: true}\n  - {name: a, version: 2.0.0, digest: d, urls: [\"https://x/a\"]}\n", &[]), @r#"
    a 2.0.0: stands behind x, which is lower (index/order)
    a 2.0.0: is listed twice (index/duplicate)
    a 1.0.0: is an entry of chart "b" (index/name)
    a 1.0.0: has no URL (index/url)
    a 1.0.0: has no digest (index/digest)
    a x: is not a version (index/version)
    a x: has digest "d", which is no SHA-256 (index/digest)
    a 2.0.0: has digest "d", which is no SHA-256 (index/digest)
    a 2.0.0: has digest "d", which is no SHA-256 (index/digest)
    a 1.0.0: has no package where its URL points (index/missing-package)
    "#);
}

proptest! {
    #[test]
    fn splicing_is_writing_anew(versions in prop::collection::vec((0_u8..3, 0_u64..4, 0_u64..4, 0_i64..1000), 1..12), text in "[a-z #:'\n-]{0,40}") {
        let mut spliced = Vec::new();
        for (chart, major, minor, created) in versions {
            let mut new = entry(["a", "b-c", "true"][usize::from(chart)], &format!("{major}.{minor}.0"), created);
            new.metadata.description.clone_from(&text);
            let before = Index::parse(&spliced).unwrap_or_default();
            spliced = add(Some(&spliced), &new).unwrap();
            let after = Index::parse(&spliced).unwrap();
            prop_assert_eq!(after.to_yaml().into_bytes(), spliced.clone());
            prop_assert!(before.entries.iter().all(|(name, entries)| entries.iter().all(|entry| after.entries[name].contains(entry))));
            prop_assert!(check(&spliced, None).unwrap().is_empty());
        }
    }
}

/// The published index of a large repository gains the new lines and loses the old `generated`, nothing else.
#[test]
fn a_published_index_changes_where_it_must() {
    let Some(data) = std::env::var_os("CHARTFLOW_TEST_DATA") else { return };
    let packed = std::fs::read(std::path::PathBuf::from(data).join("grafana-index.yaml.gz")).unwrap();
    let mut index = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut index).unwrap();
    let created = 2_000_000_000;
    for (name, version) in
        [("grafana", "99.0.0"), ("grafana", "6.0.0-alpha"), ("loki", "0.0.1"), ("aaa", "1.0.0"), ("zzz", "1.0.0"), ("grafana-sampling-x", "1.0.0")]
    {
        let added = String::from_utf8(add(Some(index.as_bytes()), &entry(name, version, created)).unwrap()).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (lines(&index), lines(&added));
        let start = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
        let count = new.len() - old.len();
        assert!((8..=9).contains(&count), "{name} {version}: {count} lines");
        let differing: Vec<&String> = old[start..].iter().zip(&new[start + count..]).filter(|(one, other)| one != other).map(|(_, new)| new).collect();
        assert_eq!(differing, ["generated: \"2033-05-18T03:33:20Z\""], "{name} {version}");
        let highest = highest_version(added.as_bytes(), name).unwrap().unwrap();
        assert!(highest >= Version::parse(version).unwrap());
    }
    let whole = Index::parse(index.as_bytes()).unwrap();
    let again = whole.to_yaml();
    assert_eq!(again.lines().count(), index.lines().count());
    assert_eq!(again.lines().zip(index.lines()).find(|(one, other)| one != other), None);
    // It really lists two versions twice.
    assert!(check(index.as_bytes(), None).unwrap().iter().all(|finding| finding.rule == "index/duplicate"));
}
