//! The Helm repository index.
