//! The only code that touches the world.

pub mod chart_directory;
pub mod git;
pub mod github;
pub mod helm;
pub mod oci;
pub mod signing;
pub mod write;
