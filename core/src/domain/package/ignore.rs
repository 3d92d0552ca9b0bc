//! `.helmignore` as helm reads it (helm `pkg/ignore`): close to `.gitignore` in looks, different in meaning.

use super::glob::Glob;

/// The name of the file; only the one at the top of the packaged chart counts.
pub const IGNORE_FILE: &str = ".helmignore";

/// helm reads lines with a scanner whose buffer ends here.
const LINE_LIMIT: usize = 64 * 1024;

/// What is wrong with a line of `.helmignore`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreError {
    /// `**` means nothing to helm, which refuses it.
    #[error(".helmignore:{line}: {pattern:?} holds \"**\", which helm does not support")]
    DoubleStar {
        /// The line, counted from 1.
        line: usize,
        /// The pattern.
        pattern: String,
    },
    /// A class that is not closed or a `\` at the end.
    #[error(".helmignore:{line}: {pattern:?} is not a pattern")]
    Pattern {
        /// The line, counted from 1.
        line: usize,
        /// The pattern.
        pattern: String,
    },
    /// A line of 64 KiB or more.
    #[error(".helmignore:{line}: the line is longer than {LINE_LIMIT} bytes")]
    LineTooLong {
        /// The line, counted from 1.
        line: usize,
    },
}

/// What a pattern is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    /// The last component of the path.
    Name,
    /// The path from the top of the chart.
    Path,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    negated: bool,
    directories_only: bool,
    scope: Scope,
    /// `None` fits nothing: the pattern became invalid when its trailing `/` was taken off.
    glob: Option<Glob>,
}

/// The rules of one chart, helm's default (dot files directly in `templates/`) included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

impl Default for IgnoreRules {
    fn default() -> Self {
        Self { rules: vec![rule("templates/.?*")] }
    }
}

impl IgnoreRules {
    /// Reads the bytes of a `.helmignore`.
    ///
    /// # Errors
    /// Where helm refuses a line.
    pub fn parse(bytes: &[u8]) -> Result<Self, IgnoreError> {
        let text = String::from_utf8_lossy(bytes);
        let mut rules = Vec::new();
        for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(&text).split('\n').enumerate() {
            let number = index + 1;
            if line.len() >= LINE_LIMIT {
                return Err(IgnoreError::LineTooLong { line: number });
            }
            let pattern = line.trim();
            if pattern.is_empty() || pattern.starts_with('#') {
                continue;
            }
            if pattern.contains("**") {
                return Err(IgnoreError::DoubleStar { line: number, pattern: pattern.to_owned() });
            }
            if Glob::new(pattern).is_none() {
                return Err(IgnoreError::Pattern { line: number, pattern: pattern.to_owned() });
            }
            rules.push(rule(pattern));
        }
        rules.extend(Self::default().rules);
        Ok(Self { rules })
    }

    /// Whether a path, relative to the chart and with `/` between its components, stays out of the package.
    ///
    /// The first rule that fits decides. A negated rule works the other way round than in git: whatever does *not* fit
    /// it is ignored, and what fits goes on to the next rule.
    #[must_use]
    pub fn ignores(&self, path: &str, is_directory: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        for rule in &self.rules {
            let wrong_kind = rule.directories_only && !is_directory;
            let fits = || {
                let subject = match rule.scope {
                    Scope::Name => path.rsplit('/').next().unwrap_or(path),
                    Scope::Path => path,
                };
                rule.glob.as_ref().is_some_and(|glob| glob.matches(subject))
            };
            let ignored = if rule.negated { wrong_kind || !fits() } else { !wrong_kind && fits() };
            if ignored {
                return true;
            }
        }
        false
    }
}

fn rule(pattern: &str) -> Rule {
    let (negated, pattern) = pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest));
    let (directories_only, pattern) = pattern.strip_suffix('/').map_or((false, pattern), |rest| (true, rest));
    let (scope, pattern) = match pattern.strip_prefix('/') {
        Some(rest) => (Scope::Path, rest),
        None if pattern.contains('/') => (Scope::Path, pattern),
        None => (Scope::Name, pattern),
    };
    Rule { negated, directories_only, scope, glob: Glob::new(pattern) }
}
