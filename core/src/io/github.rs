//! GitHub over HTTPS, through octocrab.
