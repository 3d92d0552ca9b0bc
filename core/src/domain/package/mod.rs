//! Packages as `helm package` makes them, reproducibly.

mod archive;
pub mod emit;
mod glob;
pub mod ignore;
pub mod read;
mod resolve;
mod scalar;
mod walk;
