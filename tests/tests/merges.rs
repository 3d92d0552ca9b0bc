//! Whose contribution a merge is, and what content may be in the way of a release without being in the way of others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_core::domain::ruleset::Mode;
use chartflow_core::domain::statement::Predicate;
use chartflow_core::flow::Report;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::charts::CONFIGURATION;
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{CONTRIBUTOR, Step, World};

fn rules(report: &Report) -> Vec<&str> {
    report.entries.iter().filter_map(|entry| entry.rule.as_deref()).collect()
}

/// Validated, approved and merged.
fn merged(world: &mut World, number: u64) {
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
}

#[test]
fn of_stacked_pull_requests_the_one_that_was_merged_is_the_contribution() {
    let mut world = World::new(401);
    let start = world.tip("integration").unwrap();
    let below = world.offer("integration", &start, &[NewCommit::new("app", "feat(app): one").value("one: 1")]).unwrap();
    let head = world.hub.pulls().into_iter().find(|pull| pull.number == below).unwrap().head_sha;
    let head = chartflow_core::domain::digest::CommitId::new(head.to_string()).unwrap();
    let above = world.offer("integration", &head, &[NewCommit::new("app", "fix(app): two").value("two: 2")]).unwrap();
    merged(&mut world, above);
    let below_now = world.hub.pulls().into_iter().find(|pull| pull.number == below).unwrap();
    assert!(!below_now.open, "GitHub counts it as merged, too");
    world.finish();
    world.verify("app", "1.1.0").unwrap();
    let statements = world.statements();
    let promotions = statements.iter().filter_map(|signed| match &signed.statement.predicate {
        Predicate::Promotion(promotion) => Some(promotion),
        _ => None,
    });
    let pulls: Vec<u64> = promotions.flat_map(|promotion| &promotion.contributions).map(|record| record.pull).collect();
    assert_eq!(pulls, [above]);
    assert_eq!(world.check(Counting::ExactlyOnce), 1, "{}", world.told());
}

#[test]
fn content_that_a_merge_commit_alone_brings_is_released_with_its_reviews() {
    let mut world = World::new(402);
    let start = world.tip("integration").unwrap();
    let cron = || NewCommit::new("cron", "feat(cron): x").value("x: 1");
    let side = world.commit(CONTRIBUTOR, std::slice::from_ref(&start), &cron()).unwrap();
    let joined = cron().edit("values.yaml", |old| Some(format!("x: 1\n{}", old?))).at("charts/app/values.yaml", |old| Some(format!("y: 1\n{}", old?)));
    let joined = NewCommit { message: "Merge the side".to_owned(), edits: joined.edits.into_iter().skip(1).collect(), ..NewCommit::new("app", "") };
    let merge = world.commit(CONTRIBUTOR, &[start, side], &joined).unwrap();
    let contributor = world.hub.person(CONTRIBUTOR).unwrap();
    contributor.push("joined", merge.as_str(), true).unwrap();
    let number = contributor.open("joined", "integration", "feat: two charts", "").unwrap();
    merged(&mut world, number);
    world.finish();
    for (chart, version) in [("app", "1.0.1"), ("cron", "2.2.0")] {
        assert!(world.verify(chart, version).is_ok(), "{chart}: {:?}\n{}", world.verify(chart, version), world.told());
    }
}

#[test]
fn what_the_bump_cannot_write_holds_its_chart_alone() {
    let unchecked = CONFIGURATION.replace("version, layout", "artifact-hub");
    let mut world = World::configured(403, &unchecked.replace("[artifact-hub, schema, commits, changelog, artifact-hub]", "[schema]"));
    let anchored = |old: Option<&str>| Some(old?.replace("version: 1.0.0\nappVersion: \"1.0\"", "version: &v 1.0.0\nappVersion: *v"));
    let two = [NewCommit::new("app", "feat(app): an anchor").edit("Chart.yaml", anchored), NewCommit::new("cron", "fix(cron): y").value("y: 1")];
    let number = world.contribute(&two);
    merged(&mut world, number);
    for step in [Step::Filter, Step::Enforce, Step::Format] {
        world.stage(step, None);
    }
    let report = world.stage(Step::Bump, None).unwrap();
    assert_eq!(rules(&report), ["bump/unwritable"], "{}", world.told());
    for step in [Step::Enforce, Step::Format, Step::Bump] {
        world.stage(step, None);
    }
    assert_eq!(world.release(), 1, "{}", world.told());
    assert_eq!(world.version("main", "cron").as_deref(), Some("2.1.1"));
    // Mended on integration, it goes its way.
    let plain = |old: Option<&str>| Some(old?.replace("version: &v 1.0.0\nappVersion: *v", "version: 1.0.0\nappVersion: \"2.0\""));
    let number = world.contribute(&[NewCommit::new("app", "fix(app): no anchor").edit("Chart.yaml", plain)]);
    merged(&mut world, number);
    world.finish();
    assert_eq!(world.version("main", "app").as_deref(), Some("1.1.0"), "{}", world.told());
}

#[test]
fn what_the_bump_could_not_write_is_refused_at_the_contribution() {
    let mut world = World::new(404);
    let anchored = |old: Option<&str>| Some(old?.replace("version: 1.0.0\nappVersion: \"1.0\"", "version: &v 1.0.0\nappVersion: *v"));
    world.contribute(&[NewCommit::new("app", "feat(app): an anchor").edit("Chart.yaml", anchored)]);
    let log = NewCommit::new("cron", "feat(cron): a folder").edit("CHANGELOG.md", |_| None).edit("CHANGELOG.md/x", |_| Some("x".to_owned()));
    world.contribute(&[log]);
    let report = world.stage(Step::Validate, None).unwrap();
    assert_eq!(rules(&report), ["layout/changelog", "version/unwritable"], "{}", world.told());
}

#[test]
fn a_directory_of_the_charts_name_that_holds_another_or_none_is_no_double() {
    let text = format!("{CONFIGURATION}directories: {{tool: charts/a-tool, web-old: more/web}}\n");
    let more = [
        ("more/tool/README.md".to_owned(), "no chart\n".to_owned()),
        ("more/web/Chart.yaml".to_owned(), "apiVersion: v2\nname: web-old\nversion: 1.0.0\n".to_owned()),
    ];
    let mut world = World::founded(405, &text, Mode::App { id: 424_242 }, &more);
    let new = NewCommit::new("tool", "feat(tool): new").at("charts/a-tool/Chart.yaml", |_| Some("apiVersion: v2\nname: tool\nversion: 0.1.0\n".to_owned()));
    let one = world.contribute(&[new]);
    let two = world.contribute(&[NewCommit::new("web", "fix(web): x").value("x: 1")]);
    let report = world.stage(Step::Validate, None).unwrap();
    assert_eq!(rules(&report), Vec::<&str>::new(), "{}", world.told());
    assert_eq!(world.mergeable(), [one, two]);
}
