//! The library behind chartflow: everything the release train decides, proves and does.
//!
//! Imports run one way: [`domain`] (pure values and rules) ← [`plan`] (pure decisions) ← [`flow`] (one file per stage).
//! [`port`] holds the few traits at the edge, and only `io` implements them against the world.
//! `action` is the protocol of GitHub's runner: it builds trains from `io` and hands back what came of them.
//! There is no clock, randomness, environment, network or file access outside `io` and `action`: all of it arrives as arguments.

#[cfg(feature = "action")]
pub mod action;
pub mod domain;
pub mod flow;
#[cfg(feature = "io")]
pub mod io;
pub mod plan;
pub mod port;
