use proptest::prelude::*;
use semver::Version;

use super::body::*;
use super::*;
use crate::domain::commit::Author;
use crate::domain::commit::range::Counted;
use crate::domain::digest::{CommitId, Sha256, TreeId};
use crate::domain::markdown::Links;
use crate::domain::names::ChartName;
use crate::domain::version::Level;

fn links() -> Links {
    Links::new("https://github.com", "o/r".parse().unwrap())
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn redis() -> ChartName {
    "redis".parse().unwrap()
}

fn commit_id(digit: &str) -> CommitId {
    CommitId::new(digit.repeat(40)).unwrap()
}

fn state(text: &str, digit: &str) -> State {
    State { version: Some(version(text)), content: TreeId::new(digit.repeat(40)).unwrap() }
}

fn person(name: &str, email: &str) -> Author {
    Author { name: name.to_owned(), email: email.to_owned() }
}

fn counted(digit: &str, message: &str, pull: Option<u64>) -> Counted {
    Counted { id: commit_id(digit), author: person("Ann", "ann@example.com"), committed: 0, message: message.to_owned(), pull }
}

fn check_line(key: &str, state: CheckState, message: Option<&str>, attestation: Option<AttestationId>) -> CheckLine {
    let url = attestation.map(|id| format!("https://github.com/o/r/attestations/{id}"));
    CheckLine { key: key.to_owned(), state, message: message.map(str::to_owned), attestation, url }
}

fn lineage(at: Place) -> Lineage {
    Lineage { pulls: vec![12, 14], source: Some(commit_id("1")), branch: "integration-redis".parse().unwrap(), version: None, tag: None, at }
}

fn carried() -> Carried {
    Carried {
        chart: redis(),
        before: Some(state("1.2.3", "a")),
        after: Some(state("1.2.3", "b")),
        decision: None,
        commits: vec![counted("2", "feat: a switch (#12)\n\nbody", Some(12)), counted("3", "thanks @everyone <!-- --> | `x`", None)],
        checks: vec![
            check_line("validate/helm-lint", CheckState::Passed, None, Some(AttestationId::Number(7))),
            check_line("validate/scan|<b>", CheckState::Failed, Some("found\n# two"), Some(AttestationId::Payload(Sha256::of(b"")))),
        ],
        lineage: lineage(Place::Integration),
        notices: Vec::new(),
    }
}

#[test]
fn the_promotion() {
    insta::assert_snapshot!(promotion(&carried(), &commit_id("1"), &"integration-redis".parse().unwrap(), &links()), @r#"
    Carries `redis`, and nothing else, as it is on integration at [`1111111111`](https://github.com/o/r/commit/1111111111111111111111111111111111111111), to `integration-redis`.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.2.3` |
    | content | `aaaaaaaaaa` | `bbbbbbbbbb` |

    **What happens next:** `enforce` proves that the content is integration's and merges this, or closes it and says why. Nobody has to do anything.

    - [x] validate/helm-lint passed · [`7`](https://github.com/o/r/attestations/7)
    - [ ] validate/scan\|&lt;b&gt; **failed**: found # two · [`sha256:e3b0c44298`](https://github.com/o/r/attestations/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855)

    ```mermaid
    flowchart LR
      p0["contribution<br/>#35;12, #35;14"]:::done
      p1["integration<br/>1111111111"]:::here
      p2["integration-redis<br/>promoted"]:::ahead
      p3["integration-redis<br/>version"]:::ahead
      p4["main"]:::ahead
      p5["tag"]:::ahead
      p6["release<br/>redis"]:::ahead
      p0 --> p1 --> p2 --> p3 --> p4 --> p5 --> p6
      classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
      classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e
    ```

    ### Commits

    - [`2222222222`](https://github.com/o/r/commit/2222222222222222222222222222222222222222) feat: a switch (Ann, [#12](https://github.com/o/r/pull/12))
    - [`3333333333`](https://github.com/o/r/commit/3333333333333333333333333333333333333333) thanks @&#8203;everyone &lt;!-- --&gt; \| \`x\` (Ann)
    "#);
    let removal = Carried { after: None, checks: Vec::new(), commits: Vec::new(), ..carried() };
    let text = promotion(&removal, &commit_id("1"), &"integration-redis".parse().unwrap(), &links());
    insta::assert_snapshot!(text.split("\n\n**What").next().unwrap(), @"
    Carries the removal of `redis`, and nothing else, on integration at [`1111111111`](https://github.com/o/r/commit/1111111111111111111111111111111111111111), to `integration-redis`.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | removed |
    | content | `aaaaaaaaaa` | removed |
    ");
}

/// Everything before the checklist.
fn beginning(text: &str) -> String {
    text.split("\n\n- [").next().unwrap().to_owned()
}

fn bumped() -> Carried {
    Carried {
        after: Some(state("1.3.0", "c")),
        decision: Some((Level::Minor, "it follows 1.2.3 by the commits".to_owned())),
        lineage: Lineage { version: Some(version("1.3.0")), ..lineage(Place::Bumped) },
        ..carried()
    }
}

#[test]
fn the_bump() {
    insta::assert_snapshot!(beginning(&bump(&bumped(), &"integration-redis".parse().unwrap(), &links())), @"
    Brings the version and the changelog of `redis` to `integration-redis`, both derived from the commits below.

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `cccccccccc` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** `enforce` derives both again and merges this when they are the same. Nobody has to do anything.
    ");
}

#[test]
fn the_pull_request_to_main() {
    let noted = Carried { notices: vec!["main was changed by hand at <x>".to_owned(), "two".to_owned()], ..bumped() };
    insta::assert_snapshot!(beginning(&to_main(&noted, "hold", &links())), @"
    Releases `redis` 1.3.0.

    > main was changed by hand at &lt;x&gt;
    >
    > two

    | | before | after |
    |---|---|---|
    | version | `1.2.3` | `1.3.0` |
    | content | `aaaaaaaaaa` | `cccccccccc` |
    | level | | minor: it follows 1.2.3 by the commits |

    **What happens next:** Review and merge (squash). The tag, the package, the release and the way back to integration follow by themselves. Newer content on integration refreshes this pull request and dismisses the approval; the label hold keeps it as it is.
    ");
    let first_lines = |carried: Carried| {
        let text = to_main(&carried, "hold", &links());
        let next = text.lines().find(|line| line.starts_with("**What")).unwrap().to_owned();
        format!("{}\n{next}", text.lines().next().unwrap())
    };
    insta::assert_snapshot!(first_lines(carried()), @"
    Brings `redis` to main.
    **What happens next:** Wait: the version and the changelog are still to come, and the status `chartflow/main` is not green until then.
    ");
    insta::assert_snapshot!(first_lines(Carried { decision: Some((Level::None, String::new())), ..carried() }), @"
    Brings `redis` to main. Nothing that is packaged changes.
    **What happens next:** Review and merge. There is no version and no tag.
    ");
    insta::assert_snapshot!(first_lines(Carried { after: None, ..carried() }), @"
    Removes `redis` from main. What was published stays.
    **What happens next:** Review and merge. There is no version and no tag.
    ");
}

#[test]
fn the_contribution() {
    let checks = |state| vec![check_line("validate/helm-lint", state, None, None)];
    let charts = [
        Contributed {
            chart: redis(),
            before: Some(version("1.2.3")),
            after: Some(version("1.3.0")),
            level: Some(Level::Minor),
            checks: checks(CheckState::Passed),
            entry: Some("## 1.3.0 (2026-01-01)\n\n### Features\n\n- a switch\n".to_owned()),
        },
        Contributed { chart: "new".parse().unwrap(), before: None, after: None, level: None, checks: checks(CheckState::Pending), entry: None },
        Contributed { chart: "bad".parse().unwrap(), before: None, after: None, level: None, checks: checks(CheckState::Failed), entry: None },
    ];
    insta::assert_snapshot!(contribution(&charts, &[]), @"
    | chart | on main | would become | level | checks |
    |---|---|---|---|---|
    | `redis` | `1.2.3` | `1.3.0` | minor | passed |
    | `new` | – | – | – | 1 awaited |
    | `bad` | – | – | – | **1 failed** |

    **What happens next:** Once this is reviewed and merged, each chart goes on by itself, in pull requests of its own. Do not raise versions or write changelogs here: both are derived from the commits.

    ### redis

    - [x] validate/helm-lint passed

    <details><summary>What CHANGELOG.md gains</summary>

    ## 1.3.0 (2026-01-01)

    ### Features

    - a switch

    </details>

    ### new

    - [ ] validate/helm-lint awaited

    ### bad

    - [ ] validate/helm-lint **failed**
    ");
    assert!(contribution(&[], &[]).starts_with("This pull request touches no chart."));
    let refusals = [Refusal { rule: "layout/outside".to_owned(), message: "it changes README.md".to_owned(), hint: "open another".to_owned() }];
    insta::assert_snapshot!(contribution(&[], &refusals), @"
    **Refused** (layout/outside): it changes README.md

    What to do: open another

    **What happens next:** This cannot be merged as it is. Push what is asked for above; the checks run again by themselves.
    ");
}

#[test]
fn the_way_back() {
    let returned = [
        Returned { chart: redis(), version: Some(version("1.3.0")), replayed: false },
        Returned { chart: "loki".parse().unwrap(), version: Some(version("2.0.0")), replayed: true },
        Returned { chart: "old".parse().unwrap(), version: None, replayed: false },
    ];
    insta::assert_snapshot!(way_back(&returned, &commit_id("4"), false, &links()), @"
    Brings main at [`4444444444`](https://github.com/o/r/commit/4444444444444444444444444444444444444444) back into integration. Outside charts integration gets what main has.

    | chart | version | integration gets |
    |---|---|---|
    | `redis` | `1.3.0` | main's content |
    | `loki` | `2.0.0` | integration's newer content, with main's version and changelog entry |
    | `old` | removed | main's content |

    **What happens next:** **Please merge this with a merge commit**; after a squash or rebase the next way back would start over. Until then the charts above are held.
    ");
    insta::assert_snapshot!(way_back(&[], &commit_id("4"), true, &links()), @"
    Brings main at [`4444444444`](https://github.com/o/r/commit/4444444444444444444444444444444444444444) back into integration. Outside charts integration gets what main has.

    No chart changed on main.

    **What happens next:** chartflow proves this by computing it again and merges it. Nobody has to do anything.
    ");
}

#[test]
fn the_publication() {
    let published = Published {
        chart: redis(),
        version: version("1.3.0"),
        tag: "redis-v1.3.0".parse().unwrap(),
        file: "redis-1.3.0.tgz".to_owned(),
        package: Sha256::of(b""),
        image: Some(("ghcr.io/o/charts/redis:1.3.0".to_owned(), Sha256::of(b"m"))),
        attestations: 9,
        commits: Vec::new(),
        checks: Vec::new(),
        lineage: Lineage { version: Some(version("1.3.0")), tag: Some("redis-v1.3.0".parse().unwrap()), ..lineage(Place::Release) },
    };
    let text = publication(&published, &links());
    insta::assert_snapshot!(text.split("\n\n```").next().unwrap(), @"
    Publishes `redis` 1.3.0: the package, its entry in the index and its lineage, in one commit.

    | | |
    |---|---|
    | tag | [`redis-v1.3.0`](https://github.com/o/r/releases/tag/redis-v1.3.0) |
    | package | redis-1.3.0.tgz |
    | sha256 | `e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855` |
    | OCI | ghcr.io/o/charts/redis:1.3.0 |
    | manifest | `sha256:62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a` |
    | lineage | 9 attestations |

    **What happens next:** `package` has verified the lineage and merges this. `publish` then pushes to the registry, publishes the release and checks what it published as a stranger would.
    ");
}

#[test]
fn a_refusal() {
    insta::assert_snapshot!(refusal("enforce/content", "the branch holds `charts/b` too", "push <nothing> here"), @r"
    **Refused** (enforce/content): the branch holds \`charts/b\` too

    What to do: push &lt;nothing&gt; here
    ");
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
