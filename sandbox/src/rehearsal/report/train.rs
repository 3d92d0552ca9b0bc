//! The train in time: every run of a stage, in order, over the time it took.

use super::html::{Text, duration, outcome};
use crate::rehearsal::summary::StageRow;

// The roles repeat what the elements mean: a narrow screen shows the rows as blocks, and browsers then forget the table.
const HEAD: &str = "<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Stage</th>\
<th role=\"columnheader\" scope=\"col\">What it did</th><th role=\"columnheader\" scope=\"col\">Outcome</th>\
<th role=\"columnheader\" scope=\"col\">Time</th><th role=\"columnheader\" scope=\"col\">Requests</th></tr></thead>\n";

pub(super) fn section(stages: &[StageRow]) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let total = stages.iter().map(|run| run.milliseconds).sum::<u64>().max(1);
    let mut rows = String::new();
    let mut before = 0;
    for run in stages {
        rows.push_str(&row(run, before, total));
        before += run.milliseconds;
    }
    format!(
        "<section id=\"train\">\n<h2>The train, stage by stage</h2>\n<p class=\"note\">Each row is one run of a stage in the order they ran; the bar shows \
         when it ran and how long it took, out of {}. A stage that found nothing to do was started by an event and saw that all was well.</p>\n\
         <table class=\"train\" role=\"table\">\n{HEAD}<tbody role=\"rowgroup\">\n{rows}</tbody>\n</table>\n</section>\n",
        duration(total)
    )
}

fn row(run: &StageRow, before: u64, total: u64) -> String {
    let class = if run.outcome == "nothing to do" { " class=\"idle\"" } else { "" };
    let prefix = run.chart.as_deref().map(|chart| format!("{chart}: ")).unwrap_or_default();
    let messages: String = run.messages.iter().map(|message| format!("<li>{}</li>", Text(message.strip_prefix(&prefix).unwrap_or(message)))).collect();
    let messages = if messages.is_empty() { String::new() } else { format!("<ul>{messages}</ul>") };
    let chart = run.chart.as_deref().map(|chart| format!("<p class=\"about\">{}</p>", Text(chart))).unwrap_or_default();
    let (left, width) = (permille(before, total), permille(run.milliseconds, total).max(4));
    format!(
        "<tr role=\"row\"{class}><th role=\"rowheader\" scope=\"row\"><b>{}</b><span class=\"event\">{}</span></th>\
         <td role=\"cell\" class=\"did\">{chart}{messages}</td><td role=\"cell\">{}</td>\
         <td role=\"cell\" class=\"time\">{}<span class=\"bar\"><i style=\"left:{}.{}%;width:{}.{}%\"></i></span></td>\
         <td role=\"cell\" class=\"requests\">{}<span class=\"unit\"> {}</span></td></tr>\n",
        Text(&run.stage),
        Text(&run.event),
        outcome(&run.outcome),
        duration(run.milliseconds),
        left / 10,
        left % 10,
        width / 10,
        width % 10,
        run.requests,
        if run.requests == 1 { "request" } else { "requests" },
    )
}

fn permille(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part) * 1000 / u128::from(whole.max(1))).unwrap_or(1000).min(1000)
}
