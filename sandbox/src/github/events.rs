//! Events made from occurrences, and the workflows they start.

use super::route::Route;

/// The state of this module.
#[derive(Debug, Default)]
pub(crate) struct Events {}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];
