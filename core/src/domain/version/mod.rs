//! Versions: the level of a change and the version that follows.
//!
//! Versions are SemVer 2.0.0 and compare by precedence, so build metadata never decides anything (rules 10 and 11).

pub mod constraint;

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use semver::{BuildMetadata, Prerelease, Version};
use serde::{Deserialize, Serialize};

use super::commit::conventional::{Kind, Parsed, changes};

/// How much a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The packaged content is the same: no version, no tag.
    None,
    /// Anything that is neither of the next two.
    Patch,
    /// A feature.
    Minor,
    /// A breaking change, also where it raises only the minor number (0.y).
    Major,
    /// A chart that main does not have yet, with the version it came with.
    Initial,
}

impl Level {
    /// The level as it is serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Initial => "initial",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The level of one change: breaking is [`Level::Major`], `feat` is [`Level::Minor`], all else is [`Level::Patch`].
#[must_use]
pub fn level_of_change(change: &Parsed) -> Level {
    match change.kind {
        _ if change.breaking => Level::Major,
        Kind::Feature => Level::Minor,
        _ => Level::Patch,
    }
}

/// The level of a release: the highest of its commits' messages, at least [`Level::Patch`], because the content did
/// change; and [`Level::None`], whatever the commits say, when what is packaged did not.
///
/// ```
/// use chartflow_core::domain::version::{Level, level_of};
/// assert_eq!(level_of(["fix: a", "feat(redis): b"], true), Level::Minor);
/// assert_eq!(level_of(["docs: a\n\nBREAKING CHANGE: b"], true), Level::Major);
/// assert_eq!(level_of(["whatever"], true), Level::Patch);
/// assert_eq!(level_of([], true), Level::Patch);
/// assert_eq!(level_of(["feat!: only ignored files"], false), Level::None);
/// ```
#[must_use]
pub fn level_of<'a>(messages: impl IntoIterator<Item = &'a str>, packaged_change: bool) -> Level {
    if !packaged_change {
        return Level::None;
    }
    messages.into_iter().flat_map(changes).map(|change| level_of_change(&change)).max().unwrap_or(Level::Patch)
}

/// Which version wins, the one that follows from the commits or the one a contributor wrote into Chart.yaml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VersionPolicy {
    /// The commits'; what a contributor wrote is overwritten.
    Commits,
    /// The contributor's; a contribution that does not raise it is refused.
    Contributed,
    /// The higher of the two.
    #[default]
    Higher,
}

/// What a version is decided from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The chart's version on main; `None` when main does not have the chart.
    pub main: Option<Version>,
    /// The version in the promoted Chart.yaml.
    pub contributed: Version,
    /// The highest version of this chart among main, tags and index.
    pub floor: Option<Version>,
    /// The level of the commits.
    pub level: Level,
    /// Who wins.
    pub policy: VersionPolicy,
    /// What the newest footer `Release-As` asks for.
    pub release_as: Option<Version>,
}

/// Why it became this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nothing packaged changed.
    Unchanged,
    /// A chart keeps the version it comes with.
    Initial,
    /// It follows from the commits.
    Commits {
        /// What it was raised from.
        from: Version,
    },
    /// A contributor raised it, further than the commits would have.
    Contributed {
        /// What the commits alone would have given.
        commits: Version,
    },
    /// A footer `Release-As` asked for it.
    ReleaseAs,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => f.write_str("nothing that is packaged changed"),
            Self::Initial => f.write_str("a chart that is new to main keeps the version it comes with"),
            Self::Commits { from } => write!(f, "it follows {from} by the commits"),
            Self::Contributed { commits } => write!(f, "a contributor set it, where the commits alone give {commits}"),
            Self::ReleaseAs => f.write_str("a commit asks for it with the footer Release-As"),
        }
    }
}

/// A version and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The version to release; main's own for [`Level::None`].
    pub version: Version,
    /// The level: of the commits, or [`Level::Initial`].
    pub level: Level,
    /// Why.
    pub reason: Reason,
}

/// Why no version can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// The contribution carries a version lower than main's.
    #[error("the version {contributed} is older than {main}, which main already has")]
    Older {
        /// The contribution's.
        contributed: Version,
        /// Main's.
        main: Version,
    },
    /// The policy leaves the version to the contributor, who did not raise it.
    #[error("the version {contributed} is not higher than {floor}; set at least {suggestion} in Chart.yaml")]
    NotRaised {
        /// The contribution's.
        contributed: Version,
        /// What it has to be higher than.
        floor: Version,
        /// What the commits would give.
        suggestion: Version,
    },
    /// `Release-As` asks for a version that is not higher than what exists.
    #[error("the footer Release-As asks for {asked}, which is not higher than {floor}")]
    ReleaseAs {
        /// The footer's.
        asked: Version,
        /// What it has to be higher than.
        floor: Version,
    },
    /// A number cannot be raised any more.
    #[error("the version {version} cannot be raised: a number in it is as high as it can be")]
    Exhausted {
        /// The version.
        version: Version,
    },
}

impl VersionError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Older { .. } => "restore the version in Chart.yaml to main's; it is raised on the way to main",
            Self::NotRaised { .. } => "raise the version in Chart.yaml, or set `versions: higher` in .chartflow.yaml",
            Self::ReleaseAs { .. } => "ask for a higher version in a new commit with the footer Release-As, or revert the commit that asks for this one",
            Self::Exhausted { .. } => "ask for another version with the footer Release-As",
        }
    }
}

/// Whether one version has precedence over another (rule 11): build metadata is not compared.
#[must_use]
pub fn is_higher(one: &Version, other: &Version) -> bool {
    one.cmp_precedence(other) == Ordering::Greater
}

/// The version that follows.
///
/// A breaking change raises the minor number while the major is 0; build metadata is dropped, as it names one build.
///
/// ```
/// use chartflow_core::domain::version::{Level, next};
/// let check = |from: &str, level| next(&from.parse().unwrap(), level).unwrap().to_string();
/// assert_eq!(check("1.2.3", Level::Patch), "1.2.4");
/// assert_eq!(check("1.2.3+build.5", Level::Minor), "1.3.0");
/// assert_eq!(check("1.2.3", Level::Major), "2.0.0");
/// assert_eq!(check("0.2.3", Level::Major), "0.3.0");
/// assert_eq!(check("0.0.5", Level::Major), "0.1.0");
/// ```
///
/// A pre-release announces the release of its numbers. As long as these are enough for the change, only its last
/// identifier is counted up; otherwise the numbers are raised and the same series begins again at 1. It leaves the
/// pre-release by hand or by `Release-As`.
///
/// ```
/// # use chartflow_core::domain::version::{Level, next};
/// # let check = |from: &str, level| next(&from.parse().unwrap(), level).unwrap().to_string();
/// assert_eq!(check("2.0.0-rc.1", Level::Major), "2.0.0-rc.2");
/// assert_eq!(check("1.2.1-rc.4", Level::Minor), "1.3.0-rc.1");
/// assert_eq!(check("1.2.0-beta", Level::Patch), "1.2.0-beta.1");
/// ```
///
/// # Errors
/// [`VersionError::Exhausted`] when a number is the highest there is.
pub fn next(current: &Version, level: Level) -> Result<Version, VersionError> {
    if matches!(level, Level::None | Level::Initial) {
        return Ok(current.clone());
    }
    if current.pre.is_empty() {
        return raised(current, level);
    }
    if announced(current) >= effective(current, level) {
        let pre = counted_up(current)?;
        return Ok(Version { pre, build: BuildMetadata::EMPTY, ..current.clone() });
    }
    let pre = restarted(current)?;
    Ok(Version { pre, ..raised(current, level)? })
}

/// On 0.y a breaking change raises the minor number.
fn effective(current: &Version, level: Level) -> Level {
    if level == Level::Major && current.major == 0 { Level::Minor } else { level }
}

/// The level whose release the numbers of a pre-release look like.
const fn announced(version: &Version) -> Level {
    match (version.minor, version.patch) {
        (0, 0) => Level::Major,
        (_, 0) => Level::Minor,
        _ => Level::Patch,
    }
}

fn raised(current: &Version, level: Level) -> Result<Version, VersionError> {
    let up = |number: u64| number.checked_add(1).ok_or_else(|| VersionError::Exhausted { version: current.clone() });
    Ok(match effective(current, level) {
        Level::Major => Version::new(up(current.major)?, 0, 0),
        Level::Minor => Version::new(current.major, up(current.minor)?, 0),
        _ => Version::new(current.major, current.minor, up(current.patch)?),
    })
}

/// The identifiers before the last one when that is a number, and the number.
fn series(pre: &Prerelease) -> (&str, Option<&str>) {
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match pre.as_str().rsplit_once('.') {
        Some((before, last)) if is_number(last) => (before, Some(last)),
        None if is_number(pre.as_str()) => ("", Some(pre.as_str())),
        _ => (pre.as_str(), None),
    }
}

fn counted_up(current: &Version) -> Result<Prerelease, VersionError> {
    let exhausted = || VersionError::Exhausted { version: current.clone() };
    let (before, number) = series(&current.pre);
    let number = number.map_or(Some(1), |number| number.parse::<u64>().ok()?.checked_add(1)).ok_or_else(exhausted)?;
    with_number(before, number).ok_or_else(exhausted)
}

fn restarted(current: &Version) -> Result<Prerelease, VersionError> {
    with_number(series(&current.pre).0, 1).ok_or_else(|| VersionError::Exhausted { version: current.clone() })
}

fn with_number(before: &str, number: u64) -> Option<Prerelease> {
    let text = if before.is_empty() { number.to_string() } else { format!("{before}.{number}") };
    Prerelease::new(&text).ok()
}

/// The version to release.
///
/// A chart new to main keeps the version it comes with; one that was removed and comes again goes up from the highest
/// version ever published:
///
/// ```
/// use chartflow_core::domain::version::{Facts, Level, VersionPolicy, decide};
/// let facts = Facts { main: None, contributed: "0.3.0".parse().unwrap(), floor: None, level: Level::Minor, policy: VersionPolicy::Higher, release_as: None };
/// assert_eq!(decide(&facts).unwrap().level, Level::Initial);
/// let again = Facts { floor: Some("1.4.2".parse().unwrap()), ..facts };
/// assert_eq!(decide(&again).unwrap().version.to_string(), "1.5.0");
/// ```
///
/// A contributor's higher version wins unless the policy says otherwise, a lower one is refused:
///
/// ```
/// # use chartflow_core::domain::version::{Facts, Level, VersionPolicy, decide};
/// let main = Some("1.0.0".parse().unwrap());
/// let facts = Facts { main: main.clone(), contributed: "2.0.0".parse().unwrap(), floor: main, level: Level::Patch, policy: VersionPolicy::Higher, release_as: None };
/// assert_eq!(decide(&facts).unwrap().version.to_string(), "2.0.0");
/// assert_eq!(decide(&Facts { policy: VersionPolicy::Commits, ..facts.clone() }).unwrap().version.to_string(), "1.0.1");
/// assert!(decide(&Facts { contributed: "0.9.0".parse().unwrap(), ..facts }).is_err());
/// ```
///
/// `Release-As` wins over both, but never below what exists:
///
/// ```
/// # use chartflow_core::domain::version::{Facts, Level, VersionPolicy, decide};
/// let main = Some("1.0.0".parse().unwrap());
/// let facts = Facts { main: main.clone(), contributed: "1.0.0".parse().unwrap(), floor: main, level: Level::Patch, policy: VersionPolicy::Higher, release_as: Some("3.0.0".parse().unwrap()) };
/// assert_eq!(decide(&facts).unwrap().version.to_string(), "3.0.0");
/// assert!(decide(&Facts { release_as: Some("1.0.0".parse().unwrap()), ..facts }).is_err());
/// ```
///
/// # Errors
/// See [`VersionError`].
pub fn decide(facts: &Facts) -> Result<Decision, VersionError> {
    if let Some(main) = &facts.main {
        if is_higher(main, &facts.contributed) {
            return Err(VersionError::Older { contributed: facts.contributed.clone(), main: main.clone() });
        }
        if facts.level == Level::None {
            return Ok(Decision { version: main.clone(), level: Level::None, reason: Reason::Unchanged });
        }
    }
    // A change to nothing packaged cannot bring a chart into being, so without main's version there is something to release.
    let level = facts.level.max(Level::Patch);
    let Some(floor) = [&facts.main, &facts.floor].into_iter().flatten().max_by(|one, other| one.cmp_precedence(other)) else {
        return Ok(match &facts.release_as {
            Some(asked) => Decision { version: asked.clone(), level: Level::Initial, reason: Reason::ReleaseAs },
            None => Decision { version: facts.contributed.clone(), level: Level::Initial, reason: Reason::Initial },
        });
    };
    if let Some(asked) = &facts.release_as {
        if !is_higher(asked, floor) {
            return Err(VersionError::ReleaseAs { asked: asked.clone(), floor: floor.clone() });
        }
        return Ok(Decision { version: asked.clone(), level, reason: Reason::ReleaseAs });
    }
    if facts.main.is_none() && is_higher(&facts.contributed, floor) {
        return Ok(Decision { version: facts.contributed.clone(), level: Level::Initial, reason: Reason::Initial });
    }
    raise(facts, floor, level)
}

fn raise(facts: &Facts, floor: &Version, level: Level) -> Result<Decision, VersionError> {
    let commits = next(floor, level)?;
    let contributed = || Decision { version: facts.contributed.clone(), level, reason: Reason::Contributed { commits: commits.clone() } };
    match facts.policy {
        VersionPolicy::Contributed if facts.main.is_some() => {
            if is_higher(&facts.contributed, floor) {
                return Ok(contributed());
            }
            return Err(VersionError::NotRaised { contributed: facts.contributed.clone(), floor: floor.clone(), suggestion: commits });
        }
        VersionPolicy::Higher if is_higher(&facts.contributed, &commits) => return Ok(contributed()),
        _ => {}
    }
    Ok(Decision { version: commits, level, reason: Reason::Commits { from: floor.clone() } })
}

#[cfg(test)]
mod tests;
