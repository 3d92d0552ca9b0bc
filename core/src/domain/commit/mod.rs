//! Commits: Conventional Commits, and which commits count for a release.
