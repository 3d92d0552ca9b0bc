//! One released chart: its facts, its lineage as a line with stations, and how to check it.

use super::html::{Text, code, command, counted, short, term};
use crate::rehearsal::commands;
use crate::rehearsal::summary::{ChartRow, Edge, LinkRow, PullRow, Summary};

pub(super) fn article(number: usize, chart: &ChartRow, summary: &Summary) -> String {
    let facts = [
        term("Directory", &code(&chart.path)),
        term("Tag", &code(&chart.tag)),
        term("Commit on main", &code(&chart.commit)),
        term("Content (tree, SHA-1)", &code(&chart.tree.sha1)),
        term("Content (tree, SHA-256)", &code(&chart.tree.sha256)),
        term("Package", &format!("{}<br>{}", code(&chart.package.file), code(&format!("sha256:{}", chart.package.sha256)))),
        term("OCI artifact", &format!("{}<br>{}", code(&chart.oci.reference), code(&chart.oci.digest))),
        term("GitHub requests", &format!("{}, of them {} that create content", chart.requests, chart.creating)),
    ];
    format!(
        "<article class=\"chart\" id=\"chart-{number}\">\n<h3>{} <span class=\"versions\">{}</span> {}</h3>\n{}{}\
         <h4>Check it yourself</h4>\n<div class=\"commands\">\n<p>Verify every step offline:</p>\n{}<p>{}</p>\n{}</div>\n\
         <details class=\"facts\" open>\n<summary>Names and digests</summary>\n<dl>\n{}</dl>\n</details>\n</article>\n",
        Text(&chart.chart),
        versions(chart),
        level(chart),
        commits(chart),
        lineage(chart, summary),
        command(&commands::verify(chart, None)),
        if commands::is_served(chart) { "Pull it with helm, while <code>release/</code> is served:" } else { "Let helm read the package:" },
        command(&commands::pull(chart, None)),
        facts.concat(),
    )
}

/// `1.2.3 → 1.3.0`.
pub(super) fn versions(chart: &ChartRow) -> String {
    let from = chart.from.as_deref().map_or_else(|| "<span class=\"from\">new</span>".to_owned(), |from| format!("<span class=\"from\">{}</span>", Text(from)));
    format!("{from} <span class=\"arrow\" aria-label=\"to\">→</span> <strong>{}</strong>", Text(&chart.to))
}

pub(super) fn level(chart: &ChartRow) -> String {
    let class = match chart.level.as_str() {
        known @ ("major" | "minor" | "patch" | "initial") => known,
        _ => "quiet",
    };
    format!("<span class=\"level {class}\">{}</span>", Text(&chart.level))
}

fn commits(chart: &ChartRow) -> String {
    if chart.commits.is_empty() {
        return String::new();
    }
    let mut items = String::new();
    for commit in &chart.commits {
        let author = commit.author.as_deref().map(|author| format!(" <span class=\"author\">{}</span>", Text(author))).unwrap_or_default();
        items.push_str(&format!("<li>{} {}{author}</li>\n", short(&commit.id), Text(&commit.subject)));
    }
    format!("<h4>{} counted</h4>\n<ul class=\"commits\">\n{items}</ul>\n", counted(chart.commits.len() as u64, "commit"))
}

/// What a run of stations speaks about.
struct Segment {
    title: &'static str,
    subject: String,
    stations: Vec<String>,
}

/// The line from the contribution to the package: one segment for each thing that was carried, one station for each
/// statement, and the two stages that leave none in the file.
fn lineage(chart: &ChartRow, summary: &Summary) -> String {
    let mut segments: Vec<Segment> = Vec::new();
    for link in &chart.links {
        if segments.last().is_none_or(|segment| segment.subject != link.subject) {
            let title = match (link.package, segments.is_empty()) {
                (true, _) => "Package",
                (false, true) => "Contributed content",
                (false, false) => "Released content",
            };
            segments.push(Segment { title, subject: link.subject.clone(), stations: Vec::new() });
        }
        let Some(segment) = segments.last_mut() else { continue };
        segment.stations.push(station(link, &pull_of(chart, link, &summary.pulls)));
        // `format` comes between the gate of the chart's branch and the bump, and signs nothing.
        if link.name == "enforce" {
            let pull = pull_number(&summary.pulls, "format", &chart.chart);
            segment.stations.push(silent("format", "shows people what is to be released", &pull));
        }
    }
    let published = summary.stages.iter().any(|run| run.stage == "publish" && run.outcome == "done" && run.about(&chart.chart));
    if let (true, Some(segment)) = (published, segments.last_mut()) {
        segment.stations.push(silent("publish", "pushed, downloaded again and verified as a stranger would", ""));
    }
    let mut drawn = String::new();
    for segment in &segments {
        drawn.push_str(&format!(
            "<li class=\"segment\" style=\"--stations:{}\">\n<p class=\"subject\"><b>{}</b> {}</p>\n<ol class=\"stations\">\n{}</ol>\n</li>\n",
            segment.stations.len(),
            segment.title,
            short(&segment.subject),
            segment.stations.concat()
        ));
    }
    format!(
        "<h4>Lineage: {} in {}</h4>\n<ol class=\"lineage\">\n{drawn}</ol>\n\
         <p class=\"legend\"><span class=\"carry\">carries one content to the next</span> <span class=\"gate\">lets it pass</span> \
         <span class=\"check\">says what was found</span> <span class=\"none\">leaves no statement in the file</span></p>\n",
        counted(chart.lineage.attestations as u64, "signed statement"),
        code(&chart.lineage.file),
    )
}

fn station(link: &LinkRow, pull: &str) -> String {
    let name = if link.name == link.stage { String::new() } else { format!(" <span class=\"name\">{}</span>", Text(&link.name)) };
    format!(
        "<li class=\"station {}\"><p class=\"stage\"><b>{}</b>{name} <span class=\"edge\">{}</span></p><p class=\"says\">{}{pull}</p>\
         <p class=\"statement\">{}</p></li>\n",
        link.edge.as_str(),
        Text(&link.stage),
        link.edge.as_str(),
        Text(&link.says),
        short(&link.statement),
    )
}

fn silent(stage: &str, says: &str, pull: &str) -> String {
    format!("<li class=\"station none\"><p class=\"stage\"><b>{stage}</b></p><p class=\"says\">{says}{pull}</p></li>\n")
}

/// The pull request in which a statement took effect.
fn pull_of(chart: &ChartRow, link: &LinkRow, pulls: &[PullRow]) -> String {
    let opener = match (link.stage.as_str(), link.edge) {
        ("filter", _) => "filter",
        ("bump", Edge::Carry) => "bump",
        ("bump", _) => "format",
        ("package", Edge::Carry) => "package",
        _ => return String::new(),
    };
    pull_number(pulls, opener, &chart.chart)
}

fn pull_number(pulls: &[PullRow], stage: &str, chart: &str) -> String {
    let found = pulls.iter().rfind(|pull| pull.stage == stage && pull.state == "merged" && pull.chart.as_deref() == Some(chart));
    found.map(|pull| format!(" <a href=\"#pull-{0}\">#{0}</a>", pull.number)).unwrap_or_default()
}
