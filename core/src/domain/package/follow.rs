//! What a bump writes about the `file://` dependencies of a chart: the declaration follows where its constraint excludes
//! the dependency's version, and the lock wherever it has another one.

use std::collections::BTreeMap;

use semver::Version;

use super::lock::{LOCK_FILE, Lock, LockError, OLD_LOCK_FILE};
use super::{declared, dependency_path};
use crate::domain::chart::edit::{self, EditError};
use crate::domain::chart::{CHART_FILE, Dependency, REQUIREMENTS_FILE, decode};
use crate::domain::content::Files;
use crate::domain::oci::OciError;
use crate::domain::version::constraint::allows;
use crate::domain::yaml::{self, Duplicates, Limits};

/// Every file in which a chart speaks of its dependencies.
pub const FILES: [&str; 4] = [CHART_FILE, REQUIREMENTS_FILE, LOCK_FILE, OLD_LOCK_FILE];

/// The versions that a bump writes, by the dependencies' names or aliases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followed {
    /// Into the declaration, and into the lock where there is one: the constraint excluded the version.
    pub constraints: BTreeMap<String, String>,
    /// Into the lock alone: the constraint admits the version, and the lock had another.
    pub locked: BTreeMap<String, String>,
}

/// Why the versions cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The declaration cannot be edited.
    #[error("{}", located(file, source))]
    Edit {
        /// Chart.yaml or requirements.yaml.
        file: &'static str,
        /// The cause, which speaks of Chart.yaml.
        source: EditError,
    },
    /// The lock cannot be read.
    #[error(transparent)]
    Lock {
        /// The cause.
        source: LockError,
    },
    /// The lock's digest cannot be computed.
    #[error("the digest of {file} cannot be computed")]
    Digest {
        /// Chart.lock or requirements.lock.
        file: &'static str,
        /// The cause.
        source: OciError,
    },
}

/// Edits know their file as Chart.yaml.
fn located(file: &str, error: &EditError) -> String {
    let text = error.to_string();
    text.strip_prefix(CHART_FILE).map_or_else(|| text.clone(), |rest| format!("{file}{rest}"))
}

/// The file that declares a chart's dependencies: helm lets a list in requirements.yaml count over the one in Chart.yaml
/// (helm, `pkg/chart/v2/loader/load.go`).
#[must_use]
pub fn declaring_file(files: &Files) -> &'static str {
    let root = |bytes| yaml::parse(REQUIREMENTS_FILE, bytes, &Limits::default(), Duplicates::Keep).ok().map(|document| document.root);
    let listed = files.bytes(REQUIREMENTS_FILE).and_then(root).is_some_and(|root| !decode(REQUIREMENTS_FILE, &root, &mut Vec::new()).dependencies.is_empty());
    if listed { REQUIREMENTS_FILE } else { CHART_FILE }
}

/// The file that locks a chart's dependencies; `None` where there is none. Where there are two helm reads requirements.lock,
/// the later one in the order of names (helm, `pkg/chart/v2/loader/load.go`).
#[must_use]
pub fn lock_file(files: &Files) -> Option<&'static str> {
    [OLD_LOCK_FILE, LOCK_FILE].into_iter().find(|name| files.bytes(name).is_some())
}

/// The name of a lock, the lock without its dependencies, and these.
type InStep = (&'static str, Lock, Vec<Dependency>);

/// The lock and its dependencies, when it lists what is declared, in that order, as helm writes it. Any other is out of
/// step in more than a version, which nobody but helm can mend.
fn lock_of(files: &Files, wanted: &[Dependency]) -> Result<Option<InStep>, FollowError> {
    let Some((name, bytes)) = lock_file(files).and_then(|name| Some((name, files.bytes(name)?))) else { return Ok(None) };
    let Some(mut lock) = Lock::read(name, bytes).map_err(|source| FollowError::Lock { source })? else { return Ok(None) };
    let locked = lock.dependencies.take().unwrap_or_default();
    let in_step = locked.len() == wanted.len() && locked.iter().zip(wanted).all(|(locked, wanted)| locked.name == wanted.name);
    Ok(in_step.then_some((name, lock, locked)))
}

/// What is locked for each dependency, by its name or alias; nothing without a lock that can be read.
fn locked_versions(files: &Files, wanted: &[Dependency]) -> BTreeMap<String, String> {
    let Ok(Some((_, _, locked))) = lock_of(files, wanted) else { return BTreeMap::new() };
    wanted.iter().zip(locked).map(|(wanted, locked)| (wanted.name_or_alias().to_owned(), locked.version)).collect()
}

/// What follows for the chart in `directory` when its `file://` dependencies have these versions, by [`dependency_path`].
#[must_use]
pub fn followed(directory: &str, files: &Files, versions: &BTreeMap<String, Version>) -> Followed {
    let wanted = declared(directory, files);
    let locked = locked_versions(files, &wanted);
    let mut followed = Followed::default();
    for dependency in &wanted {
        let Some(version) = dependency_path(directory, dependency).and_then(|at| versions.get(&at)) else { continue };
        let (name, text) = (dependency.name_or_alias(), version.to_string());
        if allows(&dependency.version, version) == Some(false) {
            followed.constraints.insert(name.to_owned(), text);
        } else if locked.get(name).is_some_and(|locked| *locked != text) {
            followed.locked.insert(name.to_owned(), text);
        }
    }
    followed
}

/// What a bump from `before` to `after` wrote, as far as `other` still holds what stood there before.
#[must_use]
pub fn replayed(before: &Files, after: &Files, other: &Files) -> Followed {
    let read = |files: &Files| {
        let wanted = declared("", files);
        let locked = locked_versions(files, &wanted);
        (wanted, locked)
    };
    let ((before, locked_before), (after, locked_after), (other, locked)) = (read(before), read(after), read(other));
    let same = |one: &Dependency, two: &Dependency| (one.name_or_alias(), &one.repository) == (two.name_or_alias(), &two.repository);
    let mut followed = Followed::default();
    for dependency in &other {
        let name = dependency.name_or_alias();
        let old = before.iter().find(|old| same(old, dependency) && old.version == dependency.version);
        let new = after.iter().find(|new| same(new, dependency));
        let (Some(_), Some(new)) = (old, new) else { continue };
        let written = locked_after.get(name).filter(|version| locked_before.get(name) != Some(*version));
        if new.version != dependency.version {
            followed.constraints.insert(name.to_owned(), new.version.clone());
        } else if let Some(version) = written.filter(|_| dependency.local_path().is_some() && locked.get(name) == locked_before.get(name)) {
            followed.locked.insert(name.to_owned(), version.clone());
        }
    }
    followed
}

/// The files that hold the versions that followed, of those that change.
///
/// # Errors
/// See [`FollowError`].
pub fn written(files: &Files, followed: &Followed) -> Result<BTreeMap<&'static str, Vec<u8>>, FollowError> {
    let mut written = BTreeMap::new();
    let file = declaring_file(files);
    let mut edited = files.clone();
    for (name, version) in &followed.constraints {
        let wanted = declared("", &edited);
        let Some(dependency) = wanted.iter().find(|dependency| dependency.name_or_alias() == name) else { continue };
        let alias = Some(dependency.alias.as_str()).filter(|alias| !alias.is_empty());
        let bytes = edit::set_dependency_version(edited.bytes(file).unwrap_or_default(), &dependency.name, alias, version)
            .map_err(|source| FollowError::Edit { file, source })?;
        edited.insert(file, bytes.clone());
        written.insert(file, bytes);
    }
    written.extend(locked_anew(&edited, followed)?);
    Ok(written)
}

/// The lock with the versions that followed.
fn locked_anew(files: &Files, followed: &Followed) -> Result<Option<(&'static str, Vec<u8>)>, FollowError> {
    if *followed == Followed::default() {
        return Ok(None);
    }
    let mut wanted = declared("", files);
    let Some((file, mut lock, mut locked)) = lock_of(files, &wanted)? else { return Ok(None) };
    for (wanted, locked) in wanted.iter_mut().zip(&mut locked) {
        let name = wanted.name_or_alias();
        if let Some(version) = followed.constraints.get(name).or_else(|| followed.locked.get(name)) {
            locked.version.clone_from(version);
        }
        // helm puts in the address of a repository before it takes the digest (helm, `pkg/downloader/manager.go`).
        if wanted.repository.starts_with('@') || wanted.repository.starts_with("alias:") {
            wanted.repository.clone_from(&locked.repository);
        }
    }
    lock.digest = Lock::digest_of(&wanted, &locked).map_err(|source| FollowError::Digest { file, source })?;
    lock.dependencies = Some(locked);
    Ok(Some((file, lock.to_yaml().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "generated: \"2026-01-01T00:00:00Z\"\ndigest: sha256:x\ndependencies:\n";

    fn files(rows: &[(&str, &str)]) -> Files {
        let mut files = Files::new();
        for (path, text) in rows {
            files.insert(*path, *text);
        }
        files
    }

    /// Lists `b`, under the alias `bee`, and `c`, which comes from elsewhere.
    fn list(b: &str) -> String {
        let c = "- name: c\n  version: 3.0.0\n  repository: https://example.com\n";
        format!("dependencies:\n- name: b\n  alias: bee # ours\n  version: '{b}'\n  repository: file://../b\n{c}")
    }

    fn lock(b: &str) -> String {
        format!("{LOCK}- name: b\n  version: {b}\n  repository: file://../b\n- name: c\n  version: 3.0.0\n  repository: https://example.com\n")
    }

    /// What follows when `b` is 1.1.0, and the files that change.
    fn check(rows: &[(&str, &str)]) -> String {
        let files = files(rows);
        let followed = followed("charts/a", &files, &BTreeMap::from([("charts/b".to_owned(), Version::new(1, 1, 0))]));
        let written = match written(&files, &followed) {
            Ok(written) => written,
            Err(error) => return format!("error: {error}"),
        };
        let mut text = format!("constraints {:?}, locked {:?}\n", followed.constraints, followed.locked);
        for (file, bytes) in &written {
            text.push_str(&format!("== {file}\n{}", String::from_utf8_lossy(bytes)));
        }
        text
    }

    #[test]
    fn what_declares_is_written() {
        let v1 = "apiVersion: v1\nname: a\nversion: 1.0.0\n";
        insta::assert_snapshot!(check(&[("Chart.yaml", v1), ("requirements.yaml", &list("~1.0.0"))]), @r#"
        constraints {"bee": "1.1.0"}, locked {}
        == requirements.yaml
        dependencies:
        - name: b
          alias: bee # ours
          version: '1.1.0'
          repository: file://../b
        - name: c
          version: 3.0.0
          repository: https://example.com
        "#);
        insta::assert_snapshot!(check(&[("Chart.yaml", &format!("{v1}{}", list("~1.0.0"))), ("requirements.yaml", "# none\n")]), @r#"
        constraints {"bee": "1.1.0"}, locked {}
        == Chart.yaml
        apiVersion: v1
        name: a
        version: 1.0.0
        dependencies:
        - name: b
          alias: bee # ours
          version: '1.1.0'
          repository: file://../b
        - name: c
          version: 3.0.0
          repository: https://example.com
        "#);
        insta::assert_snapshot!(check(&[("Chart.yaml", v1), ("requirements.yaml", &list("~1.0.0").replace("'~1.0.0'", "|\n    ~1.0.0"))]), @r#"error: requirements.yaml:5: version of dependency "bee" is written as a block; write it on the key's line, plain or in quotes"#);
    }

    #[test]
    fn the_lock_is_written_where_it_has_another_version() {
        let v2 = format!("apiVersion: v2\nname: a\nversion: 1.0.0\n{}", list("^1.0.0"));
        insta::assert_snapshot!(check(&[("Chart.yaml", &v2), ("Chart.lock", &lock("1.0.0"))]), @r#"
        constraints {}, locked {"bee": "1.1.0"}
        == Chart.lock
        dependencies:
        - name: b
          repository: file://../b
          version: 1.1.0
        - name: c
          repository: https://example.com
          version: 3.0.0
        digest: sha256:c30f98d03ebdee07dbf279b28413939e79047bdba458955155de924479cd02cd
        generated: "2026-01-01T00:00:00Z"
        "#);
        insta::assert_snapshot!(check(&[("Chart.yaml", &v2), ("Chart.lock", &lock("1.1.0"))]), @"constraints {}, locked {}");
        // One that does not list what is declared is helm's to mend.
        insta::assert_snapshot!(check(&[("Chart.yaml", &v2), ("Chart.lock", &lock("1.0.0").replace("name: c", "name: d"))]), @"constraints {}, locked {}");
        insta::assert_snapshot!(check(&[("Chart.yaml", &v2), ("Chart.lock", "dependencies: 1\n")]), @"constraints {}, locked {}");
    }

    #[test]
    fn what_a_bump_wrote_is_replayed_where_nobody_wrote_since() {
        let at = |b: &str, locked: &str| {
            files(&[("Chart.yaml", "name: a\nversion: 1.0.0\n"), ("requirements.yaml", &list(b)), ("requirements.lock", &lock(locked))])
        };
        let check = |before: &Files, after: &Files, other: &Files, constraint: Option<&str>, locked: Option<&str>| {
            let map = |version: Option<&str>| version.map(|version| ("bee".to_owned(), version.to_owned())).into_iter().collect();
            assert_eq!(replayed(before, after, other), Followed { constraints: map(constraint), locked: map(locked) });
        };
        check(&at("~1.0.0", "1.0.0"), &at("1.1.0", "1.1.0"), &at("~1.0.0", "1.0.0"), Some("1.1.0"), None);
        check(&at("^1.0.0", "1.0.0"), &at("^1.0.0", "1.1.0"), &at("^1.0.0", "1.0.0"), None, Some("1.1.0"));
        check(&at("^1.0.0", "1.0.0"), &at("^1.0.0", "1.1.0"), &at("^1.0.0", "1.2.0"), None, None);
        check(&at("^1.0.0", "1.0.0"), &at("^1.0.0", "1.1.0"), &at("^1.2.0", "1.0.0"), None, None);
        check(&at("^1.0.0", "1.0.0"), &at("^1.0.0", "1.0.0"), &at("^1.0.0", "1.0.0"), None, None);
    }
}
