use proptest::prelude::*;

use super::*;

/// A tree id that stands for a text.
fn tree(text: &str) -> TreeId {
    TreeId::from_raw(&crate::domain::digest::ObjectFormat::Sha1.hash("tree", text.as_bytes())).unwrap()
}

/// Directories as `path=content`; a content that begins with `-` has no Chart.yaml, one with `@name` gives the chart's name.
fn facts(before: &[&str], after: &[&str]) -> (Facts, BTreeMap<TreeId, String>) {
    let mut contents = BTreeMap::new();
    let mut directories = |rows: &[&str]| -> Directories {
        rows.iter()
            .map(|row| {
                let (path, content) = row.split_once('=').unwrap();
                contents.insert(tree(content), content.to_owned());
                (path.parse().unwrap(), tree(content))
            })
            .collect()
    };
    let facts = Facts { before: directories(before), after: directories(after), ..Facts::default() };
    (facts, contents)
}

/// Answers what is needed until nothing is, and says how many names were read.
fn complete(facts: &mut Facts, contents: &BTreeMap<TreeId, String>) -> usize {
    loop {
        match facts.needed() {
            Needed::Charts(trees) => facts.charts.extend(trees.into_iter().map(|tree| (tree.clone(), !contents[&tree].starts_with('-')))),
            Needed::Names(trees) => {
                facts.names.extend(trees.into_iter().map(|tree| (tree.clone(), contents[&tree].split_once('@').map(|(_, name)| name.to_owned()))))
            }
            Needed::Nothing => return facts.names.len(),
        }
    }
}

fn show(facts: &Facts) -> String {
    match facts.changes() {
        Ok((changes, notices)) => {
            let changes = changes.iter().map(|change| serde_json::to_string(change).unwrap());
            changes.chain(notices.iter().map(|notice| format!("notice: {notice}"))).collect::<Vec<_>>().join("\n")
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("error: {error}{cause}")
        }
    }
}

fn check(before: &[&str], after: &[&str]) -> String {
    let (mut facts, contents) = facts(before, after);
    complete(&mut facts, &contents);
    show(&facts)
}

#[test]
fn added_modified_removed() {
    insta::assert_snapshot!(check(&["charts/a=1@a", "charts/b=1@b", "charts/c=1@c"], &["charts/a=2@a", "charts/c=1@c", "charts/d=1@d"]), @r#"
    {"chart":"a","path":"charts/a","change":"modified"}
    {"chart":"b","path":"charts/b","change":"removed"}
    {"chart":"d","path":"charts/d","change":"added"}
    "#);
    insta::assert_snapshot!(check(&["charts/a=1@a"], &["charts/a=1@a"]), @"");
}

#[test]
fn a_directory_is_a_chart_by_its_chart_file() {
    insta::assert_snapshot!(check(&["charts/a=-1", "charts/b=1@b", "charts/c=-1"], &["charts/a=2@a", "charts/b=-2", "charts/c=-2"]), @r#"
    {"chart":"a","path":"charts/a","change":"added"}
    {"chart":"b","path":"charts/b","change":"removed"}
    "#);
}

#[test]
fn renames() {
    // The very content at another place, even where the name cannot be read.
    insta::assert_snapshot!(check(&["charts/a=1@a", "charts/x=1"], &["stable/a=1@a", "charts/y=1"]), @r#"
    {"chart":"y","path":"charts/y","change":"renamed","from":"charts/x"}
    {"chart":"a","path":"stable/a","change":"renamed","from":"charts/a"}
    notice: charts/y/Chart.yaml has no name that can be read; the directory's name is used
    "#);
    // Moved and changed: the name is the chart.
    insta::assert_snapshot!(check(&["charts/a=1@a"], &["stable/a=2@a"]), @r#"{"chart":"a","path":"stable/a","change":"renamed","from":"charts/a"}"#);
    // Another name is another chart.
    insta::assert_snapshot!(check(&["charts/a=1@a"], &["charts/b=2@b"]), @r#"
    {"chart":"a","path":"charts/a","change":"removed"}
    {"chart":"b","path":"charts/b","change":"added"}
    "#);
}

#[test]
fn directories_of_another_name() {
    insta::assert_snapshot!(check(&[], &["charts/redis-ha=1@redis"]), @r#"
    {"chart":"redis","path":"charts/redis-ha","change":"added"}
    notice: charts/redis-ha holds the chart "redis"; before it can be released, the directory needs that name, or .chartflow.yaml has to say so
    "#);
    let (mut facts, contents) = facts(&["charts/redis-ha=1@redis"], &["charts/redis-ha=2@redis"]);
    facts.map.insert("charts/redis-ha".parse().unwrap(), "redis".parse().unwrap());
    assert_eq!(complete(&mut facts, &contents), 0, "a modified chart's file is not read");
    insta::assert_snapshot!(show(&facts), @r#"{"chart":"redis","path":"charts/redis-ha","change":"modified"}"#);
}

#[test]
fn two_directories_of_one_name() {
    insta::assert_snapshot!(check(&["charts/a=1@a"], &["charts/a=1@a", "charts/b=2@a"]), @r#"error: charts/a and charts/b both hold a chart named "a""#);
    insta::assert_snapshot!(check(&["charts/a=1@a", "incubator/a=1@a"], &["charts/a=1@a", "incubator/a=2@a"]), @r#"error: charts/a and incubator/a both hold a chart named "a""#);
    // Only the directories share a name, or the other one holds no chart.
    insta::assert_snapshot!(check(&["charts/a=1@a", "incubator/a=1@b"], &["charts/a=2@a", "incubator/a=1@b"]), @r#"{"chart":"a","path":"charts/a","change":"modified"}"#);
    insta::assert_snapshot!(check(&["charts/a=1@a", "incubator/a=-1"], &["charts/a=2@a", "incubator/a=-1"]), @r#"{"chart":"a","path":"charts/a","change":"modified"}"#);
    // What is not touched is not judged.
    insta::assert_snapshot!(check(&["charts/a=1@a", "incubator/a=2@a"], &["charts/a=1@a", "incubator/a=2@a"]), @"");
}

#[test]
fn names_nothing_can_be_released_under() {
    insta::assert_snapshot!(check(&[], &["charts/Redis=1@Redis"]), @r#"error: charts/Redis cannot be released under its name: chart name "Redis" holds upper case, which OCI registries refuse"#);
    insta::assert_snapshot!(check(&["charts/redis=1@Redis"], &[]), @r#"{"chart":"redis","path":"charts/redis","change":"removed"}"#);
}

#[test]
fn the_contract_s_documents() {
    let (mut facts, contents) = facts(&["charts/a=1@a", "charts/b=1@b"], &["x/a=1@a"]);
    complete(&mut facts, &contents);
    let id = |text: &str| CommitId::from_raw(&crate::domain::digest::ObjectFormat::Sha1.hash("commit", text.as_bytes())).unwrap();
    let detection = Detection { base: id("base"), head: id("head"), merge_base: None, charts: facts.changes().unwrap().0 };
    insta::assert_snapshot!(serde_json::to_string(&detection).unwrap(), @r#"{"base":"c7c394aa333c12a69399d41e18d84dfc00131f07","head":"5e43c2eed19a310fc1a4e3aa414858d1dae1572a","mergeBase":null,"charts":[{"chart":"b","path":"charts/b","change":"removed"},{"chart":"a","path":"x/a","change":"renamed","from":"charts/a"}]}"#);
    insta::assert_snapshot!(serde_json::to_string(&detection.matrix()).unwrap(), @r#"{"include":[{"chart":"a","path":"x/a"}]}"#);
}

#[test]
fn incomplete_facts_are_refused() {
    let (facts, _) = facts(&[], &["charts/a=1@a"]);
    assert!(matches!(facts.changes(), Err(DetectionError::Incomplete { .. })));
}

proptest! {
    #[test]
    fn every_difference_is_listed_once(before in proptest::collection::btree_map("[a-f]", 0..4_u8, 0..6), after in proptest::collection::btree_map("[a-f]", 0..4_u8, 0..6)) {
        // Charts are named like their directories, so nothing is a rename and every content has its own tree.
        let rows = |side: &BTreeMap<String, u8>| side.iter().map(|(name, content)| format!("charts/{name}={}{name}{content}@{name}", if *content == 0 { "-" } else { "" })).collect::<Vec<_>>();
        let (before_rows, after_rows) = (rows(&before), rows(&after));
        let borrow = |rows: &'_ [String]| rows.iter().map(|row| row.clone().leak() as &str).collect::<Vec<_>>();
        let (mut facts, contents) = facts(&borrow(&before_rows), &borrow(&after_rows));
        complete(&mut facts, &contents);
        let (changes, _) = facts.changes().unwrap();
        let chart = |side: &BTreeMap<String, u8>, name: &str| side.get(name).copied().filter(|content| *content != 0);
        for name in ["a", "b", "c", "d", "e", "f"] {
            let want = match (chart(&before, name), chart(&after, name)) {
                (None, Some(_)) => Some("added"),
                (Some(_), None) => Some("removed"),
                (Some(old), Some(new)) if old != new => Some("modified"),
                _ => None,
            };
            let got: Vec<&str> = changes.iter().filter(|change| change.chart.as_str() == name).map(|change| change.kind.as_str()).collect();
            prop_assert_eq!(got, want.into_iter().collect::<Vec<_>>());
        }
    }
}
