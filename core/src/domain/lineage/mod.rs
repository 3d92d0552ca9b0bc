//! The lineage of a release: its statements as signed lines, and the walk that verifies them.

pub mod bundle;
