use std::path::Path;

use super::*;
use crate::domain::check::CheckId;

fn check(text: &str) -> String {
    match Configuration::read(text.as_bytes()) {
        Ok(configuration) => serde_json::to_string(&configuration).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "# nothing\n", "{}", "\u{feff}---\n"] {
        assert_eq!(Configuration::read(text.as_bytes()).unwrap(), Configuration::default(), "{text:?}");
    }
    let written = serde_yaml::to_string(&Configuration::default()).unwrap();
    assert_eq!(Configuration::read(written.as_bytes()).unwrap(), Configuration::default());
    let read = ReadConfiguration::read(b"").unwrap();
    assert_eq!(read, ReadConfiguration::default());
    insta::assert_snapshot!(check(""), @r#"{"charts":["charts/*"],"directories":{},"branches":{"main":"main","integration":"integration","chart":"integration-{chart}","release":"release","promote":"chartflow-promote-{chart}","bump":"chartflow-bump-{chart}","back":"chartflow-back","publish":"chartflow-release-{chart}-{version}"},"tag":"{chart}-v{version}","versions":"higher","changelog":{"artifacthub":"auto"},"checks":{"required":["helm-lint","artifact-hub","schema","commits","changelog","version","layout"],"outside":{},"max-age":null},"packages":"branch","index":{"url":null},"registry":"ghcr.io/{owner}/charts","merge":{"main":"squash"},"hold-label":"hold","profile":null,"environment":"chartflow","reusable-workflows":null,"sigstore":null}"#);
}

#[test]
fn every_key_can_be_set() {
    let text = "charts: [charts/*, stable/**]\ndirectories: {a: charts/b}\nbranches: {main: trunk}\nversions: commits\nchecks:\n  required: [schema]\n  max-age: 90d\n  outside:\n    scan: {workflow: .github/workflows/scan.yml, ref: refs/heads/main, max-age: 12h}\nindex: {url: https://example.com/}\npackages: branch\nmerge: {main: merge}\nprofile: key\nreusable-workflows: chartflow/chartflow\n";
    let configuration = Configuration::read(text.as_bytes()).unwrap();
    assert_eq!((configuration.checks.required.as_slice(), configuration.checks.max_age.unwrap().seconds()), ([CheckId::Schema].as_slice(), 90 * 86_400));
    assert_eq!(configuration.checks.outside["scan"].max_age.unwrap().to_string(), "12h");
    assert_eq!((configuration.branches.main.as_str(), configuration.branches.integration.as_str()), ("trunk", "integration"));
    let repository = "Some-Org/Charts".parse().unwrap();
    assert_eq!(configuration.registry_of(&repository), "ghcr.io/some-org/charts");
}

#[test]
fn mistakes_name_line_and_fix() {
    insta::assert_snapshot!(check("tag: 'x-{chart}-{version}'\nregistry: not a registry!\n"), @r#".chartflow.yaml:2: registry "not a registry!" does not begin with a host, such as ghcr.io"#);
    insta::assert_snapshot!(check("index:\n  url: javascript:x\n"), @r#".chartflow.yaml:2: index.url "javascript:x" is no address; write such as https://charts.example.com"#);
    insta::assert_snapshot!(check("hold-label: ''\n"), @r#".chartflow.yaml:1: hold-label "" is empty: a label has a name"#);
    insta::assert_snapshot!(check("chart: [a]"), @r#".chartflow.yaml:1: the key "chart" is unknown; did you mean "charts"?"#);
    insta::assert_snapshot!(check("checks:\n  requird: []"), @r#".chartflow.yaml:2: the key "checks.requird" is unknown; did you mean "required"?"#);
    insta::assert_snapshot!(check("checks:\n  outside:\n    scan:\n      max_age: 1d\n      workflow: x\n"), @r#".chartflow.yaml:4: the key "checks.outside.scan.max_age" is unknown; did you mean "max-age"?"#);
    insta::assert_snapshot!(check("index:\n  zzzzzzzz: 1"), @r#".chartflow.yaml:2: the key "index.zzzzzzzz" is unknown; known keys are url"#);
    insta::assert_snapshot!(check("versions: major"), @r#".chartflow.yaml:1: versions: "major" is not known here; write commits, contributed or higher"#);
    insta::assert_snapshot!(check("tag: a\ncharts: charts/*"), @r#".chartflow.yaml:2: charts: holds the text "charts/*" where a list is expected"#);
    insta::assert_snapshot!(check("branches:\n  main: a b"), @r#".chartflow.yaml:2: branches.main: branch name "a b" holds a character that no git ref may hold"#);
    insta::assert_snapshot!(check("checks: {max-age: 0d}"), @r#".chartflow.yaml:1: checks.max-age: "0d" is not a span of time; write a number and s, m, h, d or w, such as 30d"#);
    insta::assert_snapshot!(check("charts:\n- a\n- ../b"), @r#".chartflow.yaml:3: charts: "../b" is not a glob of directories below the top of the repository"#);
    insta::assert_snapshot!(check("charts:\n- 'a[b'"), @r#".chartflow.yaml:2: charts: "a[b" is not a glob of directories below the top of the repository"#);
    insta::assert_snapshot!(check("directories:\n  a: x\n  b: x\n"), @".chartflow.yaml:3: directories: x is named for two charts; keep one of them");
    insta::assert_snapshot!(check("version: 1"), @r#".chartflow.yaml:1: the key "version" is unknown: the file has no version of its own"#);
    insta::assert_snapshot!(check("tag: [a]"), @".chartflow.yaml:1: tag: holds a list where text is expected");
    insta::assert_snapshot!(check("directories: x"), @r#".chartflow.yaml:1: directories: holds the text "x" where a mapping is expected"#);
    insta::assert_snapshot!(check("directories:\n  a: x\n  web: ../x"), @r#".chartflow.yaml:3: directories.web: path "../x" holds "." or "..""#);
    insta::assert_snapshot!(check("tag: a\ntag: b"), @r#".chartflow.yaml:2:1: the key "tag" stands twice, first on line 1; remove one of them"#);
    insta::assert_snapshot!(check("packages: assets\nindex: {url: https://example.com}"), @".chartflow.yaml:1: packages: assets cannot be used, because with it the index names the files of the GitHub Releases by their own addresses, and `index.url` would change nothing; write branch");
    insta::assert_snapshot!(check("merge:\n  main: rebase"), @".chartflow.yaml:2: merge.main: rebase cannot be used, because main would get a commit whose content was never released; write squash or merge");
    insta::assert_snapshot!(check("tag: a\nenvironment: ''\n"), @".chartflow.yaml:2: environment: a name of an environment cannot be empty");
    insta::assert_snapshot!(check("environment: \"a\\n    continue-on-error: true\"\n"), @r#".chartflow.yaml:1: environment: name of an environment "a\n    continue-on-error: true" holds a line break, or another character that cannot be seen; take it out"#);
    insta::assert_snapshot!(check("environment: '${{ github.head_ref }}'\n"), @r#".chartflow.yaml:1: environment: name of an environment "${{ github.head_ref }}" holds "${{", with which GitHub begins an expression; write the name itself"#);
    insta::assert_snapshot!(check("[]"), @".chartflow.yaml:1: holds a list where a mapping is expected");
}

#[test]
fn a_key_has_its_line() {
    assert_eq!(line_of(b"tag: a\nbranches:\n  main: x\n", "branches.main"), Some(3));
    assert_eq!((line_of(b"tag: a\n", "branches.main"), line_of(b"[", "tag")), (None, None));
}

#[test]
fn a_sigstore_of_one_s_own() {
    const OWN: &str = "sigstore:\n  fulcio-url: https://fulcio.example\n  timestamp-server-url: http://127.0.0.1:3000/api/v1/timestamp\n  trusted-root: .github/sigstore/trusted_root.json\n";
    let read = |text: &str| Configuration::read(text.as_bytes()).unwrap().sigstore.unwrap();
    assert_eq!(read(OWN).profile(), Profile::Github);
    let logged = format!("profile: public\n{OWN}  rekor-url: https://rekor.example\n  oidc-issuer: https://ghe.example/_services/token\n");
    assert_eq!(read(&logged).profile(), Profile::Public);
    let wrong = |from: &str, to: &str| check(&OWN.replace(from, to));
    insta::assert_snapshot!(wrong("https://fulcio.example", "http://fulcio.example"), @".chartflow.yaml:2: sigstore.fulcio-url cannot be used: it is no https:// address; identity tokens and signatures are sent there");
    insta::assert_snapshot!(wrong("http://127.0.0.1:3000", "http://127.0.0.1.example"), @".chartflow.yaml:3: sigstore.timestamp-server-url cannot be used: it is no https:// address; identity tokens and signatures are sent there");
    insta::assert_snapshot!(wrong(".github/sigstore/", "sigstore/"), @".chartflow.yaml:4: sigstore.trusted-root cannot be used: it lies outside .github/, where no owner has to approve its changes");
    insta::assert_snapshot!(wrong("  trusted-root: .github/sigstore/trusted_root.json\n", ""), @r#".chartflow.yaml:1: sigstore: the key "trusted-root" is missing; add it"#);
    insta::assert_snapshot!(wrong("fulcio-url", "fulcio"), @r#".chartflow.yaml:2: the key "sigstore.fulcio" is unknown; did you mean "fulcio-url"?"#);
    insta::assert_snapshot!(check(&format!("profile: key\n{OWN}")), @".chartflow.yaml:1: profile cannot be used: a key signs without a Sigstore; take one of the two out");
    insta::assert_snapshot!(check(&format!("profile: public\n{OWN}")), @".chartflow.yaml:1: profile cannot be used: public demands a log, and sigstore has no rekor-url; add it, or write profile: github");
    insta::assert_snapshot!(check(&logged.replace("profile: public", "profile: github")), @".chartflow.yaml:1: profile cannot be used: github knows no log, and sigstore has a rekor-url; take it out, or write profile: public");
}

#[test]
fn the_committed_schema_is_the_types_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/chartflow.schema.json");
    let schema = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("CHARTFLOW_REGENERATE").is_some() {
        std::fs::write(&file, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == schema, "schema/chartflow.schema.json is not what the types say; run this test with CHARTFLOW_REGENERATE=1 and commit the file");
    let validator = jsonschema::validator_for(&serde_json::from_str(&committed).unwrap()).unwrap();
    assert!(validator.is_valid(&serde_json::json!({"checks": {"max-age": "30d"}, "branches": {"main": "trunk"}})));
    assert!(!validator.is_valid(&serde_json::json!({"chart": []})));
    assert!(!validator.is_valid(&serde_json::json!({"checks": {"max-age": "0d"}})));
}
