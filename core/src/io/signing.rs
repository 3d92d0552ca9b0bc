//! Signing keys from files and fresh ones.
