//! The names of the train's branches, tags and refs, made from the configured templates.
