//! The worlds the end-to-end tests run in: an embedded GitHub with people, a registry in memory, and the train.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "everything here is part of a test")]

mod adoption;
pub mod alone;
pub mod brakes;
pub mod certificate_log;
pub mod charts;
pub mod container;
pub mod gate;
pub mod identities;
pub mod ledger;
mod mend;
pub mod people;
pub mod recorder;
pub mod registry;
pub mod rest;
pub mod rng;
pub mod runner;
pub mod schedule;
pub mod sigstore;
pub mod tiny_http;
pub mod world;
pub mod yard;
