//! OCI registries, through oci-client.
