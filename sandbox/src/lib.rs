//! The world a rehearsal needs, embedded: GitHub, an OCI registry, and what holds them to their specifications.

pub mod github;
pub mod registry;
pub mod rehearsal;
