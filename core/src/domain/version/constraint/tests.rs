use std::collections::HashSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// What the library says that helm reads constraints with, written by the program in `testdata/constraints`.
#[derive(Deserialize)]
struct Table {
    versions: String,
    /// A constraint, and which of the versions it allows; nothing when it is none.
    rows: Vec<(String, Option<String>)>,
}

#[test]
fn as_helm_reads_them() {
    let table: Table = serde_json::from_str(include_str!("../testdata/constraints.json")).unwrap();
    assert!(table.rows.len() > 600);
    let mut wrong = Vec::new();
    for (constraint, expected) in &table.rows {
        let expected: Option<HashSet<&str>> = expected.as_ref().map(|versions| versions.split(' ').filter(|version| !version.is_empty()).collect());
        for version in table.versions.split(' ') {
            let (found, expected) = (allows(constraint, &version.parse().unwrap()), expected.as_ref().map(|allowed| allowed.contains(version)));
            if found != expected {
                wrong.push(format!("{constraint:?} {version}: {found:?}, helm {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

proptest! {
    #[test]
    fn never_panics(text in "[0-9xv.*^~<>=!|, a+\t-]{0,20}") {
        let _ = allows(&text, &Version::new(1, 2, 3));
    }

    #[test]
    fn a_version_allows_itself(major in 0..9_u64, minor in 0..9_u64, patch in 0..9_u64) {
        let version = Version::new(major, minor, patch);
        for prefix in ["", "=", "^", "~", ">=", "<="] {
            prop_assert_eq!(allows(&format!("{prefix}{version}"), &version), Some(true));
        }
    }
}
