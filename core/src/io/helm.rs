//! The real helm as a child process.
