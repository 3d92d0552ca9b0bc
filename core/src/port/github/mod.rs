//! The typed GitHub client over a [`super::transport::Transport`].
