//! Commit statuses.

use super::route::Route;

/// The state of this module.
#[derive(Debug, Default)]
pub(crate) struct Statuses {}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];
