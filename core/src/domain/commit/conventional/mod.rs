//! Reading commit messages by Conventional Commits 1.0.0 (<https://www.conventionalcommits.org/en/v1.0.0/>).
//!
//! [`parse`] is strict and says what is wrong, for the check of a contribution. [`read`] never fails: what is no
//! Conventional Commit is [`Kind::Unconventional`], and its footers still count. [`changes`] reads a message that may
//! hold several commits, as GitHub writes it for a squash.

mod essence;
mod footer;
mod people;
mod squash;

pub use essence::essence;
pub use footer::Footer;
pub use people::co_authors;
pub use squash::{changes, split, split_for, without_pull_number};

use semver::Version;

/// The part before the colon, as far as chartflow tells types apart. Types compare without regard to case
/// (specification, rule 15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `feat`.
    Feature,
    /// `fix`.
    Fix,
    /// `revert`, or a message that `git revert` wrote.
    Revert,
    /// Any other type, in lower case.
    Other(String),
    /// The title has no type at all.
    Unconventional,
}

impl Kind {
    fn new(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "feat" => Self::Feature,
            "fix" => Self::Fix,
            "revert" => Self::Revert,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The type in lower case; empty for [`Kind::Unconventional`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Feature => "feat",
            Self::Fix => "fix",
            Self::Revert => "revert",
            Self::Other(text) => text,
            Self::Unconventional => "",
        }
    }
}

/// What a revert takes back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reverted {
    /// The title between the quotes of `Revert "…"`.
    pub title: Option<String>,
    /// The ids in `This reverts commit …` and, for `revert:`, in the footers `Refs`; full or abbreviated, as written.
    pub commits: Vec<String>,
}

/// A commit message, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The type.
    pub kind: Kind,
    /// The scope between the parentheses, without surrounding blanks.
    pub scope: Option<String>,
    /// Whether there is a `!` before the colon or a footer `BREAKING CHANGE` or `BREAKING-CHANGE`.
    pub breaking: bool,
    /// What follows the colon; the whole title where there is no type.
    pub subject: String,
    /// The footers in their order.
    pub footers: Vec<Footer>,
    /// What is taken back, for [`Kind::Revert`].
    pub reverts: Option<Reverted>,
}

impl Parsed {
    /// The descriptions of the breaking changes that have one of their own, in their order.
    pub fn breaking_notes(&self) -> impl Iterator<Item = &str> {
        self.footers.iter().filter(|footer| footer.is_breaking()).map(|footer| footer.value.as_str())
    }

    /// The version that the last footer `Release-As` asks for.
    ///
    /// # Errors
    /// The footer's text and why it is no version of SemVer 2.0.0 (a leading `v` is allowed).
    ///
    /// ```
    /// use chartflow_core::domain::commit::conventional::read;
    /// let parsed = read("feat: stable\n\nRelease-As: 1.0.0");
    /// assert_eq!(parsed.release_as().unwrap().unwrap().to_string(), "1.0.0");
    /// ```
    #[must_use]
    pub fn release_as(&self) -> Option<Result<Version, ReleaseAsError>> {
        let footer = self.footers.iter().rev().find(|footer| footer.token.eq_ignore_ascii_case("Release-As"))?;
        let value = footer.value.trim();
        let digits = value.strip_prefix('v').unwrap_or(value);
        Some(Version::parse(digits).map_err(|source| ReleaseAsError { value: value.chars().take(80).collect(), source }))
    }
}

/// A footer `Release-As` that names no version.
#[derive(Debug, thiserror::Error)]
#[error("the footer Release-As names {value:?}, which is not a version like 1.2.3")]
pub struct ReleaseAsError {
    /// The footer's text, shortened.
    pub value: String,
    /// Why it is none.
    pub source: semver::Error,
}

/// Why a title is not a Conventional Commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConventionError {
    /// The message has no title.
    #[error("the commit message is empty")]
    Empty,
    /// There is no colon, or what precedes it is no type.
    #[error("{title:?} does not begin with a type and a colon, such as \"fix: \" or \"feat(redis): \"")]
    NoType {
        /// The title, shortened.
        title: String,
    },
    /// The scope's parentheses are empty or not closed.
    #[error("{title:?} has a scope that is empty or not closed")]
    Scope {
        /// The title, shortened.
        title: String,
    },
    /// The colon is not followed by a space.
    #[error("{title:?} lacks the space after the colon")]
    Space {
        /// The title, shortened.
        title: String,
    },
    /// Nothing follows the colon.
    #[error("{title:?} has no description after the colon")]
    Description {
        /// The title, shortened.
        title: String,
    },
}

struct Header<'a> {
    kind: &'a str,
    scope: Option<&'a str>,
    breaking: bool,
    description: &'a str,
}

/// Strict: what git itself writes for a revert is accepted, everything else must be a Conventional Commit.
///
/// # Errors
/// [`ConventionError`] names the first rule that the title breaks.
///
/// ```
/// use chartflow_core::domain::commit::conventional::{Kind, parse};
/// let parsed = parse("feat(redis)!: drop the old key\n\nBREAKING-CHANGE: use `new`").unwrap();
/// assert_eq!((parsed.kind, parsed.scope.as_deref(), parsed.breaking), (Kind::Feature, Some("redis"), true));
/// assert!(parse("update stuff").is_err());
/// ```
pub fn parse(message: &str) -> Result<Parsed, ConventionError> {
    let (title, body) = title_and_body(message);
    if let Some(reverted) = git_revert(title) {
        return Ok(read_git_revert(title, reverted, body));
    }
    header(title).map(|header| from_header(&header, body))
}

/// Lenient: every message has a reading.
///
/// ```
/// use chartflow_core::domain::commit::conventional::{Kind, read};
/// let parsed = read("update stuff\n\nBREAKING CHANGE: the key is gone");
/// assert_eq!((parsed.kind, parsed.breaking), (Kind::Unconventional, true));
/// ```
#[must_use]
pub fn read(message: &str) -> Parsed {
    parse(message).unwrap_or_else(|_| {
        let (title, body) = title_and_body(message);
        let footers = footer::footers(body);
        let breaking = footers.iter().any(Footer::is_breaking);
        Parsed { kind: Kind::Unconventional, scope: None, breaking, subject: title.to_owned(), footers, reverts: None }
    })
}

/// Whether a title is one that git or GitHub writes for a merge. A commit's parents say it better where they are known.
///
/// ```
/// use chartflow_core::domain::commit::conventional::is_merge_title;
/// assert!(is_merge_title("Merge pull request #1 from a/b"));
/// assert!(is_merge_title("Merge branch 'main' into feature"));
/// assert!(!is_merge_title("Merge the two values"));
/// ```
#[must_use]
pub fn is_merge_title(title: &str) -> bool {
    let Some(rest) = title.strip_prefix("Merge ") else { return false };
    rest.starts_with("pull request #")
        || ["branch '", "branches '", "tag '", "commit '", "remote-tracking branch '", "remote-tracking branches '"].iter().any(|word| rest.starts_with(word))
}

/// The first line that is not blank, and everything behind it.
fn title_and_body(message: &str) -> (&str, &str) {
    let message = message.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let (title, body) = message.split_once('\n').unwrap_or((message, ""));
    (title.trim_end(), body)
}

fn header(title: &str) -> Result<Header<'_>, ConventionError> {
    let shortened = || title.chars().take(100).collect::<String>();
    if title.is_empty() {
        return Err(ConventionError::Empty);
    }
    let end = title.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(title.len());
    let (kind, rest) = title.split_at(end);
    if !kind.starts_with(|c: char| c.is_ascii_alphabetic()) || !rest.starts_with(['(', '!', ':']) {
        return Err(ConventionError::NoType { title: shortened() });
    }
    let (scope, rest) = match rest.strip_prefix('(') {
        None => (None, rest),
        Some(inner) => {
            let (scope, rest) = inner.split_once(')').ok_or_else(|| ConventionError::Scope { title: shortened() })?;
            let scope = scope.trim();
            if scope.is_empty() || scope.contains('(') {
                return Err(ConventionError::Scope { title: shortened() });
            }
            (Some(scope), rest)
        }
    };
    let (breaking, rest) = rest.strip_prefix('!').map_or((false, rest), |rest| (true, rest));
    let description = rest.strip_prefix(':').ok_or_else(|| ConventionError::NoType { title: shortened() })?;
    if description.trim().is_empty() {
        return Err(ConventionError::Description { title: shortened() });
    }
    if !description.starts_with([' ', '\t']) {
        return Err(ConventionError::Space { title: shortened() });
    }
    Ok(Header { kind, scope, breaking, description: description.trim() })
}

fn from_header(header: &Header<'_>, body: &str) -> Parsed {
    let kind = Kind::new(header.kind);
    let footers = footer::footers(body);
    let reverts = (kind == Kind::Revert).then(|| {
        let mut commits = reverted_commits(body);
        let refs = footers.iter().filter(|footer| footer.token.eq_ignore_ascii_case("Refs"));
        commits.extend(refs.flat_map(|footer| footer.value.split([',', ' '])).filter(|id| is_abbreviated_id(id)).map(str::to_owned));
        Reverted { title: None, commits }
    });
    Parsed {
        kind,
        scope: header.scope.map(str::to_owned),
        breaking: header.breaking || footers.iter().any(Footer::is_breaking),
        subject: header.description.to_owned(),
        footers,
        reverts,
    }
}

/// What stands between the quotes of git's `Revert "…"` or `Reapply "…"`, and whether it ends up applied.
struct GitRevert<'a> {
    quoted: &'a str,
    innermost: &'a str,
    applied: bool,
}

/// Reverts of reverts nest: `Revert "Revert "x""`, which git writes as `Reapply "x"` since 2.43.
fn git_revert(title: &str) -> Option<GitRevert<'_>> {
    // GitHub appends the number of the pull request behind the closing quote.
    let (title, _) = without_pull_number(title);
    let mut innermost = title;
    let mut applied = true;
    let mut quoted = None;
    loop {
        let (inner, reverts) = match (innermost.strip_prefix("Revert \""), innermost.strip_prefix("Reapply \"")) {
            (Some(inner), _) => (inner, true),
            (None, Some(inner)) => (inner, false),
            (None, None) => break,
        };
        // A title cut at 256 characters may have lost its closing quote; only the outermost must be there.
        let inner = match inner.strip_suffix('"') {
            Some(inner) => inner,
            None if quoted.is_some() => inner,
            None => return None,
        };
        applied ^= reverts;
        quoted.get_or_insert(inner);
        innermost = inner;
    }
    quoted.map(|quoted| GitRevert { quoted, innermost, applied })
}

/// A change that is applied again weighs what it weighed at first; one that is taken back is a revert.
fn read_git_revert(title: &str, revert: GitRevert<'_>, body: &str) -> Parsed {
    if let (true, Ok(header)) = (revert.applied, header(revert.innermost)) {
        return from_header(&header, body);
    }
    let footers = footer::footers(body);
    let breaking = footers.iter().any(Footer::is_breaking);
    let reverts = Some(Reverted { title: Some(revert.quoted.to_owned()), commits: reverted_commits(body) });
    let scope = header(revert.innermost).ok().and_then(|header| header.scope.map(str::to_owned));
    let (subject, _) = without_pull_number(title);
    Parsed { kind: Kind::Revert, scope, breaking, subject: subject.to_owned(), footers, reverts }
}

fn is_abbreviated_id(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn reverted_commits(body: &str) -> Vec<String> {
    body.split("This reverts commit ")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_hexdigit()).next())
        .filter(|id| is_abbreviated_id(id))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
