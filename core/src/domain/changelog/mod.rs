//! A chart's CHANGELOG.md: entries, where they go, and the same changes in Artifact Hub's form.
//!
//! Whatever a file holds is kept byte for byte; an entry is only ever inserted.

mod entry;
mod file;

pub use entry::{Change, Entry, Section};
pub use file::{ChangelogError, entry_text, insert, read, replay};

#[cfg(test)]
mod tests;
