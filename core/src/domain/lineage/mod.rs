//! The lineage of a release: its statements as signed lines, and the walk that verifies them.
//!
//! A lineage is the closure of its root: the root names every other statement by the digest of its payload, and nothing
//! else may be in the file. Two kinds of edges are walked: statements about one content (checks, gates) and statements
//! that carry one content to the next (promotion, bump, tag, build).

pub mod bundle;
pub mod facts;
pub mod report;
pub mod rules;
pub mod verify;

mod contents;
mod counted;
mod decide;
mod gates;
mod lines;
mod rebuild;
mod rederive;
mod signer;
mod walk;

#[cfg(test)]
mod tests;

pub use counted::{NotCounted, counted};
pub use facts::{Ending, Questions, RepositoryFacts, TagFact};
pub use report::{Edge, Link, Proof, Refusal, Report, Verdict};
pub use rules::{Explanation, RULES, Rule};
pub use signer::{Mismatch, compare};
pub use verify::{Artifact, anchor, ending, questions, verify};
