use super::*;

fn check(list: &[(&str, &str)]) -> String {
    told(&schema::check(&Subject { directory: &directory(), files: &files(list) }))
}

fn chart(text: &str) -> String {
    check(&[("Chart.yaml", text)])
}

#[test]
fn chart_yaml() {
    assert_eq!(chart(GOOD), "passed");
    insta::assert_snapshot!(chart("name: A\nversion: 1.0\nversion: 1.10\nappVersion: 1.10\nKeywrods: []\nmaintainers: [{nam: x}]\n---\n"), @r#"
    failed
    Error schema/duplicate-key charts/a/Chart.yaml:3: the key "version" stands twice, first on line 2 | remove one of them
    Error schema/missing charts/a/Chart.yaml: apiVersion is missing | add `apiVersion: v2`
    Error schema/type charts/a/Chart.yaml:3: version 1.10 is read as a number, helm makes "1.1" of it | write version: 1.10.0
    Error schema/type charts/a/Chart.yaml:4: appVersion 1.10 is read as a number, helm makes "1.1" of it | write appVersion: "1.10"
    Warning schema/documents charts/a/Chart.yaml: more than one YAML document; helm reads the first alone | remove what follows the second `---`
    Warning schema/unknown-key charts/a/Chart.yaml:5: helm does not know the key "Keywrods" | did you mean "keywords"?
    Warning schema/unknown-key charts/a/Chart.yaml:6: helm does not know the key "maintainers[0].nam" | did you mean "name"?
    "#);
    insta::assert_snapshot!(chart("apiVersion: v2\nname: a\nversion: 1\n"), @r#"
    failed
    Error schema/type charts/a/Chart.yaml:3: version 1 is read as a number, helm makes "1" of it | write version: 1.0.0
    "#);
    insta::assert_snapshot!(chart("apiVersion: v2\nname: a\nversion: '1'\n"), @r"
    failed
    Error schema/version charts/a/Chart.yaml:3: version 1 is not a semantic version | write 1.0.0
    ");
    insta::assert_snapshot!(chart("apiVersion: v3\ndescription: [x]\ntype: app\nkeywords: x\n"), @r#"
    failed
    Error schema/type charts/a/Chart.yaml:2: description is a list, text is expected
    Error schema/type charts/a/Chart.yaml:4: keywords is text, a list is expected
    Error schema/missing charts/a/Chart.yaml: name is missing | add a line such as `name: my-chart`
    Error schema/missing charts/a/Chart.yaml: version is missing | add a line such as `version: 0.1.0`
    Error schema/value charts/a/Chart.yaml:3: type "app" is unknown | use application or library
    Error schema/value charts/a/Chart.yaml:1: apiVersion "v3" is unknown | use v2
    "#);
    insta::assert_snapshot!(chart("a: b: c"), @r"
    failed
    Error schema/yaml charts/a/Chart.yaml:1: not YAML: mapping values are not allowed in this context
    ");
    assert_eq!(check(&[]), "passed");
    insta::assert_snapshot!(check(&[("Chart.yaml", GOOD), ("requirements.yaml", "dependencies: x\n")]), @r"
    failed
    Error schema/type charts/a/requirements.yaml:1: dependencies is text, a list is expected
    ");
}

#[test]
fn values_against_their_schema() {
    let values = |values: &str, schema: &str| check(&[("Chart.yaml", GOOD), ("values.yaml", values), ("values.schema.json", schema)]);
    let schema = r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","required":["image"],"properties":{"replicas":{"type":"integer"},"image":{"type":"object","properties":{"tag":{"type":"string","pattern":"^v"}}}}}"#;
    assert_eq!(values("replicas: 1.0\nimage: {tag: v1}\n", schema), "passed");
    insta::assert_snapshot!(values("replicas: 1.5\nimage:\n  tag: 1.10\n", schema), @r#"
    failed
    Error schema/values charts/a/values.yaml:1: replicas: 1.5 is not of type "integer" | change the value, or what values.schema.json demands of it
    Error schema/values charts/a/values.yaml:3: image.tag: 1.1 is not of type "string" | change the value, or what values.schema.json demands of it
    "#);
    insta::assert_snapshot!(check(&[("Chart.yaml", GOOD), ("values.schema.json", schema)]), @r#"
    failed
    Error schema/values charts/a/values.yaml: the values: "image" is a required property | change the value, or what values.schema.json demands of it
    "#);
    insta::assert_snapshot!(values("", "{"), @r"
    failed
    Error schema/values-schema charts/a/values.schema.json:1: not JSON: EOF while parsing an object at line 1 column 1
    ");
    insta::assert_snapshot!(values("", r#"{"type":"nothing"}"#), @r#"
    failed
    Error schema/values-schema charts/a/values.schema.json: no JSON Schema: "nothing" is not valid under any of the schemas listed in the 'anyOf' keyword
    "#);
    for reference in ["https://example.com/s.json", "file:///etc/passwd", "other.json"] {
        let text = values("", &format!(r#"{{"$ref":"{reference}"}}"#));
        assert!(text.starts_with("passed\nWarning schema/reference") && text.contains("which is not fetched"), "{text}");
    }
    insta::assert_snapshot!(values("a: 1\nb: {c: 1, c: 2}\na: 2\n", "true"), @r#"
    passed
    Warning schema/duplicate-value charts/a/values.yaml:2: the key "c" stands twice, first on line 2; helm takes the last | remove one of them
    Warning schema/duplicate-value charts/a/values.yaml:3: the key "a" stands twice, first on line 1; helm takes the last | remove one of them
    "#);
    insta::assert_snapshot!(values("- a", "true"), @r"
    failed
    Error schema/yaml charts/a/values.yaml: holds a list where a mapping is expected
    ");
}

#[test]
fn a_hostile_pattern_does_not_hang() {
    let schema = r#"{"properties":{"a":{"pattern":"^(a+)+(?=b)$"}}}"#;
    let text = check(&[("Chart.yaml", GOOD), ("values.yaml", &format!("a: {}", "a".repeat(4000))), ("values.schema.json", schema)]);
    assert!(text.starts_with("failed\nError schema/values "), "{text}");
}

#[test]
fn a_flood_of_findings_is_cut() {
    let many: String = (0..50_000).map(|number| format!("k{number}: x\nk{number}: y\n")).collect();
    let result = schema::check(&Subject { directory: &directory(), files: &files(&[("Chart.yaml", &format!("{GOOD}{many}"))]) });
    assert_eq!((result.findings.len(), result.outcome), (FINDINGS_LIMIT, Outcome::Failed));
}

#[test]
fn constraints_of_dependencies() {
    let with = |version: &str| chart(&format!("apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- name: b\n  version: {version}\n  repository: \"\"\n"));
    for constraint in ["1.2.3", "^1.2", "'>=1.0 <2 || 3.x'", "~1", "'*'", "v1.2", "1.x.x", "'1.2 - 1.4'", "'>= 1.0.0-0, < 2'"] {
        assert_eq!(with(constraint), "passed", "{constraint}");
    }
    insta::assert_snapshot!(with("latest"), @r#"
    passed
    Warning schema/constraint charts/a/Chart.yaml:6: dependencies[0].version "latest" is no version and no constraint | write a version such as 1.2.3, or a constraint such as ^1.2
    "#);
    assert!(with("'>=1.0 && <2'").starts_with("passed\nWarning schema/constraint"));
    for none in ["''", "'||'", "^1 ||"] {
        assert!(with(none).starts_with("passed\nWarning schema/constraint"), "{none}");
    }
    let without = |rest: &str| chart(&format!("apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- name: b\n{rest}"));
    insta::assert_snapshot!(without("  repository: file://../b\n"), @r#"
    passed
    Warning schema/constraint charts/a/Chart.yaml:5: dependencies[0] has no version | write a version such as 1.2.3, or a constraint such as ^1.2
    "#);
    // What lies in charts/ is packaged as it is.
    assert_eq!(without(""), "passed");
    assert_eq!(without("  repository: \"\"\n"), "passed");
    let requirements = [("Chart.yaml", "apiVersion: v1\nname: a\nversion: 1.0.0\n"), ("requirements.yaml", "dependencies:\n- name: b\n  version: one\n")];
    insta::assert_snapshot!(check(&requirements), @r#"
    passed
    Warning schema/constraint charts/a/requirements.yaml:3: dependencies[0].version "one" is no version and no constraint | write a version such as 1.2.3, or a constraint such as ^1.2
    "#);
}
