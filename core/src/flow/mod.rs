//! The stages: each gathers facts, asks for a plan and applies it.

pub mod detect;
