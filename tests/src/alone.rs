//! An action by itself: variables and files as the runner gives them, and whatever answers at the address of GitHub's API.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chartflow_core::action::console::Console;
use chartflow_core::action::{self, Stop, Verb};
use tempfile::TempDir;

use crate::runner::{Kept, Ran, outputs};

/// An action that can be run once or more.
pub struct Alone {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

impl Alone {
    /// A step of a job in `acme/charts` whose API is at `api`, with a token.
    #[must_use]
    pub fn new(api: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["workspace", "temporary"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let variables = [
            ("GITHUB_API_URL", api.to_owned()),
            ("GITHUB_REPOSITORY", "acme/charts".to_owned()),
            ("GITHUB_EVENT_NAME", "workflow_dispatch".to_owned()),
            ("GITHUB_SHA", "1".repeat(40)),
            ("GITHUB_WORKSPACE", path("workspace")),
            ("RUNNER_TEMP", path("temporary")),
            ("GITHUB_OUTPUT", path("output")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("INPUT_TOKEN", "ghs_alone".to_owned()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { folder, variables }
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Sets an input.
    #[must_use]
    pub fn with(mut self, input: &str, value: &str) -> Self {
        self.variables.insert(format!("INPUT_{}", input.to_ascii_uppercase()), value.to_owned());
        self
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(&self, verb: Verb) -> Ran {
        self.until(verb, |_| std::future::pending())
    }

    /// Runs it, and cancels it as soon as it has printed these words.
    #[must_use]
    pub fn run_until(&self, verb: Verb, words: &'static str) -> Ran {
        self.until(verb, async move |kept: Kept| {
            while !kept.text().contains(words) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Stop { name: "SIGTERM", number: 15 }
        })
    }

    /// Runs it, and cancels it after a while.
    #[must_use]
    pub fn run_for(&self, verb: Verb, time: Duration) -> Ran {
        self.until(verb, async move |_| {
            tokio::time::sleep(time).await;
            Stop { name: "SIGTERM", number: 15 }
        })
    }

    /// Runs it to its end; how often, about once a millisecond, it could have been cancelled.
    #[must_use]
    pub fn run_looking(&self, verb: Verb) -> (Ran, u32) {
        let looks = AtomicU32::new(0);
        let ran = self.until(verb, async |_| {
            loop {
                looks.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        (ran, looks.into_inner())
    }

    fn until<F: Future<Output = Stop>>(&self, verb: Verb, stop: impl FnOnce(Kept) -> F) -> Ran {
        for name in ["output", "summary"] {
            fs::write(self.folder.path().join(name), "").unwrap();
        }
        let kept = Kept::default();
        let console = Console::new(Box::new(kept.clone()), &self.variables);
        // As the programs do: one thread for everything that waits.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let code = runtime.block_on(action::run(verb, &self.variables, &console, stop(kept.clone())));
        runtime.shutdown_background();
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap();
        Ran { code, log: kept.text(), outputs: outputs(&read("output")), summary: read("summary") }
    }
}
