use std::collections::BTreeSet;

use async_trait::async_trait;

use super::*;
use crate::domain::content::{File, Files};
use crate::domain::digest::{BlobId, ObjectFormat};
use crate::domain::tree::Mode;
use crate::domain::tree::Tree;
use crate::port::objects::{Commit, Person};

/// Objects in memory; every commit's parent is the one before it. Counts the blobs it is asked for.
#[derive(Default)]
struct Memory {
    commits: Vec<(CommitId, TreeId)>,
    trees: BTreeMap<TreeId, Tree>,
    blobs: BTreeMap<BlobId, Vec<u8>>,
    read: std::sync::Mutex<BTreeSet<BlobId>>,
}

impl Memory {
    fn add(&mut self, rows: &[(&str, &str)]) -> CommitId {
        let mut files = Files::new();
        for (path, content) in rows {
            if *content == "submodule" {
                continue;
            }
            files.insert_file(*path, File { mode: Mode::File, bytes: content.as_bytes().to_vec() });
            self.blobs.insert(BlobId::from_raw(&ObjectFormat::Sha1.hash("blob", content.as_bytes())).unwrap(), content.as_bytes().to_vec());
        }
        let (mut top, trees) = files.trees(ObjectFormat::Sha1).unwrap();
        for tree in trees.into_values() {
            self.trees.insert(tree.id(ObjectFormat::Sha1).unwrap(), tree);
        }
        for (path, _) in rows.iter().filter(|(_, content)| *content == "submodule") {
            top = self.with_submodule(&top, path);
        }
        let id = CommitId::from_raw(&ObjectFormat::Sha1.hash("commit", format!("{top}{}", self.commits.len()).as_bytes())).unwrap();
        self.commits.push((id.clone(), top));
        id
    }

    fn with_submodule(&mut self, tree: &TreeId, path: &str) -> TreeId {
        let mut entries = self.trees.get(tree).map(|tree| tree.entries().to_vec()).unwrap_or_default();
        match path.split_once('/') {
            None => entries.push(crate::domain::tree::Entry {
                name: path.to_owned(),
                mode: Mode::Submodule,
                id: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".to_owned(),
            }),
            Some((name, rest)) => {
                let below = entries
                    .iter()
                    .find(|entry| entry.name == name)
                    .and_then(crate::domain::tree::Entry::as_tree)
                    .unwrap_or_else(|| Tree::default().id(ObjectFormat::Sha1).unwrap());
                let changed = self.with_submodule(&below, rest);
                entries.retain(|entry| entry.name != name);
                entries.push(crate::domain::tree::Entry { name: name.to_owned(), mode: Mode::Directory, id: changed.to_string() });
            }
        }
        let tree = Tree::new(entries).unwrap();
        let id = tree.id(ObjectFormat::Sha1).unwrap();
        self.trees.insert(id.clone(), tree);
        id
    }
}

#[async_trait]
impl Objects for Memory {
    async fn commit(&self, id: &CommitId) -> Result<Commit, ObjectError> {
        let (_, tree) = self.commits.iter().find(|(commit, _)| commit == id).unwrap();
        let author = Person { name: String::new(), email: String::new() };
        Ok(Commit { id: id.clone(), tree: tree.clone(), parents: vec![], author, committed: 0, message: String::new() })
    }

    async fn tree(&self, id: &TreeId) -> Result<Tree, ObjectError> {
        Ok(self.trees[id].clone())
    }

    async fn blob(&self, id: &BlobId, _limit: usize) -> Result<Vec<u8>, ObjectError> {
        self.read.lock().unwrap().insert(id.clone());
        Ok(self.blobs[id].clone())
    }

    async fn files(&self, _: &TreeId) -> Result<Files, ObjectError> {
        panic!("detection reads no files")
    }

    async fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, ObjectError> {
        let at = |id| self.commits.iter().position(|(commit, _)| commit == id).unwrap();
        Ok(Some(if at(one) < at(other) { one.clone() } else { other.clone() }))
    }

    async fn history(&self, _: &CommitId, _: &[CommitId]) -> Result<Vec<Commit>, ObjectError> {
        panic!("detection walks no history")
    }
}

struct Case {
    globs: &'static [&'static str],
    dependents: bool,
}

const PLAIN: Case = Case { globs: &["charts/*"], dependents: false };

fn check(case: &Case, before: &[(&str, &str)], after: &[(&str, &str)]) -> String {
    let mut memory = Memory::default();
    let (base, head) = (memory.add(before), memory.add(after));
    let request = Request { base, head, exact: false, dependents: case.dependents, globs: Globs::new(case.globs).unwrap(), map: BTreeMap::new() };
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(answer) = std::pin::pin!(detect(&memory, &request)).poll(&mut context) else { panic!("memory never waits") };
    let read = memory.read.lock().unwrap().len();
    match answer {
        Ok((detection, notices)) => {
            let from = |change: &Change| {
                if let crate::domain::detection::ChangeKind::Renamed { from } = &change.kind { format!(" from {from}") } else { String::new() }
            };
            let rows = detection.charts.iter().map(|change| format!("{} {} at {}{}", change.kind.as_str(), change.chart, change.path, from(change)));
            let notices = notices.iter().map(|notice| format!("notice: {notice}"));
            rows.chain(notices).chain([format!("Chart.yaml read: {read}")]).collect::<Vec<_>>().join("\n")
        }
        Err(error) => {
            let causes = std::iter::successors(std::error::Error::source(&error), |error| error.source()).map(|cause| format!(": {cause}"));
            format!("error: {error}{}", causes.collect::<String>())
        }
    }
}

const A1: (&str, &str) = ("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n");
const A2: (&str, &str) = ("charts/a/Chart.yaml", "name: a\nversion: 1.0.1\n");
const B: (&str, &str) = ("charts/b/Chart.yaml", "name: b\nversion: 1.0.0\n");

#[test]
fn only_charts_under_the_globs() {
    insta::assert_snapshot!(check(&PLAIN, &[A1, B, ("README.md", "1")], &[A2, B, ("README.md", "2"), ("charts/notes/x", "1"), ("charts/y", "file")]), @"
    modified a at charts/a
    Chart.yaml read: 0
    ");
    insta::assert_snapshot!(check(&PLAIN, &[A1], &[A1, B]), @"
    added b at charts/b
    Chart.yaml read: 1
    ");
    insta::assert_snapshot!(check(&PLAIN, &[A1], &[A1, ("other/c/Chart.yaml", "name: c\n")]), @"Chart.yaml read: 0");
}

#[test]
fn charts_within_charts_are_theirs() {
    let deep = Case { globs: &["charts/**"], dependents: false };
    let vendored = ("charts/a/charts/sub/Chart.yaml", "name: sub\n");
    insta::assert_snapshot!(check(&deep, &[A1], &[A1, vendored, ("charts/group/c/Chart.yaml", "name: c\n")]), @"
    modified a at charts/a
    added c at charts/group/c
    Chart.yaml read: 1
    ");
}

#[test]
fn without_a_chart_under_the_globs_all_are_found() {
    let rows = [
        ("stable/a/Chart.yaml", "name: a\n"),
        ("top/Chart.yaml", "name: top\n"),
        (".hidden/x/Chart.yaml", "name: x\n"),
        ("stable/a/charts/v/Chart.yaml", "name: v\n"),
        ("charts/README.md", "1"),
    ];
    insta::assert_snapshot!(check(&PLAIN, &[], &rows), @r#"
    added a at stable/a
    added top at top
    notice: no chart is where "charts/*" says; every directory was searched instead. Write `charts: ["stable/*", "top"]` into .chartflow.yaml
    Chart.yaml read: 2
    "#);
    insta::assert_snapshot!(check(&PLAIN, &[], &[("README.md", "1")]), @r#"
    notice: no directory holds a Chart.yaml, neither where "charts/*" says nor elsewhere
    Chart.yaml read: 0
    "#);
    insta::assert_snapshot!(check(&PLAIN, &[], &[("Chart.yaml", "name: a\n")]), @"
    notice: the top of the repository is itself a chart; a chart needs a directory of its own, such as charts/<name>
    Chart.yaml read: 0
    ");
    // The last chart of the globs that goes is no reason to look elsewhere.
    insta::assert_snapshot!(check(&PLAIN, &[A1, rows[0]], &[rows[0]]), @"
    removed a at charts/a
    Chart.yaml read: 1
    ");
}

#[test]
fn submodules() {
    insta::assert_snapshot!(check(&PLAIN, &[A1], &[A1, ("charts/s", "submodule")]), @"error: charts/s is a submodule; its content is not part of this repository and cannot be released from it");
    insta::assert_snapshot!(check(&PLAIN, &[A1], &[A1, ("charts/a/files", "submodule")]), @"error: charts/a/files is a submodule; its content is not part of this repository and cannot be released from it");
    insta::assert_snapshot!(check(&PLAIN, &[A1, ("charts/s", "submodule"), ("x", "submodule")], &[A2, ("charts/s", "submodule")]), @"
    modified a at charts/a
    Chart.yaml read: 0
    ");
}

#[test]
fn names_are_read_leniently() {
    insta::assert_snapshot!(check(&PLAIN, &[], &[("charts/a/Chart.yaml", "name: a\nversion: [not, text]\nmaintainers: 3\n")]), @"
    added a at charts/a
    Chart.yaml read: 1
    ");
    insta::assert_snapshot!(check(&PLAIN, &[], &[("charts/a/Chart.yaml", "{: not yaml")]), @"
    added a at charts/a
    notice: charts/a/Chart.yaml has no name that can be read; the directory's name is used
    Chart.yaml read: 1
    ");
}

#[test]
fn dependents() {
    let with = Case { globs: &["charts/*", "libs/*"], dependents: true };
    let lib1 = ("libs/common/Chart.yaml", "name: common\nversion: 1.0.0\n");
    let lib2 = ("libs/common/Chart.yaml", "name: common\nversion: 1.1.0\n");
    let app = ("charts/app/Chart.yaml", "name: app\ndependencies:\n- name: b\n  repository: file://../b\n- name: x\n  repository: https://example.com\n");
    let b = ("charts/b/Chart.yaml", "name: b\ndependencies:\n- name: common\n  repository: file://../../libs/common\n");
    insta::assert_snapshot!(check(&with, &[A1, lib1, app, b], &[A1, lib2, app, b]), @"
    modified common at libs/common
    dependent b at charts/b
    dependent app at charts/app
    Chart.yaml read: 4
    ");
    let first = ("charts/old/Chart.yaml", "apiVersion: v1\nname: old\n");
    let requirements = ("charts/old/requirements.yaml", "dependencies:\n- name: common\n  alias: c\n  repository: file://../../libs/common\n");
    insta::assert_snapshot!(check(&with, &[A1, lib1, first, requirements], &[A1, lib2, first, requirements]), @"
    modified common at libs/common
    dependent old at charts/old
    Chart.yaml read: 4
    ");
    let garbled = ("charts/old/requirements.yaml", "dependencies: [");
    insta::assert_snapshot!(check(&with, &[A1, lib1, first, garbled], &[A1, lib2, first, garbled]), @"error: the dependencies of charts/old cannot be read: charts/old/requirements.yaml:2:1: not YAML: while parsing a node, did not find expected node content");
    let back = ("libs/common/Chart.yaml", "name: common\ndependencies:\n- name: app\n  repository: file://../../charts/app\n");
    insta::assert_snapshot!(check(&with, &[A1, lib1, app, b], &[A1, back, app, b]), @"error: the file:// dependencies of these charts form a cycle: charts/app → charts/b → libs/common → charts/app");
    insta::assert_snapshot!(check(&with, &[A1, app], &[A1, app]), @"Chart.yaml read: 0");
}
