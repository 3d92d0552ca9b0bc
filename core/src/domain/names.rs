//! Names that cannot be mistaken for one another.
//!
//! Each kind is its own type with one checked constructor, used by `FromStr` and `Deserialize` alike, so a value that
//! exists is a value that is valid. None converts into another:
//!
//! ```compile_fail
//! use chartflow_core::domain::names::{BranchName, ChartName};
//! let chart: ChartName = "redis".parse().unwrap();
//! let branch: BranchName = chart;
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::visible::hides;

/// Why a text is not a name of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("a {kind} cannot be empty")]
    Empty {
        /// The kind of name that was asked for.
        kind: &'static str,
    },
    /// The text is longer than its kind allows.
    #[error("{kind} {value:?} has {length} characters, at most {limit} are allowed")]
    TooLong {
        /// The kind of name that was asked for.
        kind: &'static str,
        /// The beginning of the text.
        value: String,
        /// Its length in characters.
        length: usize,
        /// The longest that is allowed.
        limit: usize,
    },
    /// The text breaks a rule of its kind.
    #[error("{kind} {value:?} {problem}")]
    Invalid {
        /// The kind of name that was asked for.
        kind: &'static str,
        /// The text.
        value: String,
        /// The rule it breaks, as a clause that follows the name.
        problem: &'static str,
    },
}

/// The longest chart name: with `chartflow-release-` before it and a long version behind it, a branch name must still
/// fit into one component of a ref (255 bytes on common file systems).
pub const CHART_NAME_LIMIT: usize = 128;

fn too_long(kind: &'static str, text: &str, limit: usize) -> NameError {
    NameError::TooLong { kind, value: text.chars().take(40).collect(), length: text.chars().count(), limit }
}

fn check_chart_name(text: &str) -> Result<(), NameError> {
    const KIND: &str = "chart name";
    let invalid = |problem| Err(NameError::Invalid { kind: KIND, value: text.to_owned(), problem });
    if text.is_empty() {
        return Err(NameError::Empty { kind: KIND });
    }
    if text.chars().count() > CHART_NAME_LIMIT {
        return Err(too_long(KIND, text, CHART_NAME_LIMIT));
    }
    if text.contains('/') || text.contains('\\') {
        return invalid("holds a path separator");
    }
    if text.contains("..") {
        return invalid("holds \"..\", which no git ref may");
    }
    if text.ends_with(".lock") {
        return invalid("ends in \".lock\", which no git ref may");
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return invalid("holds upper case, which OCI registries refuse");
    }
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.starts_with(alphanumeric) || !text.ends_with(alphanumeric) {
        return invalid("does not begin and end with a letter or digit");
    }
    if !text.chars().all(|c| alphanumeric(c) || matches!(c, '-' | '_' | '.')) {
        return invalid("holds something other than lower-case letters, digits, '-', '_' and '.'");
    }
    Ok(())
}

/// The rules of `git check-ref-format` for the part of a ref behind `refs/heads/` or `refs/tags/`.
fn check_ref_part(kind: &'static str, text: &str) -> Result<(), NameError> {
    let invalid = |problem| Err(NameError::Invalid { kind, value: text.to_owned(), problem });
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > 244 {
        return Err(too_long(kind, text, 244));
    }
    if text == "@" || text.contains("@{") {
        return invalid("is \"@\" or holds \"@{\", which git reserves");
    }
    if text.starts_with('-') {
        return invalid("begins with '-'");
    }
    if text.chars().any(|c| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')) {
        return invalid("holds a character that no git ref may hold");
    }
    for component in text.split('/') {
        if component.is_empty() {
            return invalid("has an empty component");
        }
        if component.starts_with('.') || component.ends_with('.') || component.contains("..") {
            return invalid("has a component that begins or ends with '.' or holds \"..\"");
        }
        if component.ends_with(".lock") {
            return invalid("has a component that ends in \".lock\"");
        }
    }
    Ok(())
}

/// A path below the top of the repository: relative, `/` between components, no `.`/`..`, no `.git`, no control characters.
fn check_repo_path(text: &str) -> Result<(), NameError> {
    const KIND: &str = "path";
    let invalid = |problem| Err(NameError::Invalid { kind: KIND, value: text.to_owned(), problem });
    if text.is_empty() {
        return Err(NameError::Empty { kind: KIND });
    }
    if text.len() > 4096 {
        return Err(too_long(KIND, text, 4096));
    }
    if text.starts_with('/') {
        return invalid("is absolute");
    }
    if text.chars().any(char::is_control) {
        return invalid("holds a control character");
    }
    for component in text.split('/') {
        match component {
            "" => return invalid("has an empty component"),
            "." | ".." => return invalid("holds \".\" or \"..\""),
            c if c.eq_ignore_ascii_case(".git") => return invalid("leads into a .git directory"),
            _ => {}
        }
    }
    Ok(())
}

fn check_repository_name(text: &str) -> Result<(), NameError> {
    const KIND: &str = "repository name";
    let invalid = |problem| Err(NameError::Invalid { kind: KIND, value: text.to_owned(), problem });
    let Some((owner, name)) = text.split_once('/') else {
        return invalid("is not of the form OWNER/NAME");
    };
    for part in [owner, name] {
        if part.is_empty() || part == "." || part == ".." {
            return invalid("is not of the form OWNER/NAME");
        }
        if part.len() > 100 {
            return Err(too_long(KIND, text, 201));
        }
        if !part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            return invalid("holds a character that GitHub does not allow");
        }
    }
    Ok(())
}

/// Source: GitHub documentation, "Managing environments for deployment", for the length; the rest is what a workflow file
/// and a page can carry unchanged.
fn check_environment_name(text: &str) -> Result<(), NameError> {
    const KIND: &str = "name of an environment";
    let invalid = |problem| Err(NameError::Invalid { kind: KIND, value: text.chars().take(40).collect(), problem });
    if text.is_empty() {
        return Err(NameError::Empty { kind: KIND });
    }
    if text.chars().count() > 255 {
        return Err(too_long(KIND, text, 255));
    }
    if text.chars().any(|c| c.is_control() || hides(c)) {
        return invalid("holds a line break, or another character that cannot be seen; take it out");
    }
    if text.contains("${{") {
        return invalid("holds \"${{\", with which GitHub begins an expression; write the name itself");
    }
    if text.trim() != text {
        return invalid("begins or ends with a blank; take it out");
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Checks and takes over a text.
            ///
            /// # Errors
            /// [`NameError`] says which rule the text breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(&text)?;
                Ok(Self(text))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// The `name` in a Chart.yaml, narrowed to what git refs and OCI repositories can carry as well.
    ChartName,
    check_chart_name
);
name!(
    /// A branch, without `refs/heads/` (`git check-ref-format --branch`).
    BranchName,
    |text| check_ref_part("branch name", text)
);
name!(
    /// A tag, without `refs/tags/`.
    TagName,
    |text| check_ref_part("tag name", text)
);
name!(
    /// A remote of a git repository: git takes what can stand in `refs/remotes/<name>/` (git 2.45, `remote.c`,
    /// `valid_remote_name`), and what begins with a dash would be an option.
    RemoteName,
    |text| check_ref_part("name of a remote", text)
);
name!(
    /// A directory or file below the top of the repository, such as `charts/redis`.
    RepoPath,
    check_repo_path
);
name!(
    /// `OWNER/NAME` of a repository on a GitHub server.
    RepositoryName,
    check_repository_name
);

name!(
    /// A deployment environment of a repository on GitHub.
    EnvironmentName,
    check_environment_name
);

impl EnvironmentName {
    /// A name that stands in this program. It is not checked here: a test reads the default back.
    pub(crate) fn literal(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl BranchName {
    /// A name that stands in this program, such as a default. It is not checked here: a test reads every default back.
    pub(crate) fn literal(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl RepoPath {
    /// The last component.
    #[must_use]
    pub fn base_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Everything but the last component; `None` at the top of the repository.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// Whether `other` is this path or lies below it.
    #[must_use]
    pub fn contains(&self, other: &str) -> bool {
        other.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl RepositoryName {
    /// The part before the slash.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The part behind the slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = NameError> + fmt::Display>(text: &str) -> String {
        match text.parse::<T>() {
            Ok(name) => {
                assert_eq!(name.to_string(), text);
                "ok".to_owned()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn chart_names() {
        for good in ["a", "redis", "kube-prometheus-stack", "loki_2", "a.b", "0x"] {
            assert_eq!(check::<ChartName>(good), "ok", "{good}");
        }
        insta::assert_snapshot!(check::<ChartName>(""), @"a chart name cannot be empty");
        insta::assert_snapshot!(check::<ChartName>("a/b"), @r#"chart name "a/b" holds a path separator"#);
        insta::assert_snapshot!(check::<ChartName>("a..b"), @r#"chart name "a..b" holds "..", which no git ref may"#);
        insta::assert_snapshot!(check::<ChartName>("Redis"), @r#"chart name "Redis" holds upper case, which OCI registries refuse"#);
        insta::assert_snapshot!(check::<ChartName>("a.lock"), @r#"chart name "a.lock" ends in ".lock", which no git ref may"#);
        insta::assert_snapshot!(check::<ChartName>("-a"), @r#"chart name "-a" does not begin and end with a letter or digit"#);
        insta::assert_snapshot!(check::<ChartName>("a b"), @r#"chart name "a b" holds something other than lower-case letters, digits, '-', '_' and '.'"#);
        insta::assert_snapshot!(check::<ChartName>(&"x".repeat(300)), @r#"chart name "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" has 300 characters, at most 128 are allowed"#);
    }

    #[test]
    fn refs_and_paths() {
        for good in ["main", "feature/a", "integration-redis", "a-v1.0.0+b"] {
            assert_eq!(check::<BranchName>(good), "ok", "{good}");
        }
        for bad in ["", "a b", "a..b", "/a", "a/", "a//b", "a.lock", "a.lock/b", ".a", "@", "a@{b", "-a", "a~1", "a\u{7f}"] {
            assert_ne!(check::<BranchName>(bad), "ok", "{bad:?}");
            assert_ne!(check::<TagName>(bad), "ok", "{bad:?}");
        }
        for bad in ["", "/a", "a/../b", "a/./b", "a//b", "a/.git/b", "a\nb"] {
            assert_ne!(check::<RepoPath>(bad), "ok", "{bad:?}");
        }
        let path: RepoPath = "charts/redis".parse().unwrap();
        assert_eq!((path.base_name(), path.parent()), ("redis", Some("charts")));
        assert!(path.contains("charts/redis/values.yaml") && path.contains("charts/redis") && !path.contains("charts/redis2"));
    }

    #[test]
    fn environments() {
        for good in ["chartflow", "prod: a", "x # y", "null", "a\"b'c", "é", &"x".repeat(255)] {
            assert_eq!(check::<EnvironmentName>(good), "ok", "{good}");
        }
        assert_eq!(check::<EnvironmentName>(EnvironmentName::literal("chartflow").as_str()), "ok");
        insta::assert_snapshot!(check::<EnvironmentName>(""), @"a name of an environment cannot be empty");
        insta::assert_snapshot!(check::<EnvironmentName>("a\n    continue-on-error: true"), @r#"name of an environment "a\n    continue-on-error: true" holds a line break, or another character that cannot be seen; take it out"#);
        insta::assert_snapshot!(check::<EnvironmentName>("a\u{2028}b"), @r#"name of an environment "a\u{2028}b" holds a line break, or another character that cannot be seen; take it out"#);
        insta::assert_snapshot!(check::<EnvironmentName>("${{ github.head_ref }}"), @r#"name of an environment "${{ github.head_ref }}" holds "${{", with which GitHub begins an expression; write the name itself"#);
        insta::assert_snapshot!(check::<EnvironmentName>(" a"), @r#"name of an environment " a" begins or ends with a blank; take it out"#);
        insta::assert_snapshot!(check::<EnvironmentName>(&"x".repeat(256)), @r#"name of an environment "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" has 256 characters, at most 255 are allowed"#);
    }

    #[test]
    fn repositories() {
        let name: RepositoryName = "o/r.x".parse().unwrap();
        assert_eq!((name.owner(), name.name()), ("o", "r.x"));
        for bad in ["", "o", "o/", "/r", "o/r/x", "o/..", "o/r r"] {
            assert_ne!(check::<RepositoryName>(bad), "ok", "{bad:?}");
        }
    }
}
