//! The runner's protocol as pure functions: what a line or file has to look like so that GitHub's runner reads exactly
//! what was meant, whatever text stands in it.
//!
//! Sources: GitHub documentation, "Workflow commands for GitHub Actions"; actions/runner, `ActionCommand.cs`,
//! `FileCommandManager.cs`.

pub mod command;
pub mod file;
#[cfg(test)]
mod grammar;
#[cfg(test)]
mod tests;
