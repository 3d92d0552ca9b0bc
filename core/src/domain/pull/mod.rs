//! Titles and descriptions of pull requests, the attestation map in them, and the messages of the machine's commits.
//!
//! All of it is a view for people: no decision reads it. What people write into a description is kept byte for byte;
//! chartflow owns one section between two comments and one comment with the map.

pub mod body;
mod description;
mod map;
pub mod message;
pub mod title;

pub use description::{BODY_LIMIT, DescriptionError, describe};
pub use map::{AttestationId, AttestationMap, MapError};
pub use title::{TITLE_LIMIT, without_skip_tokens};

#[cfg(test)]
mod tests;
