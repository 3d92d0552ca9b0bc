//! A chain of statements of one release, as far as texts look at it.

use super::super::*;
use crate::domain::configuration::Configuration;
use crate::domain::content::{ContentId, Files};
use crate::domain::digest::{CommitId, Sha256, TagObjectId, TreeId};
use crate::domain::oci;
use crate::domain::package::{self, Source as PackageSource};
use crate::domain::statement::*;
use crate::domain::version::{Decision, Reason};
use crate::flow::CheckEntry;
use crate::flow::bump::Derived;
use crate::flow::package::Built;
use crate::flow::preview::Preview;

pub(super) const DATE: i64 = 1_700_000_000;

pub(super) fn words() -> Words {
    Words {
        links: Links::new("https://github.com", "o/r".parse().unwrap()),
        names: Names::new(&Configuration::default()),
        hold_label: "hold".to_owned(),
        versions: Versions::Higher,
        app: true,
    }
}

pub(super) fn redis() -> ChartName {
    "redis".parse().unwrap()
}

pub(super) fn commit(digit: char) -> CommitId {
    CommitId::new(digit.to_string().repeat(40)).unwrap()
}

pub(super) fn content(digit: char) -> ContentId {
    ContentId { sha1: TreeId::new(digit.to_string().repeat(40)).unwrap(), sha256: Sha256::of(&[digit as u8]) }
}

pub(super) fn source() -> Source {
    Source { server: "https://github.com".to_owned(), repository: "o/r".parse().unwrap(), id: 7, chart: redis(), path: "charts/redis".parse().unwrap() }
}

/// A statement about a content whose digest is the same digit throughout.
pub(super) fn signed(digit: char, stage: Stage, about: ContentId, predicate: Predicate) -> Signed {
    let statement =
        Statement { stage, source: source(), subject: Subject::Content { path: "charts/redis".parse().unwrap(), id: about }, inputs: vec![], predicate };
    let digest = digit.to_string().repeat(64).parse().unwrap();
    Signed { statement, digest: StatementDigest(digest), bundle: "{}".to_owned() }
}

pub(super) fn gate() -> Gate {
    Gate {
        verifier: "w".to_owned(),
        resource: "r".to_owned(),
        policy: PolicyReference { uri: "u".to_owned(), sha256: Sha256::of(b"") },
        passed: true,
        levels: vec![],
        configuration: None,
        downloaded: vec![],
    }
}

pub(super) fn checks(outside: Option<&str>) -> Predicate {
    Predicate::Checks(Checks {
        result: CheckResult::Warned,
        passed: outside.map_or_else(|| vec!["helm-lint".to_owned()], |check| vec![check.to_owned()]),
        warned: if outside.is_some() { vec![] } else { vec!["schema".to_owned()] },
        failed: vec![],
        definitions: BTreeMap::new(),
        base: Some(content('a')),
        dependencies: vec![],
        configuration: Sha256::of(b""),
        outside: outside.map(str::to_owned),
    })
}

pub(super) fn record(digit: char, message: &str, pull: Option<u64>) -> CommitRecord {
    CommitRecord { id: commit(digit), message: message.to_owned(), author: Some("Ann".to_owned()), pull }
}

pub(super) fn promotion() -> Promotion {
    Promotion {
        commit: commit('1'),
        branch: "integration-redis".parse().unwrap(),
        range: Range { from: None, to: commit('1') },
        commits: vec![record('2', "feat: a switch (#12)", Some(12)), record('3', "fix: @ann's <b>", None)],
        omitted: None,
        previous: None,
        contributions: vec![],
        removed_path: None,
        removed: false,
    }
}

pub(super) fn bump(level: Level) -> Bump {
    Bump {
        builder: "w".to_owned(),
        before: content('b'),
        from: Some("1.2.3".to_owned()),
        to: if level == Level::None { "1.2.3" } else { "1.3.0" }.to_owned(),
        level,
        versions: "higher".to_owned(),
        floor: None,
        commits: promotion().commits,
        omitted: None,
        date: DATE,
        edits: ChartEdits::default(),
        witness: Witness {
            before: vec![],
            after: vec![],
            chart_yaml: b"apiVersion: v2\nname: redis\nversion: 1.2.3\n".to_vec(),
            requirements_yaml: None,
            lock_before: None,
            chart_lock: None,
            changelog_entry: None,
        },
    }
}

/// As far as the gate of the chart's branch.
pub(super) fn promoted(promotion: Promotion) -> Chain {
    Chain {
        checks: vec![signed('1', Stage::Validate, content('b'), checks(None)), signed('2', Stage::Validate, content('b'), checks(Some("scan")))],
        promotion: signed('3', Stage::Filter, content('b'), Predicate::Promotion(promotion)),
        enforce: Some(signed('4', Stage::Enforce, content('b'), Predicate::Gate(gate()))),
        bump: None,
        gate: None,
        tag: None,
    }
}

pub(super) fn bumped(level: Level) -> Chain {
    Chain { bump: Some(signed('5', Stage::Bump, content('c'), Predicate::Bump(bump(level)))), ..promoted(promotion()) }
}

pub(super) fn released() -> Chain {
    let record = TagRecord { tag: "redis-v1.3.0".parse().unwrap(), tag_object: TagObjectId::new("9".repeat(40)).unwrap(), commit: commit('4'), pull: None };
    Chain {
        gate: Some(signed('6', Stage::Bump, content('c'), Predicate::Gate(gate()))),
        tag: Some(signed('7', Stage::Tag, content('c'), Predicate::Tag(record))),
        ..bumped(Level::Minor)
    }
}

pub(super) fn state(version: &str, digit: char) -> Option<State> {
    Some(State { version: version.parse().ok(), content: content(digit).sha1 })
}

pub(super) fn against_main(after: &str) -> Sides {
    Sides { before: state("1.2.3", 'a'), after: state(after, 'c') }
}

pub(super) fn derived(chain: &Chain) -> Derived {
    Derived {
        files: Files::new(),
        path: "charts/redis".parse().unwrap(),
        content: content('c'),
        edits: BTreeMap::new(),
        from: Some("1.2.3".to_owned()),
        to: "1.3.0".to_owned(),
        level: Level::Minor,
        reason: "it follows 1.2.3 by the commits".to_owned(),
        authors: vec![Author { name: "Ann".to_owned(), email: "ann@example.com".to_owned() }],
        statement: chain.bump.as_ref().unwrap().statement.clone(),
    }
}

pub(super) fn judgement(chart: &str, outcome: &'static str, signed: Option<Signed>) -> Judgement {
    let chart: ChartName = chart.parse().unwrap();
    let check = |check: &str, outcome, message: &str| CheckEntry { check: check.to_owned(), chart: chart.clone(), outcome, message: message.to_owned() };
    Judgement {
        before: Some(content('a').sha1),
        after: Some(content('b').sha1),
        commits: counted(&promotion().commits),
        preview: Preview {
            refused: None,
            before: Some(Version::new(1, 2, 3)),
            contributed: Some(Version::new(1, 2, 3)),
            decision: Some(Decision { version: Version::new(1, 3, 0), level: Level::Minor, reason: Reason::Commits { from: Version::new(1, 2, 3) } }),
            entry: Some("## 1.3.0 (2023-11-14)\n\n- one\n".to_owned()),
        },
        checks: vec![check("schema", outcome, outcome), check("helm-lint", "skipped", "there is no helm")],
        signed,
        outside: Vec::new(),
        asked: vec!["scan".to_owned()],
        chart,
    }
}

pub(super) fn built() -> Built {
    let mut files = Files::new();
    files.insert("Chart.yaml", b"apiVersion: v2\nname: redis\nversion: 1.3.0\n".to_vec());
    let package = package::package(&PackageSource { path: "charts/redis", files: &files, dependencies: &BTreeMap::new() }, DATE).unwrap();
    let image = oci::chart_artifact(&package.metadata, &package.bytes, DATE).unwrap();
    let statement = package_line('8', &package.file_name, package.sha256, false).statement;
    Built { package, image, repository: "ghcr.io/o/charts/redis".to_owned(), epoch: DATE, statement }
}

pub(super) fn package_line(digit: char, file: &str, sha256: Sha256, root: bool) -> Signed {
    let build = Build {
        builder: "w".to_owned(),
        content: content('c'),
        commit: commit('4'),
        version: "1.3.0".to_owned(),
        files: BTreeMap::new(),
        members: BTreeMap::new(),
        dependencies: vec![],
        epoch: DATE,
    };
    let predicate = if root { Predicate::Gate(gate()) } else { Predicate::Build(build) };
    let mut line = signed(digit, Stage::Package, content('c'), predicate);
    line.statement.subject =
        Subject::Package { file: file.to_owned(), sha256, reference: "ghcr.io/o/charts/redis:1.3.0".to_owned(), manifest: Sha256::of(b"m") };
    line
}
