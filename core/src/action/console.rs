//! The edge to the runner: standard output and the files it reads when the step has ended.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::ActionError;
use super::protocol::command::{Annotation, Level, command, has_commands, maskable, quoted};
use super::protocol::file::{SUMMARY_LIMIT, entry, fit};
use crate::domain::visible::visible;

/// The runner keeps so many annotations of each level per step ("Workflow commands": 10 warnings, 10 errors, 10 notices).
const ANNOTATIONS: usize = 10;

/// Where a step speaks to the runner. Everything goes to standard output, so that it stays in order.
#[derive(Clone)]
pub struct Console {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    output_file: Option<PathBuf>,
    summary_file: Option<PathBuf>,
    state_file: Option<PathBuf>,
    annotated: Arc<Mutex<BTreeMap<Level, usize>>>,
}

impl Console {
    /// Speaks through `out` and the files that the variables name.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, variables: &BTreeMap<String, String>) -> Self {
        let file = |name: &str| variables.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        Self {
            out: Arc::new(Mutex::new(out)),
            output_file: file("GITHUB_OUTPUT"),
            summary_file: file("GITHUB_STEP_SUMMARY"),
            state_file: file("GITHUB_STATE"),
            annotated: Arc::default(),
        }
    }

    fn write(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // That nobody reads can be told nobody.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn command(&self, name: &str, data: &str) {
        self.write(&format!("{}\n", command(name, &[], data)));
    }

    /// Lets the runner replace a secret by `***` wherever it is printed from here on.
    pub fn mask(&self, secret: &str) {
        maskable(secret).into_iter().for_each(|part| self.command("add-mask", part));
    }

    /// One line of our own words.
    pub fn say(&self, text: &str) {
        self.quote(text);
    }

    /// Text in which others' words may stand: shown as it is, and no line of it is a command.
    pub fn quote(&self, text: &str) {
        let text = &*visible(text);
        if !has_commands(text) {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            return self.write(&format!("{text}{end}"));
        }
        // A token that the text happens to hold is as unlikely as guessing it; then a second one is drawn.
        let shown = (0..4).find_map(|_| quoted(text, &token("stop")));
        if let Some(shown) = shown {
            self.write(&shown);
        }
    }

    /// Lines that can be folded away.
    pub fn group(&self, title: &str, text: &str) {
        self.command("group", title);
        self.quote(text);
        self.command("endgroup", "");
    }

    /// Shows remarks on the run: of each level as many as GitHub keeps, then their number; the others as text.
    pub fn annotate(&self, annotations: &[Annotation]) {
        for level in [Level::Error, Level::Warning, Level::Notice] {
            let mut shown = self.annotated.lock().unwrap_or_else(PoisonError::into_inner);
            let count = shown.entry(level).or_default();
            let room = ANNOTATIONS.saturating_sub(*count);
            let of_level: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.level == level).collect();
            *count += of_level.len().min(room);
            drop(shown);
            of_level.iter().take(room).for_each(|annotation| self.write(&format!("{}\n", annotation.command())));
            let rest: String = of_level.iter().skip(room).map(|annotation| plain(annotation)).collect();
            if !rest.is_empty() {
                self.say(&format!("{} more of level {}, beyond what GitHub shows:", of_level.len() - room, level.as_str()));
                self.quote(&rest);
            }
        }
    }

    /// Sets an output of the step.
    ///
    /// # Errors
    /// [`ActionError::File`].
    pub fn output(&self, name: &str, value: &str) -> Result<(), ActionError> {
        match &self.output_file {
            Some(path) => append(path, &delimited(name, value)),
            None => {
                self.group(&format!("output {name}"), value);
                Ok(())
            }
        }
    }

    /// Keeps a value for the same action's last step.
    ///
    /// # Errors
    /// [`ActionError::File`].
    pub fn state(&self, name: &str, value: &str) -> Result<(), ActionError> {
        self.state_file.as_deref().map_or(Ok(()), |path| append(path, &delimited(name, value)))
    }

    /// Adds to the page of the run, as far as it fits.
    ///
    /// # Errors
    /// [`ActionError::File`].
    pub fn summary(&self, markdown: &str) -> Result<(), ActionError> {
        let Some(path) = &self.summary_file else { return Ok(()) };
        let present = std::fs::metadata(path).map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(usize::MAX));
        append(path, &fit(markdown, SUMMARY_LIMIT.saturating_sub(present)))
    }
}

fn plain(annotation: &Annotation) -> String {
    let place = annotation.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
    format!("{place}{} ({})\n", annotation.message, annotation.title)
}

fn delimited(name: &str, value: &str) -> String {
    // As with the token above.
    (0..4).find_map(|_| entry(name, value, &token("ghadelimiter")).ok()).unwrap_or_default()
}

/// An unguessable word.
fn token(prefix: &str) -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness, the moment is the least foreseeable thing there is.
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        return format!("{prefix}-{:?}", std::time::Instant::now()).replace(|c: char| !c.is_alphanumeric(), "-");
    }
    format!("{prefix}_{}", hex::encode(bytes))
}

fn append(path: &Path, text: &str) -> Result<(), ActionError> {
    let failed = |source| ActionError::File { path: path.to_owned(), source };
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
