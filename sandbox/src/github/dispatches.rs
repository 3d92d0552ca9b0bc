//! `repository_dispatch` and `workflow_dispatch`.

use super::route::Route;

/// The state of this module.
#[derive(Debug, Default)]
pub(crate) struct Dispatches {}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];
