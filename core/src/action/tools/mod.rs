//! The actions beside the train.

pub(super) mod attest;
pub(super) mod detect;
pub(super) mod rulesets;
pub(super) mod verify;
