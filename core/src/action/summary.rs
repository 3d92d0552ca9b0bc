//! The page of a run, for maintainers: what was decided and why, chart by chart, how far each content is, and what
//! happens next. Text from outside is escaped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::outcome::{attestations, result};
use super::watch::{Known, Watch};
use crate::domain::branch::Names;
use crate::domain::markdown::{Links, escape, link};
use crate::domain::names::ChartName;
use crate::domain::pull::body::{Lineage, Place};
use crate::domain::statement::{Level, Predicate, Row, Stage, Statement, StatementDigest};
use crate::flow::{Entry, Outcome, Report};

/// More charts than this get no drawing of their own.
const DRAWN: usize = 20;
/// More steps than this are only counted.
const STEPS: usize = 100;

/// What a page is made from.
pub struct Page<'a> {
    /// The action.
    pub verb: &'a str,
    /// What its stages said.
    pub reports: &'a [Report],
    /// What was written and read.
    pub watch: &'a Watch,
    /// The repository's pages.
    pub links: &'a Links,
    /// The names of branches and tags; `None` before the configuration was read.
    pub names: Option<&'a Names>,
    /// What ended the run before its time.
    pub stopped_by: Option<&'a str>,
}

impl Page<'_> {
    /// The page in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        // Writing to a String cannot fail.
        let failed = self.stopped_by.is_some() && !self.watch.is_dry();
        let result = if failed { "stopped" } else { result(self.reports, self.watch, self.stopped_by) };
        let mut text = format!("# chartflow {}: {result}\n\n", self.verb);
        if self.watch.is_dry() {
            text.push_str("> [!NOTE]\n> A dry run: everything was read and decided, and nothing was written.\n\n");
        }
        if let Some(problem) = self.stopped_by {
            let _ = write!(text, "> [!CAUTION]\n> {}\n\n", escape(problem));
        }
        let charts: BTreeSet<&ChartName> = self.reports.iter().flat_map(|report| &report.entries).filter_map(|entry| entry.chart.as_ref()).collect();
        self.overview(&mut text);
        for (index, chart) in charts.into_iter().enumerate() {
            self.chart(&mut text, chart, index < DRAWN);
        }
        self.checks(&mut text);
        self.steps(&mut text);
        self.next(&mut text);
        text
    }

    fn entries(&self) -> impl Iterator<Item = (&Report, &Entry)> {
        self.reports.iter().flat_map(|report| report.entries.iter().map(move |entry| (report, entry)))
    }

    fn overview(&self, text: &mut String) {
        if self.entries().next().is_none() {
            if self.stopped_by.is_none() {
                text.push_str("Nothing was due.\n\n");
            }
            return;
        }
        text.push_str("| | chart | stage | what and why |\n|---|---|---|---|\n");
        for (report, entry) in self.entries() {
            let chart = entry.chart.as_ref().map_or("", ChartName::as_str);
            let rule = entry.rule.as_ref().map(|rule| format!(" (`{}`)", rule.replace('`', "'"))).unwrap_or_default();
            let _ = writeln!(text, "| {} | {chart} | {} | {}{rule} |", mark(entry.outcome), report.stage, escape(&entry.message));
        }
        text.push('\n');
    }

    fn chart(&self, text: &mut String, chart: &ChartName, drawn: bool) {
        let known: Vec<Known> = self.watch.statements().into_iter().filter(|known| known.statement.source.chart == *chart).collect();
        let Some(line) = self.lineage(chart, &known) else { return };
        let _ = write!(text, "## {chart}\n\n");
        if drawn {
            let _ = write!(text, "{}\n\n", line.mermaid(chart));
        }
        let mut links: Vec<String> = line.pulls.iter().take(5).map(|number| self.links.pull_link(*number)).collect();
        links.extend(line.source.as_ref().map(|commit| format!("source {}", self.links.commit_link(commit))));
        links.extend(line.tag.as_ref().map(|tag| link(&format!("`{tag}`"), &self.links.release(tag))));
        if !links.is_empty() {
            let _ = write!(text, "{}\n\n", links.join(" · "));
        }
        let signed: Vec<String> = attestations(self.watch, self.links)
            .into_iter()
            .filter(|(known, _)| known.statement.source.chart == *chart)
            .map(|(known, attestation)| {
                let name = format!("{} by `{}`", row(&known.statement), known.statement.stage);
                if attestation.url.is_empty() { name } else { link(&name, &attestation.url) }
            })
            .collect();
        if !signed.is_empty() {
            let _ = write!(text, "Signed: {}\n\n", signed.join(", "));
        }
    }

    /// How far a chart's content is, by the newest statement about it and what that rests on.
    fn lineage(&self, chart: &ChartName, known: &[Known]) -> Option<Lineage> {
        let head = known.iter().rfind(|known| known.signed).or_else(|| known.last())?;
        let by_digest: BTreeMap<StatementDigest, &Statement> = known.iter().map(|known| (known.digest, &known.statement)).collect();
        let (mut todo, mut seen) = (vec![head.digest], BTreeSet::new());
        let mut line = Lineage {
            pulls: Vec::new(),
            source: None,
            branch: self.names?.chart_branch(chart).ok()?,
            version: None,
            tag: None,
            at: place(&head.statement),
            step: None,
            unreleased: false,
        };
        while let Some(digest) = todo.pop() {
            let Some(statement) = by_digest.get(&digest).filter(|_| seen.insert(digest)) else { continue };
            match &statement.predicate {
                Predicate::Promotion(promotion) => {
                    line.source = Some(promotion.commit.clone());
                    line.pulls = promotion.contributions.iter().map(|record| record.pull).collect();
                }
                Predicate::Bump(bump) if bump.level != Level::None => line.version = bump.to.parse().ok(),
                Predicate::Tag(record) => line.tag = Some(record.tag.clone()),
                _ => {}
            }
            todo.extend(statement.inputs.iter().map(|input| input.digest));
        }
        Some(line)
    }

    fn checks(&self, text: &mut String) {
        let checks: Vec<_> = self.reports.iter().flat_map(|report| &report.checks).collect();
        if checks.is_empty() {
            return;
        }
        text.push_str("<details><summary>Checks</summary>\n\n| | chart | check | |\n|---|---|---|---|\n");
        for check in checks {
            let mark = if check.outcome == "failed" {
                "❌"
            } else if check.outcome == "passed" {
                "✅"
            } else {
                "⏭️"
            };
            let _ = writeln!(text, "| {mark} {} | {} | {} | {} |", check.outcome, check.chart, escape(&check.check), escape(&check.message));
        }
        text.push_str("\n</details>\n\n");
    }

    fn steps(&self, text: &mut String) {
        let steps = self.watch.steps();
        if steps.is_empty() {
            return;
        }
        let title = if self.watch.is_dry() { "What would have been written" } else { "What was written" };
        let _ = write!(text, "<details><summary>{title}</summary>\n\n");
        for step in steps.iter().take(STEPS) {
            let detail = escape(&step.detail);
            let detail = step.url.as_ref().map_or_else(|| detail.clone(), |url| link(&detail, &url.replace(['(', ')', ' ', '<', '>'], "")));
            let _ = writeln!(text, "1. {}{}{detail}", step.does, if detail.is_empty() { "" } else { ": " });
        }
        if let Some(more) = steps.len().checked_sub(STEPS).filter(|more| *more > 0) {
            let _ = writeln!(text, "\n… and {more} more.");
        }
        text.push_str("\n</details>\n\n");
    }

    fn next(&self, text: &mut String) {
        let mut steps: Vec<String> = Vec::new();
        for (report, entry) in self.entries() {
            let chart = entry.chart.as_ref().map(|chart| format!("**{chart}**: ")).unwrap_or_default();
            let step = match (entry.outcome, entry.hint.as_deref().filter(|hint| !hint.is_empty())) {
                (Outcome::Refused, Some(hint)) => format!("{chart}{}", escape(hint)),
                (Outcome::Done, _) if !self.watch.is_dry() => follows(report.stage).to_owned(),
                _ => continue,
            };
            if !step.is_empty() && !steps.contains(&step) {
                steps.push(step);
            }
        }
        if !steps.is_empty() {
            text.push_str("## What happens next\n\n");
            steps.iter().take(STEPS).for_each(|step| {
                let _ = writeln!(text, "- {step}");
            });
        }
    }
}

const fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Nothing => "➖",
        Outcome::Waiting => "⏳",
        Outcome::Done => "✅",
        Outcome::Refused => "❌",
    }
}

/// What a stage that has done something leads to.
const fn follows(stage: Stage) -> &'static str {
    match stage {
        Stage::Validate => "Somebody reviews and merges the contribution; then `filter` promotes its charts.",
        Stage::Filter => "`enforce` proves each promotion and merges it.",
        Stage::Enforce => "`format` opens or refreshes the pull request to main.",
        Stage::Format => "`bump` brings the version in and checks the pull request to main.",
        Stage::Bump => "Somebody reviews and merges the pull request to main; then `tag` tags it.",
        Stage::Tag => "`package` builds what was tagged; the way back brings main's versions to integration.",
        Stage::Package => "`publish` pushes what is on the release branch.",
        Stage::Publish => "It is out: `helm pull`, and `chartflow verify` for whoever wants to see the way it came.",
    }
}

fn row(statement: &Statement) -> &'static str {
    match statement.row() {
        Some(Row::Checks) => "checks",
        Some(Row::OutsideCheck) => "outside check",
        Some(Row::Promotion) => "promotion",
        Some(Row::Enforce) => "gate of the chart's branch",
        Some(Row::Bump) => "version",
        Some(Row::ReleaseGate) => "release gate",
        Some(Row::Tag) => "tag",
        Some(Row::Build) => "build",
        Some(Row::Root) => "root of the lineage",
        Some(Row::Published) => "publication",
        None => "statement",
    }
}

fn place(statement: &Statement) -> Place {
    match statement.row() {
        Some(Row::Checks | Row::OutsideCheck) | None => Place::Contribution,
        Some(Row::Promotion) => Place::Integration,
        Some(Row::Enforce) => Place::Promoted,
        Some(Row::Bump | Row::ReleaseGate) => Place::Bumped,
        Some(Row::Tag) => Place::Tag,
        Some(Row::Build | Row::Root | Row::Published) => Place::Release,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::step::Step;

    fn report() -> Report {
        let mut report = Report::new(Stage::Filter);
        let entry = |chart: &str, outcome, message: &str| Entry {
            chart: Some(chart.parse().unwrap()),
            outcome,
            message: message.to_owned(),
            rule: None,
            hint: None,
            file: None,
            line: None,
        };
        report.entries.push(entry("web", Outcome::Done, "promoted in pull request 12"));
        let refused = Entry {
            rule: Some("commits/header".to_owned()),
            hint: Some("write `feat: …` <b>".to_owned()),
            ..entry("app", Outcome::Refused, "a | b\n# @everyone <script>")
        };
        report.entries.push(refused);
        report
    }

    fn page(watch: &Watch, stopped_by: Option<&str>) -> String {
        let links = Links::new("https://github.com", "acme/charts".parse().unwrap());
        Page { verb: "filter", reports: &[report()], watch, links: &links, names: None, stopped_by }.markdown()
    }

    #[test]
    fn a_page_says_what_and_why_and_what_next() {
        let watch = Watch::new(false);
        let url = Some("https://github.com/acme/charts/pull/12".to_owned());
        watch.note(Step { does: "open a pull request".to_owned(), method: "POST", target: "pulls".to_owned(), detail: "\"feat\" [x](y)".to_owned(), url });
        let page = page(&watch, None);
        for line in [
            "# chartflow filter: refused",
            "| ✅ | web | filter | promoted in pull request 12 |",
            r"| ❌ | app | filter | a \| b # @&#8203;everyone &lt;script&gt; (`commits/header`) |",
            "<details><summary>What was written</summary>",
            r#"1. open a pull request: ["feat" \[x\](y)](https://github.com/acme/charts/pull/12)"#,
            "- `enforce` proves each promotion and merges it.",
            r"- **app**: write \`feat: …\` &lt;b&gt;",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n---\n{page}");
        }
        assert!(!page.contains("<script>"), "{page}");
    }

    #[test]
    fn a_run_that_came_to_no_end_says_so() {
        assert!(
            page(&Watch::new(false), Some("GitHub did not answer: <x>"))
                .starts_with("# chartflow filter: stopped\n\n> [!CAUTION]\n> GitHub did not answer: &lt;x&gt;\n")
        );
        let plan = page(&Watch::new(true), Some("the plan ends here"));
        assert!(plan.contains("> A dry run: everything was read and decided, and nothing was written.") && plan.contains("> the plan ends here"), "{plan}");
        assert!(!plan.contains("enforce` proves"), "nothing has happened that something could follow: {plan}");
    }
}
