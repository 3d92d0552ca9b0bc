//! Pull requests, their reviews, comments and merges.

mod model;

pub use model::{Comment, Merged, Pull, Review, ReviewState};

use super::route::Route;

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];
