//! The check `version`: the contributed version is not lower than what is out, and a next one can be given.

use semver::Version;

use super::rules::{VERSION_EXHAUSTED, VERSION_LOWER, VERSION_NOT_RAISED, VERSION_RAISED, VERSION_RELEASE_AS, VERSION_UNWRITABLE};
use super::schema::without_place;
use super::{CheckId, CheckResult, Finding, Subject};
use crate::domain::chart::edit::{self, EditError};
use crate::domain::chart::{CHART_FILE, Metadata};
use crate::domain::configuration::Versions;
use crate::domain::version::VersionError;

/// Runs the check. `floor` is the highest version of main, the tags and the index; `None` for a chart that is new.
/// `next` is the version that its release would have, or why there is none; `None` where no version is written.
/// A version that cannot be read is the check `schema`'s to tell.
#[must_use]
pub fn check(subject: &Subject<'_>, floor: Option<&Version>, versions: Versions, next: Option<Result<&Version, &VersionError>>) -> CheckResult {
    let path = subject.path(CHART_FILE);
    let metadata = subject.files.bytes(CHART_FILE).and_then(|bytes| Metadata::read(&path, bytes).ok());
    let contributed = metadata.as_ref().and_then(|metadata| Some((metadata.release_version().ok()?, metadata.origin.version_line)));
    let Some((version, line)) = contributed else { return CheckResult::new(CheckId::Version, Vec::new()) };
    let other = next.and_then(Result::ok).filter(|next| **next != version);
    let found = [other.and_then(|next| unwritable(subject, next)), floor.and_then(|floor| compared(&version, floor, versions, next.and_then(Result::err)))];
    CheckResult::new(CheckId::Version, found.into_iter().flatten().map(|finding| finding.at(&path, Some(line))).collect())
}

/// What is to be said of a version beside what is out.
fn compared(version: &Version, floor: &Version, versions: Versions, refused: Option<&VersionError>) -> Option<Finding> {
    let undecided = refused.and_then(undecided);
    Some(match version.cmp_precedence(floor) {
        std::cmp::Ordering::Less => {
            let message = format!("version {version} is lower than {floor}, which is out");
            Finding::new(&VERSION_LOWER, message).hint(format!("leave the version at {floor}; the bump raises it, or write a higher one"))
        }
        _ if undecided.is_some() => return undecided,
        std::cmp::Ordering::Equal => return None,
        std::cmp::Ordering::Greater => {
            let counts = match versions {
                Versions::Commits => "the commits decide, so it does not count",
                Versions::Contributed => "it is what will be released",
                Versions::Higher => "it counts when the commits ask for less",
            };
            Finding::new(&VERSION_RAISED, format!("version {version} was raised by hand from {floor}: {counts}"))
        }
    })
}

/// A version that the bump could not replace with the next one, as it is written.
fn unwritable(subject: &Subject<'_>, next: &Version) -> Option<Finding> {
    let error = edit::set_version(subject.files.bytes(CHART_FILE)?, next).err()?;
    // What is no YAML is the check `schema`'s to tell.
    if matches!(error, EditError::Yaml(_)) {
        return None;
    }
    let text = without_place(CHART_FILE, &error.to_string());
    let (message, hint) = text.split_once("; ").unwrap_or((&text, "write it on the line of its key"));
    Some(Finding::new(&VERSION_UNWRITABLE, format!("the bump cannot write the version {next}: {message}")).hint(hint))
}

/// What keeps the bump from giving a version. A version that is too low is told with what it is compared with.
fn undecided(error: &VersionError) -> Option<Finding> {
    let rule = match error {
        VersionError::Older { .. } => return None,
        VersionError::NotRaised { .. } => &VERSION_NOT_RAISED,
        VersionError::ReleaseAs { .. } => &VERSION_RELEASE_AS,
        VersionError::Exhausted { .. } => &VERSION_EXHAUSTED,
    };
    Some(Finding::new(rule, error.to_string()).hint(error.hint()))
}
