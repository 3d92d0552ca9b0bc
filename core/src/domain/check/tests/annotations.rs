use super::*;

fn check(name: &str, value: &str) -> String {
    let chart = format!("{GOOD}annotations:\n  {}: {}\n", name, serde_json::Value::from(value));
    told(&artifact_hub::check(&Subject { directory: &directory(), files: &files(&[("Chart.yaml", &chart)]) }))
}

#[test]
fn what_artifact_hub_reads_passes() {
    for (name, value) in [
        ("other", "[["),
        ("artifacthub.io/license", "MIT"),
        ("artifacthub.io/category", "database"),
        ("artifacthub.io/operator", "true"),
        ("artifacthub.io/operatorCapabilities", "Auto Pilot"),
        ("artifacthub.io/changes", "- a text\n- kind: Added\n  description: x\n  links: [{name: n, url: u}]\n"),
        ("artifacthub.io/changes", ""),
        ("artifacthub.io/images", "- name: a\n  image: ghcr.io/o/i:1.0.0\n  whitelisted: true\n"),
        ("artifacthub.io/links", "- name: a\n  url: https://example.com\n"),
        ("artifacthub.io/crds", "- kind: X\n  any: [thing]\n"),
        ("artifacthub.io/signKey", "fingerprint: AB\nurl: https://example.com\n"),
    ] {
        assert_eq!(check(name, value), "passed", "{name}");
    }
    let none = Files::new();
    assert_eq!(told(&artifact_hub::check(&Subject { directory: &directory(), files: &none })), "passed");
}

#[test]
fn what_it_cannot_read_is_an_error() {
    insta::assert_snapshot!(check("artifacthub.io/category", "games"), @r#"
    failed
    Error artifact-hub/value charts/a/Chart.yaml:5: artifacthub.io/category: "games" is unknown | use one of ai-machine-learning, database, integration-delivery, monitoring-logging, networking, security, storage, streaming-messaging, skip-prediction
    "#);
    insta::assert_snapshot!(check("artifacthub.io/prerelease", "yes"), @r#"
    failed
    Error artifact-hub/value charts/a/Chart.yaml:5: artifacthub.io/prerelease: "yes" is neither true nor false | write "true" or "false", in quotes
    "#);
    insta::assert_snapshot!(check("artifacthub.io/changes", "- kind: new\n  description: x\n- kind: added\n  links: [{name: a}]\n- [x]\n"), @r#"
    failed
    Error artifact-hub/change charts/a/Chart.yaml:5: artifacthub.io/changes: the kind "new" is unknown | use one of added, changed, deprecated, removed, fixed, security
    Error artifact-hub/change charts/a/Chart.yaml:5: artifacthub.io/changes: an entry has no description | add one
    Error artifact-hub/change charts/a/Chart.yaml:5: artifacthub.io/changes: a link lacks its name or its url | give it both
    Error artifact-hub/change charts/a/Chart.yaml:5: artifacthub.io/changes: an entry is a list | write a text, or a mapping with kind and description
    "#);
    insta::assert_snapshot!(check("artifacthub.io/changes", "a: b: c"), @r"
    failed
    Error artifact-hub/yaml charts/a/Chart.yaml:5: artifacthub.io/changes: not YAML: mapping values are not allowed in this context | the value of the annotation must be YAML itself: begin it with `|` and a list below
    ");
    insta::assert_snapshot!(check("artifacthub.io/images", "- name: a\n  image: UPPER\n"), @r#"
    failed
    Error artifact-hub/image charts/a/Chart.yaml:5: artifacthub.io/images: "UPPER" is no image reference | write it as registry/repository:tag
    "#);
    insta::assert_snapshot!(check("artifacthub.io/links", "name: a"), @r"
    failed
    Error artifact-hub/yaml charts/a/Chart.yaml:5: artifacthub.io/links: holds a mapping where a list is expected | begin each entry with `- `
    ");
    insta::assert_snapshot!(check("artifacthub.io/recommendations", "- url: [x]\n- some\n"), @r"
    failed
    Error artifact-hub/yaml charts/a/Chart.yaml:5: artifacthub.io/recommendations: url is a list, text is expected | write it as text
    Error artifact-hub/yaml charts/a/Chart.yaml:5: artifacthub.io/recommendations: holds text where a mapping with url is expected | begin each entry with `- ` and a key
    ");
    insta::assert_snapshot!(check("artifacthub.io/signKey", "fingerprint: AB"), @r"
    failed
    Error artifact-hub/value charts/a/Chart.yaml:5: artifacthub.io/signKey: has no url | add the url of the public key
    ");
}
