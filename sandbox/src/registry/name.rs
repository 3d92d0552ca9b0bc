//! The grammar of repository names, tags and digests (OCI distribution specification 1.1, "Pulling manifests").

use chartflow_core::domain::digest::Sha256;

/// The longest repository name: many clients count host and name together against 255 characters (distribution
/// specification, "Pulling manifests").
const NAME_LIMIT: usize = 255;

/// The longest tag (`[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`).
const TAG_LIMIT: usize = 128;

/// Whether a text is a repository name: components of lower-case letters and digits with single separators
/// (`.`, `_`, `__` or any number of `-`) between them, joined by `/`.
#[must_use]
pub(super) fn is_repository(text: &str) -> bool {
    text.len() <= NAME_LIMIT && text.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut rest = component;
    loop {
        let word = rest.trim_start_matches(alphanumeric);
        if word.len() == rest.len() {
            return false;
        }
        if word.is_empty() {
            return true;
        }
        rest = word.trim_start_matches(['.', '_', '-']);
        let separator = &word[..word.len() - rest.len()];
        if !matches!(separator, "." | "_" | "__") && (separator.is_empty() || separator.contains(['.', '_'])) {
            return false;
        }
    }
}

/// Whether a text is a tag.
#[must_use]
pub(super) fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= TAG_LIMIT && text.starts_with(word) && text.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

/// What stands behind `/manifests/` in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A tag.
    Tag(String),
    /// The digest of a manifest.
    Digest(Sha256),
}

impl Reference {
    /// Reads a tag or a `sha256:…` digest; `None` when the text is neither.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.contains(':') {
            return Sha256::from_prefixed(text).ok().map(Self::Digest);
        }
        is_tag(text).then(|| Self::Tag(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories() {
        for good in ["a", "charts/a", "a.b/c_d/e__f/g-h/i---j", "0", "library/redis"] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "A", "a..b", "a___b", "a._b", "-a", "a-", "a b", "ä", "a:b", "..", "a/../b", &"a".repeat(256)] {
            assert!(!is_repository(bad), "{bad}");
        }
    }

    #[test]
    fn references() {
        for good in ["1.0.0", "_", "a-B.c_d", "1.0.0_build.1", &"t".repeat(128)] {
            assert_eq!(Reference::parse(good), Some(Reference::Tag(good.to_owned())));
        }
        for bad in ["", ".a", "-a", "a+b", "a/b", "sha256:abc", "sha512:00", &"t".repeat(129)] {
            assert_eq!(Reference::parse(bad), None, "{bad}");
        }
        let digest = Sha256::of(b"x");
        assert_eq!(Reference::parse(&digest.prefixed()), Some(Reference::Digest(digest)));
    }
}
