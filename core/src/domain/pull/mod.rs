//! Titles and descriptions of pull requests, and the attestation map in them.
