//! A local git repository, read with gix.
