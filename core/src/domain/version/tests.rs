use proptest::prelude::*;

use super::*;

fn check(main: &str, contributed: &str, published: &str, level: Level, policy: Policy) -> String {
    let read = |text: &str| (!text.is_empty()).then(|| Version::parse(text).unwrap());
    let (main, contributed, published) = (read(main), read(contributed).unwrap(), read(published));
    match decide(&Facts { main: main.as_ref(), contributed: &contributed, published: published.as_ref(), level, release_as: None, policy }) {
        Ok(decision) => format!("{} {:?}: {}", decision.version, decision.level, decision.reason),
        Err(error) => error.to_string(),
    }
}

#[test]
fn who_decides() {
    use Level::{Major, Minor, None, Patch};
    use Policy::{Commits, Contributed, Higher};
    assert_eq!(check("1.2.3", "1.2.3", "", Minor, Higher), "1.3.0 Minor: the commits");
    assert_eq!(check("1.2.3", "2.0.0", "", Minor, Higher), "2.0.0 Major: the contribution's own version");
    assert_eq!(check("1.2.3", "1.2.4", "", Minor, Higher), "1.3.0 Minor: the commits");
    assert_eq!(check("1.2.3", "1.2.4", "", Minor, Contributed), "1.2.4 Minor: the contribution's own version");
    assert_eq!(check("1.2.3", "1.2.3", "", Minor, Contributed), "1.3.0 Minor: the commits");
    assert_eq!(check("1.2.3", "9.0.0", "", Patch, Commits), "1.2.4 Patch: the commits");
    assert_eq!(check("0.3.1", "0.3.1", "", Major, Higher), "0.4.0 Major: the commits");
    assert_eq!(check("1.2.3", "1.2.3", "", None, Higher), "1.2.3 None: no packaged content changed");
    assert_eq!(check("1.2.3", "1.2.2", "", Minor, Higher), "version 1.2.2 is below 1.2.3, which main holds");
    assert_eq!(check("1.2.3", "1.2.3", "1.5.0", Minor, Higher), "1.6.0 Minor: 1.5.0 is taken");
    assert_eq!(check("", "0.1.0", "", Patch, Higher), "0.1.0 Initial: new: keeps the version it came with");
    assert_eq!(check("", "1.0.0", "1.4.0", Minor, Higher), "1.5.0 Minor: added again: goes up from 1.4.0");
    assert_eq!(check("", "2.0.0", "1.4.0", Minor, Higher), "2.0.0 Initial: new: keeps the version it came with");
}

#[test]
fn asked_for() {
    let (main, asked) = (Version::new(1, 0, 0), Version::new(3, 0, 0));
    let facts = Facts { main: Some(&main), contributed: &main, published: None, level: Level::Patch, release_as: Some(&asked), policy: Policy::Higher };
    assert_eq!(decide(&facts).unwrap().version, asked);
    let low = Version::new(1, 0, 0);
    insta::assert_snapshot!(decide(&Facts { release_as: Some(&low), ..facts }).unwrap_err(), @"Release-As asks for 1.0.0, but 1.0.0 is there already");
    assert_eq!(release_as(["fix: x\n\nRelease-As: 3.0.0", "fix: y\n\nRelease-As: 2.0.0"]), Some(asked));
}

fn versions() -> impl Strategy<Value = Version> {
    (0..4_u64, 0..4_u64, 0..4_u64, prop_oneof![Just(""), Just("rc.1"), Just("alpha"), Just("beta.2.x")])
        .prop_map(|(major, minor, patch, pre)| Version { pre: Prerelease::new(pre).unwrap(), ..Version::new(major, minor, patch) })
}

proptest! {
    #[test]
    fn never_down(main in versions(), contributed in versions(), published in proptest::option::of(versions()), level in 0..3_usize, policy in 0..3_usize) {
        let level = [Level::Patch, Level::Minor, Level::Major][level];
        let policy = [Policy::Commits, Policy::Contributed, Policy::Higher][policy];
        if let Ok(decision) = decide(&Facts { main: Some(&main), contributed: &contributed, published: published.as_ref(), level, release_as: None, policy }) {
            prop_assert!(decision.version > main);
            prop_assert!(published.is_none_or(|published| decision.version > published));
        }
    }

    #[test]
    fn larger_levels_go_further(from in versions()) {
        let (patch, minor, major) = (next(&from, Level::Patch), next(&from, Level::Minor), next(&from, Level::Major));
        prop_assert!(from < patch && patch <= minor && minor <= major);
    }
}
