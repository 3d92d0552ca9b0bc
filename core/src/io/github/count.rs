//! How many requests were sent.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::port::transport::Method;

/// Counts requests; shared by all transports of one run.
#[derive(Debug, Default)]
pub struct RequestCounter {
    total: AtomicU64,
    creating: AtomicU64,
}

impl RequestCounter {
    /// All requests that were sent, repetitions included.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Those among them that create content.
    #[must_use]
    pub fn creating(&self) -> u64 {
        self.creating.load(Ordering::Relaxed)
    }

    /// Notes a request.
    pub fn count(&self, method: Method, target: &str) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if creates_content(method, target) {
            self.creating.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether a request creates content, of which GitHub allows 80 a minute and 500 an hour ("About secondary rate limits"
/// in its REST API documentation): what makes a ref, pull request, status, comment, release, asset, attestation or
/// dispatch, and merges. Blobs, trees, commits and tag objects are not seen by anybody until a ref names them.
#[must_use]
pub fn creates_content(method: Method, target: &str) -> bool {
    let path = target.split('?').next().unwrap_or(target);
    // /repos/OWNER/NAME/rest, also behind the path of an Enterprise Server or the host of uploads.
    let rest = path.split_once("/repos/").and_then(|(_, path)| path.splitn(3, '/').nth(2)).unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    match method {
        Method::Post => matches!(
            parts.as_slice(),
            ["git", "refs"]
                | ["pulls" | "issues" | "releases" | "attestations" | "dispatches" | "merges" | "check-runs"]
                | ["statuses", _]
                | ["pulls" | "issues", _, "comments" | "reviews"]
                | ["releases", _, "assets"]
                | ["actions", "workflows", _, "dispatches"]
        ),
        Method::Put => matches!(parts.as_slice(), ["pulls", _, "merge" | "merge-async"] | ["contents", ..]),
        Method::Get | Method::Patch | Method::Delete => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_creates_content() {
        for (method, path) in [
            (Method::Post, "git/refs"),
            (Method::Post, "pulls"),
            (Method::Post, "pulls/1/reviews"),
            (Method::Post, "statuses/abc"),
            (Method::Post, "issues/1/comments"),
            (Method::Post, "releases"),
            (Method::Post, "releases/1/assets?name=a.tgz"),
            (Method::Post, "attestations"),
            (Method::Post, "dispatches"),
            (Method::Post, "actions/workflows/x.yml/dispatches"),
            (Method::Post, "merges"),
            (Method::Put, "pulls/1/merge"),
            (Method::Put, "pulls/1/merge-async"),
        ] {
            assert!(creates_content(method, &format!("/repos/o/r/{path}")), "{path}");
            assert!(creates_content(method, &format!("https://ghe.example/api/v3/repos/o/r/{path}")), "{path}");
        }
        for (method, path) in [
            (Method::Get, "pulls"),
            (Method::Post, "git/blobs"),
            (Method::Post, "git/trees"),
            (Method::Post, "git/commits"),
            (Method::Post, "git/tags"),
            (Method::Post, "issues/1/labels"),
            (Method::Patch, "git/refs/heads/main"),
            (Method::Patch, "pulls/1"),
            (Method::Delete, "git/refs/heads/x"),
            (Method::Put, "pulls/1/update-branch"),
        ] {
            assert!(!creates_content(method, &format!("/repos/o/r/{path}")), "{path}");
        }
        assert!(!creates_content(Method::Post, "/graphql"));
    }
}
