//! Charts that reach a changed one through `file://` dependencies.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ChangeKind, DetectionError};
use crate::domain::names::{ChartName, RepoPath};

/// The directory in this repository that a dependency's `repository` leads to, from the chart that names it.
///
/// Helm resolves a relative `file://` against the chart's directory (helm `pkg/downloader/manager.go`, `tarFromLocalDir`).
/// `None` for other repositories, absolute paths, what lies outside the repository, and what lies within the chart
/// itself (a vendored chart: part of its content).
#[must_use]
pub fn local_dependency(chart: &RepoPath, repository: &str) -> Option<RepoPath> {
    let relative = repository.strip_prefix("file://")?;
    if relative.starts_with('/') {
        return None;
    }
    let mut components: Vec<&str> = chart.as_str().split('/').collect();
    for component in relative.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            name => components.push(name),
        }
    }
    let path = RepoPath::new(components.join("/")).ok()?;
    (!chart.contains(path.as_str())).then_some(path)
}

/// A chart afterwards, as far as dependents go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub chart: ChartName,
    /// Where its `file://` dependencies lead.
    pub dependencies: Vec<RepoPath>,
}

/// Adds the charts that reach a changed one, and puts all into an order in which every chart comes after its
/// dependencies; where that leaves a choice, by path.
///
/// # Errors
/// [`DetectionError::Cycle`] when a changed chart or a dependent lies on a cycle.
pub fn with_dependents(changes: Vec<Change>, charts: &BTreeMap<RepoPath, Node>) -> Result<Vec<Change>, DetectionError> {
    // A dependency may lead into a chart (a vendored one of another chart), and a removed chart still has dependents.
    let known: BTreeSet<&RepoPath> = charts.keys().chain(changes.iter().map(|change| &change.path)).collect();
    let holder = |path: &RepoPath| known.iter().copied().find(|chart| chart.contains(path.as_str())).cloned();
    let edges: BTreeMap<&RepoPath, BTreeSet<RepoPath>> =
        charts.iter().map(|(path, node)| (path, node.dependencies.iter().filter_map(holder).filter(|to| to != path).collect())).collect();

    let mut affected: BTreeMap<RepoPath, Change> = changes.into_iter().map(|change| (change.path.clone(), change)).collect();
    loop {
        let reached: Vec<Change> = edges
            .iter()
            .filter(|(path, to)| !affected.contains_key(**path) && to.iter().any(|to| affected.contains_key(to)))
            .filter_map(|(path, _)| Some(Change { chart: charts.get(*path)?.chart.clone(), path: (*path).clone(), kind: ChangeKind::Dependent }))
            .collect();
        if reached.is_empty() {
            break;
        }
        affected.extend(reached.into_iter().map(|change| (change.path.clone(), change)));
    }
    in_release_order(affected, &edges)
}

fn in_release_order(mut affected: BTreeMap<RepoPath, Change>, edges: &BTreeMap<&RepoPath, BTreeSet<RepoPath>>) -> Result<Vec<Change>, DetectionError> {
    let mut ordered = Vec::with_capacity(affected.len());
    while !affected.is_empty() {
        let free = |path: &RepoPath| edges.get(path).is_none_or(|to| !to.iter().any(|to| affected.contains_key(to)));
        let Some(path) = affected.keys().find(|path| free(path)).cloned() else {
            return Err(DetectionError::Cycle { charts: cycle(&affected, edges) });
        };
        ordered.extend(affected.remove(&path));
    }
    Ok(ordered)
}

/// Every chart left waits for another one that is left, so following the first of these ends in a cycle.
fn cycle(left: &BTreeMap<RepoPath, Change>, edges: &BTreeMap<&RepoPath, BTreeSet<RepoPath>>) -> Vec<String> {
    let next = |path: &RepoPath| edges.get(path).and_then(|to| to.iter().find(|to| left.contains_key(to))).cloned();
    let mut walked: Vec<RepoPath> = Vec::new();
    let mut at = left.keys().next().cloned();
    while let Some(path) = at {
        if let Some(start) = walked.iter().position(|seen| *seen == path) {
            let mut charts: Vec<String> = walked.iter().skip(start).map(ToString::to_string).collect();
            charts.push(path.to_string());
            return charts;
        }
        at = next(&path);
        walked.push(path);
    }
    walked.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> RepoPath {
        text.parse().unwrap()
    }

    #[test]
    fn where_a_file_repository_leads() {
        let check = |repository: &str| local_dependency(&path("charts/a"), repository).map(|path| path.to_string());
        assert_eq!(check("file://../common").as_deref(), Some("charts/common"));
        assert_eq!(check("file://.././../libs//common/").as_deref(), Some("libs/common"));
        assert_eq!(check("file://../a-b").as_deref(), Some("charts/a-b"));
        for elsewhere in
            ["https://example.com", "file:///srv/common", "file://../../../out", "file://charts/vendored", "file://.", "file://../../", "oci://x", ""]
        {
            assert_eq!(check(elsewhere), None, "{elsewhere}");
        }
    }

    fn check(changed: &[&str], edges: &[(&str, &str)]) -> String {
        let mut charts: BTreeMap<RepoPath, Node> = BTreeMap::new();
        for (from, to) in edges {
            for name in [from, to] {
                charts.entry(path(name)).or_insert_with(|| Node { chart: name.replace('/', "-").parse().unwrap(), dependencies: vec![] });
            }
            charts.get_mut(&path(from)).unwrap().dependencies.push(path(to));
        }
        let changes = changed.iter().map(|name| Change { chart: name.parse().unwrap(), path: path(name), kind: ChangeKind::Modified }).collect();
        match with_dependents(changes, &charts) {
            Ok(changes) => changes.iter().map(|change| format!("{} {}", change.kind.as_str(), change.path)).collect::<Vec<_>>().join(", "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn dependents_come_after_what_they_need() {
        insta::assert_snapshot!(check(&["common"], &[("app", "lib"), ("lib", "common"), ("other", "x")]), @"modified common, dependent lib, dependent app");
        insta::assert_snapshot!(check(&["a", "z"], &[("a", "z")]), @"modified z, modified a");
        insta::assert_snapshot!(check(&["a"], &[("a", "z")]), @"modified a");
        insta::assert_snapshot!(check(&["gone"], &[("app", "gone/charts/sub")]), @"modified gone, dependent app");
    }

    #[test]
    fn cycles_are_named() {
        insta::assert_snapshot!(check(&["a"], &[("a", "b"), ("b", "c"), ("c", "b")]), @"modified a");
        insta::assert_snapshot!(check(&["c"], &[("a", "b"), ("b", "c"), ("c", "b")]), @"the file:// dependencies of these charts form a cycle: b → c → b");
    }

    proptest! {
        #[test]
        fn order_holds_in_every_acyclic_graph(edges in proptest::collection::btree_set((0..12_u8, 0..12_u8), 0..30), changed in 0..12_u8) {
            let name = |n: u8| format!("c{n}");
            let edges: Vec<(String, String)> = edges.into_iter().filter(|(from, to)| from > to).map(|(from, to)| (name(from), name(to))).collect();
            let borrowed: Vec<(&str, &str)> = edges.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
            let listed = check(&[&name(changed)], &borrowed);
            let order: Vec<&str> = listed.split(", ").map(|row| row.split(' ').next_back().unwrap()).collect();
            for (from, to) in &edges {
                let at = |name: &str| order.iter().position(|listed| *listed == name);
                if let Some(needed) = at(to) {
                    prop_assert!(at(from).is_some_and(|dependent| dependent > needed), "{listed}: {from} after {to}");
                }
            }
        }
    }
}
