//! Code owners.
//!
//! Source: <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>

use chartflow_core::domain::ruleset::covers;

use crate::github::actor::Role;
use crate::github::pulls::Pull;
use crate::github::state::State;

/// Where the file is looked for, in this order.
const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// A line: a pattern and who owns what it covers.
struct Entry {
    pattern: String,
    owners: Vec<String>,
}

fn parse(text: &str) -> Vec<Entry> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().split_whitespace())
        .filter_map(|mut words| Some(Entry { pattern: words.next()?.to_owned(), owners: words.map(str::to_owned).collect() }))
        .collect()
}

impl Entry {
    /// Patterns are those of .gitignore: anchored by a slash that is not the last character, everything below a
    /// directory included.
    fn covers(&self, path: &str) -> bool {
        let directory = self.pattern.ends_with('/');
        let inner = self.pattern.trim_end_matches('/');
        let anchored = inner.contains('/');
        let inner = inner.trim_start_matches('/');
        let prefixes = if anchored { vec![String::new()] } else { vec![String::new(), "**/".to_owned()] };
        prefixes.iter().any(|prefix| {
            let pattern = format!("{prefix}{inner}");
            let itself = !directory && covers(&pattern, path);
            // `docs/*` covers what is in docs, and not what is in its subdirectories.
            let below = !inner.ends_with("/*") && covers(&format!("{pattern}/**"), path);
            itself || below
        })
    }
}

/// Whether `login` is meant by an owner. There are no teams here: everybody with write access belongs to each.
fn is_owner(state: &State, owner: &str, login: &str) -> bool {
    let Some(name) = owner.strip_prefix('@') else {
        return state.actors.get(login).is_some_and(|actor| actor.email == owner);
    };
    // An App can own nothing; owners need write access.
    let able = state.actors.get(login).is_some_and(|actor| !actor.is_bot() && actor.role >= Role::Write);
    able && (name.contains('/') || name.eq_ignore_ascii_case(login))
}

/// The owners still waited for. The base's file counts; of several lines that cover a path the last one does.
pub(super) fn missing(state: &State, pull: &Pull, approvals: &[&str]) -> Vec<String> {
    let store = &state.store;
    let file = store.commit(pull.base_sha).and_then(|base| PLACES.iter().find_map(|place| store.at_path(base.tree, place)));
    let Some(text) = file.and_then(|(_, id)| store.blob(id)) else { return Vec::new() };
    let entries = parse(&String::from_utf8_lossy(&text));
    let ancestor = store.merge_base(pull.base_sha, pull.head_sha).unwrap_or(pull.base_sha);
    let (Some(before), Some(after)) = (store.commit(ancestor), store.commit(pull.head_sha)) else { return Vec::new() };
    let Ok(changes) = store.diff(before.tree, after.tree) else { return Vec::new() };
    let mut waiting: Vec<String> = Vec::new();
    for path in changes.iter().flat_map(|change| std::iter::once(&change.path).chain(&change.previous)) {
        let Some(entry) = entries.iter().rev().find(|entry| entry.covers(path)) else { continue };
        let agreed = entry.owners.iter().any(|owner| approvals.iter().any(|login| is_owner(state, owner, login)));
        if entry.owners.is_empty() || agreed {
            continue;
        }
        let names: Vec<&str> = entry.owners.iter().map(|owner| owner.trim_start_matches('@')).collect();
        let text = format!("Waiting on code owner review from {}.", names.join(", "));
        if !waiting.contains(&text) {
            waiting.push(text);
        }
    }
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_gitignore() {
        let covered = |pattern: &str, path: &str| Entry { pattern: pattern.to_owned(), owners: Vec::new() }.covers(path);
        for (pattern, path, expected) in [
            ("*", "a/b.txt", true),
            ("*.js", "src/x.js", true),
            ("/.github/", ".github/workflows/x.yml", true),
            ("/.github/", "a/.github/x.yml", false),
            (".github/", "a/.github/x.yml", true),
            ("/.chartflow.yaml", ".chartflow.yaml", true),
            ("/.chartflow.yaml", "charts/a/.chartflow.yaml", false),
            ("docs/*", "docs/a.md", true),
            ("docs/*", "docs/a/b.md", false),
            ("apps/", "x/apps/y/z", true),
            ("/charts/a", "charts/a/values.yaml", true),
            ("/charts/a", "charts/ab/values.yaml", false),
        ] {
            assert_eq!(covered(pattern, path), expected, "{pattern} {path}");
        }
    }
}
