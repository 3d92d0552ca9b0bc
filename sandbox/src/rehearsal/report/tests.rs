use std::collections::BTreeMap;

use chartflow_core::domain::event::StageName;

use super::{STYLE, report};
use crate::rehearsal::summary::{
    ChartRow, CheckRow, CommitRow, Edge, LineageRow, LinkRow, OciRow, PackageRow, PullRow, RefusedRow, StageRow, Summary, TreeRow,
};

/// Tries to leave an element, an attribute in either quotes and a raw text element, and to reorder the line.
const HOSTILE: &str = "</pre></code>\"'><script>alert(1)</script><img src=x onerror=alert(2)>&lt;\u{202e}\u{1b}[31m</style>";

fn chart(text: &str) -> ChartRow {
    let text = || text.to_owned();
    let link = |name: &str, stage: &str, edge, package| LinkRow {
        name: name.to_owned(),
        stage: stage.to_owned(),
        edge,
        package,
        subject: text(),
        statement: text(),
        says: text(),
    };
    ChartRow {
        chart: text(),
        path: text(),
        from: Some(text()),
        to: text(),
        level: text(),
        tag: text(),
        commit: text(),
        tree: TreeRow { sha1: text(), sha256: text() },
        package: PackageRow { file: text(), sha256: text() },
        oci: OciRow { reference: text(), digest: text() },
        lineage: LineageRow { file: text(), attestations: 3 },
        requests: 2,
        creating: 1,
        links: vec![
            link("validate", "validate", Edge::Check, false),
            link("enforce", "enforce", Edge::Gate, false),
            link("build", "package", Edge::Carry, true),
        ],
        commits: vec![CommitRow { id: text(), subject: text(), author: Some(text()) }],
    }
}

/// A summary in which every text is the one given.
fn summary(text: &str) -> Summary {
    let own = || text.to_owned();
    let mut run = StageRow::new(StageName::Publish, text, 5, 1, 1);
    run.chart = Some(own());
    run.charts = vec![own()];
    run.outcome = "done".to_owned();
    run.messages = vec![own()];
    let pull = PullRow {
        number: 7,
        stage: "format",
        chart: Some(own()),
        title: own(),
        base: own(),
        head: own(),
        state: "merged",
        body: own(),
        author: own(),
        approved: vec![own()],
        merged_by: Some(own()),
    };
    Summary {
        schema: "chartflow.rehearsal/v1",
        result: "released",
        base: own(),
        head: own(),
        heads: vec![own()],
        charts: vec![chart(text)],
        pulls: vec![pull],
        stages: vec![run],
        checks: vec![CheckRow { check: own(), chart: own(), outcome: own(), message: own() }],
        refused: vec![RefusedRow { chart: Some(own()), stage: own(), rule: own(), message: own(), hint: own(), file: Some(own()), line: None }],
    }
}

/// The page's tags in order; a closing one begins with `/`.
fn tags(page: &str) -> Vec<&str> {
    let body = page.split_once("</style>").map_or(page, |(_, body)| body);
    body.split('<').skip(1).map(|rest| rest.split(['>', ' ', '\n']).next().unwrap_or_default()).collect()
}

#[test]
fn hostile_text_stays_text() {
    let (plain, hostile) = (report(&summary("plain")), report(&summary(HOSTILE)));
    // Whatever the texts are, the page has the same elements; only their content differs.
    assert_eq!(tags(&plain), tags(&hostile));
    assert!(tags(&plain).len() > 150, "the page holds everything");
    for forbidden in ["<script", "<img", "\u{202e}", "\u{1b}"] {
        assert!(!hostile.contains(forbidden), "{forbidden:?} is in the page");
    }
    assert!(hostile.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && hostile.contains(r"\u{202e}"));
}

#[test]
fn every_element_is_closed() {
    let page = report(&summary("plain"));
    let mut open = Vec::new();
    for tag in tags(&page) {
        match tag.strip_prefix('/') {
            Some(name) if name == "head" || name == "html" && open.is_empty() => {}
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if ["br", "meta"].contains(&tag) => {}
            None => open.push(tag),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = report(&summary("plain"));
    for attribute in ["href=\"", "src=\"", "url("] {
        for target in page.split(attribute).skip(1) {
            assert!(target.starts_with('#'), "{attribute}{}", target.chars().take(40).collect::<String>());
        }
    }
    let anchors = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    for anchor in anchors {
        assert!(page.contains(&format!("id=\"{anchor}\"")), "nothing is called {anchor}");
    }
}

#[test]
fn parts_without_content_are_left_out() {
    let nothing = Summary { result: "nothing to release", charts: vec![], pulls: vec![], stages: vec![], checks: vec![], refused: vec![], ..summary("plain") };
    let page = report(&nothing);
    assert!(page.contains("<h1>Nothing to release: no chart&#39;s package changes.</h1>"), "{page}");
    assert!(!page.contains("<table") && !page.contains("<section"), "{page}");
}

#[test]
fn the_sentence() {
    let check = |charts: &[&str], refused: &[Option<&str>]| {
        let row = |name: &&str| ChartRow { chart: (*name).to_owned(), to: "1.0.0".to_owned(), ..chart("x") };
        let refusal = |chart: &Option<&str>| RefusedRow { chart: chart.map(ToOwned::to_owned), stage: "validate".to_owned(), ..RefusedRow::default() };
        Summary { charts: charts.iter().map(row).collect(), refused: refused.iter().map(refusal).collect(), ..summary("x") }.sentence()
    };
    insta::assert_snapshot!(check(&["a"], &[]), @"a 1.0.0 was released.");
    insta::assert_snapshot!(check(&["a", "b"], &[]), @"a 1.0.0 and b 1.0.0 were released.");
    insta::assert_snapshot!(check(&["a", "b", "c", "d", "e"], &[]), @"5 charts were released.");
    insta::assert_snapshot!(check(&["a"], &[Some("b")]), @"a 1.0.0 was released; validate refused b.");
    insta::assert_snapshot!(check(&[], &[None]), @"Nothing was released: validate refused the contribution.");
    insta::assert_snapshot!(check(&[], &[Some("a"), Some("b")]), @"Nothing was released: 2 things were refused.");
    insta::assert_snapshot!(check(&[], &[]), @"Nothing to release: no chart's package changes.");
}

/// The relative luminance of a colour `#rrggbb` (WCAG 2.2, definition of relative luminance).
fn luminance(color: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

/// The custom properties of the first rule in a part of the style sheet.
fn colors(css: &str) -> BTreeMap<&str, &str> {
    let block = css.split('{').find(|block| block.contains("--paper")).unwrap();
    let block = block.split('}').next().unwrap();
    block.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": ")).filter(|(_, value)| value.starts_with('#')).collect()
}

#[test]
fn text_has_contrast_in_light_and_dark() {
    // WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1.
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
    for (scheme, css) in [("light", light), ("dark", dark)] {
        let colors = colors(css);
        let mut pairs = vec![("good", "good-wash"), ("bad", "bad-wash"), ("open", "open-wash")];
        for text in ["ink", "soft", "link", "good", "bad", "open", "carry", "gate", "check"] {
            pairs.extend(["paper", "card", "inset"].map(|ground| (text, ground)));
        }
        for (text, ground) in pairs {
            let (one, other) = (luminance(colors[text]), luminance(colors[ground]));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 4.5, "{scheme}: {text} on {ground} has {contrast:.2}");
        }
    }
}
