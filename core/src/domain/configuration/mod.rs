//! The configuration file `.chartflow.yaml`.
