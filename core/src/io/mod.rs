//! The only code that touches the world.

pub mod chart_directory;
pub mod file;
pub mod git;
pub mod github;
pub mod gpg;
pub mod helm;
pub mod layered;
pub mod oci;
pub mod secret;
pub mod signing;
pub mod tls;
pub mod trust;
pub mod write;
