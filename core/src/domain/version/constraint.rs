//! Version constraints as helm reads them (Masterminds/semver v3): what `dependencies[].version` may say.

use std::cmp::Ordering;

use semver::{Prerelease, Version};

/// A version with parts left out or written as a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre) = text.split_once('-').map_or((text, ""), |(numbers, pre)| (numbers, pre));
        let mut parts = numbers.split('.');
        let mut wild = false;
        let mut part = || -> Option<Option<u64>> {
            match parts.next() {
                None => {
                    wild = true;
                    Some(None)
                }
                Some("x" | "X" | "*") => {
                    wild = true;
                    Some(None)
                }
                Some(_) if wild => None,
                Some(number) => Some(Some(number.parse().ok()?)),
            }
        };
        let (major, minor, patch) = (part()?, part()?, part()?);
        if parts.next().is_some() || numbers.is_empty() {
            return None;
        }
        Some(Self { major, minor, patch, pre: Prerelease::new(pre).ok()? })
    }

    /// The lowest version that it can mean.
    fn floor(&self) -> Version {
        Version { pre: self.pre.clone(), ..Version::new(self.major.unwrap_or(0), self.minor.unwrap_or(0), self.patch.unwrap_or(0)) }
    }

    /// The lowest version above all that it can mean; `None` without a bound.
    fn ceiling(&self) -> Option<Version> {
        match (self.major, self.minor, self.patch) {
            (None, ..) => None,
            (Some(major), None, _) => Some(Version::new(major.checked_add(1)?, 0, 0)),
            (Some(major), Some(minor), None) => Some(Version::new(major, minor.checked_add(1)?, 0)),
            (Some(major), Some(minor), Some(patch)) => Some(Version::new(major, minor, patch.checked_add(1)?)),
        }
    }

    fn is_exact(&self) -> bool {
        self.patch.is_some()
    }
}

const OPERATORS: [&str; 11] = ["!=", ">=", "=>", "<=", "=<", "~>", ">", "<", "=", "~", "^"];

fn below(version: &Version, bound: &Version) -> bool {
    version.cmp_precedence(bound) == Ordering::Less
}

/// One comparison, such as `>=1.2`.
fn compare(operator: &str, partial: &Partial, version: &Version) -> bool {
    let (floor, ceiling) = (partial.floor(), partial.ceiling());
    let within = |ceiling: Option<Version>| !below(version, &floor) && ceiling.is_none_or(|ceiling| below(version, &ceiling));
    match operator {
        "" | "=" if partial.is_exact() => version.cmp_precedence(&floor) == Ordering::Equal,
        "" | "=" => within(ceiling),
        "!=" if partial.is_exact() => version.cmp_precedence(&floor) != Ordering::Equal,
        "!=" => !within(ceiling),
        ">" if partial.is_exact() => below(&floor, version),
        ">" => ceiling.is_some_and(|ceiling| !below(version, &ceiling)),
        ">=" | "=>" => !below(version, &floor),
        "<" => below(version, &floor),
        "<=" | "=<" if partial.is_exact() => !below(&floor, version),
        "<=" | "=<" => ceiling.is_none_or(|ceiling| below(version, &ceiling)),
        "~" | "~>" => within(tilde(partial)),
        "^" => within(caret(partial)),
        _ => false,
    }
}

fn tilde(partial: &Partial) -> Option<Version> {
    match (partial.major, partial.minor) {
        (Some(major), Some(minor)) => Some(Version::new(major, minor.checked_add(1)?, 0)),
        (Some(major), None) => Some(Version::new(major.checked_add(1)?, 0, 0)),
        (None, _) => None,
    }
}

fn caret(partial: &Partial) -> Option<Version> {
    let major = partial.major?;
    if major > 0 || partial.minor.is_none() {
        return Some(Version::new(major.checked_add(1)?, 0, 0));
    }
    match (partial.minor, partial.patch) {
        (Some(0), Some(patch)) => Some(Version::new(0, 0, patch.checked_add(1)?)),
        (Some(minor), _) => Some(Version::new(0, minor.checked_add(1)?, 0)),
        (None, _) => None,
    }
}

/// Splits a group into comparisons: by commas and spaces, an operator may stand apart from its version.
fn comparisons(group: &str) -> Option<Vec<(String, Partial)>> {
    if let Some((low, high)) = group.split_once(" - ") {
        return Some(vec![(">=".to_owned(), Partial::parse(low.trim())?), ("<=".to_owned(), Partial::parse(high.trim())?)]);
    }
    let mut found = Vec::new();
    let mut operator = String::new();
    for word in group.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        let sign = OPERATORS.iter().find(|sign| word.starts_with(**sign)).copied().unwrap_or_default();
        let rest = word.strip_prefix(sign).unwrap_or(word);
        if !sign.is_empty() {
            if !operator.is_empty() {
                return None;
            }
            operator = sign.to_owned();
        }
        if !rest.is_empty() {
            found.push((std::mem::take(&mut operator), Partial::parse(rest)?));
        }
    }
    operator.is_empty().then_some(found)
}

/// Whether a version satisfies a constraint; `None` when the constraint is none. A pre-release satisfies only a group
/// that names one itself.
///
/// ```
/// use chartflow_core::domain::version::constraint::allows;
/// let version = "1.4.0".parse().unwrap();
/// assert_eq!(allows("^1.2", &version), Some(true));
/// assert_eq!(allows(">=1.0 <1.4.0 || 2.x", &version), Some(false));
/// assert_eq!(allows("one", &version), None);
/// ```
#[must_use]
pub fn allows(constraint: &str, version: &Version) -> Option<bool> {
    let mut allowed = false;
    for group in constraint.split("||") {
        let comparisons = comparisons(group.trim())?;
        let named = comparisons.iter().any(|(_, partial)| !partial.pre.is_empty());
        let fits = comparisons.iter().all(|(operator, partial)| compare(operator, partial, version));
        allowed = allowed || (fits && (version.pre.is_empty() || named));
    }
    Some(allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(constraint: &str, yes: &[&str], no: &[&str]) {
        for (versions, expected) in [(yes, true), (no, false)] {
            for version in versions {
                assert_eq!(allows(constraint, &version.parse().unwrap()), Some(expected), "{constraint:?} {version}");
            }
        }
    }

    #[test]
    fn as_helm_reads_them() {
        check("", &["0.1.0", "9.9.9"], &["1.0.0-rc.1"]);
        check("*", &["0.1.0"], &["1.0.0-rc.1"]);
        check("1.2.3", &["1.2.3", "1.2.3+b"], &["1.2.4"]);
        check("=v1.2.3", &["1.2.3"], &["1.2.2"]);
        check("1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.1.9"]);
        check("1.x", &["1.0.0", "1.9.0"], &["2.0.0"]);
        check("!=1.2.3", &["1.2.4"], &["1.2.3"]);
        check("!=1.x", &["2.0.0"], &["1.5.0"]);
        check(">1.2", &["1.3.0"], &["1.2.5"]);
        check(">= 1.2.3, < 2", &["1.2.3", "1.9.9"], &["2.0.0", "1.2.2"]);
        check("<=1.2", &["1.2.9"], &["1.3.0"]);
        check("~1.2.3", &["1.2.9"], &["1.3.0", "1.2.2"]);
        check("~1", &["1.9.0"], &["2.0.0"]);
        check("^1.2.3", &["1.9.0"], &["2.0.0", "1.2.2"]);
        check("^0.2.3", &["0.2.9"], &["0.3.0"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("^0", &["0.9.0"], &["1.0.0"]);
        check("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.4.6"]);
        check("^1 || ^3", &["1.0.0", "3.1.0"], &["2.0.0"]);
        check(">=1.0.0-0", &["1.0.0-rc.1", "1.2.0-alpha"], &["0.9.0"]);
        for bad in ["x.1", "1.2.3.4", ">>1", "one", "1.x.3", ">", "1.-"] {
            assert_eq!(allows(bad, &Version::new(1, 0, 0)), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9xv.*^~<>=!|, a-]{0,20}") {
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
}
