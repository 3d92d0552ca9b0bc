//! The parts that descriptions share.

use super::{CheckLine, CheckState, State};
use crate::domain::commit::conventional::{split, without_pull_number};
use crate::domain::commit::range::Counted;
use crate::domain::markdown::{Links, escape, link, one_line};
use crate::domain::version::Level;
use semver::Version;

/// Where one chart is spoken about, more commits are counted, not listed.
pub(super) const COMMIT_LIMIT: usize = 100;

/// Longer texts are no names.
const CODE_LIMIT: usize = 1000;

/// A name, an address or a path as code, where it holds nothing that ends code or a table's cell.
pub(super) fn code(text: &str) -> String {
    let plain = !text.is_empty() && !text.contains(['`', '|']) && one_line(text, CODE_LIMIT) == text;
    if plain { format!("`{text}`") } else { escape(text) }
}

/// Text that is folded away, Markdown already.
pub(super) fn folded(summary: &str, text: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{}\n\n</details>", text.trim_end())
}

pub(super) fn next(text: &str) -> String {
    format!("**What happens next:** {text}")
}

pub(super) fn notices(notices: &[String]) -> String {
    notices.iter().map(|notice| format!("> {}", escape(notice))).collect::<Vec<String>>().join("\n>\n")
}

pub(super) fn version(version: Option<&Version>) -> String {
    version.map_or_else(|| "–".to_owned(), |version| format!("`{version}`"))
}

/// Before and after; what is behind it and is absent there is removed.
pub(super) fn table(before: Option<&State>, after: Option<&State>, decision: Option<&(Level, String)>) -> String {
    let cell = |state: Option<&State>, absent: &str, show: fn(&State) -> String| state.map_or_else(|| absent.to_owned(), show);
    let row = |name: &str, show: fn(&State) -> String| format!("| {name} | {} | {} |", cell(before, "–", show), cell(after, "removed", show));
    let mut rows = vec!["| | before | after |".to_owned(), "|---|---|---|".to_owned()];
    rows.push(row("version", |state| version(state.version.as_ref())));
    rows.push(row("content", |state| format!("`{}`", state.content.short())));
    if let Some((level, reason)) = decision.filter(|_| after.is_some()) {
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

/// The commits below a heading, no more than `limit` of them.
pub(super) fn commits(heading: &str, counted: &[Counted], limit: usize, links: &Links) -> String {
    if counted.is_empty() {
        return String::new();
    }
    let lines = counted.iter().take(limit).flat_map(|commit| {
        let pull = commit.pull.map(|number| format!(", {}", links.pull_link(number))).unwrap_or_default();
        split(&commit.message).into_iter().map(move |part| {
            let (title, _) = without_pull_number(part.lines().next().unwrap_or_default());
            let title = if title.is_empty() { "(no description)".to_owned() } else { escape(title) };
            format!("\n- {} {title} ({}{pull})", links.commit_link(&commit.id), escape(&commit.author.name))
        })
    });
    let rest = counted.len().saturating_sub(limit);
    let more = if rest > 0 { format!("\n- and {rest} more") } else { String::new() };
    format!("{heading}\n{}{more}", lines.collect::<String>())
}
