//! The page about every key, `docs/configuration.md`, written from the JSON Schema and the defaults.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::{Configuration, schema};

const BEFORE: &str = "# Configuration

`.chartflow.yaml` at the top of the main branch says how the charts of a repository are released. Every key is optional; a
repository without the file has the defaults. A key that does not exist is refused, with the nearest one that does.

Only main's file counts. What a pull request writes into it holds once it is merged, and its owners must approve it (see
[adopt.md](adopt.md)). The bytes of the file are part of every release's lineage.

An editor that reads JSON Schema completes and checks it with `schema/chartflow.schema.json`.

This page is written from the types in `core/src/domain/configuration`.

";

const AFTER: &str = "
## An example

```yaml
charts:
  - charts/*
  - stable/*
directories:
  # The chart `web` lies in a directory of another name.
  web: charts/website
branches:
  release: gh-pages
checks:
  required: [helm-lint, schema, commits, version, layout]
  max-age: 30d
  outside:
    # .github/workflows/scan.yml must have attested the content on main's word.
    scan:
      workflow: .github/workflows/scan.yml
      max-age: 12h
index:
  url: https://charts.example.com
```
";

/// Follows references, and of alternatives takes the one that is not null.
fn resolve<'a>(one: &'a Json, top: &'a Json) -> &'a Json {
    let referred = one["$ref"].as_str().and_then(|reference| top.pointer(reference.strip_prefix('#')?));
    let alternative = one["anyOf"].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null"));
    referred.or(alternative).map_or(one, |next| resolve(next, top))
}

fn default(value: Option<&Json>) -> String {
    match value {
        None => "mandatory".to_owned(),
        Some(Json::Null) => "none".to_owned(),
        Some(Json::Array(items)) if items.is_empty() => "none".to_owned(),
        Some(Json::Object(members)) if members.is_empty() => "none".to_owned(),
        Some(Json::String(text)) => format!("`{text}`"),
        Some(Json::Array(items)) => items.iter().map(|item| format!("`{}`", item.as_str().unwrap_or_default())).collect::<Vec<_>>().join(", "),
        Some(other) => format!("`{other}`"),
    }
}

/// What a key is about, in the one line that a cell of a table has.
fn sentence(one: &Json) -> String {
    one["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rows(text: &mut String, prefix: &str, object: &Json, defaults: Option<&Json>, top: &Json) {
    for (key, property) in object["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{key}");
        let kind = resolve(property, top);
        let value = defaults.and_then(|defaults| defaults.get(key)).or_else(|| property.get("default"));
        if kind["properties"].is_object() {
            rows(text, &format!("{path}."), kind, value, top);
            continue;
        }
        let mut about = sentence(property);
        let items = if kind["type"] == "array" { resolve(&kind["items"], top) } else { kind };
        for one in items["oneOf"].as_array().into_iter().flatten() {
            let _ = write!(about, "<br>`{}`: {}", one["const"].as_str().unwrap_or_default(), sentence(one));
        }
        let _ = writeln!(text, "| `{path}` | {} | {about} |", default(value));
        let below = resolve(&kind["additionalProperties"], top);
        if below["properties"].is_object() {
            rows(text, &format!("{path}.NAME."), below, None, top);
        }
    }
}

#[test]
fn the_page_about_the_configuration_is_the_types_page() {
    let top = schema();
    let defaults = serde_json::to_value(Configuration::default()).unwrap();
    let mut page = format!("{BEFORE}| key | default | |\n|---|---|---|\n");
    rows(&mut page, "", &top, Some(&defaults), &top);
    page.push_str(AFTER);
    let example = AFTER.split("```yaml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(Configuration::read(example.as_bytes()).is_ok(), "the example is a configuration");
    for key in defaults.as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{key}")), "{key} is on the page");
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    if std::env::var_os("CHARTFLOW_REGENERATE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == page, "docs/configuration.md is not what the types say; run this test with CHARTFLOW_REGENERATE=1 and commit the file");
}
