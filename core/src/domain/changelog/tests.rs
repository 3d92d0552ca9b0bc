use proptest::prelude::*;
use semver::Version;

use super::*;
use crate::domain::commit::Author;
use crate::domain::commit::range::Counted;
use crate::domain::digest::CommitId;
use crate::domain::markdown::Links;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn links() -> Links {
    Links::new("https://github.com", "o/r".parse().unwrap())
}

fn counted(number: u64, name: &str, message: &str) -> Counted {
    Counted {
        id: CommitId::new(format!("{number:040x}")).unwrap(),
        author: Author { name: name.to_owned(), email: format!("{}@example.com", name.to_lowercase()) },
        committed: 1_700_000_000,
        message: message.to_owned(),
        pull: Some(number),
    }
}

fn entry(commits: &[Counted]) -> Entry {
    Entry::new(&"redis".parse().unwrap(), version("1.3.0"), Some("redis-v1.3.0".parse().unwrap()), 1_700_000_000, commits)
}

#[test]
fn an_entry() {
    let text = entry(&[
        counted(5, "Ann", "fix(redis): the port (#5)"),
        counted(4, "Bob", "feat(tls)!: new keys\n\nBREAKING CHANGE: `old` is gone,\nuse `new`\n\nmore words"),
        counted(3, "Ann", "chore: tidy"),
        counted(2, "<Eve>", "thanks @everyone <!-- hi --> | fixes #1"),
        counted(1, "Ann", "feat: a switch"),
    ]);
    insta::assert_snapshot!(text.markdown(&links()), @r"
    ## [1.3.0](https://github.com/o/r/releases/tag/redis-v1.3.0) (2023-11-14)

    ### Breaking changes

    - **tls:** new keys: \`old\` is gone, use \`new\` ([#4](https://github.com/o/r/pull/4), [`0000000000`](https://github.com/o/r/commit/0000000000000000000000000000000000000004))

    ### Features

    - a switch ([#1](https://github.com/o/r/pull/1), [`0000000000`](https://github.com/o/r/commit/0000000000000000000000000000000000000001))

    ### Fixes

    - the port ([#5](https://github.com/o/r/pull/5), [`0000000000`](https://github.com/o/r/commit/0000000000000000000000000000000000000005))

    ### Other changes

    - tidy ([#3](https://github.com/o/r/pull/3), [`0000000000`](https://github.com/o/r/commit/0000000000000000000000000000000000000003))
    - thanks @&#8203;everyone &lt;!-- hi --&gt; \| fixes #&#8203;1 ([#2](https://github.com/o/r/pull/2), [`0000000000`](https://github.com/o/r/commit/0000000000000000000000000000000000000002))

    Contributors: Ann, &lt;Eve&gt;, Bob
    ");
    let plain = Entry { tag: None, date: i64::MAX, ..entry(&[]) };
    insta::assert_snapshot!(plain.markdown(&links()), @"
    ## 1.3.0 (9999-12-30)

    No commit describes this change.
    ");
}

#[test]
fn artifact_hub() {
    let text =
        entry(&[counted(2, "Ann", "fix(security): say \"no\" to: {everybody} \\ #1"), counted(1, "Bob", "feat!: new keys\n\nBREAKING CHANGE: old is gone")])
            .artifact_hub_changes(&links());
    insta::assert_snapshot!(text, @r##"
    - kind: security
      description: "security: say \"no\" to: {everybody} \\ #1"
      links:
        - name: "Pull request 2"
          url: "https://github.com/o/r/pull/2"
        - name: "Commit 0000000000"
          url: "https://github.com/o/r/commit/0000000000000000000000000000000000000002"
    - kind: changed
      description: "Breaking: new keys: old is gone"
      links:
        - name: "Pull request 1"
          url: "https://github.com/o/r/pull/1"
        - name: "Commit 0000000000"
          url: "https://github.com/o/r/commit/0000000000000000000000000000000000000001"
    "##);
    let kinds = ["feat: x", "fix: x", "docs: x", "removed: x", "deprecate: x", "security: x", "revert: x", "x"]
        .map(|message| entry(&[counted(1, "Ann", message)]).changes.remove(0).kind);
    assert_eq!(kinds, ["added", "fixed", "changed", "removed", "deprecated", "security", "changed", "changed"]);
    assert_eq!(entry(&[]).artifact_hub_changes(&links()), "");
}

/// Inserts the entry `## 1.1.0` and shows line ends.
fn check(existing: &str) -> String {
    let result = insert(Some(existing), &version("1.1.0"), "## 1.1.0\n\n- new\n");
    if let Some(rest) = result.strip_prefix(existing) {
        return format!("{:?} + {:?}", existing, rest);
    }
    format!("{result:?}")
}

#[test]
fn the_place_of_an_entry() {
    insta::assert_snapshot!(check(""), @r####""" + "# Changelog\n\n## 1.1.0\n\n- new\n""####);
    insta::assert_snapshot!(check("# Changelog"), @r####""# Changelog" + "\n\n## 1.1.0\n\n- new\n""####);
    insta::assert_snapshot!(check("# Changelog\n\nAbout.\n"), @r####""# Changelog\n\nAbout.\n" + "\n## 1.1.0\n\n- new\n""####);
    insta::assert_snapshot!(check("# Changelog\n\n## 1.0.0\n\n- first\n"), @r####""# Changelog\n\n## 1.1.0\n\n- new\n\n## 1.0.0\n\n- first\n""####);
    insta::assert_snapshot!(check("# Changelog\r\n\r\n## 1.0.0\r\n"), @r####""# Changelog\r\n\r\n## 1.1.0\r\n\r\n- new\r\n\r\n## 1.0.0\r\n""####);
    insta::assert_snapshot!(check("## 1.0.0"), @r####""## 1.1.0\n\n- new\n\n## 1.0.0""####);
    insta::assert_snapshot!(check("\u{feff}## 1.0.0\n"), @r####""\u{feff}## 1.1.0\n\n- new\n\n## 1.0.0\n""####);
    insta::assert_snapshot!(check("# Changelog\n## [Unreleased]\n- soon\n## [1.0.0] - 2024-01-01\n\n[1.0.0]: https://x\n"), @r####""# Changelog\n## [Unreleased]\n- soon\n\n## 1.1.0\n\n- new\n\n## [1.0.0] - 2024-01-01\n\n[1.0.0]: https://x\n""####);
    insta::assert_snapshot!(check("# Changelog\n\n## Unreleased\n\n- soon\n"), @r####""# Changelog\n\n## Unreleased\n\n- soon\n" + "\n## 1.1.0\n\n- new\n""####);
    insta::assert_snapshot!(check("# Changelog\n\n## 2.0.0\n\n- by hand\n\n### [1.0.1](u) (2024-01-01)\n"), @r####""# Changelog\n\n## 2.0.0\n\n- by hand\n\n## 1.1.0\n\n- new\n\n### [1.0.1](u) (2024-01-01)\n""####);
    insta::assert_snapshot!(check("v2.0.0\n======\n\nx\n\nredis-1.0.0 / 2024-01-01\n------\n"), @r####""v2.0.0\n======\n\nx\n\n## 1.1.0\n\n- new\n\nredis-1.0.0 / 2024-01-01\n------\n""####);
    insta::assert_snapshot!(check("# Log\n\n<!--\n## 0.1.0 template\n-->\n\n```\n## 0.2.0\n```\n\n## 0.3.0\n"), @r####""# Log\n\n<!--\n## 0.1.0 template\n-->\n\n```\n## 0.2.0\n```\n\n## 1.1.0\n\n- new\n\n## 0.3.0\n""####);
    insta::assert_snapshot!(check("# Log\n\n## Upgrading to 0.9.0 by hand\n\nx\n\n## Version 1.0.0\n"), @r####""# Log\n\n## Upgrading to 0.9.0 by hand\n\nx\n\n## 1.1.0\n\n- new\n\n## Version 1.0.0\n""####);
    insta::assert_snapshot!(check("# Log\n\n## 1.1.0\n\n- written by hand\n"), @r####""# Log\n\n## 1.1.0\n\n- written by hand\n" + """####);
}

#[test]
fn an_entry_is_found_again() {
    let log = "# Log\n\n## 1.1.0-rc.1\n\n- rc\n\n## v1.1.0\n\n### Fixes\n\n- x\n\n\n## 1.0.0\n";
    assert_eq!(entry_text(log, &version("1.1.0")).unwrap(), "## v1.1.0\n\n### Fixes\n\n- x\n");
    assert_eq!(entry_text(log, &version("1.2.0")), None);
    assert_eq!(entry_text(log, &version("1.0.0+build")).unwrap(), "## 1.0.0\n");
}

#[test]
fn replaying() {
    let before = "# Log\n\n## 1.0.0\n\n- first\n";
    let after = insert(Some(before), &version("1.1.0"), "## 1.1.0\n\n- new\n");
    let check = |before: Option<&str>, other: Option<&str>| {
        let once = replay(before, Some(&after), other);
        assert_eq!(replay(before, Some(&after), once.as_deref()), once, "twice");
        once.map_or("no file".to_owned(), |text| format!("{text:?}"))
    };
    insta::assert_snapshot!(check(Some(before), Some("# Log\r\n\r\n## Unreleased\r\n\r\n- later\r\n\r\n## 1.0.0\r\n\r\n- first")), @r##""# Log\r\n\r\n## Unreleased\r\n\r\n- later\r\n\r\n## 1.1.0\r\n\r\n- new\r\n\r\n## 1.0.0\r\n\r\n- first""##);
    insta::assert_snapshot!(check(Some(before), None), @r##""# Changelog\n\n## 1.1.0\n\n- new\n""##);
    insta::assert_snapshot!(check(Some(&after), None), @"no file");
    insta::assert_snapshot!(check(Some(&after), Some("x")), @r#""x""#);
    insta::assert_snapshot!(check(None, Some("")), @r##""# Changelog\n\n## 1.1.0\n\n- new\n\n## 1.0.0\n\n- first\n""##);
}

#[test]
fn other_encodings_are_refused() {
    insta::assert_snapshot!(read(b"# L\xf6g").unwrap_err(), @"the changelog is not UTF-8 at byte 3");
}

fn any_changelog() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("# Changelog".to_owned()),
        Just("## [Unreleased]".to_owned()),
        Just("```".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just(String::new()),
        "## (v)?[01]\\.[0-3]\\.0",
        "- .{0,12}",
        ".{0,12}",
    ];
    (proptest::collection::vec(line, 0..14), prop_oneof![Just("\n"), Just("\r\n")], any::<bool>()).prop_map(|(lines, end, last)| {
        let text = lines.join(end);
        if last { text + end } else { text }
    })
}

proptest! {
    #[test]
    fn every_byte_is_kept(existing in any_changelog(), minor in 0_u64..4) {
        let version = Version::new(1, minor, 0);
        let result = insert(Some(&existing), &version, &format!("## {version}\n\n- new\n"));
        let inserted = result.len() - existing.len();
        let kept = (0..=existing.len()).any(|at| existing.is_char_boundary(at) && result.get(..at) == existing.get(..at) && result.get(at + inserted..) == existing.get(at..));
        prop_assert!(kept, "{result:?}");
        prop_assert_eq!(insert(Some(&result), &version, "## other\n"), result);
    }

    #[test]
    fn what_is_inserted_is_replayed_once(before in any_changelog(), other in any_changelog(), minor in 0_u64..4) {
        let version = Version::new(1, minor, 0);
        let after = insert(Some(&before), &version, &format!("## {version}\n\n- new\n"));
        let once = replay(Some(&before), Some(&after), Some(&other));
        prop_assert_eq!(replay(Some(&before), Some(&after), once.as_deref()), once);
    }

    #[test]
    fn artifact_hub_can_read_it(message in "(?s).{0,120}") {
        let entry = entry(&[counted(1, "Ann", &message)]);
        let text = entry.artifact_hub_changes(&links());
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let breaking = if entry.changes[0].section == Section::Breaking { "Breaking: " } else { "" };
        let scope = entry.changes[0].scope.as_ref().map(|scope| format!("{scope}: ")).unwrap_or_default();
        prop_assert_eq!(value[0]["description"].as_str().unwrap(), format!("{breaking}{scope}{}", entry.changes[0].text));
    }
}

#[test]
fn co_authors_contribute_each_once() {
    let entry = entry(&[
        counted(3, "Bob", "fix: c\n\nCo-authored-by: ann <ANN@example.com>\nCo-Authored-By: <Dee> <dee@example.com>"),
        counted(2, "Ann", "Both (#2)\n\n* feat: b\n\n* wip\n\n---------\n\nCo-authored-by: Cy  B. <cy@example.com>\nCo-authored-by: Cyrus <CY@example.com>"),
        counted(1, "Ann", "feat: a\n\nwe said Co-authored-by: Not <not@example.com>\nCo-authored-by: nobody\nCo-authored-by: <no@example.com>"),
    ]);
    assert_eq!(entry.contributors, ["Ann", "Cy B.", "Bob", "<Dee>"]);
}
