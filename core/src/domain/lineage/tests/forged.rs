//! Lineages that are false although the key of the policy signed every line.

use super::cases::{on, repackaged};
use super::fixture::{Setup, archive, checks, commit, members, source};
use crate::domain::digest::Sha256;
use crate::domain::lineage::rules::Rule;
use crate::domain::statement::*;

type Cases = Vec<(Rule, Setup)>;

pub(super) fn cases() -> Cases {
    [packages(), dependencies(), gates(), records(), bumps()].into_iter().flatten().collect()
}

fn gate(row: Row, change: fn(&mut Gate)) -> Setup {
    on(row, move |statement| {
        if let Predicate::Gate(gate) = &mut statement.predicate {
            change(gate);
        }
    })
}

fn promotion(change: fn(&mut Promotion)) -> Setup {
    on(Row::Promotion, move |statement| {
        if let Predicate::Promotion(promotion) = &mut statement.predicate {
            change(promotion);
        }
    })
}

fn bump(change: fn(&mut Bump)) -> Setup {
    on(Row::Bump, move |statement| {
        if let Predicate::Bump(bump) = &mut statement.predicate {
            change(bump);
        }
    })
}

fn build(change: fn(&mut Build)) -> Setup {
    on(Row::Build, move |statement| {
        if let Predicate::Build(build) = &mut statement.predicate {
            change(build);
        }
    })
}

/// A package with one member written otherwise or, without bytes, left out, and a build statement that says the same.
fn member(name: &'static str, bytes: Option<&'static [u8]>) -> Setup {
    let mut all = members();
    match bytes {
        Some(bytes) => all.insert(name.to_owned(), bytes.to_vec()),
        None => all.remove(name),
    };
    let package = archive(&all.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>());
    repackaged(package, move |build| {
        match bytes {
            Some(bytes) => build.members.insert(name.to_owned(), Member { sha256: Sha256::of(bytes), unchanged: false }),
            None => build.members.remove(name),
        };
    })
}

fn packages() -> Cases {
    vec![
        // Other metadata than the tagged chart's, under the tagged name and version.
        (Rule::ArtifactContents, member("a/Chart.yaml", Some(b"apiVersion: v2\nappVersion: evil\ndescription: x\nname: a\nversion: 1.1.0\n"))),
        (Rule::ArtifactContents, member("a/templates/a.yaml", None)),
        (Rule::ArtifactContents, member("a/values.yaml", None)),
        // Packaging writes a lock only for a chart that has one.
        (Rule::ArtifactContents, member("a/Chart.lock", Some(b"dependencies: []\n"))),
        (Rule::ArtifactContents, member("a/requirements.yaml", Some(b"dependencies: []\n"))),
    ]
}

fn in_repository(name: &str) -> BuildDependency {
    BuildDependency { name: name.to_owned(), version: "1.0.0".to_owned(), uri: format!("file://charts/{name}"), content: checks(None).base, sha256: None }
}

fn dependencies() -> Cases {
    let mut all = members();
    let evil: &[u8] = b"apiVersion: v2\nname: evil\nversion: 1.0.0\n";
    all.insert("a/charts/evil/Chart.yaml".to_owned(), evil.to_vec());
    let package = archive(&all.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>());
    let inside = move |build: &mut Build| {
        build.members.insert("a/charts/evil/Chart.yaml".to_owned(), Member { sha256: Sha256::of(evil), unchanged: false });
        build.dependencies.push(BuildDependency { content: None, uri: "vendored".to_owned(), ..in_repository("evil") });
    };
    vec![
        (Rule::ArtifactContents, repackaged(package, inside)),
        (Rule::PackageDependency, build(|build| build.dependencies.push(in_repository("evil")))),
        (Rule::PackageDependency, build(|build| build.dependencies.push(BuildDependency { content: None, ..in_repository("evil") }))),
    ]
}

fn gates() -> Cases {
    vec![
        (Rule::GateResource, gate(Row::ReleaseGate, |gate| gate.resource = source().resource("refs/heads/integration-b"))),
        (Rule::GateResource, gate(Row::Root, |gate| gate.resource = source().resource("refs/heads/feature"))),
        (Rule::GateResource, promotion(|promotion| promotion.branch = "integration-b".parse().unwrap())),
        (Rule::GatePolicy, gate(Row::Enforce, |gate| gate.policy.uri = "git+https://github.com/o/r@refs/heads/evil#.chartflow.yaml".to_owned())),
        (Rule::GatePolicy, gate(Row::Root, |gate| gate.verifier = "https://example.com/other".to_owned())),
        (Rule::GatePolicy, bump(|bump| bump.builder = "https://example.com/other".to_owned())),
        // A second configuration could name another main branch.
        (Rule::GatePolicy, gate(Row::Enforce, |gate| gate.configuration = Some("charts: [charts/*]\n".to_owned()))),
        (Rule::GateDecision, gate(Row::Root, |gate| gate.levels.push("SLSA_BUILD_LEVEL_3".to_owned()))),
    ]
}

fn records() -> Cases {
    let counted = |change: fn(&mut Vec<CommitRecord>)| {
        Setup::default().statements(move |statement| match &mut statement.predicate {
            Predicate::Promotion(promotion) => change(&mut promotion.commits),
            Predicate::Bump(bump) => change(&mut bump.commits),
            _ => {}
        })
    };
    vec![
        (Rule::ReviewCount, counted(|commits| commits[0].pull = Some(99))),
        (Rule::BumpCommits, counted(|commits| commits.push(commits[0].clone()))),
        (Rule::ReviewCount, promotion(|promotion| promotion.contributions.push(promotion.contributions[0].clone()))),
        (Rule::LineageEdge, promotion(|promotion| promotion.removed = true)),
        (Rule::LineageRange, promotion(|promotion| promotion.range.from = None)),
        (Rule::LineageRange, promotion(|promotion| promotion.range.from = Some(promotion.range.to.clone()))),
        (
            Rule::ReviewCount,
            on(Row::Tag, |statement| {
                if let Predicate::Tag(TagRecord { pull: Some(pull), .. }) = &mut statement.predicate {
                    pull.merge = commit('9');
                }
            }),
        ),
    ]
}

fn bumps() -> Cases {
    vec![
        (Rule::BumpContent, bump(|bump| bump.witness.changelog_entry = Some("## 1.1.0\n\n- another entry\n".to_owned()))),
        (Rule::BumpContent, bump(|bump| drop(bump.edits.dependencies.insert("redis".to_owned(), "99.0.0".to_owned())))),
    ]
}
