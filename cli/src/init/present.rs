//! What `chartflow init` says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chartflow_core::domain::adoption::Note;
use chartflow_core::plan::init::{Plan, PlannedFile, State, Step};
use serde_json::{Value, json};
use similar::TextDiff;

/// What was planned and what was done of it.
pub(super) struct Outcome<'a> {
    pub(super) plan: &'a Plan,
    pub(super) present: &'a BTreeMap<String, Vec<u8>>,
    pub(super) written: bool,
    pub(super) refused: bool,
    pub(super) dry_run: bool,
}

impl Outcome<'_> {
    /// For programs.
    pub(super) fn document(&self) -> Value {
        let differences: BTreeMap<&str, String> = self.plan.changed().map(|file| (file.path.as_str(), self.difference(file))).collect();
        let mut document = json!({ "result": self.result(), "differences": differences });
        if let (Some(document), Ok(Value::Object(plan))) = (document.as_object_mut(), serde_json::to_value(self.plan)) {
            document.extend(plan);
        }
        document
    }

    fn result(&self) -> &'static str {
        match (self.refused, self.dry_run) {
            (true, _) => "refused",
            (false, true) => "dry run",
            (false, false) => "written",
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for note in &self.plan.notes {
            text.push_str(&carried(note));
        }
        for file in &self.plan.files {
            text.push_str(&self.file(file));
        }
        for reference in &self.plan.references {
            let id = reference.commit.get(..10).unwrap_or(&reference.commit);
            let said = match reference.state {
                State::New => format!("{} {} at {id}, the charts that main holds now", self.verb(State::New), reference.name),
                State::Unchanged => format!("unchanged {} at {id}", reference.name),
                State::Differs => format!("kept {} at {id}: the train is under way", reference.name),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{said}");
        }
        if self.refused {
            text.push_str("\nNothing was written: somebody changed the files above. --force overwrites them.\n");
            return text;
        }
        text.push_str("\nWhat is left for you, in this order:\n");
        for (number, step) in self.plan.steps.iter().enumerate() {
            text.push_str(&described(number + 1, step));
        }
        text
    }

    fn verb(&self, state: State) -> &'static str {
        match (state, self.written, self.refused) {
            (State::Unchanged, ..) => "unchanged",
            (State::New, true, _) => "wrote",
            (State::Differs, true, _) => "overwrote",
            (State::Differs, false, true) => "changed",
            (State::Differs, false, false) => "would overwrite",
            (State::New, false, _) => "would write",
        }
    }

    fn file(&self, file: &PlannedFile) -> String {
        let mut text = format!("{} {}\n", self.verb(file.state), file.path);
        if file.state == State::Differs {
            text.push_str(&self.difference(file));
        }
        text
    }

    fn difference(&self, file: &PlannedFile) -> String {
        let present = self.present.get(&file.path).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        TextDiff::from_lines(present.as_ref(), file.text.as_str()).unified_diff().header(&file.path, "chartflow").to_string()
    }
}

fn carried(note: &Note) -> String {
    let Note { file, line, key, becomes, why } = note;
    match (becomes, why) {
        (Some(becomes), _) => format!("{file}:{line}: {key} is now {becomes}\n"),
        (None, why) => format!("{file}:{line}: {key} is not carried over: {}\n", why.as_deref().unwrap_or_default()),
    }
}

fn described(number: usize, step: &Step) -> String {
    let mut text = format!("\n{number}. {}\n", step.title);
    for line in step.text.lines() {
        let _ = writeln!(text, "   {line}");
    }
    if let Some(page) = &step.page {
        let _ = writeln!(text, "   {page}");
    }
    for command in &step.commands {
        let _ = writeln!(text, "     {command}");
    }
    text
}
