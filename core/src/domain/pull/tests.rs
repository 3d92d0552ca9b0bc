use proptest::prelude::*;
use semver::Version;

use super::*;
use crate::domain::commit::Author;
use crate::domain::digest::{CommitId, Sha256};
use crate::domain::names::ChartName;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn redis() -> ChartName {
    "redis".parse().unwrap()
}

fn commit_id(digit: &str) -> CommitId {
    CommitId::new(digit.repeat(40)).unwrap()
}

fn person(name: &str, email: &str) -> Author {
    Author { name: name.to_owned(), email: email.to_owned() }
}

#[test]
fn titles() {
    insta::assert_snapshot!(title::promotion(&redis(), false), @"Promote redis from integration");
    insta::assert_snapshot!(title::promotion(&redis(), true), @"Promote the removal of redis from integration");
    insta::assert_snapshot!(title::bump(&redis(), Some(&version("1.2.3")), &version("1.3.0")), @"Bump redis from 1.2.3 to 1.3.0");
    insta::assert_snapshot!(title::bump(&redis(), None, &version("0.1.0")), @"Prepare redis 0.1.0, new on main");
    insta::assert_snapshot!(title::to_main(&redis(), None, false), @"Update redis");
    insta::assert_snapshot!(title::to_main(&redis(), Some(&version("1.3.0")), false), @"Release redis 1.3.0");
    insta::assert_snapshot!(title::to_main(&redis(), None, true), @"Remove redis");
    insta::assert_snapshot!(title::way_back(&[]), @"Bring main back into integration");
    insta::assert_snapshot!(title::way_back(&[(redis(), Some(version("1.3.0"))), ("loki".parse().unwrap(), None)]), @"Bring main back into integration: redis 1.3.0, loki");
    insta::assert_snapshot!(title::publication(&redis(), &version("1.3.0")), @"Publish redis 1.3.0");
    let many: Vec<_> = (0..100).map(|number| (format!("chart-{number}").parse().unwrap(), Some(version("1.0.0")))).collect();
    let long = title::way_back(&many);
    assert!(long.chars().count() <= TITLE_LIMIT && long.ends_with('…'), "{long}");
    insta::assert_snapshot!(without_skip_tokens("a [skip\nci] b [skip [no ci] ci] [Actions  Skip] skip-checks: true", 256), @"a b");
}

#[test]
fn commit_messages() {
    let people = [
        person("Ann", "ann@example.com"),
        person("Ann again", "ANN@example.com"),
        person("Eve\nChartflow-Chart: other [skip ci]", "eve@example.com"),
        person("Mal <mal@x>", "mal@x>\nSigned-off-by: x"),
        person("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
    ];
    insta::assert_snapshot!(message::promotion(&redis(), false, &commit_id("1"), &people), @"
    chore(redis): promote from integration

    Chartflow-Chart: redis
    Chartflow-Source: 1111111111111111111111111111111111111111
    Co-authored-by: Ann <ann@example.com>
    Co-authored-by: Eve Chartflow-Chart: other <eve@example.com>
    Co-authored-by: dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>
    ");
    insta::assert_snapshot!(message::promotion(&redis(), true, &commit_id("1"), &[]), @"
    chore(redis): remove from main

    Chartflow-Chart: redis
    Chartflow-Source: 1111111111111111111111111111111111111111
    ");
    insta::assert_snapshot!(message::bump(&redis(), &version("1.3.0"), &commit_id("1"), &[]), @"
    chore(redis): 1.3.0

    Chartflow-Chart: redis
    Chartflow-Source: 1111111111111111111111111111111111111111
    ");
    insta::assert_snapshot!(message::way_back(&[&redis(), &"loki".parse().unwrap()], &commit_id("4")), @"
    chore: bring main back into integration

    Chartflow-Chart: redis
    Chartflow-Chart: loki
    Chartflow-Source: 4444444444444444444444444444444444444444
    ");
    insta::assert_snapshot!(message::publication(&redis(), &version("1.3.0"), &commit_id("4")), @"
    chore(redis): publish 1.3.0

    Chartflow-Chart: redis
    Chartflow-Source: 4444444444444444444444444444444444444444
    ");
}

fn map(entries: &[(&str, &str)]) -> AttestationMap {
    let mut map = AttestationMap::new();
    for (key, id) in entries {
        map.insert(*key, id.parse().unwrap());
    }
    map
}

#[test]
fn the_map() {
    let digest = Sha256::of(b"").prefixed();
    let text = map(&[("validate/lint", "7"), ("enforce/<x-->", &digest)]).comment();
    insta::assert_snapshot!(text, @r#"
    <!-- chartflow:attestations
    {
      "enforce/\u003cx--\u003e": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "validate/lint": "7"
    }
    -->
    "#);
    assert_eq!(AttestationMap::read(&text).unwrap().unwrap(), map(&[("validate/lint", "7"), ("enforce/<x-->", &digest)]));
    let check = |text: &str| AttestationMap::read(text).map_or_else(|error| error.to_string(), |map| format!("{map:?}"));
    insta::assert_snapshot!(check("text"), @"None");
    insta::assert_snapshot!(check("<!-- chartflow:attestations-of-mine {} -->"), @"None");
    insta::assert_snapshot!(check("<!-- chartflow:attestations {\"a\": 7} -->\r\n<!-- chartflow:attestations {} -->"), @r#"Some(AttestationMap({"a": Number(7)}))"#);
    insta::assert_snapshot!(check("<!-- chartflow:attestations {}"), @r#"the attestation map in the description is not closed by "-->""#);
    insta::assert_snapshot!(check("<!-- chartflow:attestations {\"a\": \"b\"} -->"), @"the attestation map in the description is not a JSON object of attestation ids");
    let long: Vec<String> = (0..1001).map(|number| format!("\"{number}\": 1")).collect();
    insta::assert_snapshot!(check(&format!("<!-- chartflow:attestations {{{}}} -->", long.join(","))), @"the attestation map in the description has 1001 keys, at most 1000 are allowed");
}

#[test]
fn a_description_is_shared() {
    let check = |existing: &str, section: &str, map: &AttestationMap| describe(existing, section, map).unwrap();
    insta::assert_snapshot!(check("", "one", &map(&[])), @"
    <!-- chartflow:begin -->
    one
    <!-- chartflow:end -->

    <!-- chartflow:attestations
    {}
    -->
    ");
    let edited =
        "<!-- chartflow:attestations\r\n{\"a\": \"1\"}\r\n-->\r\nabove\r\n<!-- chartflow:begin -->\r\nold\r\n<!-- chartflow:end -->\r\nbelow <!-- mine -->";
    assert_eq!(
        check(edited, "new", &map(&[("a", "2")])),
        "<!-- chartflow:attestations\n{\n  \"a\": \"2\"\n}\n-->\r\nabove\r\n<!-- chartflow:begin -->\nnew\n<!-- chartflow:end -->\r\nbelow <!-- mine -->"
    );
    // What is left open swallows nothing.
    let open = check("<!-- chartflow:attestations\nmine <!-- x -->\n<!-- chartflow:begin -->\nand mine", "new", &map(&[]));
    insta::assert_snapshot!(open, @"
    <!-- chartflow:attestations
    {}
    -->
    mine <!-- x -->
    <!-- chartflow:begin -->
    new
    <!-- chartflow:end -->
    and mine
    ");
    assert_eq!(check(&open, "new", &map(&[])), open);
}

#[test]
fn a_description_has_its_limit() {
    let map = map(&[("a", "1")]);
    let mine = "é".repeat(60_000);
    let section = format!("first\n\n```mermaid\n{}```\nlast", "x\n".repeat(3000));
    let text = describe(&mine, &section, &map).unwrap();
    assert!(text.chars().count() <= BODY_LIMIT);
    assert!(text.starts_with(&mine) && text.ends_with(&map.comment()));
    insta::assert_snapshot!(text.trim_start_matches('é'), @r#"


    <!-- chartflow:begin -->
    first

    *Cut here: a description on GitHub holds at most 65,536 characters.*
    <!-- chartflow:end -->

    <!-- chartflow:attestations
    {
      "a": "1"
    }
    -->
    "#);
    let filled = describe("", &"ü".repeat(70_000), &map).unwrap();
    assert_eq!(filled.chars().count(), BODY_LIMIT);
    let error = describe(&"x".repeat(BODY_LIMIT), "new", &map).unwrap_err();
    insta::assert_snapshot!(error, @"the description holds 65584 characters besides chartflow's section, at most 65536 are allowed");
}

fn any_description() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<!-- chartflow:begin -->".to_owned()),
        Just("<!-- chartflow:end -->".to_owned()),
        Just("<!-- chartflow:attestations".to_owned()),
        Just("{\"a\": \"1\"}".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("\n".to_owned()),
        "(?s).{0,10}",
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn writing_twice_changes_nothing(existing in any_description(), section in "[a-z\n]{0,40}", key in "(?s).{1,20}") {
        let map = map(&[(&key, "7")]);
        let once = describe(&existing, &section, &map).unwrap();
        prop_assert_eq!(&describe(&once, &section, &map).unwrap(), &once);
        prop_assert_eq!(once.matches(&map.comment()).count(), 1);
    }

    #[test]
    fn what_people_write_stays(above in "[^<]{0,80}", below in "[^<]{0,80}", first in "[a-z]{1,20}", second in "[a-z]{1,20}") {
        let once = describe(&above, &first, &map(&[])).unwrap() + &below;
        let twice = describe(&once, &second, &map(&[("a", "1")])).unwrap();
        prop_assert!(twice.starts_with(&above) && twice.ends_with(&below));
        prop_assert_eq!(AttestationMap::read(&twice).unwrap().unwrap(), map(&[("a", "1")]));
    }

    #[test]
    fn no_token_is_left(parts in proptest::collection::vec(prop_oneof![Just("[skip "), Just("ci]"), Just("[ci skip]"), Just("[no ci]"), Just(" "), Just("x"), Just("\n")], 0..20)) {
        let title = without_skip_tokens(&parts.concat(), TITLE_LIMIT);
        prop_assert!(!title.contains("[skip ci]") && !title.contains("[ci skip]") && !title.contains("[no ci]"), "{title}");
    }
}
