//! The workflow files, generated from the event table.
