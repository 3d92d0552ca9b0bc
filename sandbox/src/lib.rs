//! The embedded GitHub, OCI registry and signing identity that rehearsals and tests run against.

pub mod github;
pub mod registry;
pub mod rehearsal;
