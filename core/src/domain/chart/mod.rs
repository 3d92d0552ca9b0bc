//! Chart.yaml: reading it as helm does, and editing it in place.
