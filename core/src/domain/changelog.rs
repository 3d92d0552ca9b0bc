//! A chart's CHANGELOG.md.
