//! Each rule broken once.

use std::collections::BTreeMap;

use super::fixture::{DATE, Setup, archive, checks, commit, members, package, source, verified};
use crate::domain::digest::Sha256;
use crate::domain::lineage::facts::Ending;
use crate::domain::lineage::report::Report;
use crate::domain::lineage::rules::Rule;
use crate::domain::policy::{OutsideCheck, Revoked};
use crate::domain::statement::*;
use crate::domain::tree::Mode;

macro_rules! says {
    ($statement:ident, $variant:ident, $says:ident => $change:expr) => {
        if let Predicate::$variant($says) = &mut $statement.predicate {
            $change;
        }
    };
}

fn lines(change: impl Fn(Vec<String>) -> Vec<String> + 'static) -> Setup {
    Setup::default().lines(change)
}

pub(super) fn on(row: Row, change: impl Fn(&mut Statement) + 'static) -> Setup {
    Setup::default().statement(row, change)
}

fn changed_json(line: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = serde_json::from_str(line).unwrap();
    change(&mut value);
    value.to_string()
}

/// The rules that the certificate profiles add; [`super::super::signer`] breaks them.
pub(super) fn certificate_rules() -> Vec<Rule> {
    use super::super::signer::tests::check;
    let broken = |change: fn(&mut sigstore_crypto::FulcioCiClaims)| check(change).into_iter().map(|(rule, _)| rule);
    broken(|claims| claims.build_signer_uri = None)
        .chain(broken(|claims| claims.source_repository_identifier = None))
        .chain(broken(|claims| claims.source_repository_ref = None))
        .chain(broken(|claims| claims.build_trigger = None))
        .chain(broken(|claims| claims.runner_environment = None))
        .chain(broken(|claims| claims.deployment_environment = None))
        .chain(broken(|claims| claims.build_signer_digest = None))
        .collect()
}

pub(super) fn cases() -> Vec<(Rule, Report)> {
    let all = [file(), statements(), shape(), edges(), gates(), bump(), people(), artifact(), policy(), repository(), super::forged::cases()];
    all.into_iter().flatten().map(|(rule, setup)| (rule, verified(setup))).collect()
}

fn file() -> Vec<(Rule, Setup)> {
    vec![
        (Rule::LineageLimit, lines(|lines| lines.into_iter().cycle().take(65).collect())),
        (Rule::LineageEmpty, lines(|_| vec![])),
        (
            Rule::BundleMalformed,
            lines(|mut lines| {
                lines[0] = changed_json(&lines[0], |line| line["dsseEnvelope"]["signatures"] = serde_json::json!([]));
                lines
            }),
        ),
        (
            Rule::BundleMalformed,
            lines(|mut lines| {
                lines[0] = changed_json(&lines[0], |line| line["extra"] = serde_json::json!(1));
                lines
            }),
        ),
        (
            Rule::BundleMalformed,
            lines(|mut lines| {
                lines[0] = lines[0].replacen("{", "{\"mediaType\":\"x\",", 1);
                lines
            }),
        ),
        (
            Rule::BundleProfile,
            lines(|mut lines| {
                lines[0] = changed_json(&lines[0], |line| line["verificationMaterial"] = serde_json::json!({"certificate": {"rawBytes": "AAAA"}}));
                lines
            }),
        ),
        (
            Rule::BundleSignature,
            lines(|mut lines| {
                lines[0] = changed_json(&lines[0], |line| {
                    let other: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
                    line["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"].clone();
                });
                lines
            }),
        ),
        (
            Rule::SignerKey,
            lines(|mut lines| {
                lines[0] = changed_json(&lines[0], |line| line["verificationMaterial"]["publicKey"]["hint"] = serde_json::json!("unknown"));
                lines
            }),
        ),
        (Rule::SignerKey, Setup::default().policy(|policy| policy.keys[0].stages.retain(|stage| *stage != Stage::Tag))),
    ]
}

fn statements() -> Vec<(Rule, Setup)> {
    let payload = |from: &'static str, to: &'static str| {
        Setup::default().root_payload(move |payload| {
            let text = String::from_utf8(payload).unwrap();
            assert!(text.contains(from), "{from} in {text}");
            text.replacen(from, to, 1).into_bytes()
        })
    };
    vec![
        (Rule::StatementMalformed, payload("\"verificationResult\"", "\"acceptance\":\"forged\",\"verificationResult\"")),
        (Rule::StatementMalformed, payload("\"verificationResult\":\"PASSED\"", "\"verificationResult\":\"PASSED\",\"verificationResult\":\"PASSED\"")),
        (Rule::StatementType, payload("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")),
        (
            Rule::StatementType,
            payload(
                "\"predicateType\":\"https://slsa.dev/verification_summary/v1\",\"subject\"",
                "\"predicateType\":\"https://in-toto.io/attestation/release/v0.2\",\"subject\"",
            ),
        ),
        (
            Rule::StatementSubject,
            Setup::default().root_payload(|payload| {
                let mut value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
                value["subject"] = serde_json::json!([]);
                canonical(&value)
            }),
        ),
        (Rule::StatementStage, payload("\"stage\":\"package\"}", "\"stage\":\"format\"}")),
        (Rule::SourceRepository, Setup::default().statements(|statement| statement.source.id = 8)),
        (Rule::SourceRepository, on(Row::Tag, |statement| statement.source.repository = "other/r".parse().unwrap())),
        (Rule::SourceRepository, on(Row::Tag, |statement| statement.source.server = "https://example.com".to_owned())),
        (Rule::SourceChart, on(Row::Tag, |statement| statement.source.chart = "b".parse().unwrap())),
        (Rule::SourceChart, Setup::default().policy(|policy| policy.charts = BTreeMap::from([("a".parse().unwrap(), "elsewhere/a".parse().unwrap())]))),
    ]
}

fn shape() -> Vec<(Rule, Setup)> {
    let without = |index: usize| {
        lines(move |mut lines| {
            lines.remove(index);
            lines
        })
    };
    vec![
        (Rule::LineageRoot, without(7)),
        (Rule::LineageMissingInput, without(0)),
        (Rule::LineageMissingGate, without(4)),
        // A check of the same content that the root does not name.
        (
            Rule::LineageExtra,
            on(Row::Root, |statement| statement.inputs.retain(|input| !input.name.starts_with("validate/"))).outside("trivy").statements(|statement| {
                if matches!(statement.row(), Some(row) if row > Row::OutsideCheck) {
                    statement.inputs.retain(|input| !input.name.starts_with("validate/"));
                }
            }),
        ),
        (Rule::LineageShape, Setup::default().outside("trivy")),
        (Rule::LineageShape, on(Row::Enforce, |statement| statement.stage = Stage::Publish)),
        (Rule::LineageInputs, on(Row::Tag, |statement| statement.inputs.clear())),
        (Rule::LineageInputs, on(Row::Enforce, |statement| statement.inputs.retain(|input| input.name != "validate"))),
        (Rule::LineageInputs, on(Row::Bump, |statement| statement.inputs[0].name = "validate".to_owned())),
    ]
}

fn edges() -> Vec<(Rule, Setup)> {
    let other = || crate::domain::content::ContentId { sha1: super::fixture::chart_files(true).content_id().unwrap().sha1, sha256: Sha256::of(b"other") };
    let subject = move |row| on(row, move |statement| statement.subject = Subject::Content { path: source().path, id: other() });
    vec![
        (Rule::LineageEdge, subject(Row::Checks)),
        (Rule::LineageEdge, subject(Row::Enforce)),
        (Rule::LineageEdge, subject(Row::ReleaseGate)),
        (Rule::LineageEdge, subject(Row::Tag)),
        (Rule::LineageEdge, on(Row::Bump, move |statement| says!(statement, Bump, bump => bump.before = other()))),
        (Rule::LineageEdge, on(Row::Build, move |statement| says!(statement, Build, build => build.content = other()))),
        (
            Rule::LineageEdge,
            on(Row::Root, |statement| {
                if let Subject::Package { manifest, .. } = &mut statement.subject {
                    *manifest = Sha256::of(b"other");
                }
            }),
        ),
    ]
}

fn gates() -> Vec<(Rule, Setup)> {
    let trivy = || {
        Setup::default().outside("trivy").policy(|policy| {
            policy.epochs[0].checks.outside.insert("trivy".to_owned(), OutsideCheck::default());
        })
    };
    vec![
        (Rule::GateDecision, on(Row::Enforce, |statement| says!(statement, Gate, gate => gate.passed = false))),
        (Rule::GatePolicy, on(Row::ReleaseGate, |statement| says!(statement, Gate, gate => gate.configuration = Some("other".to_owned())))),
        (Rule::GatePolicy, on(Row::ReleaseGate, |statement| says!(statement, Gate, gate => gate.configuration = None))),
        (Rule::GateResource, on(Row::Enforce, |statement| says!(statement, Gate, gate => gate.resource = source().resource("refs/heads/integration-b")))),
        (
            Rule::GateResource,
            on(Row::Root, |statement| says!(statement, Gate, gate => gate.resource = "git+https://github.com/other/r@refs/heads/release#charts/a".to_owned())),
        ),
        (Rule::GateMissingCheck, Setup::default().policy(|policy| policy.epochs[0].checks.required.push("acceptance".to_owned()))),
        (
            Rule::GateMissingCheck,
            Setup::default().policy(|policy| {
                policy.epochs[0].checks.outside.insert("trivy".to_owned(), OutsideCheck::default());
            }),
        ),
        (Rule::GateMissingCheck, trivy().statement(Row::OutsideCheck, |statement| says!(statement, Checks, checks => checks.passed.clear()))),
        (Rule::GateFailedCheck, on(Row::Checks, |statement| says!(statement, Checks, checks => checks.failed.push("layout".to_owned())))),
        (Rule::GateFailedCheck, on(Row::Checks, |statement| says!(statement, Checks, checks => checks.result = CheckResult::Failed))),
        (Rule::GateStaleCheck, trivy().statement(Row::OutsideCheck, |statement| says!(statement, Checks, checks => checks.base = None))),
    ]
}

fn bump() -> Vec<(Rule, Setup)> {
    let bump = |change: fn(&mut Bump)| on(Row::Bump, move |statement| says!(statement, Bump, bump => change(bump)));
    vec![
        (Rule::BumpCommits, bump(|bump| bump.commits.truncate(1))),
        (Rule::BumpCommits, on(Row::Promotion, |statement| says!(statement, Promotion, promotion => promotion.range.to = commit('9')))),
        (Rule::BumpLevel, bump(|bump| bump.level = Level::Patch)),
        (Rule::BumpLevel, bump(|bump| bump.level = Level::None)),
        (Rule::BumpLevel, bump(|bump| bump.level = Level::Initial)),
        (
            Rule::BumpLevel,
            Setup::default().statements(|statement| {
                says!(statement, Bump, bump => bump.commits[0].message = "feat!: breaking".to_owned());
                says!(statement, Promotion, promotion => promotion.commits[0].message = "feat!: breaking".to_owned());
            }),
        ),
        (Rule::BumpVersion, bump(|bump| bump.to = "1.2.0".to_owned())),
        (Rule::BumpVersion, bump(|bump| bump.floor = Some("1.1.0".to_owned()))),
        (Rule::BumpVersion, bump(|bump| bump.from = Some("1.1.0".to_owned()))),
        (Rule::BumpVersion, bump(|bump| bump.from = None)),
        (Rule::BumpVersion, bump(|bump| bump.versions = "lowest".to_owned())),
        (Rule::BumpContent, bump(|bump| bump.witness.before = b"garbage".to_vec())),
        (Rule::BumpContent, bump(|bump| bump.witness.changelog_entry = None)),
        (Rule::BumpContent, bump(|bump| bump.witness.chart_yaml.push(b'\n'))),
        (Rule::BumpContent, bump(|bump| bump.edits.changes = Some("- slipped in".to_owned()))),
    ]
}

fn people() -> Vec<(Rule, Setup)> {
    let tag = |change: fn(&mut TagRecord)| on(Row::Tag, move |statement| says!(statement, Tag, tag => change(tag)));
    let pull =
        |change: fn(&mut PullRecord)| on(Row::Promotion, move |statement| says!(statement, Promotion, promotion => change(&mut promotion.contributions[0])));
    vec![
        (Rule::TagName, tag(|tag| tag.tag = "a-v1.0.9".parse().unwrap())),
        (Rule::ReviewCount, tag(|tag| tag.pull = None)),
        (Rule::ReviewCount, pull(|pull| pull.author.id = 2)),
        (Rule::ReviewCount, pull(|pull| pull.head = commit('f'))),
        (
            Rule::ReviewCount,
            pull(|pull| {
                let again = Review { state: ReviewState::Dismissed, ..pull.reviews[0].clone() };
                pull.reviews.push(again);
            }),
        ),
        (Rule::ReviewCount, on(Row::Promotion, |statement| says!(statement, Promotion, promotion => promotion.contributions.clear()))),
    ]
}

/// A package whose bytes are other ones, with statements that say so.
pub(super) fn repackaged(bytes: Vec<u8>, change: impl Fn(&mut Build) + 'static) -> Setup {
    let digest = Sha256::of(&bytes);
    Setup::default().package(move |_| bytes.clone()).statements(move |statement| {
        if let Subject::Package { sha256, .. } = &mut statement.subject {
            *sha256 = digest;
        }
        says!(statement, Build, build => change(build));
    })
}

fn artifact() -> Vec<(Rule, Setup)> {
    let with = |name: &'static str, bytes: &'static [u8]| {
        let mut members = members();
        members.insert(name.to_owned(), bytes.to_vec());
        archive(&members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>())
    };
    let signed = |name: &'static str, bytes: &'static [u8], unchanged: bool| {
        repackaged(with(name, bytes), move |build| {
            build.members.insert(name.to_owned(), Member { sha256: Sha256::of(bytes), unchanged });
        })
    };
    let build = |change: fn(&mut Build)| on(Row::Build, move |statement| says!(statement, Build, build => change(build)));
    let named = |file: &'static str, reference: &'static str| {
        Setup::default().statements(move |statement| {
            if let Subject::Package { file: name, reference: at, .. } = &mut statement.subject {
                (*name, *at) = (file.to_owned(), reference.to_owned());
            }
        })
    };
    vec![
        (Rule::ArtifactMalformed, repackaged(b"garbage".to_vec(), |_| {})),
        (Rule::ArtifactMalformed, signed("a/Chart.yaml", b"- not a chart", false)),
        (
            Rule::ArtifactDigest,
            Setup::default().package(|mut package| {
                package.push(0);
                package
            }),
        ),
        (Rule::ArtifactName, signed("a/Chart.yaml", b"apiVersion: v2\nname: a\nversion: 1.2.0\n", false)),
        (Rule::ArtifactName, named("b-1.1.0.tgz", "registry.example.com/charts/a:1.1.0")),
        (Rule::ArtifactName, named("a-1.1.0.tgz", "registry.example.com/charts/b:1.1.0")),
        (Rule::ArtifactContents, repackaged(with("a/evil.yaml", b"x"), |_| {})),
        (Rule::ArtifactContents, signed("a/evil.yaml", b"x", false)),
        (Rule::ArtifactContents, signed("a/values.yaml", b"x", false)),
        (Rule::ArtifactContents, signed("a/values.yaml", b"x", true)),
        (Rule::ArtifactMalformed, signed("b/values.yaml", b"x", false)),
        (Rule::ArtifactContents, signed("a/charts/b/values.yaml", b"x", false)),
        (
            Rule::ArtifactContents,
            build(|build| {
                build.members.insert("a/absent".to_owned(), Member { sha256: Sha256::of(b""), unchanged: false });
            }),
        ),
        (
            Rule::PackageSource,
            build(|build| {
                build.files.insert("evil.yaml".to_owned(), TreeFile { mode: Mode::File, blob: Sha256::of(b"") });
            }),
        ),
        (Rule::PackageSource, build(|build| build.version = "1.1.1".to_owned())),
        (Rule::PackageSource, build(|build| build.commit = commit('9'))),
        (Rule::PackageSource, build(|build| build.epoch += 1)),
        (
            Rule::PackageManifest,
            Setup::default().statements(|statement| {
                if let Subject::Package { manifest, .. } = &mut statement.subject {
                    *manifest = Sha256::of(b"other");
                }
            }),
        ),
        (
            Rule::PackageDependency,
            on(Row::Checks, |statement| {
                says!(statement, Checks, checks => {
                    let content = checks.base.clone().unwrap();
                    checks.dependencies.push(DependencyContent { chart: "b".parse().unwrap(), path: "charts/b".parse().unwrap(), content });
                })
            }),
        ),
    ]
}

fn policy() -> Vec<(Rule, Setup)> {
    let revoked = |version: Option<&str>, sha256: Option<Sha256>| {
        let entry = Revoked { chart: "a".parse().unwrap(), version: version.map(str::to_owned), sha256 };
        Setup::default().policy(move |policy| policy.revoked.push(entry.clone()))
    };
    vec![
        (Rule::PolicyEpoch, Setup::default().policy(|policy| policy.epochs[0].from = jiff::Timestamp::from_second(DATE + 1).unwrap())),
        (Rule::PolicyRevoked, revoked(Some("1.1.0"), None)),
        (Rule::PolicyRevoked, revoked(None, Some(Sha256::of(&package())))),
    ]
}

fn repository() -> Vec<(Rule, Setup)> {
    let other = || crate::domain::content::ContentId { sha1: checks(None).base.unwrap().sha1, sha256: Sha256::of(b"other") };
    let with = |change: &dyn Fn(&mut super::super::facts::RepositoryFacts)| Setup::default().with_repository(change);
    vec![
        (Rule::RepoMissing, with(&|facts| facts.source_content = None)),
        (Rule::RepoMissing, with(&|facts| facts.on_main = None)),
        (Rule::RepoTree, with(&|facts| facts.content = Some(other()))),
        (Rule::RepoTree, with(&|facts| facts.content_before = Some(other()))),
        (Rule::RepoTree, with(&|facts| facts.content_before = None)),
        (Rule::RepoRange, with(&|facts| facts.touching = Some(vec![commit('1'), commit('8')]))),
        (Rule::RepoPrevious, with(&|facts| facts.previous_content = Some(other()))),
        (Rule::RepoPrevious, with(&|facts| facts.previous_end = Ending::Other)),
        (Rule::RepoPrevious, with(&|facts| (facts.previous_end, facts.from_was_carried) = (Ending::At(commit('9')), Some(false)))),
        (Rule::RepoMissing, with(&|facts| (facts.previous_end, facts.from_was_carried) = (Ending::At(commit('9')), None))),
        (Rule::RepoRange, with(&|facts| facts.from_is_contained = Some(false))),
        (Rule::RepoMissing, with(&|facts| facts.from_is_contained = None)),
        (Rule::RepoTag, with(&|facts| facts.tag = None)),
        (Rule::RepoTag, with(&|facts| facts.tag.as_mut().unwrap().object = None)),
        (Rule::RepoTag, with(&|facts| facts.tag.as_mut().unwrap().commit = commit('8'))),
        (Rule::RepoReachable, with(&|facts| facts.on_main = Some(false))),
        (Rule::RepoReachable, with(&|facts| facts.content_before = facts.content.clone())),
        (Rule::RepoRebuild, with(&|facts| facts.rebuilt = Some(Sha256::of(b"other")))),
    ]
}
