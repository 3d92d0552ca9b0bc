use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// What becomes of a chart at a version when commits with these messages change what is packaged.
fn check(from: &str, messages: &[&str]) -> String {
    let from = version(from);
    let level = level_of(messages.iter().copied(), true);
    let facts = Facts { main: Some(from.clone()), contributed: from.clone(), floor: Some(from), level, policy: VersionPolicy::Higher, release_as: None };
    let decision = decide(&facts).unwrap();
    format!("{} ({})", decision.version, decision.level)
}

#[test]
fn where_other_tools_disagree() {
    // 0.y promises nothing beyond y (SemVer rule 4), and Helm users pin `~0.3`: the minor number is the breaking one.
    assert_eq!(check("0.3.1", &["feat!: x"]), "0.4.0 (major)");
    // A feature is a feature; a patch would let it into `~0.3.1` unannounced.
    assert_eq!(check("0.3.1", &["feat: x"]), "0.4.0 (minor)");
    // Nobody pins 0.0.z by patch, so the rule of 0.y holds without an exception.
    assert_eq!(check("0.0.5", &["feat!: x"]), "0.1.0 (major)");
    // Published bytes never change under one version, so whatever changes the package needs a version of its own.
    assert_eq!(check("1.0.0", &["docs: x", "chore: y"]), "1.0.1 (patch)");
    assert_eq!(check("1.0.0", &["whatever"]), "1.0.1 (patch)");
    // 1.0.0 is still to come and may hold the feature; the series goes on.
    assert_eq!(check("1.0.0-rc.1", &["feat: x"]), "1.0.0-rc.2 (minor)");
    // The specification knows `feat`, and a word that only some tools know must not decide a level.
    assert_eq!(check("1.0.0", &["feature: x"]), "1.0.1 (patch)");
    // Types compare without regard to case (specification, rule 15).
    assert_eq!(check("1.0.0", &["FEAT: x"]), "1.1.0 (minor)");
    // A squash holds several commits, and each counts.
    assert_eq!(check("1.0.0", &["Two things (#1)\n\n* fix: a\n* feat: b"]), "1.1.0 (minor)");
    // Both spellings of the footer count, and so does one that the writer did not set apart by a blank line.
    assert_eq!(check("1.0.0", &["fix: x\n\nBREAKING-CHANGE: y"]), "2.0.0 (major)");
    assert_eq!(check("1.0.0", &["fix: x\n\nbody\nBREAKING CHANGE: y"]), "2.0.0 (major)");
    // What git writes for a revert takes a change back, which is no feature; a revert of the revert is one again.
    assert_eq!(check("1.0.0", &["Revert \"feat: x\""]), "1.0.1 (patch)");
    assert_eq!(check("1.0.0", &["Revert \"Revert \"feat: x\"\""]), "1.1.0 (minor)");
}

#[test]
fn the_first_release_keeps_its_version() {
    let new = Facts { main: None, contributed: version("0.3.0"), floor: None, level: Level::Major, policy: VersionPolicy::Commits, release_as: None };
    for policy in [VersionPolicy::Commits, VersionPolicy::Contributed, VersionPolicy::Higher] {
        let decision = decide(&Facts { policy, ..new.clone() }).unwrap();
        assert_eq!((decision.version, decision.level, decision.reason), (version("0.3.0"), Level::Initial, Reason::Initial));
    }
    let asked = decide(&Facts { release_as: Some(version("1.0.0")), ..new.clone() }).unwrap();
    assert_eq!((asked.version, asked.level), (version("1.0.0"), Level::Initial));
    let again = decide(&Facts { contributed: version("2.0.0"), floor: Some(version("1.4.2")), ..new }).unwrap();
    assert_eq!((again.version, again.level), (version("2.0.0"), Level::Initial));
}

/// `main`, `contributed`, `floor`, level, policy, `Release-As`.
fn decided(main: &str, contributed: &str, floor: &str, level: Level, policy: VersionPolicy, release_as: Option<&str>) -> String {
    let facts =
        Facts { main: Some(version(main)), contributed: version(contributed), floor: Some(version(floor)), level, policy, release_as: release_as.map(version) };
    match decide(&facts) {
        Ok(decision) => format!("{}: {}", decision.version, decision.reason),
        Err(error) => format!("error: {error}; {}", error.hint()),
    }
}

#[test]
fn reasons_and_refusals() {
    use VersionPolicy::{Commits, Contributed, Higher};
    insta::assert_snapshot!(decided("1.0.0", "1.0.0", "1.0.0", Level::Patch, Higher, None), @"1.0.1: it follows 1.0.0 by the commits");
    insta::assert_snapshot!(decided("1.0.0", "1.0.0", "1.0.5", Level::Patch, Higher, None), @"1.0.6: it follows 1.0.5 by the commits");
    insta::assert_snapshot!(decided("1.0.0", "2.0.0", "1.0.0", Level::Patch, Higher, None), @"2.0.0: a contributor set it, where the commits alone give 1.0.1");
    insta::assert_snapshot!(decided("1.0.0", "1.0.1", "1.0.0", Level::Minor, Higher, None), @"1.1.0: it follows 1.0.0 by the commits");
    insta::assert_snapshot!(decided("1.0.0", "2.0.0", "1.0.0", Level::Patch, Commits, None), @"1.0.1: it follows 1.0.0 by the commits");
    insta::assert_snapshot!(decided("1.0.0", "1.0.1", "1.0.0", Level::Minor, Contributed, None), @"1.0.1: a contributor set it, where the commits alone give 1.1.0");
    insta::assert_snapshot!(decided("1.0.0", "1.0.0", "1.0.0", Level::None, Contributed, None), @"1.0.0: nothing that is packaged changed");
    insta::assert_snapshot!(decided("1.0.0", "1.0.0", "1.0.0", Level::Patch, Contributed, None), @"error: the version 1.0.0 is not higher than 1.0.0; set at least 1.0.1 in Chart.yaml; raise the version in Chart.yaml, or set `versions: higher` in .chartflow.yaml");
    insta::assert_snapshot!(decided("1.0.0", "1.0.0+b", "1.0.0+a", Level::Patch, Contributed, None), @"error: the version 1.0.0+b is not higher than 1.0.0+a; set at least 1.0.1 in Chart.yaml; raise the version in Chart.yaml, or set `versions: higher` in .chartflow.yaml");
    insta::assert_snapshot!(decided("1.0.0", "0.9.0", "1.0.0", Level::Patch, Commits, None), @"error: the version 0.9.0 is older than 1.0.0, which main already has; restore the version in Chart.yaml to main's; it is raised on the way to main");
    insta::assert_snapshot!(decided("1.0.0", "1.0.0", "1.0.0", Level::Patch, Higher, Some("1.2.0")), @"1.2.0: a commit asks for it with the footer Release-As");
    insta::assert_snapshot!(decided("1.0.0", "1.0.0", "1.3.0", Level::Patch, Higher, Some("1.2.0")), @"error: the footer Release-As asks for 1.2.0, which is not higher than 1.3.0; ask for a higher version in a new commit with the footer Release-As, or revert the commit that asks for this one");
    insta::assert_snapshot!(decided("18446744073709551615.0.0", "18446744073709551615.0.0", "1.0.0", Level::Major, Higher, None), @"error: the version 18446744073709551615.0.0 cannot be raised: a number in it is as high as it can be; ask for another version with the footer Release-As");
}

#[test]
fn pre_releases() {
    let check = |from: &str, level| next(&version(from), level).map_or_else(|error| error.to_string(), |next| next.to_string());
    for (from, level, expected) in [
        ("1.0.0-rc.1", Level::Patch, "1.0.0-rc.2"),
        ("2.0.0-rc.9", Level::Major, "2.0.0-rc.10"),
        ("1.3.0-rc.1", Level::Minor, "1.3.0-rc.2"),
        ("1.3.0-rc.1", Level::Major, "2.0.0-rc.1"),
        ("1.2.1-rc.3", Level::Patch, "1.2.1-rc.4"),
        ("1.2.1-rc.3", Level::Minor, "1.3.0-rc.1"),
        ("0.3.0-rc.3", Level::Major, "0.3.0-rc.4"),
        ("0.3.1-rc.3", Level::Major, "0.4.0-rc.1"),
        ("1.0.0-alpha", Level::Patch, "1.0.0-alpha.1"),
        ("1.0.0-rc1", Level::Patch, "1.0.0-rc1.1"),
        ("1.0.0-7", Level::Patch, "1.0.0-8"),
        ("1.0.0-rc.1+build", Level::Patch, "1.0.0-rc.2"),
        ("1.2.3", Level::None, "1.2.3"),
        ("1.2.3-rc.1+build", Level::Initial, "1.2.3-rc.1+build"),
    ] {
        assert_eq!(check(from, level), expected, "{from} {level}");
    }
    insta::assert_snapshot!(check("1.0.0-rc.99999999999999999999999", Level::Patch), @"the version 1.0.0-rc.99999999999999999999999 cannot be raised: a number in it is as high as it can be");
}

#[test]
fn levels_are_serialised_in_lower_case() {
    let text = serde_json::to_string(&[Level::None, Level::Patch, Level::Minor, Level::Major, Level::Initial]).unwrap();
    insta::assert_snapshot!(text, @r#"["none","patch","minor","major","initial"]"#);
    assert_eq!(serde_json::from_str::<VersionPolicy>("\"higher\"").unwrap(), VersionPolicy::default());
}

fn any_version() -> impl Strategy<Value = Version> {
    ("(0|[1-9][0-9]{0,2})", "(0|[1-9][0-9]?)", "(0|[1-9][0-9]?)", "(|-rc|-rc\\.[1-9]|-alpha\\.0|-[1-9])", "(|\\+b[0-9])")
        .prop_map(|(major, minor, patch, pre, build)| version(&format!("{major}.{minor}.{patch}{pre}{build}")))
}

fn any_level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::None), Just(Level::Patch), Just(Level::Minor), Just(Level::Major)]
}

proptest! {
    #[test]
    fn versions_only_rise(
        main in proptest::option::of(any_version()),
        contributed in any_version(),
        floor in proptest::option::of(any_version()),
        level in any_level(),
        policy in prop_oneof![Just(VersionPolicy::Commits), Just(VersionPolicy::Contributed), Just(VersionPolicy::Higher)],
        release_as in proptest::option::of(any_version()),
    ) {
        let facts = Facts { main: main.clone(), contributed, floor: floor.clone(), level, policy, release_as };
        if let Ok(decision) = decide(&facts) {
            if decision.level == Level::None {
                prop_assert_eq!(Some(decision.version), main);
            } else {
                for lower in [main, floor].into_iter().flatten() {
                    prop_assert!(is_higher(&decision.version, &lower), "{} is not higher than {lower}", decision.version);
                }
            }
        }
    }

    #[test]
    fn more_change_is_never_less_version(from in any_version(), one in any_level(), other in any_level()) {
        let (lower, higher) = if one < other { (one, other) } else { (other, one) };
        prop_assert!(!is_higher(&next(&from, lower).unwrap(), &next(&from, higher).unwrap()));
    }
}
