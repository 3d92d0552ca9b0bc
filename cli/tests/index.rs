//! `chartflow index`: what stays as it is, and what is said.

#![allow(clippy::unwrap_used, reason = "a test, where a panic is the answer")]
#![allow(missing_docs, reason = "a test")]

mod common;

use common::TestEnvironment;

/// `charts/a-1.0.0.tgz` and `charts/a-1.1.0.tgz`, below a folder `site`.
fn packages() -> TestEnvironment {
    let test = TestEnvironment::new();
    for version in ["1.0.0", "1.1.0"] {
        std::fs::create_dir_all(test.path("a")).unwrap();
        std::fs::write(test.path("a/Chart.yaml"), format!("apiVersion: v2\nname: a\nversion: {version}\ndescription: a chart\n")).unwrap();
        let file = std::fs::File::options().write(true).open(test.path("a/Chart.yaml")).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
        let made = test.chartflow("", &["package", "a", "-d", "site/charts", "-q"]);
        assert_eq!(made.exit, Some(0), "{made}");
    }
    test
}

#[test]
fn what_is_listed_stays_byte_for_byte() {
    let test = packages();
    let index = "# ours\r\napiVersion: v1\r\nentries:\r\n  a:\r\n    # the first\r\n    - {name: a, version: 1.0.0, created: 2020-01-01T00:00:00Z}\r\n";
    std::fs::write(test.path("site/index.yaml"), index).unwrap();
    let done = test.chartflow("", &["index", "add", "site/index.yaml", "site/charts/a-1.1.0.tgz"]);
    insta::assert_snapshot!(done, @"
    added a 1.1.0
    -- exit 0
    ");
    let after = std::fs::read_to_string(test.path("site/index.yaml")).unwrap();
    assert!(after.starts_with("# ours\r\napiVersion: v1\r\nentries:\r\n  a:\r\n    - apiVersion: v2\r\n"), "{after}");
    assert!(after.contains("\r\n    # the first\r\n    - {name: a, version: 1.0.0, created: 2020-01-01T00:00:00Z}\r\n"), "{after}");
}

#[test]
fn an_index_that_is_written_anew_is_told() {
    let test = packages();
    std::fs::write(test.path("site/index.json"), r#"{"apiVersion": "v1", "entries": {}}"#).unwrap();
    insta::assert_snapshot!(test.chartflow("", &["index", "add", "site/index.json", "site/charts/a-1.1.0.tgz"]), @"
    added a 1.1.0
    -- stderr
    notice: site/index.json has no lines between which a version could be put, so it was written anew: it says the same, in helm's layout
    -- exit 0
    ");
}

#[test]
fn messages_name_the_file_that_is_meant() {
    let test = packages();
    std::fs::write(test.path("site/mine.yaml"), "apiVersion: v1\nentries:\n  a:\n  - name: a\n    version: 1.0.0\n    extra: 1\n").unwrap();
    let add = |arguments: &[&str]| test.chartflow("", &[&["index", "add"], arguments].concat());
    insta::assert_snapshot!(add(&["site/mine.yaml", "site/charts/a-1.1.0.tgz"]), @r#"
    -- stderr
    error: site/mine.yaml: the index cannot be used
      caused by: the index:6: "extra" is no key of an index; helm refuses the whole file
    hint: mend it, or make it anew with `chartflow index add` and another file
    -- exit 2
    "#);
    std::fs::write(test.path("site/mine.yaml"), "apiVersion: v1\nentries:\n  a: [\n").unwrap();
    insta::assert_snapshot!(add(&["site/mine.yaml", "site/charts/a-1.1.0.tgz"]), @"
    -- stderr
    error: site/mine.yaml: the index cannot be used
      caused by: the index:4:1: not YAML: while parsing a node, did not find expected node content
    hint: mend it, or make it anew with `chartflow index add` and another file
    -- exit 2
    ");
    std::fs::write(test.path("site/mine.yaml"), "apiVersion: v1\nentries:\n  a:\n  - name: a\n    version: 1.0.0\n    digest: other\n").unwrap();
    let said = add(&["site/mine.yaml", "site/charts/a-1.0.0.tgz"]).to_string();
    assert!(said.contains("error: site/mine.yaml already lists a 1.0.0 with digest other") && said.ends_with("-- exit 1"), "{said}");
}

#[test]
fn addresses() {
    let test = packages();
    let add = |arguments: &[&str]| test.chartflow("", &[&["index", "add"], arguments].concat());
    insta::assert_snapshot!(add(&["site/index.yaml", "site/charts/a-1.0.0.tgz", "--url", "nonsense"]), @r#"
    -- stderr
    error: --url "nonsense" is no address
    hint: write such as --url https://example.com/charts; without it the addresses are relative to the index
    -- exit 2
    "#);
    insta::assert_snapshot!(add(&["site/index.yaml", "site/charts/a-1.0.0.tgz", "--url", "https://"]), @r#"
    -- stderr
    error: --url "https://" is no address
    hint: write such as --url https://example.com/charts; without it the addresses are relative to the index
    -- exit 2
    "#);
    assert!(!test.path("site/index.yaml").exists());
    std::fs::create_dir(test.path("other")).unwrap();
    insta::assert_snapshot!(add(&["other/index.yaml", "site/charts/a-1.0.0.tgz", "--url", "https://example.com/x"]), @"
    added a 1.0.0
    -- stderr
    notice: site/charts/a-1.0.0.tgz does not lie below the index's directory; it is listed as https://example.com/x/a-1.0.0.tgz, so that is where it has to be served
    -- exit 0
    ");
    insta::assert_snapshot!(add(&["other/index.yaml", "site/charts/a-1.1.0.tgz"]), @"
    added a 1.1.0
    -- stderr
    notice: site/charts/a-1.1.0.tgz does not lie below the index's directory; it is listed as a-1.1.0.tgz, so that is where it has to be served
    -- exit 0
    ");
}
