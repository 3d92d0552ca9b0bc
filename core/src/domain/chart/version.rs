//! Versions as charts write them.

use semver::{BuildMetadata, Prerelease, Version};

/// Reads a version as leniently as helm does (Masterminds/semver `NewVersion`): a `v` before it, missing minor and patch
/// numbers and leading zeros pass. `None` when not even that.
#[must_use]
pub fn lenient(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (numbers, pre) = text.split_once('-').map_or((text, None), |(numbers, pre)| (numbers, Some(pre)));
    let mut parts = numbers.split('.');
    let number = |part: Option<&str>| match part {
        None => Some(0),
        Some(part) if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) => part.parse::<u64>().ok(),
        Some(_) => None,
    };
    let first = parts.next()?;
    let (major, minor, patch) = (number(Some(first))?, number(parts.next())?, number(parts.next())?);
    if parts.next().is_some() || pre == Some("") || build == Some("") {
        return None;
    }
    let pre = pre.map_or(Ok(Prerelease::EMPTY), Prerelease::new).ok()?;
    let build = build.map_or(Ok(BuildMetadata::EMPTY), BuildMetadata::new).ok()?;
    Some(Version { major, minor, patch, pre, build })
}

/// The semantic version to write instead of what was written.
pub(crate) fn nearest_version(text: &str) -> Version {
    lenient(text).unwrap_or(Version::new(1, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_lenient_as_helm() {
        let check = |text: &str| lenient(text).map(|version| version.to_string());
        for (text, version) in
            [("1", "1.0.0"), ("v1.2", "1.2.0"), ("1.02.3", "1.2.3"), ("1.2.3-rc.1+b.01", "1.2.3-rc.1+b.01"), ("1.2-a", "1.2.0-a"), ("1.2.3-a-b", "1.2.3-a-b")]
        {
            assert_eq!(check(text).as_deref(), Some(version), "{text}");
        }
        for text in ["", "v", "1.2.3.4", "1.", "a", "1.2.3-", "1.2.3+", "-1", "1.2.3-01", "99999999999999999999", "vv1", "1.2.3-ä", "1 "] {
            assert_eq!(check(text), None, "{text}");
        }
    }
}
