//! The chart repository the train is tried on.

/// The charts that are there from the start.
pub const CHARTS: [&str; 5] = ["app", "base", "cron", "lib", "web"];

/// Configuration without `helm-lint`, which would need helm.
pub const CONFIGURATION: &str = "checks:\n  required: [artifact-hub, schema, commits, changelog, version, layout]\n";

/// The files of one chart: a values file with a few keys, and `appVersion` on the line beside `version`.
#[must_use]
pub fn chart(name: &str, version: &str, more: &str) -> Vec<(String, String)> {
    let at = |file: &str| format!("charts/{name}/{file}");
    vec![
        (at("Chart.yaml"), format!("apiVersion: v2\nname: {name}\ndescription: The chart {name}\nversion: {version}\nappVersion: \"1.0\"\n{more}")),
        (at("values.yaml"), "replicas: 1\nimage: x\nport: 80\nfoo: 1\nbar: 2\nbaz: 3\n".to_owned()),
        (at("templates/deployment.yaml"), "kind: Deployment\n".to_owned()),
        (at("CHANGELOG.md"), format!("# Changelog\n\n## {version}\n\n- first\n")),
        (at(".helmignore"), "*.ignored\n".to_owned()),
    ]
}

/// Everything on main before adoption: five charts (`web` needs `base` by `file://`, `lib` is a library) and a README.
#[must_use]
pub fn repository() -> Vec<(String, String)> {
    let mut files = vec![("README.md".to_owned(), "# Charts\n".to_owned())];
    files.extend(chart("app", "1.0.0", ""));
    files.extend(chart("base", "0.3.0", ""));
    files.extend(chart("cron", "2.1.0", "annotations:\n  artifacthub.io/changes: |\n    - first\n"));
    files.extend(chart("lib", "1.2.3", "type: library\n"));
    files.extend(chart("web", "4.0.0", "dependencies:\n  - name: base\n    version: \">=0.1.0\"\n    repository: file://../base\n"));
    files
}
