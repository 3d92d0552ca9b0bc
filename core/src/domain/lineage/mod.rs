//! The lineage of a release, and its verification.
