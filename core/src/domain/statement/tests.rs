use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::digest::TreeId;
use crate::domain::tree::Mode;

fn source() -> Source {
    Source {
        server: "https://github.com".to_owned(),
        repository: "o/r".parse().unwrap(),
        id: 7,
        chart: "a".parse().unwrap(),
        path: "charts/a".parse().unwrap(),
    }
}

fn content(text: &str) -> ContentId {
    ContentId { sha1: TreeId::new(Sha256::of(text.as_bytes()).to_string()[..40].to_owned()).unwrap(), sha256: Sha256::of(text.as_bytes()) }
}

fn checks() -> Statement {
    Statement {
        stage: Stage::Validate,
        source: source(),
        subject: Subject::Content { path: "charts/a".parse().unwrap(), id: content("t1") },
        inputs: vec![],
        predicate: Predicate::Checks(Checks {
            result: CheckResult::Passed,
            passed: vec!["schema".to_owned()],
            warned: vec![],
            failed: vec![],
            definitions: BTreeMap::from([("schema".to_owned(), Sha256::of(b"schema"))]),
            base: Some(content("b")),
            dependencies: vec![],
            configuration: Sha256::of(b"configuration"),
            outside: None,
        }),
    }
}

/// Changes one member of a valid statement's JSON and says what reading makes of it.
fn check(statement: &Statement, pointer: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_slice(&statement.to_payload()).unwrap();
    change(value.pointer_mut(pointer).unwrap());
    let error = Statement::parse(&canonical(&value)).unwrap_err();
    match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[test]
fn one_statement_has_one_spelling() {
    let payload = String::from_utf8(checks().to_payload()).unwrap();
    for changed in [payload.replace(",\"", ", \""), payload.replace("schema", "\\u0073chema"), format!("{payload}\n")] {
        assert!(matches!(Statement::parse(changed.as_bytes()), Err(StatementError::NotCanonical)), "{changed}");
    }
    assert!(Statement::parse(payload.as_bytes()).is_ok());
}

#[test]
fn payload_as_it_is_signed() {
    insta::assert_snapshot!(String::from_utf8(checks().to_payload()).unwrap(), @r#"{"_type":"https://in-toto.io/Statement/v1","predicate":{"configuration":[{"digest":{"sha256":"b7d64a9221007dfd5390f7df6cd5b8f3ea4f82faa1237141e35ebf161f5511a1"},"name":".chartflow.yaml"},{"digest":{"sha256":"df0ad6e43880f09c90ebf95f19110178aba6890df0010ebda7485029e2b543b4"},"name":"schema"}],"failedTests":[],"https://chartflow.dev/attestation/checked/v1":{"base":{"sha1":"3e23e8160039594a33894f6564e1b1348bbd7a00","sha256":"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"}},"https://chartflow.dev/attestation/context/v1":{"source":{"chart":"a","id":7,"path":"charts/a","repository":"o/r","server":"https://github.com"},"stage":"validate"},"passedTests":["schema"],"result":"PASSED","warnedTests":[]},"predicateType":"https://in-toto.io/attestation/test-result/v0.1","subject":[{"digest":{"gitTree":"628b49d96dcde97a430dd4f597705899e09a968f","sha256":"628b49d96dcde97a430dd4f597705899e09a968f793491e4b704cae33a40dc02"},"name":"charts/a","uri":"gitoid:tree:sha256:628b49d96dcde97a430dd4f597705899e09a968f793491e4b704cae33a40dc02"}]}"#);
}

#[test]
fn refuses_what_it_does_not_know() {
    let statement = checks();
    insta::assert_snapshot!(check(&statement, "", |v| v["extra"] = json!(1)), @"the outer part of the statement is malformed: unknown field `extra`, expected one of `_type`, `subject`, `predicateType`, `predicate`");
    insta::assert_snapshot!(check(&statement, "/predicate", |v| v["acceptance"] = json!("forged")), @"the predicate of the statement is malformed: unknown field `acceptance`, expected one of `result`, `configuration`, `passedTests`, `warnedTests`, `failedTests`, `https://chartflow.dev/attestation/checked/v1`");
    insta::assert_snapshot!(check(&statement, "/_type", |v| *v = json!("https://in-toto.io/Statement/v0.1")), @r#""https://in-toto.io/Statement/v0.1" is not an in-toto statement type, https://in-toto.io/Statement/v1 is expected"#);
    insta::assert_snapshot!(check(&statement, "/predicateType", |v| *v = json!("https://in-toto.io/attestation/release/v0.2")), @r#""https://in-toto.io/attestation/release/v0.2" is not a predicate of a lineage"#);
    insta::assert_snapshot!(check(&statement, "/predicate/https:~1~1chartflow.dev~1attestation~1context~1v1/stage", |v| *v = json!("tag")), @r#"stage "tag" makes no such statement"#);
    insta::assert_snapshot!(check(&statement, "/subject", |v| *v = json!([])), @"the subject has 0 descriptors; one content, or a package and its manifest, are expected");
    insta::assert_snapshot!(check(&statement, "/subject/0/uri", |v| *v = json!("gitoid:tree:sha256:0")), @"the subject of the statement has a uri that is not the gitoid of its digest");
    insta::assert_snapshot!(check(&statement, "/subject/0/digest", |v| { v.as_object_mut().unwrap().remove("sha256"); }), @"the subject of the statement has no sha256");
    insta::assert_snapshot!(check(&statement, "/subject/0/digest", |v| v["md5"] = json!("0")), @"the outer part of the statement is malformed: unknown field `md5`, expected one of `sha256`, `gitTree`, `gitCommit`");
    insta::assert_snapshot!(Statement::parse(&vec![b' '; PAYLOAD_LIMIT + 1]).unwrap_err(), @"the payload has 262145 bytes, at most 262144 are allowed");
    insta::assert_snapshot!(Statement::parse(b"{}{}").unwrap_err(), @"the payload is not strict JSON");
}

#[test]
fn names_among_inputs() {
    let mut statement = checks();
    assert_eq!((statement.row(), statement.name()), (Some(Row::Checks), "validate".to_owned()));
    if let Predicate::Checks(checks) = &mut statement.predicate {
        checks.outside = Some("trivy".to_owned());
    }
    assert_eq!((statement.row(), statement.name()), (Some(Row::OutsideCheck), "validate/trivy".to_owned()));
    for stage in Stage::ALL {
        assert_eq!(stage.as_str().parse::<Stage>().unwrap(), stage);
    }
}

fn sha256() -> impl Strategy<Value = Sha256> {
    any::<[u8; 32]>().prop_map(Sha256::from_bytes)
}

fn content_id() -> impl Strategy<Value = ContentId> {
    (any::<[u8; 20]>(), sha256()).prop_map(|(sha1, sha256)| ContentId { sha1: TreeId::from_raw(&sha1).unwrap(), sha256 })
}

fn commit() -> impl Strategy<Value = crate::domain::digest::CommitId> {
    any::<[u8; 20]>().prop_map(|raw| crate::domain::digest::CommitId::from_raw(&raw).unwrap())
}

fn pull() -> impl Strategy<Value = PullRecord> {
    (any::<u64>(), commit(), commit(), ".*").prop_map(|(pull, head, merge, login)| PullRecord {
        pull,
        head: head.clone(),
        merge,
        author: Account { id: pull, login: login.clone() },
        merged_by: (pull % 2 == 0).then(|| Account { id: 1, login: login.clone() }),
        reviews: vec![Review { reviewer: Account { id: 2, login }, head, state: ReviewState::ChangesRequested }],
    })
}

fn records() -> impl Strategy<Value = Vec<CommitRecord>> {
    proptest::collection::vec(
        (commit(), ".*", proptest::option::of(".*"), proptest::option::of(any::<u64>())).prop_map(|(id, message, author, pull)| CommitRecord {
            id,
            message,
            author,
            pull,
        }),
        0..3,
    )
}

fn any_checks() -> impl Strategy<Value = (Stage, Predicate)> {
    (proptest::collection::btree_map(".*", sha256(), 0..3), proptest::option::of(content_id()), content_id(), sha256(), proptest::option::of(".*")).prop_map(
        |(definitions, base, dependency, configuration, outside)| {
            let checks = Checks {
                result: CheckResult::Warned,
                passed: definitions.keys().cloned().collect(),
                warned: vec!["w".to_owned()],
                failed: vec![],
                definitions,
                base,
                dependencies: vec![DependencyContent { chart: "d".parse().unwrap(), path: "charts/d".parse().unwrap(), content: dependency }],
                configuration,
                outside,
            };
            (Stage::Validate, Predicate::Checks(checks))
        },
    )
}

fn any_promotion() -> impl Strategy<Value = (Stage, Predicate)> {
    (commit(), proptest::option::of(commit()), records(), proptest::option::of((content_id(), proptest::option::of(sha256()))), pull(), any::<bool>()).prop_map(
        |(to, from, commits, previous, pull, moved)| {
            let promotion = Promotion {
                commit: to.clone(),
                branch: "integration-a".parse().unwrap(),
                range: Range { from, to },
                commits,
                omitted: moved.then(|| Omitted { count: 3, sha256: Sha256::of(b"") }),
                previous: previous.map(|(content, root)| Previous { tag: "a-v1.0.0".parse().unwrap(), content, root: root.map(StatementDigest) }),
                contributions: vec![pull],
                removed_path: moved.then(|| "charts/old".parse().unwrap()),
                removed: moved,
            };
            (Stage::Filter, Predicate::Promotion(promotion))
        },
    )
}

fn any_tag() -> impl Strategy<Value = (Stage, Predicate)> {
    (commit(), proptest::option::of(pull())).prop_map(|(commit, pull)| {
        let tag_object = crate::domain::digest::TagObjectId::new(commit.as_str()).unwrap();
        (Stage::Tag, Predicate::Tag(TagRecord { tag: "a-v1.0.0".parse().unwrap(), tag_object, commit, pull }))
    })
}

fn any_gate() -> impl Strategy<Value = (Stage, Predicate)> {
    let stage = prop_oneof![Just(Stage::Enforce), Just(Stage::Bump), Just(Stage::Package), Just(Stage::Publish)];
    (stage, ".*", sha256(), any::<bool>(), proptest::option::of(".*")).prop_map(|(stage, text, sha256, passed, configuration)| {
        let gate = Gate {
            verifier: text.clone(),
            resource: text.clone(),
            policy: PolicyReference { uri: text.clone(), sha256 },
            passed,
            levels: vec!["CHARTFLOW_GATE".to_owned()],
            configuration,
            downloaded: if passed { vec![Downloaded { uri: text, sha256 }] } else { vec![] },
        };
        (stage, Predicate::Gate(gate))
    })
}

fn any_bump() -> impl Strategy<Value = (Stage, Predicate)> {
    (content_id(), proptest::option::of(".*"), records(), any::<i64>(), proptest::collection::vec(any::<u8>(), 0..9), any::<bool>()).prop_map(
        |(before, text, commits, date, bytes, edited)| {
            let bump = Bump {
                builder: "https://example.com/b".to_owned(),
                before,
                from: text.clone(),
                to: "1.0.0".to_owned(),
                level: if edited { Level::Major } else { Level::None },
                versions: "higher".to_owned(),
                floor: text.clone(),
                commits,
                omitted: None,
                date,
                edits: ChartEdits {
                    changes: text.clone(),
                    dependencies: if edited { BTreeMap::from([("d".to_owned(), "^1".to_owned())]) } else { BTreeMap::new() },
                    locked: if edited { BTreeMap::from([("e".to_owned(), "1.0.0".to_owned())]) } else { BTreeMap::new() },
                },
                witness: Witness {
                    before: bytes.clone(),
                    after: bytes.clone(),
                    chart_yaml: bytes.clone(),
                    requirements_yaml: edited.then(|| bytes.clone()),
                    lock_before: edited.then(|| bytes.clone()),
                    chart_lock: edited.then_some(bytes),
                    changelog_entry: text,
                },
            };
            (Stage::Bump, Predicate::Bump(bump))
        },
    )
}

fn any_build() -> impl Strategy<Value = (Stage, Predicate)> {
    let mode = prop_oneof![Just(Mode::File), Just(Mode::Executable), Just(Mode::Symlink)];
    let files = proptest::collection::btree_map(".*", (mode, sha256()).prop_map(|(mode, blob)| TreeFile { mode, blob }), 0..4);
    let members = proptest::collection::btree_map(".*", (sha256(), any::<bool>()).prop_map(|(sha256, unchanged)| Member { sha256, unchanged }), 0..4);
    (content_id(), commit(), files, members, any::<i64>(), proptest::option::of(content_id())).prop_map(
        |(content, commit, files, members, epoch, dependency)| {
            let build = Build {
                builder: "https://example.com/b".to_owned(),
                content,
                commit,
                version: "1.0.0".to_owned(),
                files,
                members,
                dependencies: vec![BuildDependency {
                    name: "d".to_owned(),
                    version: "1".to_owned(),
                    uri: "file://../d".to_owned(),
                    sha256: dependency.is_none().then(|| Sha256::of(b"d")),
                    content: dependency,
                }],
                epoch,
            };
            (Stage::Package, Predicate::Build(build))
        },
    )
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let predicate = prop_oneof![any_checks(), any_promotion(), any_tag(), any_gate(), any_bump(), any_build()];
    let subject = prop_oneof![
        content_id().prop_map(|id| Subject::Content { path: "charts/a".parse().unwrap(), id }),
        (".*", sha256(), ".*", sha256()).prop_map(|(file, sha256, reference, manifest)| Subject::Package { file, sha256, reference, manifest }),
    ];
    let inputs = proptest::collection::btree_map(".*", sha256(), 0..4).prop_map(|inputs| {
        inputs
            .into_iter()
            .map(|(name, digest)| Input { stage: Stage::Filter, name, predicate_type: PROMOTION.to_owned(), digest: StatementDigest(digest) })
            .collect::<Vec<_>>()
    });
    (predicate, subject, inputs).prop_map(|((stage, predicate), subject, inputs)| Statement { stage, source: source(), subject, inputs, predicate })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn reading_undoes_writing(statement in any_statement()) {
        let payload = statement.to_payload();
        let read = Statement::parse(&payload).unwrap();
        prop_assert_eq!(&read, &statement);
        prop_assert_eq!(read.to_payload(), payload);
    }

    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Statement::parse(&bytes);
    }

    #[test]
    fn a_changed_byte_is_another_statement_or_none(statement in any_statement(), at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let mut payload = statement.to_payload();
        let at = at.index(payload.len());
        prop_assume!(payload[at] != to);
        payload[at] = to;
        if let Ok(read) = Statement::parse(&payload) {
            prop_assert_ne!(read, statement);
        }
    }
}
