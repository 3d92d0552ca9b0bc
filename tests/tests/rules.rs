//! Every refusal has a rule, and one page has every rule.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chartflow_core::domain::{check, index, lineage};
use chartflow_core::flow::rules::{STAGE_RULES, page};
use chartflow_core::plan::preflight;

/// Keys of statements, which look like rules: `<stage>/<what>`.
const KEYS: [&str; 8] =
    ["filter/promotion", "enforce/gate", "bump/version", "bump/release-gate", "tag/tag", "package/build", "package/root", "publish/published"];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every id of every table.
fn ids() -> Vec<&'static str> {
    let stages = STAGE_RULES.iter().map(|rule| rule.id);
    let checks = check::RULES.iter().chain(preflight::RULES).map(|rule| rule.id);
    stages.chain(checks).chain(index::RULES.iter().map(|(id, _)| *id)).chain(lineage::RULES.iter().map(|rule| rule.id)).collect()
}

/// The texts of the code, tests aside, that look like a rule of a known family, and the files that hold them.
fn named(families: &BTreeSet<&str>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut open = ["core/src", "cli/src", "sandbox/src"].map(|folder| top().join(folder)).to_vec();
    while let Some(path) = open.pop() {
        let shown = path.to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if shown.ends_with(".rs") && !shown.ends_with("tests.rs") && !shown.contains("/tests/") && !shown.contains("/github/") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for literal in code.split('"') {
                let rule = literal
                    .split_once('/')
                    .is_some_and(|(family, what)| families.contains(family) && !what.is_empty() && what.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
                if rule && !KEYS.contains(&literal) {
                    found.entry(literal.to_owned()).or_default().insert(shown.clone());
                }
            }
        }
    }
    found
}

/// `CHARTFLOW_REGENERATE=1 cargo test` writes it.
#[test]
fn the_documentation_holds_every_rule() {
    let path = top().join("docs/rules.md");
    let page = page();
    if std::env::var_os("CHARTFLOW_REGENERATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "docs/rules.md is not what the tables say; set CHARTFLOW_REGENERATE=1 to write it");
    for id in ids() {
        let anchor = id.replace('/', "-");
        assert_eq!(page.matches(&format!("| <a id=\"{anchor}\"></a>[`{id}`](#{anchor}) | ")).count(), 1, "{id}");
        assert_eq!(page.matches(&format!("id=\"{anchor}\"")).count(), 1, "two rules of one address: {anchor}");
    }
}

#[test]
fn ids_are_unique() {
    let mut ids = ids();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn every_rule_that_the_code_names_is_in_the_tables_and_the_other_way_round() {
    let ids = ids();
    let families: BTreeSet<&str> = ids.iter().filter_map(|id| Some(id.split_once('/')?.0)).collect();
    let named = named(&families);
    let lost: Vec<_> = ids.iter().filter(|id| !named.contains_key(**id) && !KEYS.contains(id)).collect();
    assert!(lost.is_empty(), "the search does not see what the tables hold: {lost:?}");
    let unknown: Vec<_> = named.iter().filter(|(id, _)| !ids.contains(&id.as_str())).collect();
    assert!(unknown.is_empty(), "rules that are in no table: {unknown:?}");
    let table = |file: &str| file.ends_with("flow/rules.rs");
    let dead: Vec<_> = STAGE_RULES.iter().filter(|rule| named.get(rule.id).is_none_or(|files| files.iter().all(|file| table(file)))).collect();
    assert!(dead.is_empty(), "rules that nothing refuses by: {dead:?}");
}
