use super::*;

fn check(text: &str) -> String {
    match Metadata::read("charts/a/Chart.yaml", text.as_bytes()) {
        Ok(metadata) => serde_json::to_string(&metadata).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn read_as_helm_reads_it() {
    insta::assert_snapshot!(check("name: a\nversion: 1.2.3\n"), @r#"{"name":"a","version":"1.2.3","apiVersion":"v1"}"#);
    insta::assert_snapshot!(
        check("\u{feff}APIVersion: v2\r\nNAME: a\r\nversion: v1.2\r\nappVersion: 1.10\r\ndeprecated: yes\r\nannotations: {a: 1.50, b: true, c: }\r\n"),
        @r#"{"name":"a","version":"v1.2","apiVersion":"v2","appVersion":"1.1","deprecated":true,"annotations":{"a":"1.5","b":"true","c":""}}"#
    );
    insta::assert_snapshot!(
        check("apiVersion: v2\nname: a\nversion: 1.0.0\ntype: library\nmaintainers:\n- name: x\ndependencies:\n- name: b\n  version: 1.0\n  import-values: [x, {child: c, parent: .}]\n  tags: [t]\n  alias: c\n"),
        @r#"{"name":"a","version":"1.0.0","maintainers":[{"name":"x"}],"apiVersion":"v2","dependencies":[{"name":"b","version":"1","repository":"","tags":["t"],"import-values":["x",{"child":"c","parent":"."}],"alias":"c"}],"type":"library"}"#
    );
    // Of several spellings the last in byte order counts, and of duplicate keys the last in the file.
    insta::assert_snapshot!(check("name: a\nName: b\nversion: 1.0.0\nversion: 2.0.0\n"), @r#"{"name":"a","version":"2.0.0","apiVersion":"v1"}"#);
    insta::assert_snapshot!(check("name: a\nversion: 1.0.0\ndescription: \"x\\ty\\u200b\\u00a0z\"\nunknown: [1]\n---\nname: other\n"), @r#"{"name":"a","version":"1.0.0","description":"x y z","apiVersion":"v1"}"#);
}

#[test]
fn bad_input_names_file_line_value_and_fix() {
    insta::assert_snapshot!(check(""), @"charts/a/Chart.yaml: holds nothing where a mapping with name and version is expected");
    insta::assert_snapshot!(check("- a"), @"charts/a/Chart.yaml: holds a list where a mapping with name and version is expected");
    insta::assert_snapshot!(check("a: b: c"), @"charts/a/Chart.yaml:1:5: not YAML: mapping values are not allowed in this context");
    insta::assert_snapshot!(check("version: 1.0.0\n"), @"charts/a/Chart.yaml: name is missing; add a line such as `name: my-chart`");
    insta::assert_snapshot!(check("name: a\n"), @"charts/a/Chart.yaml: version is missing; add a line such as `version: 0.1.0`");
    insta::assert_snapshot!(check("name: a/b\nversion: 1.0.0"), @r#"charts/a/Chart.yaml:1: name "a/b" is a path; a chart's name has no directory"#);
    insta::assert_snapshot!(check("name: a\nversion: latest"), @r#"charts/a/Chart.yaml:2: version "latest" is not a version; write it as "1.2.3""#);
    insta::assert_snapshot!(check("name: a\nversion: [1]"), @"charts/a/Chart.yaml:2: version is a list, text is expected");
    insta::assert_snapshot!(check("name: a\nversion: 1.0.0\ntype: app"), @r#"charts/a/Chart.yaml:3: type "app" is unknown; use application or library"#);
    insta::assert_snapshot!(check("name: a\nversion: 1.0.0\nkeywords: x"), @"charts/a/Chart.yaml:3: keywords is text, a list is expected");
    insta::assert_snapshot!(check("name: a\nversion: 1.0.0\nmaintainers:\n-\n"), @"charts/a/Chart.yaml:4: maintainers holds an empty item; remove it");
    insta::assert_snapshot!(check("name: a\nversion: 1.0.0\ndependencies:\n- name: b\n- name: b\n"), @r#"charts/a/Chart.yaml:5: two dependencies are called "b"; give one of them an alias"#);
    insta::assert_snapshot!(check("name: a\nversion: 1.0.0\ndependencies:\n- name: b\n  alias: x.y\n"), @r#"charts/a/Chart.yaml:4: the alias "x.y" of dependency "b" may hold letters, digits, '-' and '_' only"#);
    insta::assert_snapshot!(check("name: a\nversion: 1.0.0\nannotations:\n  a:\n    b: c\n"), @"charts/a/Chart.yaml:5: annotations.a is a mapping, text is expected");
}

#[test]
fn requirements_count_over_chart_yaml() {
    let chart = b"name: a\nversion: 1.0.0\n";
    let read = |requirements: &str| Metadata::read_with_requirements("Chart.yaml", chart, Some(("requirements.yaml", requirements.as_bytes())));
    assert_eq!(read("dependencies:\n- name: b\n  repository: file://../b\n").unwrap().dependencies[0].local_path(), Some("../b"));
    assert!(read("").unwrap().dependencies.is_empty());
    insta::assert_snapshot!(read("dependencies: x").unwrap_err(), @"requirements.yaml:1: dependencies is text, a list is expected");
}

#[test]
fn what_is_released_is_strict() {
    let check = |text: &str| {
        let metadata = Metadata::read("Chart.yaml", text.as_bytes()).unwrap();
        metadata.chart_name().map_err(|e| format!("{e}: {}", std::error::Error::source(&e).unwrap())).and_then(|name| {
            let version = metadata.release_version().map_err(|error| error.to_string())?;
            Ok(format!("{name} {version}"))
        })
    };
    assert_eq!(check("name: a\nversion: 1.2.3-rc.1+b\n"), Ok("a 1.2.3-rc.1+b".to_owned()));
    insta::assert_snapshot!(check("name: a\n\nversion: 1.0\n").unwrap_err(), @"Chart.yaml:3: version 1.0 is not a semantic version; write 1.0.0");
    insta::assert_snapshot!(check("name: a\nversion: v1.2.3\n").unwrap_err(), @"Chart.yaml:2: version v1.2.3 is not a semantic version; write 1.2.3");
    insta::assert_snapshot!(check("name: A\nversion: 1.2.3\n").unwrap_err(), @r#"Chart.yaml:1: the name cannot be released; use lower-case letters, digits and '-': chart name "A" holds upper case, which OCI registries refuse"#);
}
