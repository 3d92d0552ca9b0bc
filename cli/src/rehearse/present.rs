//! What people see of a rehearsal: the train as it moves, and what came of it.

use chartflow_core::domain::markdown::one_line;
use chartflow_core::domain::shell::word;
use chartflow_sandbox::rehearsal::{self, ChartRow, Progress, RefusedRow, Summary, VISITOR};

use crate::output::{Output, Style};

/// The longest stage name has nine characters, and the texts begin in one column.
const LABEL: usize = 9;
/// The width of the words that stand for the marks where nobody watches.
const WORD: usize = 7;
/// Longer texts are cut; `report.html` has them whole.
const TEXT_LIMIT: usize = 300;
/// Beyond so many charts the commands are printed for the first one alone.
const COMMANDS: usize = 5;

/// Tells what the rehearsal is doing.
pub(super) fn show(progress: &Progress, output: &Output) {
    if let Progress::Notice { text } = progress {
        output.notice(text);
    } else if output.tells_progress() {
        for line in lines(progress, output.watched()) {
            output.progress(line.style, &line.label, &line.mark, &line.text);
        }
    }
}

/// A line of progress.
struct Line {
    style: Style,
    label: String,
    mark: String,
    text: String,
}

/// The lines of one event: for eyes with signs and each label once, elsewhere with words, every line complete in itself.
fn lines(progress: &Progress, watched: bool) -> Vec<Line> {
    let line = |style, label: &str, (sign, word): (&str, &str), text: &str| Line {
        style,
        label: format!("{label:<LABEL$}"),
        mark: if watched { sign.to_owned() } else { format!("{word:<WORD$}") },
        text: one_line(text, TEXT_LIMIT),
    };
    match progress {
        Progress::Person { text } => vec![line(Style::Person, "person", ("●", "acts"), text)],
        Progress::Notice { text } => vec![line(Style::Notice, "notice", ("!", "notice"), text)],
        Progress::Stage { stage, steps, .. } => {
            let mut lines = Vec::new();
            for step in steps {
                let (style, mark) = match step.outcome.as_str() {
                    "done" => (Style::Good, ("✓", "done")),
                    "refused" => (Style::Error, ("✗", "refused")),
                    _ => (Style::Faint, ("·", "waits")),
                };
                let label = if watched && !lines.is_empty() { "" } else { stage };
                lines.push(line(style, label, mark, &step.text));
            }
            lines
        }
    }
}

/// What came of the rehearsal, where it is, and what to try with it; `directory` as the user named it.
pub(super) fn conclude(summary: &Summary, directory: &str) -> String {
    let mut parts = vec![format!("{}\n", one_line(&summary.sentence(), TEXT_LIMIT))];
    if !summary.charts.is_empty() {
        parts.push(table(&summary.charts));
    }
    if !summary.refused.is_empty() {
        parts.push(summary.refused.iter().map(refusal).collect());
    }
    parts.push(format!("Everything is in {directory}; to see the whole train, open {directory}/report.html in a browser.\n"));
    if !summary.charts.is_empty() {
        parts.push(commands(&summary.charts, directory));
    }
    parts.join("\n")
}

/// The released charts, one a line.
fn table(charts: &[ChartRow]) -> String {
    let mut rows = vec![["chart", "from", "to", "level", "tag"].map(ToOwned::to_owned)];
    for chart in charts {
        let from = chart.from.as_deref().unwrap_or("new");
        rows.push([&chart.chart, from, &chart.to, &chart.level, &chart.tag].map(ToString::to_string));
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for [chart, from, to, level, tag] in &rows {
        text.push_str(&format!("{chart:<0$}  {from:<1$}  {to:<2$}  {level:<3$}  {tag}\n", widths[0], widths[1], widths[2], widths[3]));
    }
    text
}

fn refusal(row: &RefusedRow) -> String {
    let about = row.chart.as_deref().unwrap_or("the contribution");
    let hint = if row.hint.is_empty() { String::new() } else { format!("  hint: {}\n", indented(&row.hint)) };
    format!("{} refused {about} ({}):\n  {}\n{hint}", row.stage, row.rule, indented(&row.message))
}

/// Several lines as a block.
fn indented(text: &str) -> String {
    text.trim_end().lines().collect::<Vec<_>>().join("\n  ")
}

fn commands(charts: &[ChartRow], directory: &str) -> String {
    let shown = if charts.len() <= COMMANDS { charts } else { charts.get(..1).unwrap_or_default() };
    let mut text = "Verify every step, offline:\n".to_owned();
    for chart in shown {
        text.push_str(&format!("  {}\n", rehearsal::verify(chart, Some(directory))));
    }
    if shown.iter().any(rehearsal::is_served) {
        text.push_str(&format!("Let helm pull from it, after the first line in another terminal:\n  {}\n", rehearsal::serve_release(Some(directory))));
    } else {
        text.push_str("Let helm read what was released:\n");
    }
    for chart in shown {
        text.push_str(&format!("  {}\n", rehearsal::pull(chart, Some(directory))));
    }
    if shown.len() < charts.len() {
        text.push_str("The report has these lines for every chart.\n");
    }
    text
}

/// How to look around in the servers that stay up: the embedded GitHub's address, and the registry's host and port.
pub(super) fn serving(url: &str, registry: &str, summary: &Summary) -> String {
    let repository = rehearsal::repository();
    let mut text = format!(
        "\nThe embedded GitHub stays up at {url} until you press Ctrl-C. Look around from another terminal:\n  \
         git clone {url}/{repository}.git\n  \
         curl -H 'Authorization: Bearer {VISITOR}' '{url}/repos/{repository}/pulls?state=all'\n"
    );
    if let Some(chart) = summary.charts.first() {
        let reference = chart.oci.reference.rsplit_once(':').map_or(chart.oci.reference.as_str(), |(name, _)| name);
        text.push_str(&format!(
            "The registry stays up at {registry}:\n  helm pull {} --version {} --plain-http\n",
            word(&format!("oci://{reference}")),
            word(&chart.to)
        ));
    }
    text
}

#[cfg(test)]
mod tests;
