//! References of container images.

/// Whether a text is an image reference as go-containerregistry's `name.ParseReference` reads it: an optional registry,
/// a repository, and a tag or digest.
pub(super) fn is_reference(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return false;
    }
    // A colon behind the last slash begins a tag; before it, a port.
    let slash = name.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name.get(slash..).and_then(|last| last.find(':')) {
        Some(colon) => (name.get(..slash + colon).unwrap_or_default(), name.get(slash + colon + 1..)),
        None => (name, None),
    };
    if tag.is_some_and(|tag| tag.is_empty() || tag.len() > 128 || !tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
        return false;
    }
    let repository = match name.split_once('/') {
        Some((registry, rest)) if registry.contains(['.', ':']) || registry == "localhost" => {
            if !is_registry(registry) {
                return false;
            }
            rest
        }
        _ => name,
    };
    (2..=255).contains(&repository.len()) && repository.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '/'))
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for good in [
            "redis",
            "redis:7",
            "library/redis:7-alpine",
            "ghcr.io/o/i:v1.0.0",
            "localhost:5000/a1",
            "quay.io:443/o/i",
            &format!("redis@{digest}"),
            &format!("ghcr.io/o/i:v1@{digest}"),
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "a", "Redis", "redis:", "redis:a b", "redis@sha256:00", "ghcr.io:x/o/i", "o/i:é", "redis:7:8", "a b"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
