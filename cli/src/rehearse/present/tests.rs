use chartflow_sandbox::rehearsal::{LineageRow, OciRow, PackageRow, Step, TreeRow};

use super::*;

fn told(progress: &Progress, watched: bool) -> String {
    lines(progress, watched).iter().map(|line| format!("{} {} {}\n", line.label, line.mark, line.text)).collect()
}

fn stage(stage: &str, steps: &[(&str, &str)]) -> Progress {
    let steps = steps.iter().map(|(outcome, text)| Step { outcome: (*outcome).to_owned(), text: (*text).to_owned() }).collect();
    Progress::Stage { stage: stage.to_owned(), outcome: "done".to_owned(), steps }
}

fn train() -> Vec<Progress> {
    vec![
        Progress::Person { text: "contributor opens pull request 1: feat: two\u{1b}[31m lines\nin a title".to_owned() },
        stage("validate", &[("done", "web: all checks passed"), ("refused", "job: 1 check failed")]),
        stage("filter", &[]),
        stage("reconcile", &[("nothing to do", "web: main's content is not back on integration yet")]),
    ]
}

#[test]
fn progress_for_eyes() {
    insta::assert_snapshot!(train().iter().map(|progress| told(progress, true)).collect::<String>(), @"
    person    ● contributor opens pull request 1: feat: two [31m lines in a title
    validate  ✓ web: all checks passed
              ✗ job: 1 check failed
    reconcile · web: main's content is not back on integration yet
    ");
}

#[test]
fn progress_elsewhere() {
    insta::assert_snapshot!(train().iter().map(|progress| told(progress, false)).collect::<String>(), @"
    person    acts    contributor opens pull request 1: feat: two [31m lines in a title
    validate  done    web: all checks passed
    validate  refused job: 1 check failed
    reconcile waits   web: main's content is not back on integration yet
    ");
}

fn chart(name: &str, from: Option<&str>, to: &str, level: &str) -> ChartRow {
    let none = String::new;
    ChartRow {
        chart: name.to_owned(),
        path: format!("charts/{name}"),
        from: from.map(ToOwned::to_owned),
        to: to.to_owned(),
        level: level.to_owned(),
        tag: format!("{name}-v{to}"),
        commit: none(),
        tree: TreeRow { sha1: none(), sha256: none() },
        package: PackageRow { file: format!("release/charts/{name}-{to}.tgz"), sha256: none() },
        oci: OciRow { reference: format!("127.0.0.1:5000/rehearsal/charts/{name}:{to}"), digest: none() },
        lineage: LineageRow { file: none(), attestations: 8 },
        requests: 0,
        creating: 0,
        links: Vec::new(),
        commits: Vec::new(),
    }
}

fn summary(charts: Vec<ChartRow>, refused: Vec<RefusedRow>) -> Summary {
    Summary {
        schema: "chartflow.rehearsal/v1",
        result: "released",
        base: String::new(),
        head: String::new(),
        heads: Vec::new(),
        charts,
        pulls: Vec::new(),
        stages: Vec::new(),
        checks: Vec::new(),
        refused,
    }
}

fn refused() -> RefusedRow {
    RefusedRow {
        chart: Some("job".to_owned()),
        stage: "validate".to_owned(),
        rule: "commits/convention".to_owned(),
        message: "1a2b3c4d5e is no Conventional Commit:\nupdate things".to_owned(),
        hint: "write `fix: update things`".to_owned(),
        ..RefusedRow::default()
    }
}

#[test]
fn the_end_of_a_release() {
    let charts = vec![chart("web", Some("1.2.3"), "2.0.0", "major"), chart("worker", None, "0.1.0", "initial")];
    insta::assert_snapshot!(conclude(&summary(charts, Vec::new()), "my rehearsal"), @"
    web 2.0.0 and worker 0.1.0 were released.

    chart   from   to     level    tag
    web     1.2.3  2.0.0  major    web-v2.0.0
    worker  new    0.1.0  initial  worker-v0.1.0

    Everything is in my rehearsal; to see the whole train, open my rehearsal/report.html in a browser.

    Verify every step, offline:
      chartflow verify 'my rehearsal/release/charts/web-2.0.0.tgz' --trust 'my rehearsal/trust'
      chartflow verify 'my rehearsal/release/charts/worker-0.1.0.tgz' --trust 'my rehearsal/trust'
    Let helm pull from it, after the first line in another terminal:
      python3 -m http.server 8000 --bind 127.0.0.1 --directory 'my rehearsal/release'
      helm pull web --version 2.0.0 --repo http://127.0.0.1:8000
      helm pull worker --version 0.1.0 --repo http://127.0.0.1:8000
    ");
}

#[test]
fn the_end_of_a_release_into_the_github_release() {
    let mut chart = chart("web", Some("1.2.3"), "2.0.0", "major");
    chart.package.file = "assets/web-v2.0.0/web-2.0.0.tgz".to_owned();
    let text = conclude(&summary(vec![chart], Vec::new()), "out");
    insta::assert_snapshot!(text.split("Verify every step").nth(1).unwrap(), @r"
    , offline:
      chartflow verify out/assets/web-v2.0.0/web-2.0.0.tgz --trust out/trust
    Let helm read what was released:
      helm show chart out/assets/web-v2.0.0/web-2.0.0.tgz
    ");
}

#[test]
fn the_end_of_a_refusal() {
    insta::assert_snapshot!(conclude(&summary(Vec::new(), vec![refused()]), "rehearsal"), @"
    Nothing was released: validate refused job.

    validate refused job (commits/convention):
      1a2b3c4d5e is no Conventional Commit:
      update things
      hint: write `fix: update things`

    Everything is in rehearsal; to see the whole train, open rehearsal/report.html in a browser.
    ");
}

#[test]
fn many_charts_get_the_lines_of_the_first() {
    let charts = (1..=6).map(|number| chart(&format!("c{number}"), None, "1.0.0", "initial")).collect();
    let text = conclude(&summary(charts, Vec::new()), "out");
    assert!(text.contains("--version 1.0.0") && text.contains("c6-v1.0.0") && !text.contains("pull c2"), "{text}");
}

#[test]
fn the_servers_that_stay_up() {
    let text = serving("http://127.0.0.1:4000", "127.0.0.1:5000", &summary(vec![chart("web", None, "2.0.0", "initial")], Vec::new()));
    insta::assert_snapshot!(text, @"

    The embedded GitHub stays up at http://127.0.0.1:4000 until you press Ctrl-C. Look around from another terminal:
      git clone http://127.0.0.1:4000/rehearsal/charts.git
      curl -H 'Authorization: Bearer visitor' 'http://127.0.0.1:4000/repos/rehearsal/charts/pulls?state=all'
    The registry stays up at 127.0.0.1:5000:
      helm pull oci://127.0.0.1:5000/rehearsal/charts/web --version 2.0.0 --plain-http
    ");
}
