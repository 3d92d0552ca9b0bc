//! `report.html`: the rehearsal for people, as one page that needs nothing but itself.
//!
//! There is no script in it, and its content security policy allows none. A reader's colour scheme, a narrow screen and
//! paper are the style sheet's business.

mod chart;
mod html;
mod train;

use chartflow_core::domain::markdown::one_line;

use super::commands;
use super::summary::{ChartRow, CheckRow, PullRow, RefusedRow, Summary};
use html::{Text, code, command, counted, duration, outcome, short, term};

const STYLE: &str = include_str!("report.css");

/// The whole page.
pub(crate) fn report(summary: &Summary) -> String {
    let title = format!("{}: {}", summary.result, summary.sentence());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{} · chartflow rehearsal</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}<main>\n{}{}{}{}{}</main>\n{}</body>\n</html>\n",
        Text(&one_line(&title, 120)),
        header(summary),
        refusals(&summary.refused),
        charts(summary),
        train::section(&summary.stages),
        pulls(&summary.pulls),
        checks(&summary.checks),
        footer(summary),
    )
}

fn header(summary: &Summary) -> String {
    let class = match summary.result {
        "released" => "good",
        "refused" => "bad",
        _ => "quiet",
    };
    let milliseconds = summary.stages.iter().map(|run| run.milliseconds).sum();
    let requests: u64 = summary.stages.iter().map(|run| run.requests).sum();
    let heads: Vec<String> = summary.heads.iter().map(|head| short(head)).collect();
    let facts = [
        term("From main at", &short(&summary.base)),
        term(if heads.len() == 1 { "Contribution" } else { "Contributions" }, &heads.join(", ")),
        term("Stage runs", &format!("{} in {}", summary.stages.len(), duration(milliseconds))),
        term("GitHub requests", &format!("{requests}")),
    ];
    let mut links = String::new();
    let sections = [
        ("refused", "Refused", summary.refused.len()),
        ("charts", "Charts", summary.charts.len()),
        ("train", "Train", summary.stages.len()),
        ("pulls", "Pull requests", summary.pulls.len()),
        ("checks", "Checks", summary.checks.len()),
    ];
    for (anchor, name, count) in sections.into_iter().filter(|(_, _, count)| *count > 0) {
        links.push_str(&format!("<li><a href=\"#{anchor}\">{name} <span class=\"count\">{count}</span></a></li>\n"));
    }
    format!(
        "<header class=\"top {class}\">\n<div class=\"wide\">\n<p class=\"kind\">chartflow rehearsal · {}</p>\n<h1>{}</h1>\n\
         <dl class=\"facts\">\n{}</dl>\n</div>\n</header>\n<nav aria-label=\"Sections\"><ul class=\"wide\">\n{links}</ul></nav>\n",
        outcome(summary.result),
        Text(&summary.sentence()),
        facts.concat(),
    )
}

fn refusals(refused: &[RefusedRow]) -> String {
    if refused.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for row in refused {
        let about = row.chart.as_deref().unwrap_or("the whole pull request");
        let hint = if row.hint.is_empty() { String::new() } else { format!("<p class=\"hint\"><strong>What to do:</strong> {}</p>\n", Text(&row.hint)) };
        rows.push_str(&format!(
            "<article class=\"refusal\">\n<h3>{}</h3>\n<p class=\"rule\">stage <b>{}</b>, rule {}</p>\n<p class=\"message\">{}</p>\n{hint}</article>\n",
            Text(about),
            Text(&row.stage),
            code(&row.rule),
            Text(&row.message),
        ));
    }
    format!("<section id=\"refused\">\n<h2>What was refused</h2>\n{rows}</section>\n")
}

fn charts(summary: &Summary) -> String {
    if summary.charts.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for (number, chart) in summary.charts.iter().enumerate() {
        rows.push_str(&format!(
            "<tr><th scope=\"row\"><a href=\"#chart-{}\">{}</a></th><td class=\"versions\">{}</td><td>{}</td><td>{}</td></tr>\n",
            number + 1,
            Text(&chart.chart),
            chart::versions(chart),
            chart::level(chart),
            code(&chart.tag),
        ));
    }
    let articles: String = summary.charts.iter().enumerate().map(|(number, row)| chart::article(number + 1, row, summary)).collect();
    format!(
        "<section id=\"charts\">\n<h2>What was released</h2>\n<div class=\"scroll\" role=\"region\" aria-label=\"Released charts\" tabindex=\"0\">\n\
         <table class=\"board\">\n<thead><tr><th scope=\"col\">Chart</th><th scope=\"col\">Version</th><th scope=\"col\">Level</th>\
         <th scope=\"col\">Tag</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n{}{articles}</section>\n",
        serving(&summary.charts),
    )
}

/// How to give helm the released repository.
fn serving(charts: &[ChartRow]) -> String {
    let serve = if charts.iter().any(commands::is_served) {
        format!(" To let helm pull from <code>release/</code>, serve it first:</p>\n{}", command(&commands::serve_release(None)))
    } else {
        "</p>\n".to_owned()
    };
    format!("<p class=\"note\">The command lines on this page are meant for a shell in the folder of this page.{serve}")
}

fn pulls(pulls: &[PullRow]) -> String {
    if pulls.is_empty() {
        return String::new();
    }
    let mut items = String::new();
    for pull in pulls {
        let opened = match pull.stage {
            "validate" => format!("a contribution, opened by {}", Text(&pull.author)),
            "tag" => "the way back, opened by <b>tag</b>".to_owned(),
            stage => format!("opened by <b>{}</b>", Text(stage)),
        };
        let acts = acts(pull);
        let chart = pull.chart.as_deref().map(|chart| format!(" for {}", Text(chart))).unwrap_or_default();
        let body = if pull.body.trim().is_empty() {
            "<p class=\"empty\">No description.</p>\n".to_owned()
        } else {
            format!("<details>\n<summary>Description</summary>\n<pre class=\"body\" tabindex=\"0\">{}</pre>\n</details>\n", Text(pull.body.trim_end()))
        };
        items.push_str(&format!(
            "<li id=\"pull-{number}\">\n<h3><span class=\"number\">#{number}</span> {} {}</h3>\n\
             <p class=\"branches\">{} <span aria-label=\"into\">→</span> {}<br>{opened}{chart}{acts}</p>\n{body}</li>\n",
            Text(&pull.title),
            outcome(pull.state),
            code(&pull.head),
            code(&pull.base),
            number = pull.number,
        ));
    }
    format!("<section id=\"pulls\">\n<h2>Pull requests</h2>\n<ol class=\"pulls\">\n{items}</ol>\n</section>\n")
}

/// Who approved and who merged; what a stage merged itself says so in its run.
fn acts(pull: &PullRow) -> String {
    let names = |names: &[String]| names.iter().map(|name| format!("<b>{}</b>", Text(name))).collect::<Vec<_>>().join(", ");
    let approved = if pull.approved.is_empty() { String::new() } else { format!(", approved by {}", names(&pull.approved)) };
    let merged = pull.merged_by.as_ref().map(|name| format!(", merged by {}", names(std::slice::from_ref(name)))).unwrap_or_default();
    approved + &merged
}

fn checks(checks: &[CheckRow]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let mut charts: Vec<&str> = checks.iter().map(|check| check.chart.as_str()).collect();
    charts.sort_unstable();
    charts.dedup();
    let mut tables = String::new();
    for chart in charts {
        let mut rows = String::new();
        for check in checks.iter().filter(|check| check.chart == chart) {
            // The outcome alone says as much.
            let message = if check.message == check.outcome { "" } else { &check.message };
            rows.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"message\">{}</td></tr>\n",
                Text(&check.check),
                outcome(&check.outcome),
                Text(message)
            ));
        }
        tables.push_str(&format!(
            "<table class=\"checks\">\n<caption>{}</caption>\n<thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Outcome</th>\
             <th scope=\"col\">Message</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
            Text(chart)
        ));
    }
    format!("<section id=\"checks\">\n<h2>Checks</h2>\n<div class=\"columns\">\n{tables}</div>\n</section>\n")
}

fn footer(summary: &Summary) -> String {
    let files = [
        ("summary.json", "this page for programs"),
        ("release/", "a complete Helm repository"),
        ("origin.git/", "the embedded GitHub's repository, with every branch, tag and attestation"),
        ("registry/", "an OCI image layout of what was pushed"),
        ("trust/", "the policy and the public key to verify with"),
    ];
    let rows: String = files.iter().map(|(file, what)| term(file, what)).collect();
    format!(
        "<footer>\n<div class=\"wide\">\n<h2>Beside this page</h2>\n<dl class=\"files\">\n{rows}</dl>\n<p>{}. Written by chartflow {} in a rehearsal: \
         nothing on this page has left the machine it was made on.</p>\n</div>\n</footer>\n",
        counted(summary.stages.len() as u64, "stage run"),
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests;
