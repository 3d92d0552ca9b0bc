//! Which charts differ between two commits.
