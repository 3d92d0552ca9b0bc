//! Which event starts which stage.
