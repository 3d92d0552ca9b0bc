//! What Enterprise Server 3.17 to 3.19 does not have or does otherwise.
//!
//! Sources: GitHub's OpenAPI descriptions of these versions (`ghes-3.17` to `ghes-3.19` of the package that
//! `sandbox/openapi/extract.py` names), which lack these operations; the release notes of 3.20 for `pull_request_target`.
//! What cannot be known from there, such as headers that are not described, is left out, so that nothing comes to depend
//! on it.

/// Operations that it answers with 404.
const ABSENT: [&str; 7] = [
    "pulls/merge-async",
    "pulls/get-merge-async-result",
    "repos/create-attestation",
    "repos/list-attestations",
    "repos/check-immutable-releases",
    "repos/enable-immutable-releases",
    "repos/disable-immutable-releases",
];

/// Whether it lacks an operation.
pub(super) fn lacks(operation: &str) -> bool {
    ABSENT.contains(&operation)
}
