use proptest::prelude::*;

use super::*;
use crate::domain::names::ChartName;

/// Type, scope, `!` when breaking, subject and footers in one line; or the error.
fn check(message: &str) -> String {
    match parse(message) {
        Err(error) => format!("error: {error}"),
        Ok(parsed) => show(&parsed),
    }
}

fn show(parsed: &Parsed) -> String {
    let scope = parsed.scope.as_ref().map(|scope| format!("({scope})")).unwrap_or_default();
    let footers: String = parsed.footers.iter().map(|footer| format!(" | {}={:?}", footer.token, footer.value)).collect();
    let reverts = parsed.reverts.as_ref().map(|reverts| format!(" | reverts {:?} {:?}", reverts.title, reverts.commits)).unwrap_or_default();
    format!("{}{scope}{} {:?}{footers}{reverts}", parsed.kind.as_str(), if parsed.breaking { "!" } else { "" }, parsed.subject)
}

#[test]
fn titles() {
    insta::assert_snapshot!(check("feat: add x"), @r#"feat "add x""#);
    insta::assert_snapshot!(check("FIX(Redis): add x"), @r#"fix(Redis) "add x""#);
    insta::assert_snapshot!(check("Feat!: x"), @r#"feat! "x""#);
    insta::assert_snapshot!(check("chore(deps, redis)!:  x  "), @r#"chore(deps, redis)! "x""#);
    insta::assert_snapshot!(check("feature: x"), @r#"feature "x""#);
    insta::assert_snapshot!(check("\n\nfix: after blank lines\r\n\r\nbody\r\n"), @r#"fix "after blank lines""#);
    insta::assert_snapshot!(check("fix: a: b (c): d"), @r#"fix "a: b (c): d""#);
}

#[test]
fn what_is_no_conventional_commit() {
    insta::assert_snapshot!(check(""), @"error: the commit message is empty");
    insta::assert_snapshot!(check("update stuff"), @r#"error: "update stuff" does not begin with a type and a colon, such as "fix: " or "feat(redis): ""#);
    insta::assert_snapshot!(check("[redis] fix: x"), @r#"error: "[redis] fix: x" does not begin with a type and a colon, such as "fix: " or "feat(redis): ""#);
    insta::assert_snapshot!(check("fix it: x"), @r#"error: "fix it: x" does not begin with a type and a colon, such as "fix: " or "feat(redis): ""#);
    insta::assert_snapshot!(check("feat (a): x"), @r#"error: "feat (a): x" does not begin with a type and a colon, such as "fix: " or "feat(redis): ""#);
    insta::assert_snapshot!(check("feat(): x"), @r#"error: "feat(): x" has a scope that is empty or not closed"#);
    insta::assert_snapshot!(check("feat(a: x"), @r#"error: "feat(a: x" has a scope that is empty or not closed"#);
    insta::assert_snapshot!(check("feat:x"), @r#"error: "feat:x" lacks the space after the colon"#);
    insta::assert_snapshot!(check("feat: "), @r#"error: "feat:" has no description after the colon"#);
    insta::assert_snapshot!(check("Revert \"feat: x"), @r#"error: "Revert \"feat: x" does not begin with a type and a colon, such as "fix: " or "feat(redis): ""#);
}

#[test]
fn footers_and_breaking_changes() {
    insta::assert_snapshot!(check("fix: x\n\nbody\n\nBREAKING CHANGE: the key\nis gone\nReviewed-by: Z\nFixes #12"), @r##"fix! "x" | BREAKING CHANGE="the key\nis gone" | Reviewed-by="Z" | Fixes="#12""##);
    insta::assert_snapshot!(check("fix: x\n\nBREAKING-CHANGE: gone"), @r#"fix! "x" | BREAKING-CHANGE="gone""#);
    insta::assert_snapshot!(check("fix: x\n\nbody without a blank line\nBREAKING CHANGE: gone"), @r#"fix! "x" | BREAKING CHANGE="gone""#);
    insta::assert_snapshot!(check("fix: x\n\nBREAKING CHANGE:\n\nthe text\n\nin paragraphs"), @r#"fix! "x" | BREAKING CHANGE="the text\n\nin paragraphs""#);
    insta::assert_snapshot!(check("fix: x\n\nbreaking change: no, lower case"), @r#"fix "x""#);
    insta::assert_snapshot!(check("fix: x\n\nthis is no BREAKING CHANGE: it stands in a line"), @r#"fix "x""#);
    insta::assert_snapshot!(check("fix: x\n\nfirst line\nno-footer: in a paragraph of prose"), @r#"fix "x""#);
    insta::assert_snapshot!(check("fix: x\r\n\r\nBREAKING CHANGE: gone\r\nRelease-As: 2.0.0\r\n"), @r#"fix! "x" | BREAKING CHANGE="gone" | Release-As="2.0.0""#);
    assert_eq!(read("x\n\nBREAKING CHANGE: a\nBREAKING CHANGE: b").breaking_notes().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn reverts() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    insta::assert_snapshot!(check(&format!("Revert \"feat(a)!: x\"\n\nThis reverts commit {id}.")), @r#"revert(a) "Revert \"feat(a)!: x\"" | reverts Some("feat(a)!: x") ["0123456789abcdef0123456789abcdef01234567"]"#);
    insta::assert_snapshot!(check("Revert \"anything at all\" (#7)"), @r#"revert "Revert \"anything at all\"" | reverts Some("anything at all") []"#);
    insta::assert_snapshot!(check("Revert \"Revert \"feat(a)!: x\"\""), @r#"feat(a)! "x""#);
    insta::assert_snapshot!(check("Reapply \"feat(a): x\""), @r#"feat(a) "x""#);
    insta::assert_snapshot!(check("Revert \"Reapply \"feat(a): x\"\""), @r#"revert(a) "Revert \"Reapply \"feat(a): x\"\"" | reverts Some("Reapply \"feat(a): x\"") []"#);
    insta::assert_snapshot!(check("revert(a): the switch\n\nRefs: 676104e, a215868"), @r#"revert(a) "the switch" | Refs="676104e, a215868" | reverts None ["676104e", "a215868"]"#);
    // However deep it nests, nothing recurses.
    let deep = format!("{}feat: x{}", "Revert \"".repeat(10_001), "\"".repeat(10_001));
    assert_eq!(parse(&deep).unwrap().kind, Kind::Revert);
}

#[test]
fn release_as() {
    let check = |value: &str| match read(&format!("fix: x\n\nRelease-As: 0.1.0\nrelease-as: {value}")).release_as() {
        None => "none".to_owned(),
        Some(Ok(version)) => version.to_string(),
        Some(Err(error)) => error.to_string(),
    };
    insta::assert_snapshot!(check("1.2.3"), @"1.2.3");
    insta::assert_snapshot!(check("v1.2.3-rc.1"), @"1.2.3-rc.1");
    insta::assert_snapshot!(check("1.2"), @r#"the footer Release-As names "1.2", which is not a version like 1.2.3"#);
    assert!(read("fix: x").release_as().is_none());
}

fn parts(message: &str) -> String {
    split(message).iter().map(|part| format!("{part:?}\n")).collect()
}

#[test]
fn squashes() {
    insta::assert_snapshot!(parts("feat(a): one (#4)\n\n* feat(a): one\n\nwhy\n\n* wip\n\n* Merge branch 'main' into x\n\n* fix(b)!: two\n\n---------\n\nCo-authored-by: B <b@b>\n"), @r#"
    "feat(a): one\n\nwhy\n\n* wip"
    "fix(b)!: two\n\n---------\n\nCo-authored-by: B <b@b>"
    "#);
    insta::assert_snapshot!(parts("feat!: the title says more (#4)\n\n* fix: one\n* wip\n* Revert \"fix: zero\""), @r#"
    "feat!: the title says more (#4)"
    "fix: one\n\n* wip"
    "Revert \"fix: zero\""
    "#);
    insta::assert_snapshot!(parts("fix: one commit\n\nIts body has a list:\n* fix: this is prose\n* feat: this too"), @r#""fix: one commit\n\nIts body has a list:\n* fix: this is prose\n* feat: this too""#);
    insta::assert_snapshot!(parts("Free title (#4)\n\n* wip\n\nBREAKING CHANGE: gone\n\n* fix: one"), @r#"
    "Free title (#4)\n\n* wip\n\nBREAKING CHANGE: gone"
    "fix: one"
    "#);
    assert_eq!(changes("Free title (#4)\n\n* wip\n\nBREAKING CHANGE: gone\n\n* fix: one").iter().filter(|c| c.breaking).count(), 1);
}

#[test]
fn a_part_about_another_chart_does_not_count() {
    let names = |list: &[&str]| list.iter().map(|name| name.parse().unwrap()).collect::<Vec<ChartName>>();
    let check = |chart: &str, message: &str| split_for(message, &chart.parse().unwrap(), &names(&["a", "b"])).join(" + ");
    let squash = "feat(a): f1 (#2)\n\n* feat(a): f1\n* fix(b)!: b1\n* docs: both\n* fix(a,b): shared";
    insta::assert_snapshot!(check("a", squash), @"feat(a): f1 + docs: both + fix(a,b): shared");
    insta::assert_snapshot!(check("b", squash), @"fix(b)!: b1 + docs: both + fix(a,b): shared");
    insta::assert_snapshot!(check("b", "feat(a)!: f1 (#2)\n\n* feat(a)!: f1"), @"(with another chart) feat(a)!: f1");
    insta::assert_snapshot!(check("b", "feat(a)!: one commit for both (#2)"), @"feat(a)!: one commit for both (#2)");
    insta::assert_snapshot!(check("a", "feat(c): c is no chart here"), @"feat(c): c is no chart here");
    assert_eq!(read(&check("b", "feat(a)!: f1 (#2)\n\n* feat(a)!: f1")).kind, Kind::Unconventional);
}

proptest! {
    #[test]
    fn any_message_has_a_reading(message in "(?s).{0,300}") {
        let parsed = read(&message);
        prop_assert!(parsed.kind != Kind::Unconventional || parse(&message).is_err());
        prop_assert!(!split(&message).iter().any(|part| part.len() > message.len()));
        prop_assert!(changes(&message).len() <= split(&message).len());
    }

    #[test]
    fn what_is_written_is_read(kind in "[a-z]{1,8}", scope in proptest::option::of("[a-z,-]{1,8}"), mark in any::<bool>(), subject in "[a-z][ a-z:()!]{0,20}[a-z]", footer in any::<bool>()) {
        let written = scope.as_ref().map(|scope| format!("({scope})")).unwrap_or_default();
        let message = format!("{kind}{written}{}: {subject}{}", if mark { "!" } else { "" }, if footer { "\n\nBREAKING CHANGE: x" } else { "" });
        let parsed = parse(&message).unwrap();
        prop_assert_eq!(parsed.kind.as_str(), kind);
        prop_assert_eq!(parsed.scope, scope);
        prop_assert_eq!(parsed.subject, subject);
        prop_assert_eq!(parsed.breaking, mark || footer);
    }
}
