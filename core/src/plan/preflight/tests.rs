use super::*;
use crate::domain::branch::Names;
use crate::domain::configuration::Configuration;

fn facts() -> Facts {
    Facts {
        mode: Mode::App { id: 7 },
        page: "https://github.com/acme/charts".to_owned(),
        default_branch: "main".to_owned(),
        main: "main".parse().unwrap(),
        absent: Vec::new(),
        collisions: Vec::new(),
        main_method: MergeMethod::Squash,
        merge_commits: Seen::Is(true),
        squash_merges: Seen::Is(true),
        environment_name: "chartflow".parse().unwrap(),
        environment: Seen::Is(Environment::Patterns(vec!["main".to_owned()])),
        actions_may_open_pulls: Seen::Is(false),
        rulesets: Seen::Is(vec![Change::Unchanged { id: 1, name: "chartflow: main".to_owned(), bypass_seen: true }]),
        refused: Vec::new(),
    }
}

/// What is found once something is changed in a repository that is in order.
fn check(change: impl FnOnce(&mut Facts)) -> String {
    let mut facts = facts();
    change(&mut facts);
    let findings = plan(&facts);
    for finding in &findings {
        assert!(RULES.iter().any(|rule| rule.id == finding.rule), "{} is not in the table", finding.rule);
    }
    findings.iter().map(|finding| format!("{:?} [{}] {finding}\n{}\n", finding.severity, finding.rule, finding.hint.as_deref().unwrap_or("no hint"))).collect()
}

#[test]
fn a_repository_in_order() {
    assert_eq!(check(|_| {}), "");
    assert_eq!(check(|facts| facts.mode = Mode::WorkflowToken).lines().count(), 2);
    let mended = |facts: &mut Facts| (facts.mode, facts.actions_may_open_pulls) = (Mode::WorkflowToken, Seen::Is(true));
    assert_eq!(check(mended), "");
}

#[test]
fn branches_and_names() {
    insta::assert_snapshot!(check(|facts| facts.default_branch = "master".to_owned()), @r"
    Error [preflight/default-branch] the default branch is master, not main: whoever can push to master could sign as the train
    set it at https://github.com/acme/charts/settings (General, Default branch), or write `branches: {main: master}` into .chartflow.yaml
    ");
    insta::assert_snapshot!(check(|facts| facts.absent = vec!["integration".to_owned()]), @r"
    Error [preflight/branch] branch integration does not exist
    `chartflow init` makes the branches of the train, or make it at https://github.com/acme/charts/branches
    ");
    insta::assert_snapshot!(check(|facts| {
        let configuration = Configuration::read(b"branches: {chart: 'integration/{chart}'}").unwrap();
        facts.collisions = Names::new(&configuration).collisions();
    }), @r#"
    Error [preflight/names] .chartflow.yaml: branches.integration: "integration" collides with branches.chart: git cannot hold both "integration" and "integration/{chart}", because a ref is a file and cannot be a directory ("{chart}") as well
    give branches.integration another value in .chartflow.yaml
    "#);
}

#[test]
fn merge_methods_and_settings() {
    insta::assert_snapshot!(check(|facts| (facts.merge_commits, facts.squash_merges) = (Seen::Is(false), Seen::Is(false))), @r#"
    Error [preflight/merge-methods] merge commits are not allowed, but promotions, the way back and releases are merged so
    tick "Allow merge commits" at https://github.com/acme/charts/settings (General, Pull Requests)
    Error [preflight/merge-methods] squash merges are not allowed, but pull requests to main are merged so
    tick "Allow squash merging" at https://github.com/acme/charts/settings (General, Pull Requests)
    "#);
    assert_eq!(check(|facts| (facts.squash_merges, facts.main_method) = (Seen::Is(false), MergeMethod::Merge)), "");
    insta::assert_snapshot!(check(|facts| facts.mode = Mode::WorkflowToken), @r#"
    Error [preflight/actions-pull-requests] GitHub Actions may not create pull requests, and every move of the train is one
    tick "Allow GitHub Actions to create and approve pull requests" at https://github.com/acme/charts/settings/actions (Workflow permissions), or give the train an App
    "#);
    insta::assert_snapshot!(check(|facts| facts.rulesets = Seen::Is(vec![Change::Remove { id: 3, name: "chartflow: old".to_owned() }])), @r"
    Error [preflight/rulesets] these rulesets are not as they should be: chartflow: old
    `chartflow rulesets apply` mends them
    ");
    insta::assert_snapshot!(check(|facts| {
        (facts.mode, facts.merge_commits, facts.environment) = (Mode::WorkflowToken, Seen::Hidden, Seen::Hidden);
        (facts.actions_may_open_pulls, facts.rulesets) = (Seen::Hidden, Seen::Hidden);
    }), @r#"
    Notice [preflight/unknown] whether merge commits are allowed was not shown
    ask with a token that may push
    Notice [preflight/unknown] environment chartflow was not shown
    see https://github.com/acme/charts/settings/environments, or ask with a token that has Actions: Read-only
    Notice [preflight/unknown] whether GitHub Actions may create pull requests was not shown
    see that "Allow GitHub Actions to create and approve pull requests" is ticked at https://github.com/acme/charts/settings/actions (Workflow permissions)
    Notice [preflight/unknown] the rulesets were not shown
    ask with a token that may read the repository
    "#);
}

#[test]
fn the_environment_is_for_main_alone() {
    let check = |environment| check(|facts| facts.environment = Seen::Is(environment));
    insta::assert_snapshot!(check(Environment::Absent), @r"
    Warning [preflight/environment] environment chartflow does not exist: every writer of the repository can sign as the train
    make it at https://github.com/acme/charts/settings/environments, limited to the branch main
    ");
    insta::assert_snapshot!(check(Environment::Open), @r#"
    Warning [preflight/environment] environment chartflow is open to every branch: every writer of the repository can sign as the train
    set its deployment branches to "Selected branches and tags" with the one pattern main at https://github.com/acme/charts/settings/environments
    "#);
    assert!(check(Environment::Protected).contains("every protected branch"));
    assert!(check(Environment::Patterns(vec!["main".to_owned(), "release".to_owned()])).contains("is open to main, release: every writer"));
    assert!(check(Environment::Patterns(Vec::new())).contains("the train cannot sign"));
}

#[test]
fn a_missing_permission_is_named() {
    let check = |operation: &str, mode| {
        let denied = Denied { operation: operation.to_owned(), message: "Resource not accessible by integration".to_owned(), accepted: None };
        let finding = permission(&denied, mode);
        format!("{finding}\n{}", finding.hint.clone().unwrap())
    };
    let app = Mode::App { id: 7 };
    insta::assert_snapshot!(check("POST /repos/acme/charts/git/trees", app), @r#"
    the token lacks contents: write (POST /repos/acme/charts/git/trees: Resource not accessible by integration)
    set Repository permissions, Contents to "Read and write" in the settings of App 7, and accept the change where it is installed
    "#);
    insta::assert_snapshot!(check("POST /repos/acme/charts/statuses/0123", Mode::WorkflowToken), @r"
    the token lacks statuses: write (POST /repos/acme/charts/statuses/0123: Resource not accessible by integration)
    add to the workflow's job:
    permissions:
      statuses: write
    ");
    insta::assert_snapshot!(check("POST /repos/acme/charts/rulesets", app), @r#"
    the token lacks administration: write (POST /repos/acme/charts/rulesets: Resource not accessible by integration)
    use a token of somebody who administers the repository, or a fine-grained token with Administration to "Read and write"
    "#);
    insta::assert_snapshot!(check("GET /zen", app), @r"
    GitHub refused GET /zen: Resource not accessible by integration
    give the token the permission that GitHub names for this call
    ");
}

#[test]
fn what_each_call_needs() {
    let check = |operation: &str| needed(operation).map_or_else(|| "?".to_owned(), |(key, access)| format!("{key} {}", access.as_str()));
    for (operation, expected) in [
        ("GET /repos/o/r/git/ref/heads/main", "contents read"),
        ("PATCH /repos/o/r/git/refs/heads/main", "contents write"),
        ("PUT /repos/o/r/pulls/1/merge", "contents write"),
        ("PUT pulls/1/merge-async", "contents write"),
        ("PUT pulls/1/update-branch", "pull_requests write"),
        ("GET /repos/o/r/commits/0123/pulls?per_page=100", "pull_requests read"),
        ("GET /repos/o/r/commits/0123/status?per_page=100", "statuses read"),
        ("POST /repos/o/r/attestations", "attestations write"),
        ("POST /repos/o/r/dispatches", "contents write"),
        ("GET /repos/o/r/environments/chartflow", "actions read"),
        ("GET /repos/o/r/actions/permissions/workflow", "administration read"),
        ("DELETE rulesets/4", "administration write"),
        ("GET /repos/o/r", "?"),
        ("nonsense", "?"),
    ] {
        assert_eq!(check(operation), expected, "{operation}");
    }
}

#[test]
fn what_github_names_comes_first() {
    let check = |accepted: &str, mode| {
        let message = "Resource not accessible by integration".to_owned();
        let denied = Denied { operation: "POST /repos/o/r/statuses/0".to_owned(), message, accepted: Some(accepted.to_owned()) };
        let finding = permission(&denied, mode);
        format!("{finding}\n{}", finding.hint.clone().unwrap())
    };
    insta::assert_snapshot!(check("checks=write,contents=read; statuses=write", Mode::WorkflowToken), @r"
    the token lacks checks: write and contents: read (POST /repos/o/r/statuses/0: Resource not accessible by integration)
    add to the workflow's job:
    permissions:
      checks: write
      contents: read
    ");
    insta::assert_snapshot!(check("pull_requests=write", Mode::PersonalToken), @r#"
    the token lacks pull_requests: write (POST /repos/o/r/statuses/0: Resource not accessible by integration)
    set Repository permissions, Pull requests to "Read and write" in the settings of the token, or use a classic token with the scope repo
    "#);
    for nonsense in ["", ";", "=write", "::set-output=write", "a b=write"] {
        assert!(check(nonsense, Mode::WorkflowToken).contains("  statuses: write"), "{nonsense:?}");
    }
}

#[test]
fn settings_that_keep_the_workflow_token_out() {
    let check = |message: &str, mode| {
        let denied = Denied { operation: "POST /repos/o/r/pulls".to_owned(), message: message.to_owned(), accepted: None };
        permission(&denied, mode).hint.unwrap()
    };
    insta::assert_snapshot!(check("GitHub Actions is not permitted to create or approve pull requests.", Mode::WorkflowToken), @r#"tick "Allow GitHub Actions to create and approve pull requests" in the repository's settings (Actions, General), or give the train an App"#);
    let moved = "refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml` without `workflows` permission";
    insta::assert_snapshot!(check(moved, Mode::WorkflowToken), @"a workflow's own token can never move workflow files: bring them to the branch by a pull request of a person, or give the train an App");
    insta::assert_snapshot!(check(moved, Mode::App { id: 7 }), @r#"set Repository permissions, Workflows to "Read and write" in the settings of App 7, and accept the change where it is installed"#);
}

#[test]
fn the_container_registry_takes_the_workflow_token() {
    let said = "Registry error: url https://ghcr.io/v2/o/r/app/blobs/uploads/, envelope: OCI API errors: [OCI API error: permission_denied: write_package]";
    let finding = registry("ghcr.io/o/r/app", said).unwrap();
    insta::assert_snapshot!(format!("{finding}\n{}", finding.hint.clone().unwrap()), @r"
    the token lacks packages: write (ghcr.io/o/r/app: Registry error: url https://ghcr.io/v2/o/r/app/blobs/uploads/, envelope: OCI API errors: [OCI API error: permission_denied: write_package])
    add to the workflow's job:
    permissions:
      packages: write
    and give the repository access in the settings of the package ghcr.io/o/r/app, if it is there already
    ");
    assert_eq!(registry("ghcr.io/o/r/app", "connection reset"), None);
    assert_eq!(registry("registry.example/o/app", "denied: requested access to the resource is denied"), None);
    assert!(registry("127.0.0.1:5000/o/app", said).is_some(), "its own words, under another name");
}
