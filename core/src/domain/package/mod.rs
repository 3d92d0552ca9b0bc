//! Packaging a chart as helm does, reproducibly.
