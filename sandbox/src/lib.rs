//! The embedded GitHub, OCI registry and signing identity that rehearsals and tests run against.

pub mod github;
//! The world a rehearsal needs, embedded: GitHub, an OCI registry, and what holds them to their specifications.

pub mod openapi;
pub mod registry;
