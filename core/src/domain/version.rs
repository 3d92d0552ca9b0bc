//! Versions: the level of a change and the version that follows.
