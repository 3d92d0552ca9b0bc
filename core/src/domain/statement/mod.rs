//! The in-toto statements of one release.
