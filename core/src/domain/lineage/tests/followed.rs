//! Repeating what a bump writes of dependencies.

use std::collections::BTreeMap;

use super::fixture::{bump, raw_root};
use crate::domain::chart::edit;
use crate::domain::content::Files;
use crate::domain::lineage::rederive;
use crate::domain::package::follow::{Followed, followed, lock_file, written};
use crate::domain::statement::Bump;

const CHART: &str = "apiVersion: v1\nname: a\nversion: 1.0.0\n";
const REQUIREMENTS: &str = "dependencies:\n- name: b\n  alias: bee\n  version: ~1.0.0\n  repository: file://../b\n";
const LOCK: &str = "dependencies:\n- name: b\n  version: 1.0.0\n  repository: file://../b\ndigest: x\ngenerated: \"2026-01-01T00:00:00Z\"\n";

fn content(requirements: &str) -> Files {
    let mut files = Files::new();
    for (name, text) in [("Chart.yaml", CHART), ("requirements.yaml", requirements), ("requirements.lock", LOCK)] {
        files.insert(name, text);
    }
    files
}

/// The bump of a content whose `b` is now 1.1.0, with the content after it.
fn bumped(before: &Files) -> (Bump, Files) {
    let followed = followed("charts/a", before, &BTreeMap::from([("charts/b".to_owned(), "1.1.0".parse().unwrap())]));
    let mut after = before.clone();
    after.insert("Chart.yaml", edit::set_version(CHART.as_bytes(), &"1.1.0".parse().unwrap()).unwrap());
    for (name, bytes) in written(&after.clone(), &followed).unwrap() {
        after.insert(name, bytes);
    }
    let mut bump = bump();
    let shown = |files: &Files, name: &str| files.bytes(name).map(<[u8]>::to_vec);
    let Followed { constraints, locked } = followed;
    (bump.edits.dependencies, bump.edits.locked) = (constraints, locked);
    bump.witness.chart_yaml = CHART.as_bytes().to_vec();
    bump.witness.requirements_yaml = shown(before, "requirements.yaml");
    bump.witness.lock_before = lock_file(before).and_then(|name| shown(before, name));
    bump.witness.chart_lock = lock_file(before).and_then(|name| shown(&after, name));
    bump.witness.changelog_entry = None;
    (bump, after)
}

/// What is wrong with the bump of `before` once it was changed.
fn check(before: &Files, change: impl FnOnce(&mut Bump, &mut Files)) -> String {
    let (mut bump, mut after) = bumped(before);
    change(&mut bump, &mut after);
    (bump.witness.before, bump.witness.after) = (raw_root(before), raw_root(&after));
    let outcome = rederive::bump(&bump, &before.content_id().unwrap(), &after.content_id().unwrap(), None);
    assert_eq!(outcome.complete, outcome.broken.is_empty());
    outcome.broken.into_iter().map(|(rule, message)| format!("{}: {message}\n", rule.id())).collect()
}

#[test]
fn what_followed_is_repeated() {
    assert_eq!(check(&content(REQUIREMENTS), |_, _| {}), "");
    assert_eq!(check(&content(&REQUIREMENTS.replace("~1.0.0", "^1.0.0")), |_, _| {}), "");
    let (bump, after) = bumped(&content(&REQUIREMENTS.replace("~1.0.0", "^1.0.0")));
    assert_eq!((bump.edits.dependencies.len(), bump.edits.locked.get("bee").map(String::as_str)), (0, Some("1.1.0")));
    assert!(String::from_utf8_lossy(after.bytes("requirements.lock").unwrap()).contains("version: 1.1.0"));
}

#[test]
fn nothing_else_is() {
    let before = content(REQUIREMENTS);
    let tampered = |name: &'static str| move |_: &mut Bump, after: &mut Files| drop(after.insert(name, "dependencies: []\n"));
    insta::assert_snapshot!(check(&before, tampered("requirements.yaml")), @"bump/content: the bump changes more in requirements.yaml than the version and what follows from it");
    insta::assert_snapshot!(check(&before, tampered("requirements.lock")), @"bump/content: the bump changes more in requirements.lock than the version and what follows from it");
    insta::assert_snapshot!(check(&before, tampered("Chart.lock")), @"bump/content: the bump changes Chart.lock");
    insta::assert_snapshot!(check(&before, |bump, _| bump.witness.requirements_yaml = None), @"
    bump/content: the bump changes requirements.yaml
    bump/content: the bump changes the dependency bee, which is no chart of this repository
    bump/content: the bump changes more in requirements.lock than the version and what follows from it
    ");
    insta::assert_snapshot!(check(&before, |bump, _| bump.witness.lock_before = None), @"bump/content: the bump changes requirements.lock");
    insta::assert_snapshot!(check(&before, |bump, _| drop(bump.edits.dependencies.insert("bee".to_owned(), "9.0.0".to_owned()))), @"
    bump/content: the bump changes more in requirements.lock than the version and what follows from it
    bump/content: the bump changes more in requirements.yaml than the version and what follows from it
    ");
    insta::assert_snapshot!(check(&before, |bump, _| drop(bump.edits.locked.insert("other".to_owned(), "9.0.0".to_owned()))), @"bump/content: the bump changes the dependency other, which is no chart of this repository");
    insta::assert_snapshot!(check(&before, |bump, _| bump.witness.requirements_yaml = Some(b"dependencies: []\n".to_vec())), @"bump/content: the requirements.yaml shown is not the one before the bump");
}
