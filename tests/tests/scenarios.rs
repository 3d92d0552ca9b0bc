//! The train on one situation at a time.

use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{Step, World};

#[test]
fn one_contribution_by_hand() {
    let mut world = World::new(0);
    let number = world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    world.stage(Step::Validate, None);
    assert_eq!(world.mergeable(), [number], "{}", world.told());
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-app").is_some(), "{}", world.told());
    world.stage(Step::Enforce, None);
    assert_eq!(world.version("integration-app", "app").as_deref(), Some("1.0.0"), "{}", world.told());
    world.stage(Step::Format, None);
    assert!(world.pull_from("integration-app").is_some(), "{}", world.told());
    world.stage(Step::Bump, None);
    world.stage(Step::Enforce, None);
    assert_eq!(world.version("integration-app", "app").as_deref(), Some("1.1.0"), "{}", world.told());
    world.stage(Step::Format, None);
    world.stage(Step::Bump, None);
    assert_eq!(world.release(), 1, "{}", world.told());
    world.stage(Step::Tag, None);
    assert!(world.hub.reference("refs/tags/app-v1.1.0").is_some(), "{}", world.told());
    world.stage(Step::Validate, None);
    assert_eq!(world.version("integration", "app").as_deref(), Some("1.1.0"), "{}", world.told());
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 1);
}
