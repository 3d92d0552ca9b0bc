//! Versions: the level of a change and the version that follows.
//!
//! Breaking is major (on `0.y` the middle number, though the level is still called major), a feature is minor, and every
//! other change of packaged content is patch. A version that a contributor raised by hand counts when the policy says
//! so. Nothing ever goes down: the floor is the highest version among main, tags and index.

use semver::{Prerelease, Version};
use serde::{Deserialize, Serialize};

use super::commit::conventional::{Kind, Parsed, changes};
pub use super::statement::Level;

#[cfg(test)]
mod tests;

/// Whose word counts (configuration key `versions`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// What the commits say, whatever a contributor wrote.
    Commits,
    /// What the contributor wrote; the commits where nothing was written.
    Contributed,
    /// The higher of the two.
    #[default]
    Higher,
}

impl Policy {
    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commits => "commits",
            Self::Contributed => "contributed",
            Self::Higher => "higher",
        }
    }
}

/// What a version is decided from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The version on main; `None` for a chart that is new there.
    pub main: Option<&'a Version>,
    /// The version that the contribution brings.
    pub contributed: &'a Version,
    /// The highest version among tags and index.
    pub published: Option<&'a Version>,
    /// The size of the change.
    pub level: Level,
    /// The newest `Release-As` of the commits.
    pub release_as: Option<&'a Version>,
    /// Whose word counts.
    pub policy: Policy,
}

/// A decided version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The version.
    pub version: Version,
    /// The level: `Initial` for a chart that keeps the version it came with.
    pub level: Level,
    /// Why, in words.
    pub reason: String,
}

/// A version that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// The contribution brings a version below main's.
    #[error("version {contributed} is below {main}, which main holds")]
    BelowMain {
        /// What it brings.
        contributed: Version,
        /// What main holds.
        main: Version,
    },
    /// `Release-As` asks for a version that is not above all others.
    #[error("Release-As asks for {asked}, but {floor} is there already")]
    ReleaseAs {
        /// What is asked for.
        asked: Version,
        /// The highest version there is.
        floor: Version,
    },
}

/// The size of a change: the largest of its commits, nothing where no packaged content changed.
///
/// ```
/// use chartflow_core::domain::version::{Level, level_of};
/// assert_eq!(level_of(["fix(a): x", "feat(a): y"], true), Level::Minor);
/// assert_eq!(level_of(["docs: x"], true), Level::Patch);
/// assert_eq!(level_of(["feat(a)!: x"], false), Level::None);
/// ```
#[must_use]
pub fn level_of<'a>(messages: impl IntoIterator<Item = &'a str>, packaged_change: bool) -> Level {
    if !packaged_change {
        return Level::None;
    }
    let of = |parsed: &Parsed| match parsed.kind {
        _ if parsed.breaking => Level::Major,
        Kind::Feature => Level::Minor,
        _ => Level::Patch,
    };
    messages.into_iter().flat_map(changes).map(|parsed| of(&parsed)).max().unwrap_or(Level::Patch).max(Level::Patch)
}

/// The newest `Release-As` of messages given newest first.
#[must_use]
pub fn release_as<'a>(messages: impl IntoIterator<Item = &'a str>) -> Option<Version> {
    messages.into_iter().flat_map(changes).find_map(|parsed| parsed.release_as()?.ok())
}

/// The version that follows by a change of some size. A pre-release stays on its way to the version it announces when
/// the change fits into that, and counts its last number up.
///
/// ```
/// use chartflow_core::domain::version::{Level, next};
/// let check = |from: &str, level| next(&from.parse().unwrap(), level).to_string();
/// assert_eq!(check("1.2.3", Level::Patch), "1.2.4");
/// assert_eq!(check("1.2.3", Level::Minor), "1.3.0");
/// assert_eq!(check("1.2.3", Level::Major), "2.0.0");
/// assert_eq!(check("0.3.1", Level::Major), "0.4.0");
/// assert_eq!(check("1.0.0-rc.1", Level::Minor), "1.0.0-rc.2");
/// assert_eq!(check("1.2.4-rc.1", Level::Minor), "1.3.0-rc.1");
/// ```
#[must_use]
pub fn next(from: &Version, level: Level) -> Version {
    let target = |base: &Version| match level {
        Level::Major if base.major == 0 => Version::new(0, base.minor.saturating_add(1), 0),
        Level::Major => Version::new(base.major.saturating_add(1), 0, 0),
        Level::Minor => Version::new(base.major, base.minor.saturating_add(1), 0),
        Level::Patch => Version::new(base.major, base.minor, base.patch.saturating_add(1)),
        Level::None | Level::Initial => base.clone(),
    };
    if from.pre.is_empty() || matches!(level, Level::None | Level::Initial) {
        return Version { build: semver::BuildMetadata::EMPTY, ..target(from) };
    }
    let announced = Version::new(from.major, from.minor, from.patch);
    let fits = match level {
        Level::Major => announced.patch == 0 && (announced.minor == 0 || announced.major == 0),
        Level::Minor => announced.patch == 0,
        _ => true,
    };
    if fits { Version { pre: counted_up(&from.pre), ..announced } } else { Version { pre: first_of(&from.pre), ..target(&announced) } }
}

/// The last numeric identifier plus one, or `.1` behind it.
fn counted_up(pre: &Prerelease) -> Prerelease {
    let mut parts: Vec<String> = pre.as_str().split('.').map(str::to_owned).collect();
    let number = parts.iter_mut().rev().find_map(|part| Some((part.parse::<u64>().ok()?, part)));
    match number {
        Some((number, part)) => *part = number.saturating_add(1).to_string(),
        None => parts.push("1".to_owned()),
    }
    Prerelease::new(&parts.join(".")).unwrap_or_else(|_| pre.clone())
}

fn first_of(pre: &Prerelease) -> Prerelease {
    let parts: Vec<String> = pre.as_str().split('.').map(|part| if part.parse::<u64>().is_ok() { "1".to_owned() } else { part.to_owned() }).collect();
    Prerelease::new(&parts.join(".")).unwrap_or_else(|_| pre.clone())
}

/// Decides the version of a release.
///
/// # Errors
/// [`VersionError`] for a contribution that goes below main, or a `Release-As` that is not above everything.
pub fn decide(facts: &Facts<'_>) -> Result<Decision, VersionError> {
    let Some(main) = facts.main else { return decide_new(facts) };
    if facts.contributed < main {
        return Err(VersionError::BelowMain { contributed: facts.contributed.clone(), main: main.clone() });
    }
    if facts.level == Level::None {
        return Ok(Decision { version: main.clone(), level: Level::None, reason: "no packaged content changed".to_owned() });
    }
    let floor = facts.published.map_or(main, |published| published.max(main));
    if let Some(asked) = facts.release_as {
        if asked <= floor {
            return Err(VersionError::ReleaseAs { asked: asked.clone(), floor: floor.clone() });
        }
        return Ok(Decision { version: asked.clone(), level: distance(main, asked), reason: "Release-As".to_owned() });
    }
    let derived = next(main, facts.level);
    let raised = facts.contributed > main;
    let by_hand = match facts.policy {
        Policy::Commits => false,
        Policy::Contributed => raised,
        Policy::Higher => raised && *facts.contributed > derived,
    };
    let (version, reason) = if by_hand { (facts.contributed.clone(), "the contribution's own version") } else { (derived, "the commits") };
    if version > *floor {
        let level = if by_hand { distance(main, &version).max(facts.level) } else { facts.level };
        return Ok(Decision { version, level, reason: reason.to_owned() });
    }
    // A version above main's was released once (and is not on main any more): it is never used again.
    Ok(Decision { version: next(floor, facts.level), level: facts.level, reason: format!("{floor} is taken") })
}

fn decide_new(facts: &Facts<'_>) -> Result<Decision, VersionError> {
    let wanted = facts.release_as.unwrap_or(facts.contributed);
    let Some(floor) = facts.published.filter(|floor| *floor >= wanted) else {
        return Ok(Decision { version: wanted.clone(), level: Level::Initial, reason: "new: keeps the version it came with".to_owned() });
    };
    if facts.release_as.is_some() {
        return Err(VersionError::ReleaseAs { asked: wanted.clone(), floor: floor.clone() });
    }
    let level = facts.level.max(Level::Patch);
    Ok(Decision { version: next(floor, level), level, reason: format!("added again: goes up from {floor}") })
}

/// The level that leads from one version to a higher one.
fn distance(from: &Version, to: &Version) -> Level {
    if to.major != from.major || (from.major == 0 && to.minor != from.minor) {
        Level::Major
    } else if to.minor != from.minor {
        Level::Minor
    } else {
        Level::Patch
    }
}
