//! Addresses in the configuration: what would otherwise fail behind an immutable tag.

use super::Configuration;

/// A value that leads nowhere: its keys, and why.
pub(super) struct Problem {
    pub(super) keys: Vec<&'static str>,
    pub(super) value: String,
    pub(super) reason: &'static str,
}

/// The first address of a configuration that cannot be one.
pub(super) fn problem(configuration: &Configuration) -> Option<Problem> {
    let registry = || Some(Problem { keys: vec!["registry"], value: configuration.registry.clone(), reason: registry(&configuration.registry)? });
    let url = || {
        let url = configuration.index.url.as_deref()?;
        Some(Problem { keys: vec!["index", "url"], value: url.to_owned(), reason: web(url)? })
    };
    let label = || {
        let empty = configuration.hold_label.trim().is_empty();
        empty.then(|| Problem { keys: vec!["hold-label"], value: configuration.hold_label.clone(), reason: "is empty: a label has a name" })
    };
    registry().or_else(url).or_else(label)
}

/// `host[:port]/path` as the OCI distribution specification has names (1.1, "Pulling manifests"), with placeholders.
fn registry(text: &str) -> Option<&'static str> {
    if text.contains("://") {
        return Some("begins with a scheme; write the host and the path alone, such as ghcr.io/acme/charts");
    }
    let plain = text.replace("{owner}", "owner").replace("{repository}", "repository");
    let mut parts = plain.split('/');
    let host = parts.next().unwrap_or_default();
    let (name, port) = host.rsplit_once(':').filter(|_| !host.ends_with(']')).map_or((host, None), |(name, port)| (name, Some(port)));
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|name| name.contains(':') && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'));
    if !(address || name.split('.').all(letters)) || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Some("does not begin with a host, such as ghcr.io");
    }
    let word = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.ends_with(|c: char| c.is_ascii_alphanumeric());
    let path = |part: &str| word(part) && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'));
    (!parts.all(path)).then_some("has a path that no registry takes: lower-case letters, digits, '.', '_' and '-' between slashes")
}

/// An address that helm can read an index from, be it through a plugin such as those for `s3://`.
fn web(text: &str) -> Option<&'static str> {
    let scheme = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let rest = text.split_once("://").filter(|(name, rest)| scheme(name) && !rest.trim_matches('/').is_empty());
    let Some((_, rest)) = rest else { return Some("is no address; write such as https://charts.example.com") };
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some("holds white space");
    }
    rest.contains(['?', '#']).then_some("has a query or fragment, behind which no file can be named")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries() {
        for good in [
            "ghcr.io/{owner}/charts",
            "registry.example.com",
            "localhost/charts",
            "localhost:5000/a/b_c",
            "10.0.0.1:5000/x",
            "[::1]:5000/x",
            "harbor/charts",
            "r.io/{owner}/{repository}",
        ] {
            assert_eq!(registry(good), None, "{good}");
        }
        for bad in ["", "not a registry!", "oci://ghcr.io/x", "ghcr.io/Acme", "ghcr.io//x", "ghcr.io/x/", "ghcr.io:port/x", "-/x y", "ghcr.io/{other}"] {
            assert!(registry(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn web_addresses() {
        for good in ["https://charts.example.com", "http://localhost:8000/charts/", "HTTPS://x.io", "s3://bucket/charts"] {
            assert_eq!(web(good), None, "{good}");
        }
        for bad in ["", "charts.example.com", "javascript:x", "https://", "https:///", "https://a b", "https://x.io/?a", "https://x.io/#a"] {
            assert!(web(bad).is_some(), "{bad}");
        }
    }
}
