//! A valid lineage of one release of one chart.

use std::collections::BTreeMap;
use std::io::Write as _;

use sigstore_crypto::KeyPair;

use crate::domain::chart::edit;
use crate::domain::content::Files;
use crate::domain::digest::{CommitId, ObjectFormat, Sha256, TagObjectId};
use crate::domain::lineage::bundle::{Anchor, key_bundle, key_id, signed_bytes};
use crate::domain::lineage::contents::blob_id;
use crate::domain::lineage::facts::{Ending, RepositoryFacts, TagFact};
use crate::domain::lineage::report::Report;
use crate::domain::lineage::verify::{Artifact, anchor, verify};
use crate::domain::oci::chart_artifact;
use crate::domain::package::{Limits, read_package};
use crate::domain::policy::{Policy, Repository, ReviewRules};
use crate::domain::statement::*;

pub(super) const DATE: i64 = 1_700_000_000;

pub(super) fn commit(digit: char) -> CommitId {
    CommitId::new(digit.to_string().repeat(40)).unwrap()
}

/// The chart's files as promoted, or as released.
pub(super) fn chart_files(released: bool) -> Files {
    let chart_yaml = b"apiVersion: v2\nname: a\nversion: 1.0.0 # the version\ndescription: x\n";
    let mut files = Files::new();
    files.insert("values.yaml", "switch: true\n");
    files.insert("templates/a.yaml", "kind: ConfigMap\n");
    files.insert("Chart.yaml", chart_yaml.to_vec());
    if released {
        files.insert("Chart.yaml", edit::set_version(chart_yaml, &"1.1.0".parse().unwrap()).unwrap());
        files.insert("CHANGELOG.md", "# Changelog\n\n## 1.1.0\n");
    }
    files
}

/// A gzipped tar archive.
pub(super) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(DATE as u64);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&builder.into_inner().unwrap()).unwrap();
    encoder.finish().unwrap()
}

/// The members of the package.
pub(super) fn members() -> BTreeMap<String, Vec<u8>> {
    read_package(&package(), Limits::default()).unwrap().members.into_iter().collect()
}

fn manifest() -> Sha256 {
    let metadata = read_package(&package(), Limits::default()).unwrap().metadata;
    chart_artifact(&metadata, &package(), DATE).unwrap().manifest.digest
}

/// The package: everything as it is, Chart.yaml written anew.
pub(super) fn package() -> Vec<u8> {
    archive(&[
        ("a/Chart.yaml", b"apiVersion: v2\ndescription: x\nname: a\nversion: 1.1.0\n"),
        ("a/values.yaml", b"switch: true\n"),
        ("a/templates/a.yaml", b"kind: ConfigMap\n"),
        ("a/CHANGELOG.md", b"# Changelog\n\n## 1.1.0\n"),
    ])
}

pub(super) fn raw_root(files: &Files) -> Vec<u8> {
    let (_, trees) = files.trees(ObjectFormat::Sha256).unwrap();
    trees[""].encode(ObjectFormat::Sha256).unwrap()
}

pub(super) fn source() -> Source {
    Source {
        server: "https://github.com".to_owned(),
        repository: "o/r".parse().unwrap(),
        id: 7,
        chart: "a".parse().unwrap(),
        path: "charts/a".parse().unwrap(),
    }
}

fn content(released: bool) -> Subject {
    Subject::Content { path: "charts/a".parse().unwrap(), id: chart_files(released).content_id().unwrap() }
}

fn package_subject() -> Subject {
    Subject::Package {
        file: "a-1.1.0.tgz".to_owned(),
        sha256: Sha256::of(&package()),
        reference: "registry.example.com/charts/a:1.1.0".to_owned(),
        manifest: manifest(),
    }
}

fn pull(number: u64, head: char) -> PullRecord {
    let account = |id: u64, login: &str| Account { id, login: login.to_owned() };
    PullRecord {
        pull: number,
        head: commit(head),
        merge: commit(if number == 3 { 'c' } else { 'b' }),
        author: account(1, "author"),
        merged_by: Some(account(2, "reviewer")),
        reviews: vec![Review { reviewer: account(2, "reviewer"), head: commit(head), state: ReviewState::Approved }],
    }
}

pub(super) fn checks(outside: Option<&str>) -> Checks {
    let key = outside.unwrap_or("schema").to_owned();
    Checks {
        result: CheckResult::Passed,
        passed: vec![key.clone()],
        warned: vec![],
        failed: vec![],
        definitions: BTreeMap::from([(key, Sha256::of(b"definition"))]),
        base: Some(crate::domain::content::ContentId { sha1: chart_files(false).content_id().unwrap().sha1, sha256: Sha256::of(b"base") }),
        dependencies: vec![],
        configuration: Sha256::of(b"charts: [charts/*]\n"),
        outside: outside.map(str::to_owned),
    }
}

fn commits() -> Vec<CommitRecord> {
    vec![
        CommitRecord { id: commit('1'), message: "fix(a): one".to_owned(), author: None, pull: Some(1) },
        CommitRecord { id: commit('2'), message: "feat(a): two".to_owned(), author: None, pull: Some(1) },
    ]
}

fn promotion() -> Promotion {
    Promotion {
        commit: commit('b'),
        branch: "integration-a".parse().unwrap(),
        range: Range { from: Some(commit('a')), to: commit('b') },
        commits: commits(),
        omitted: None,
        previous: Some(Previous { tag: "a-v1.0.0".parse().unwrap(), content: chart_files(false).content_id().unwrap(), root: None }),
        contributions: vec![pull(1, '2')],
        removed_path: None,
        removed: false,
    }
}

fn gate(branch: &str, configuration: bool) -> Gate {
    Gate {
        verifier: "https://example.com/chartflow".to_owned(),
        resource: source().resource(&format!("refs/heads/{branch}")),
        policy: PolicyReference { uri: "git+https://github.com/o/r@refs/heads/main#.chartflow.yaml".to_owned(), sha256: Sha256::of(b"charts: [charts/*]\n") },
        passed: true,
        levels: vec![],
        configuration: configuration.then(|| "charts: [charts/*]\n".to_owned()),
        downloaded: vec![],
    }
}

pub(super) fn bump() -> Bump {
    Bump {
        builder: "https://example.com/chartflow".to_owned(),
        before: chart_files(false).content_id().unwrap(),
        from: Some("1.0.0".to_owned()),
        to: "1.1.0".to_owned(),
        level: Level::Minor,
        versions: "higher".to_owned(),
        floor: Some("1.0.0".to_owned()),
        commits: commits(),
        omitted: None,
        date: DATE,
        edits: ChartEdits::default(),
        witness: Witness {
            before: raw_root(&chart_files(false)),
            after: raw_root(&chart_files(true)),
            chart_yaml: chart_files(false).bytes("Chart.yaml").unwrap().to_vec(),
            requirements_yaml: None,
            lock_before: None,
            chart_lock: None,
            changelog_entry: Some("## 1.1.0\n".to_owned()),
        },
    }
}

fn build() -> Build {
    let files = chart_files(true);
    let members = members();
    Build {
        builder: "https://example.com/chartflow".to_owned(),
        content: files.content_id().unwrap(),
        commit: commit('c'),
        version: "1.1.0".to_owned(),
        files: files.iter().map(|(path, file)| (path.to_owned(), TreeFile { mode: file.mode, blob: blob_id(&file.bytes).unwrap() })).collect(),
        members: members.iter().map(|(name, bytes)| (name.clone(), Member { sha256: Sha256::of(bytes), unchanged: name != "a/Chart.yaml" })).collect(),
        dependencies: vec![],
        epoch: DATE,
    }
}

pub(super) fn facts() -> RepositoryFacts {
    let tag_object = TagObjectId::new("d".repeat(40)).unwrap();
    let (promoted, released) = (chart_files(false).content_id().unwrap(), chart_files(true).content_id().unwrap());
    RepositoryFacts {
        tag: Some(TagFact { object: Some(tag_object), commit: commit('c') }),
        content: Some(released),
        content_before: checks(None).base,
        on_main: Some(true),
        source_content: Some(promoted.clone()),
        touching: Some(vec![commit('1'), commit('2')]),
        heads_are_merged: true,
        previous_content: Some(promoted),
        previous_end: Ending::At(commit('a')),
        from_is_contained: Some(true),
        from_was_carried: Some(true),
        rebuilt: Some(Sha256::of(&package())),
    }
}

type Change<T> = Box<dyn Fn(T) -> T>;

/// What is changed about a release that is in order.
pub(super) struct Setup {
    outside: Vec<&'static str>,
    statement: Box<dyn Fn(&mut Statement)>,
    payload: Change<Vec<u8>>,
    lines: Change<Vec<String>>,
    policy: Box<dyn Fn(&mut Policy)>,
    package: Change<Vec<u8>>,
    facts: Option<RepositoryFacts>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            outside: vec![],
            statement: Box::new(|_| {}),
            payload: Box::new(|payload| payload),
            lines: Box::new(|lines| lines),
            policy: Box::new(|_| {}),
            package: Box::new(|package| package),
            facts: None,
        }
    }
}

impl Setup {
    /// Adds the statement of an outside check.
    pub(super) fn outside(mut self, key: &'static str) -> Self {
        self.outside.push(key);
        self
    }

    /// Changes every statement of a row before it is signed; later ones rest on the changed one.
    pub(super) fn statement(mut self, row: Row, change: impl Fn(&mut Statement) + 'static) -> Self {
        self.statement = Box::new(move |statement| {
            if statement.row() == Some(row) {
                change(statement);
            }
        });
        self
    }

    /// Changes every statement.
    pub(super) fn statements(mut self, change: impl Fn(&mut Statement) + 'static) -> Self {
        self.statement = Box::new(change);
        self
    }

    /// Changes what is signed in place of the root's payload.
    pub(super) fn root_payload(mut self, change: impl Fn(Vec<u8>) -> Vec<u8> + 'static) -> Self {
        self.payload = Box::new(change);
        self
    }

    /// Changes the signed lines.
    pub(super) fn lines(mut self, change: impl Fn(Vec<String>) -> Vec<String> + 'static) -> Self {
        self.lines = Box::new(change);
        self
    }

    pub(super) fn policy(mut self, change: impl Fn(&mut Policy) + 'static) -> Self {
        self.policy = Box::new(change);
        self
    }

    pub(super) fn package(mut self, change: impl Fn(Vec<u8>) -> Vec<u8> + 'static) -> Self {
        self.package = Box::new(change);
        self
    }

    pub(super) fn with_repository(mut self, change: impl Fn(&mut RepositoryFacts)) -> Self {
        let mut facts = facts();
        change(&mut facts);
        self.facts = Some(facts);
        self
    }

    /// Policy, anchor and lines under a fresh key.
    pub(super) fn signed(&self) -> (Policy, Anchor, Vec<String>) {
        let pair = KeyPair::generate_ecdsa_p256().unwrap();
        let spki = pair.public_key_der().unwrap().as_bytes().to_vec();
        let repository = Repository { name: "o/r".parse().unwrap(), id: Some(7), owner_id: None };
        let from = jiff::Timestamp::from_second(DATE).unwrap();
        let reviews = ReviewRules { integration: 1, main: 1 };
        let mut policy = Policy::for_rehearsal(repository, "{chart}-v{version}", &spki, from, vec!["schema".to_owned()], vec![], reviews);
        (self.policy)(&mut policy);
        let anchor = anchor(&policy, None).unwrap();
        let sign = |payload: &[u8]| key_bundle(payload, &key_id(&spki), pair.sign(&signed_bytes(payload)).unwrap().as_bytes().to_vec()).unwrap();
        let mut lines: Vec<String> = Vec::new();
        for statement in self.all() {
            let payload = statement.to_payload();
            lines.push(sign(&if statement.row() == Some(Row::Root) { (self.payload)(payload) } else { payload }));
        }
        (policy, anchor, (self.lines)(lines))
    }

    /// All statements in the order of the train.
    fn all(&self) -> Vec<Statement> {
        let mut all: Vec<Statement> = Vec::new();
        let mut add = |stage: Stage, subject: Subject, inputs: Vec<Input>, predicate: Predicate| {
            let mut statement = Statement { stage, source: source(), subject, inputs, predicate };
            (self.statement)(&mut statement);
            all.push(statement.clone());
            statement.as_input()
        };
        let mut checked = vec![add(Stage::Validate, content(false), vec![], Predicate::Checks(checks(None)))];
        for key in &self.outside {
            checked.push(add(Stage::Validate, content(false), vec![], Predicate::Checks(checks(Some(key)))));
        }
        let with = |more: &[&Input]| checked.iter().chain(more.iter().copied()).cloned().collect::<Vec<_>>();
        let filter = add(Stage::Filter, content(false), checked.clone(), Predicate::Promotion(promotion()));
        let enforce = add(Stage::Enforce, content(false), with(&[&filter]), Predicate::Gate(gate("integration-a", false)));
        let bumped = add(Stage::Bump, content(true), vec![enforce.clone()], Predicate::Bump(bump()));
        let release = add(Stage::Bump, content(true), with(&[&filter, &enforce, &bumped]), Predicate::Gate(gate("integration-a", true)));
        let record = TagRecord {
            tag: "a-v1.1.0".parse().unwrap(),
            tag_object: TagObjectId::new("d".repeat(40)).unwrap(),
            commit: commit('c'),
            pull: Some(pull(3, 'e')),
        };
        let tag = add(Stage::Tag, content(true), vec![release.clone()], Predicate::Tag(record));
        let built = add(Stage::Package, package_subject(), vec![tag.clone()], Predicate::Build(build()));
        add(Stage::Package, package_subject(), with(&[&filter, &enforce, &bumped, &release, &tag, &built]), Predicate::Gate(gate("release", false)));
        all
    }
}

/// Verifies the package of a setup.
pub(super) fn verified(setup: Setup) -> Report {
    let (policy, anchor, lines) = setup.signed();
    let package = (setup.package)(package());
    verify(&Artifact::Package { bytes: &package }, lines.join("\n").as_bytes(), &policy, &anchor, setup.facts.as_ref())
}
