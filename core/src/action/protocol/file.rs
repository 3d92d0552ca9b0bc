//! What is appended to the files that the runner reads when a step has ended: outputs, state and the summary.

/// GitHub shows no summary that is longer, in bytes (runner `FileCommandManager.cs`).
pub const SUMMARY_LIMIT: usize = 1 << 20;

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the output {name} holds the delimiter that was to end it")]
pub struct DelimiterError {
    /// The output.
    pub name: String,
}

/// A name and its value in the form with a delimiter, which takes any value. `delimiter` must be unguessable, so that
/// no value can end itself and set another name.
///
/// # Errors
/// [`DelimiterError`] when name or value hold the delimiter all the same.
pub fn entry(name: &str, value: &str, delimiter: &str) -> Result<String, DelimiterError> {
    if name.contains(delimiter) || value.contains(delimiter) {
        return Err(DelimiterError { name: name.to_owned() });
    }
    Ok(format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
}

/// A summary that is not longer than `room` bytes: cut between two sections where one ends in the last quarter, else
/// between two lines, with a note. What was opened by a code fence is closed.
#[must_use]
pub fn fit(summary: &str, room: usize) -> String {
    const NOTE: &str = "\n\n> [!NOTE]\n> The rest did not fit into GitHub's limit for summaries; the log of this step has everything.\n";
    const FENCE: &str = "\n```";
    if summary.len() <= room {
        return summary.to_owned();
    }
    let Some(room) = room.checked_sub(NOTE.len() + FENCE.len()) else { return String::new() };
    let mut end = room;
    while !summary.is_char_boundary(end) {
        end -= 1;
    }
    let head = &summary[..end];
    let section = head.rfind("\n## ").or_else(|| head.rfind("\n### ")).filter(|at| *at > room / 4 * 3);
    let at = section.or_else(|| head.rfind('\n')).unwrap_or(0);
    let kept = &head[..at];
    let open = kept.lines().filter(|line| line.starts_with("```")).count() % 2 == 1;
    format!("{kept}{}{NOTE}", if open { FENCE } else { "" })
}
