//! The `charts` globs of the configuration, matched one directory at a time so that nothing else is listed.

use globset::{GlobBuilder, GlobMatcher};

/// Why a glob cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobError {
    /// It does not lead to a directory below the top of the repository.
    #[error("glob {glob:?} {problem}")]
    Path {
        /// The glob.
        glob: String,
        /// Why not, as a clause that follows it.
        problem: &'static str,
    },
    /// It is no glob.
    #[error("glob {glob:?} is malformed")]
    Malformed {
        /// The glob.
        glob: String,
        /// The cause.
        source: globset::Error,
    },
}

/// One component of a glob.
#[derive(Debug, Clone)]
enum Component {
    /// A plain name.
    Literal(String),
    /// `*`, by far the most frequent pattern; it needs no regular expression.
    Any,
    /// A pattern; as in a shell it does not match names that begin with a dot unless it says so itself.
    Pattern { matcher: GlobMatcher, dots: bool },
    /// `**`: any number of directories, none included.
    AnyDepth,
}

impl Component {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == name,
            Self::Pattern { matcher, dots } => (*dots || !name.starts_with('.')) && matcher.is_match(name),
            Self::Any | Self::AnyDepth => !name.starts_with('.'),
        }
    }
}

/// Globs for directories below the top of the repository.
#[derive(Debug, Clone)]
pub struct Globs {
    written: Vec<String>,
    globs: Vec<Vec<Component>>,
}

/// How far each glob has been followed on the way to a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// Pairs of a glob and its next component.
    open: Vec<(usize, usize)>,
    matched: bool,
}

impl Position {
    /// Whether a glob matches this very directory.
    #[must_use]
    pub fn matched(&self) -> bool {
        self.matched
    }

    /// Whether a glob may match something below this directory.
    #[must_use]
    pub fn leads_on(&self) -> bool {
        !self.open.is_empty()
    }
}

/// Globs and components beyond these numbers are refused.
const LIMIT: usize = 256;

impl Globs {
    /// Reads globs: `*`, `?`, `[…]` and `{…}` within a path component, `**` for any number of directories.
    ///
    /// # Errors
    /// See [`GlobError`].
    pub fn new<S: AsRef<str>>(globs: &[S]) -> Result<Self, GlobError> {
        let written: Vec<String> = globs.iter().map(|glob| glob.as_ref().to_owned()).collect();
        let globs = written.iter().take(LIMIT).map(|glob| components(glob)).collect::<Result<_, _>>()?;
        Ok(Self { written, globs })
    }

    /// The globs as they were written.
    #[must_use]
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// The top of the repository.
    #[must_use]
    pub fn top(&self) -> Position {
        let mut position = Position::default();
        (0..self.globs.len()).for_each(|glob| self.advance(&mut position, glob, 0));
        // The top itself is never a chart's directory.
        position.matched = false;
        position
    }

    /// The directory of this name within the one at `position`.
    #[must_use]
    pub fn enter(&self, position: &Position, name: &str) -> Position {
        let mut next = Position::default();
        for &(glob, at) in &position.open {
            match self.globs.get(glob).and_then(|components| components.get(at)) {
                Some(component @ Component::AnyDepth) if component.matches(name) => self.advance(&mut next, glob, at),
                Some(Component::AnyDepth) | None => {}
                Some(component) if component.matches(name) => self.advance(&mut next, glob, at + 1),
                Some(_) => {}
            }
        }
        next
    }

    /// Notes that `glob` has been followed up to the component `at`.
    fn advance(&self, position: &mut Position, glob: usize, at: usize) {
        let Some(components) = self.globs.get(glob) else { return };
        match components.get(at) {
            None => position.matched = true,
            Some(component) => {
                if !position.open.contains(&(glob, at)) {
                    position.open.push((glob, at));
                    if matches!(component, Component::AnyDepth) {
                        self.advance(position, glob, at + 1);
                    }
                }
            }
        }
    }

    /// Whether a glob matches a directory.
    #[must_use]
    pub fn is_match(&self, path: &str) -> bool {
        path.split('/').fold(self.top(), |position, name| self.enter(&position, name)).matched()
    }
}

fn components(glob: &str) -> Result<Vec<Component>, GlobError> {
    let refuse = |problem| GlobError::Path { glob: glob.to_owned(), problem };
    let path = glob.strip_prefix("./").unwrap_or(glob);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() || path == "." {
        return Err(refuse("is the top of the repository; a chart needs a directory of its own"));
    }
    if path.starts_with('/') {
        return Err(refuse("is absolute; it has to be relative to the top of the repository"));
    }
    let components: Vec<Component> = path.split('/').map(|component| one_component(glob, component)).collect::<Result<_, _>>()?;
    if components.len() > LIMIT {
        return Err(refuse("has too many components"));
    }
    Ok(components)
}

fn one_component(glob: &str, component: &str) -> Result<Component, GlobError> {
    let refuse = |problem| GlobError::Path { glob: glob.to_owned(), problem };
    match component {
        "" => Err(refuse("has an empty component")),
        "." | ".." => Err(refuse("holds \".\" or \"..\"")),
        "*" => Ok(Component::Any),
        "**" => Ok(Component::AnyDepth),
        plain if !plain.contains(['*', '?', '[', ']', '{', '}', '\\']) => Ok(Component::Literal(plain.to_owned())),
        pattern => {
            let matcher = GlobBuilder::new(pattern).literal_separator(true).build().map_err(|source| GlobError::Malformed { glob: glob.to_owned(), source })?;
            Ok(Component::Pattern { matcher: matcher.compile_matcher(), dots: pattern.starts_with('.') })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(globs: &[&str], path: &str) -> bool {
        Globs::new(globs).unwrap().is_match(path)
    }

    #[test]
    fn globs_match_whole_paths() {
        assert!(check(&["charts/*"], "charts/redis") && check(&["./charts/*/"], "charts/redis"));
        assert!(!check(&["charts/*"], "charts") && !check(&["charts/*"], "charts/redis/templates") && !check(&["charts/*"], "other/redis"));
        assert!(!check(&["charts/*"], "charts/.hidden") && check(&["charts/.*"], "charts/.hidden"));
        assert!(check(&["charts/{a,b}-?"], "charts/b-1") && !check(&["charts/{a,b}-?"], "charts/c-1"));
        assert!(check(&["stable/*", "incubator/*"], "incubator/x") && check(&["redis"], "redis"));
    }

    #[test]
    fn two_stars_are_any_depth() {
        for path in ["charts/a", "charts/a/b", "charts/a/b/c"] {
            assert!(check(&["charts/**"], path) && check(&["charts/**/*"], path), "{path}");
        }
        assert!(check(&["**/charts/*"], "charts/a") && check(&["**/charts/*"], "x/y/charts/a") && !check(&["**/charts/*"], "x/a"));
        assert!(!check(&["**"], ".github/x") && check(&["a/**/b"], "a/b"));
    }

    #[test]
    fn positions_say_when_to_stop() {
        let globs = Globs::new(&["charts/*"]).unwrap();
        let charts = globs.enter(&globs.top(), "charts");
        assert!(charts.leads_on() && !charts.matched());
        let redis = globs.enter(&charts, "redis");
        assert!(redis.matched() && !redis.leads_on());
        assert!(!globs.enter(&globs.top(), "docs").leads_on());
    }

    #[test]
    fn what_is_no_glob() {
        let check = |glob: &str| Globs::new(&[glob]).unwrap_err().to_string();
        insta::assert_snapshot!(check("."), @r#"glob "." is the top of the repository; a chart needs a directory of its own"#);
        insta::assert_snapshot!(check("/charts/*"), @r#"glob "/charts/*" is absolute; it has to be relative to the top of the repository"#);
        insta::assert_snapshot!(check("charts//x"), @r#"glob "charts//x" has an empty component"#);
        insta::assert_snapshot!(check("../x"), @r#"glob "../x" holds "." or "..""#);
        insta::assert_snapshot!(check("charts/[a"), @r#"glob "charts/[a" is malformed"#);
    }
}
