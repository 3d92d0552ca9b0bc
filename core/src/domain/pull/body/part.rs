//! The parts that descriptions share.

use super::{Carried, CheckLine, CheckState, State};
use crate::domain::commit::conventional::{split, without_pull_number};
use crate::domain::commit::range::Counted;
use crate::domain::markdown::{Links, escape, link};
use crate::domain::version::Level;

/// More commits are counted, not listed.
const COMMIT_LIMIT: usize = 100;

pub(super) fn next(text: &str) -> String {
    format!("**What happens next:** {text}")
}

pub(super) fn notices(notices: &[String]) -> String {
    notices.iter().map(|notice| format!("> {}", escape(notice))).collect::<Vec<String>>().join("\n>\n")
}

pub(super) fn table(carried: &Carried) -> String {
    let cell = |state: Option<&State>, absent: &str, show: fn(&State) -> String| state.map_or_else(|| absent.to_owned(), show);
    let row = |name: &str, show: fn(&State) -> String| {
        format!("| {name} | {} | {} |", cell(carried.before.as_ref(), "–", show), cell(carried.after.as_ref(), "removed", show))
    };
    let mut rows = vec!["| | before | after |".to_owned(), "|---|---|---|".to_owned()];
    rows.push(row("version", |state| state.version.as_ref().map_or_else(|| "–".to_owned(), |version| format!("`{version}`"))));
    rows.push(row("content", |state| format!("`{}`", state.content.short())));
    if let Some((level, reason)) = &carried.decision {
        let reason = if *level == Level::None { "nothing that is packaged changed" } else { reason };
        rows.push(format!("| level | | {level}: {} |", escape(reason)));
    }
    rows.join("\n")
}

pub(super) fn checklist(checks: &[CheckLine]) -> String {
    checks.iter().map(check).collect::<Vec<String>>().join("\n")
}

fn check(line: &CheckLine) -> String {
    let (mark, state) = match line.state {
        CheckState::Passed => ("x", "passed"),
        CheckState::Failed => (" ", "**failed**"),
        CheckState::Skipped => (" ", "skipped"),
        CheckState::Pending => (" ", "awaited"),
    };
    let message = line.message.as_deref().map(|message| format!(": {}", escape(message))).unwrap_or_default();
    let attestation = line.attestation.map(|id| {
        let short: String = id.to_string().chars().take(17).collect();
        let text = format!("`{short}`");
        format!(" · {}", line.url.as_deref().filter(|url| is_plain_url(url)).map_or_else(|| text.clone(), |url| link(&text, url)))
    });
    format!("- [{mark}] {} {state}{message}{}", escape(&line.key), attestation.unwrap_or_default())
}

fn is_plain_url(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>' | '"' | '\\' | '`'))
}

pub(super) fn commits(counted: &[Counted], links: &Links) -> String {
    if counted.is_empty() {
        return String::new();
    }
    let lines = counted.iter().take(COMMIT_LIMIT).flat_map(|commit| {
        let pull = commit.pull.map(|number| format!(", {}", links.pull_link(number))).unwrap_or_default();
        split(&commit.message).into_iter().map(move |part| {
            let (title, _) = without_pull_number(part.lines().next().unwrap_or_default());
            let title = if title.is_empty() { "(no description)".to_owned() } else { escape(title) };
            format!("\n- {} {title} ({}{pull})", links.commit_link(&commit.id), escape(&commit.author.name))
        })
    });
    let rest = counted.len().saturating_sub(COMMIT_LIMIT);
    let more = if rest > 0 { format!("\n- and {rest} more") } else { String::new() };
    format!("### Commits\n{}{more}", lines.collect::<String>())
}
