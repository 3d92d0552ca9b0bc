//! Pure values and the rules that hold for them.

pub mod adoption;
pub mod branch;
pub mod changelog;
pub mod chart;
pub mod check;
pub mod commit;
pub mod configuration;
pub mod content;
pub mod detection;
pub mod digest;
pub mod event;
pub mod index;
pub mod lineage;
pub mod markdown;
pub(crate) mod mistake;
pub mod names;
pub mod oci;
pub mod package;
pub mod policy;
pub mod pull;
pub mod ruleset;
pub mod shell;
pub mod statement;
pub mod tree;
pub mod version;
pub mod visible;
pub mod workflow;
pub mod yaml;

/// An error and its causes in one line, each cause once.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
