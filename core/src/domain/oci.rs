//! The OCI manifest of a chart.
