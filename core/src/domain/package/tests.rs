use std::io::Read as _;

use super::ignore::IgnoreRules;
use super::*;
use crate::domain::content::File;
use crate::domain::tree::Mode;

fn files(list: &[(&str, &str)]) -> Files {
    let mut files = Files::new();
    for (path, text) in list {
        match text.strip_prefix("-> ") {
            Some(target) => files.insert_file(*path, File { mode: Mode::Symlink, bytes: target.as_bytes().to_vec() }),
            None => files.insert(*path, *text),
        };
    }
    files
}

const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n");

/// A chart that is nothing but its Chart.yaml and the files given.
pub(super) fn chart(more: &[(&str, &str)]) -> Files {
    let mut all = files(more);
    if all.get("Chart.yaml").is_none() {
        all.insert(CHART.0, CHART.1);
    }
    all
}

pub(super) fn packaged(files: &Files, dependencies: &BTreeMap<String, Files>) -> Result<Package, PackageError> {
    package(&Source { path: "charts/web", files, dependencies }, 1_700_000_000)
}

fn paths(files: &Files) -> Vec<String> {
    packaged(files, &BTreeMap::new()).unwrap().members.into_iter().map(|member| member.path).collect()
}

/// Everything that is said about a failure, its causes and the advice.
fn refusal(files: &Files, dependencies: &BTreeMap<String, Files>) -> String {
    let error = packaged(files, dependencies).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    match error.hint() {
        Some(hint) => format!("{text} [{hint}]"),
        None => text,
    }
}

pub(super) fn tar_of(package: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(package).read_to_end(&mut tar).unwrap();
    tar
}

#[test]
fn members_stand_in_helm_s_order() {
    let chart = chart(&[
        ("Chart.yaml", "# gone\nversion: 1.2.3\nname: web\napiVersion: v2\nunknown: gone\nappVersion: 1.10\ndescription: >-\n  two\n  lines\n"),
        ("values.yaml", "\u{feff}# kept\na: 1\n---\nb: 2\n"),
        ("values.schema.json", "{ }"),
        ("Chart.lock", "generated: \"2020-01-02T03:04:05.1000Z\"\ndigest: sha256:x\ndependencies:\n- name: b\n  version: 1.0.0\n"),
        ("requirements.yaml", "dependencies: []\n"),
        ("templates/z.yaml", "z"),
        ("templates/a/x.yaml", "x"),
        ("templates/a.yaml", "a"),
        ("templates/.hidden", "h"),
        ("templates/b/.hidden", "h"),
        ("README.md", "r"),
        ("crds/crd.yaml", "c"),
        (".helmignore", "*.bak\n"),
        ("x.bak", "x"),
        ("charts/b/Chart.yaml", "name: b\nversion: 1\n"),
        ("charts/b/x.bak", "ignored by the outer chart"),
        ("charts/b/.helmignore", "templates"),
        ("charts/b/templates/t.yaml", "t"),
        ("charts/a/Chart.yaml", "name: zz\nversion: 1.0.0\napiVersion: v2\n"),
        ("charts/_c/Chart.yaml", "no chart at all"),
        ("charts/d.tgz.prov", "p"),
    ]);
    let package = packaged(&chart, &BTreeMap::new()).unwrap();
    let list: Vec<String> = package.members.iter().map(|member| format!("{} {} < {}", member.path, member.size, member.source)).collect();
    insta::assert_snapshot!(list.join("\n"), @r"
    web/Chart.yaml 81 < charts/web/Chart.yaml
    web/Chart.lock 111 < charts/web/Chart.lock
    web/values.yaml 21 < charts/web/values.yaml
    web/values.schema.json 3 < charts/web/values.schema.json
    web/templates/a/x.yaml 1 < charts/web/templates/a/x.yaml
    web/templates/a.yaml 1 < charts/web/templates/a.yaml
    web/templates/b/.hidden 1 < charts/web/templates/b/.hidden
    web/templates/z.yaml 1 < charts/web/templates/z.yaml
    web/.helmignore 6 < charts/web/.helmignore
    web/README.md 1 < charts/web/README.md
    web/charts/d.tgz.prov 1 < charts/web/charts/d.tgz.prov
    web/crds/crd.yaml 1 < charts/web/crds/crd.yaml
    web/charts/b/Chart.yaml 36 < charts/web/charts/b/Chart.yaml
    web/charts/b/templates/t.yaml 1 < charts/web/charts/b/templates/t.yaml
    web/charts/b/.helmignore 9 < charts/web/charts/b/.helmignore
    web/charts/zz/Chart.yaml 39 < charts/web/charts/a/Chart.yaml
    ");
    let contents = read_package(&package.bytes, Limits::default()).unwrap();
    let text = |path: &str| String::from_utf8(contents.members.iter().find(|(name, _)| name == path).unwrap().1.clone()).unwrap();
    insta::assert_snapshot!(text("web/Chart.yaml"), @r#"
    apiVersion: v2
    appVersion: "1.1"
    description: two lines
    name: web
    version: 1.2.3
    "#);
    insta::assert_snapshot!(text("web/Chart.lock"), @r#"
    dependencies:
    - name: b
      repository: ""
      version: 1.0.0
    digest: sha256:x
    generated: "2020-01-02T03:04:05.1Z"
    "#);
    insta::assert_snapshot!(text("web/charts/b/Chart.yaml"), @r#"
    apiVersion: v1
    name: b
    version: "1"
    "#);
    assert_eq!(contents.metadata, package.metadata);
    assert_eq!(contents.modified, 1_700_000_000);
    assert_eq!(package.file_name, "web-1.2.3.tgz");
}

#[test]
fn the_text_of_a_provenance_file() {
    let chart = chart(&[
        ("Chart.yaml", "apiVersion: v1\nname: web\nversion: 1.10.0\nappVersion: 1.10\ndescription: \"- a list? no\"\n"),
        ("requirements.yaml", "dependencies:\n- name: b\n  version: 1\n"),
        ("charts/b/Chart.yaml", "name: b\nversion: 1\n"),
    ]);
    let package = packaged(&chart, &BTreeMap::new()).unwrap();
    let text = provenance_text(&package).unwrap();
    assert!(text.ends_with(&format!("\n...\nfiles:\n  web-1.10.0.tgz: sha256:{}\n", Sha256::of(&package.bytes))), "{text}");
    insta::assert_snapshot!(text.split("\n...\n").next().unwrap(), @r#"
    apiVersion: v1
    appVersion: "1.1"
    dependencies:
    - name: b
      repository: ""
      version: "1"
    description: '- a list? no'
    name: web
    version: 1.10.0
    "#);
}

#[test]
fn charts_of_the_first_version_keep_their_requirements() {
    let chart = chart(&[
        ("Chart.yaml", "name: web\nversion: v1\n"),
        ("requirements.yaml", "dependencies:\n- name: b\n  version: 1\n"),
        ("requirements.lock", "digest: x\n"),
        ("charts/b/Chart.yaml", "name: b\nversion: 1.0.0\n"),
    ]);
    let package = packaged(&chart, &BTreeMap::new()).unwrap();
    assert_eq!(paths(&chart), ["web/Chart.yaml", "web/requirements.lock", "web/requirements.yaml", "web/charts/b/Chart.yaml"]);
    assert_eq!(package.metadata.dependencies.len(), 1);
    assert_eq!(package.file_name, "web-v1.tgz");
    assert_eq!(read_package(&package.bytes, Limits::default()).unwrap().metadata, package.metadata);
}

#[test]
fn packages_are_reproducible() {
    let long = format!("files/{}/{}.txt", "d".repeat(80), "f".repeat(60));
    let longest = format!("files/{}.txt", "é".repeat(80));
    let chart = chart(&[("values.yaml", "a: 1\n"), (&long, "long"), (&longest, "pax"), ("empty", "")]);
    let package = packaged(&chart, &BTreeMap::new()).unwrap();
    assert_eq!(package, packaged(&chart, &BTreeMap::new()).unwrap());
    assert_eq!(package.sha256, Sha256::of(&package.bytes));
    assert_eq!(package.bytes.get(..10).unwrap(), b"\x1f\x8b\x08\x14\0\0\0\0\0\xff", "extra field and comment, no time, no system");
    let tar = tar_of(&package.bytes);
    let mut archive = tar::Archive::new(tar.as_slice());
    let mut seen = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0o644, 0, 0, 1_700_000_000));
        assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
        seen.push(entry.path().unwrap().to_str().unwrap().to_owned());
    }
    assert_eq!(seen, package.members.iter().map(|member| member.path.clone()).collect::<Vec<_>>());
    assert!(seen.contains(&format!("web/{long}")) && seen.contains(&format!("web/{longest}")));
    for epoch in [-1, archive::LATEST + 1] {
        assert!(matches!(package_at(&chart, epoch), Err(PackageError::Epoch { .. })));
    }
    assert!(package_at(&chart, archive::LATEST).is_ok());
}

pub(super) fn package_at(files: &Files, epoch: i64) -> Result<Package, PackageError> {
    package(&Source { path: "", files, dependencies: &BTreeMap::new() }, epoch)
}

/// Columns: the rules, the path (a directory ends in `/`), whether it is ignored. The first rows are helm's own tests.
#[test]
fn helmignore_means_what_it_means_to_helm() {
    for (rules, path, ignored) in [
        ("helm.txt", "helm.txt", true),
        ("helm.*", "helm.txt", true),
        ("helm.*", "rudder.txt", false),
        ("*.txt", "tiller.txt", true),
        ("*.txt", "cargo/a.txt", true),
        ("cargo/*.txt", "cargo/a.txt", true),
        ("cargo/*.*", "cargo/a.txt", true),
        ("cargo/*.txt", "mast/a.txt", false),
        ("ru[c-e]?er.txt", "rudder.txt", true),
        ("templates/.?*", "templates/.dotfile", true),
        ("cargo/*", "cargo/", false),
        ("cargo/", "cargo/", true),
        ("cargo/", "mast/", false),
        ("helm.txt/", "helm.txt", false),
        ("!helm.txt", "helm.txt", false),
        ("!helm.txt", "tiller.txt", true),
        ("!*.txt", "cargo/", true),
        ("!cargo/", "mast/", true),
        ("/a.txt", "a.txt", true),
        ("/a.txt", "cargo/a.txt", false),
        ("/cargo/a.txt", "cargo/a.txt", true),
        ("/cargo/", "cargo/", true),
        // What surprises people who know git.
        ("*.md\n!README.md", "README.md", true),
        ("*.md\n!README.md", "Chart.yaml", true),
        ("!*/\n", "Chart.yaml", true),
        ("a/b", "x/a/b", false),
        ("*", "a/b", true),
        ("a*c", "a/c", false),
        ("/x[^a]y", "x/y", true),
        ("/x?y", "x/y", false),
        ("\\#a", "#a", true),
        ("#a", "#a", false),
        ("  a b \t", "a b", true),
        ("\u{feff}a", "a", true),
        ("a\r\nb\r\n", "a", true),
        ("", "templates/.x", true),
        ("", "templates/sub/.x", false),
        ("!", "a", true),
        ("/", "a", false),
    ] {
        let rules_read = IgnoreRules::parse(rules.as_bytes()).unwrap();
        assert_eq!(rules_read.ignores(path.trim_end_matches('/'), path.ends_with('/')), ignored, "{rules:?} {path:?}");
    }
    let error = |rules: &str| IgnoreRules::parse(rules.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(error("a\n**/b\n"), @r#".helmignore:2: "**/b" holds "**", which helm does not support"#);
    insta::assert_snapshot!(error("[a-"), @r#".helmignore:1: "[a-" is not a pattern"#);
    insta::assert_snapshot!(error("[]a]"), @r#".helmignore:1: "[]a]" is not a pattern"#);
    insta::assert_snapshot!(error("a\\"), @r#".helmignore:1: "a\\" is not a pattern"#);
    assert!(error(&"a".repeat(70_000)).contains("longer than 65536 bytes"));
}

#[test]
fn symbolic_links_are_followed_inside_the_chart() {
    let linked = chart(&[
        ("real/a.txt", "a"),
        ("real/up", "-> ../b.txt"),
        ("b.txt", "b"),
        ("copy", "-> real"),
        ("deep/link", "-> ../copy/a.txt"),
        ("zz", "-> ./deep/../b.txt"),
    ]);
    let expected = ["web/Chart.yaml", "web/b.txt", "web/copy/a.txt", "web/copy/up", "web/deep/link", "web/real/a.txt", "web/real/up", "web/zz"];
    assert_eq!(paths(&linked), expected);
    let package = packaged(&linked, &BTreeMap::new()).unwrap();
    let source = |path: &str| package.members.iter().find(|member| member.path == path).unwrap().source.as_str();
    assert_eq!((source("web/copy/up"), source("web/deep/link")), ("charts/web/b.txt", "charts/web/real/a.txt"));
    let none = BTreeMap::new();
    insta::assert_snapshot!(refusal(&chart(&[("a", "-> ../other/a")]), &none), @r#"the chart in "charts/web" cannot be packaged: a is a symbolic link to "../other/a", which lies outside the chart [copy the file into the chart, or make it a `file://` dependency]"#);
    insta::assert_snapshot!(refusal(&chart(&[("a", "-> /etc/passwd")]), &none), @r#"the chart in "charts/web" cannot be packaged: a is a symbolic link to "/etc/passwd", which lies outside the chart [copy the file into the chart, or make it a `file://` dependency]"#);
    insta::assert_snapshot!(refusal(&chart(&[("a", "-> b"), ("b", "-> a")]), &none), @r#"the chart in "charts/web" cannot be packaged: a is a symbolic link to "b", which leads nowhere"#);
    insta::assert_snapshot!(refusal(&chart(&[("a", "-> missing")]), &none), @r#"the chart in "charts/web" cannot be packaged: a is a symbolic link to "missing", which leads nowhere"#);
    assert!(refusal(&chart(&[("d/up", "-> ..")]), &none).contains("more than 32 directories deep"));
}

fn dependent(name: &str, dependencies: &[(&str, &str)]) -> Files {
    let list: String = dependencies.iter().map(|(name, repository)| format!("- name: {name}\n  version: 1.x\n  repository: {repository:?}\n")).collect();
    let list = if list.is_empty() { String::new() } else { format!("dependencies:\n{list}") };
    files(&[("Chart.yaml", &format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{list}")), (".helmignore", "ignored\n"), ("ignored", "i")])
}

#[test]
fn dependencies_come_from_the_repository_or_from_the_chart() {
    let web = dependent("web", &[("db", "file://../db"), ("common", "file://../lib/common")]);
    let given = BTreeMap::from([
        ("charts/db".to_owned(), dependent("db", &[("common", "file://../lib/common/")])),
        ("charts/lib/common".to_owned(), dependent("common", &[])),
    ]);
    let package = packaged(&web, &given).unwrap();
    let list: Vec<String> = package.members.iter().map(|member| format!("{} < {}", member.path, member.source)).collect();
    insta::assert_snapshot!(list.join("\n"), @r"
    web/Chart.yaml < charts/web/Chart.yaml
    web/.helmignore < charts/web/.helmignore
    web/charts/common/Chart.yaml < charts/lib/common/Chart.yaml
    web/charts/common/.helmignore < charts/lib/common/.helmignore
    web/charts/db/Chart.yaml < charts/db/Chart.yaml
    web/charts/db/.helmignore < charts/db/.helmignore
    web/charts/db/charts/common/Chart.yaml < charts/lib/common/Chart.yaml
    web/charts/db/charts/common/.helmignore < charts/lib/common/.helmignore
    ");

    // The same as archives in charts/: what helm's way through `helm dependency build` gives.
    let db = package_at(&dependent("db", &[]), 0).unwrap();
    let mut vendored = dependent("web", &[("db", "https://charts.example.com")]);
    vendored.insert("charts/db-1.0.0.tgz", db.bytes.clone());
    let package = packaged(&vendored, &BTreeMap::new()).unwrap();
    assert_eq!(package.members.last().unwrap().source, "charts/web/charts/db-1.0.0.tgz");
    assert_eq!(package.members.last().unwrap().path, "web/charts/db/.helmignore");

    // A given directory takes the place of a copy.
    let mut stale = dependent("web", &[("db", "file://../db")]);
    stale.insert("charts/db-0.1.0.tgz", db.bytes);
    let given = BTreeMap::from([("charts/db".to_owned(), dependent("db", &[]))]);
    assert_eq!(packaged(&stale, &given).unwrap().members.last().unwrap().source, "charts/db/.helmignore");
}

#[test]
fn dependencies_that_are_not_there_are_refused() {
    let none = BTreeMap::new();
    insta::assert_snapshot!(refusal(&dependent("web", &[("db", "https://charts.example.com")]), &none), @r#"chart web depends on db 1.x from "https://charts.example.com", which is not in its charts directory [run `helm dependency update` in the chart first; charts are not downloaded]"#);
    insta::assert_snapshot!(refusal(&dependent("web", &[("db", "oci://registry.example.com/charts")]), &none), @r#"chart web depends on db 1.x from "oci://registry.example.com/charts", which is not in its charts directory [run `helm dependency update` in the chart first; charts are not downloaded]"#);
    insta::assert_snapshot!(refusal(&dependent("web", &[("db", "file://../db")]), &none), @r#"chart web depends on db 1.x from "file://../db", which is not in its charts directory [`chartflow package --dependency-update` takes db from its directory; or add it to the charts directory]"#);
    insta::assert_snapshot!(refusal(&dependent("web", &[("db", "")]), &none), @r#"chart web depends on db 1.x from "", which is not in its charts directory [add db to the chart's charts directory]"#);
    let circle = BTreeMap::from([("charts/db".to_owned(), dependent("db", &[("web", "file://../web")])), ("charts/web".to_owned(), dependent("web", &[]))]);
    insta::assert_snapshot!(refusal(&dependent("web", &[("db", "file://../db")]), &circle), @"charts depend on each other in a circle: charts/web -> charts/db -> charts/web [take one of the dependencies out]");
    let other = BTreeMap::from([("charts/db".to_owned(), dependent("database", &[]))]);
    insta::assert_snapshot!(refusal(&dependent("web", &[("db", "file://../db")]), &other), @r#"the chart in "charts/web" depends on db, but the chart in "charts/db" is called database [write the name that the chart has, or correct `repository`]"#);
    let nested = BTreeMap::from([("charts/db".to_owned(), dependent("db", &[("x", "https://charts.example.com")]))]);
    assert!(refusal(&dependent("web", &[("db", "file://../db")]), &nested).starts_with("chart db depends on x 1.x"));
    let twice = chart(&[("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n"), ("charts/b/Chart.yaml", "name: a\nversion: 2.0.0\n")]);
    insta::assert_snapshot!(refusal(&twice, &none), @"chart web contains two charts called a: charts/web/charts/a/Chart.yaml and charts/web/charts/b/Chart.yaml; remove one");
}

#[test]
fn dependency_paths() {
    for (from, repository, path) in [
        ("charts/a", "file://../b", Some("charts/b")),
        ("charts/a", "file://../b/", Some("charts/b")),
        ("charts/a", "file://./x/../../b", Some("charts/b")),
        ("", "file://../b", Some("../b")),
        ("../b", "file://../c", Some("../c")),
        ("a", "file://../../c", Some("../c")),
        ("a", "file:///c", None),
        ("a", "file://", None),
        ("a", "https://x", None),
        ("a", "", None),
    ] {
        let dependency = Dependency { repository: repository.to_owned(), ..Dependency::default() };
        assert_eq!(dependency_path(from, &dependency).as_deref(), path, "{from} {repository}");
    }
}

#[test]
fn what_is_no_chart_is_refused() {
    let none = BTreeMap::new();
    let check = |list: &[(&str, &str)]| refusal(&chart(list), &none);
    insta::assert_snapshot!(refusal(&files(&[("values.yaml", "")]), &none), @r#""charts/web" holds no Chart.yaml that is not ignored"#);
    insta::assert_snapshot!(check(&[(".helmignore", "*.md\n!README.md\n")]), @r#""charts/web" holds no Chart.yaml that is not ignored"#);
    insta::assert_snapshot!(check(&[(".helmignore", "**\n")]), @r#"the chart in "charts/web" cannot be packaged: .helmignore:1: "**" holds "**", which helm does not support"#);
    insta::assert_snapshot!(check(&[("values.yaml", "- a\n")]), @"charts/web/values.yaml holds a list, a mapping is expected");
    insta::assert_snapshot!(check(&[("values.yaml", "a: 1\n---\ntext\n")]), @"charts/web/values.yaml holds text, a mapping is expected");
    insta::assert_snapshot!(check(&[("values.schema.json", "{")]), @"charts/web/values.schema.json is not JSON: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(check(&[("charts/README.md", "stray")]), @r#""charts/web/charts/README.md" holds no Chart.yaml that is not ignored"#);
    insta::assert_snapshot!(check(&[("charts/a.tgz/Chart.yaml", "")]), @"charts/web/charts/a.tgz is not a file");
    insta::assert_snapshot!(check(&[("charts/a.tgz", "no archive")]), @"charts/web/charts/a.tgz is no chart package: not a complete gzip-compressed tar archive: invalid gzip header");
    insta::assert_snapshot!(check(&[("Chart.lock", "generated: yesterday\n")]), @"charts/web/Chart.lock:1: generated is not a time of the form 2006-01-02T15:04:05Z");
    let mut large = chart(&[]);
    large.insert("big", vec![0; (5 << 20) + 1]);
    insta::assert_snapshot!(refusal(&large, &none), @"charts/web/big has 5242881 bytes, at most 5242880 may be packaged; list it in .helmignore if it is not needed");
    large.insert(".helmignore", "big\n");
    assert_eq!(paths(&large), ["web/Chart.yaml", "web/.helmignore"]);
}

#[test]
fn changes_that_reach_the_package() {
    let old = chart(&[("values.yaml", "a: 1\n"), ("README.md", "r"), ("ci/x", "x"), (".helmignore", "ci/\n")]);
    let with = |path: &str, text: &str| {
        let mut new = old.clone();
        new.insert(path, text);
        is_packaged_change(&old, &new)
    };
    assert!(!is_packaged_change(&old, &old.clone()));
    assert!(!with("ci/x", "y"));
    assert!(!with("Chart.yaml", &format!("# comment\n{}", CHART.1)));
    assert!(!with("templates/.hidden", "x"));
    for (path, text) in [
        ("values.yaml", "a: 2\n"),
        ("README.md", "s"),
        ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.4\n"),
        (".helmignore", "ci\n"),
        ("values.yaml", "- broken"),
    ] {
        assert!(with(path, text), "{path}");
    }
    let mut executable = old.clone();
    executable.insert_file("README.md", File { mode: Mode::Executable, bytes: b"r".to_vec() });
    assert!(!is_packaged_change(&old, &executable), "modes do not reach the package");
}
