//! The embedded GitHub, OCI registry and signing identity that rehearsals and tests run against, and what holds them to
//! their specifications.

pub mod github;
pub mod openapi;
pub mod registry;
