//! The verifier's policy.
