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
        environment_name: "chartflow".to_owned(),
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
    insta::assert_snapshot!(check(|facts| facts.default_branch = "master".to_owned()), @"");
    insta::assert_snapshot!(check(|facts| facts.absent = vec!["integration".to_owned()]), @"");
    insta::assert_snapshot!(check(|facts| {
        let configuration = Configuration::read(b"branches: {chart: 'integration/{chart}'}").unwrap();
        facts.collisions = Names::new(&configuration).collisions();
    }), @"");
}

#[test]
fn merge_methods_and_settings() {
    insta::assert_snapshot!(check(|facts| (facts.merge_commits, facts.squash_merges) = (Seen::Is(false), Seen::Is(false))), @"");
    assert_eq!(check(|facts| (facts.squash_merges, facts.main_method) = (Seen::Is(false), MergeMethod::Merge)), "");
    insta::assert_snapshot!(check(|facts| facts.mode = Mode::WorkflowToken), @"");
    insta::assert_snapshot!(check(|facts| facts.rulesets = Seen::Is(vec![Change::Remove { id: 3, name: "chartflow: old".to_owned() }])), @"");
    insta::assert_snapshot!(check(|facts| {
        (facts.mode, facts.merge_commits, facts.environment) = (Mode::WorkflowToken, Seen::Hidden, Seen::Hidden);
        (facts.actions_may_open_pulls, facts.rulesets) = (Seen::Hidden, Seen::Hidden);
    }), @"");
}

#[test]
fn the_environment_is_for_main_alone() {
    let check = |environment| check(|facts| facts.environment = Seen::Is(environment));
    insta::assert_snapshot!(check(Environment::Absent), @"");
    insta::assert_snapshot!(check(Environment::Open), @"");
    assert!(check(Environment::Protected).contains("every protected branch"));
    assert!(check(Environment::Patterns(vec!["main".to_owned(), "release".to_owned()])).contains("is open to main, release: every writer"));
    assert!(check(Environment::Patterns(Vec::new())).contains("the train cannot sign"));
}

#[test]
fn a_missing_permission_is_named() {
    let check = |operation: &str, mode| {
        let denied = Denied { operation: operation.to_owned(), message: "Resource not accessible by integration".to_owned() };
        let finding = permission(&denied, mode);
        format!("{finding}\n{}", finding.hint.clone().unwrap())
    };
    let app = Mode::App { id: 7 };
    insta::assert_snapshot!(check("POST /repos/acme/charts/git/trees", app), @"");
    insta::assert_snapshot!(check("POST /repos/acme/charts/statuses/0123", Mode::WorkflowToken), @"");
    insta::assert_snapshot!(check("POST /repos/acme/charts/rulesets", app), @"");
    insta::assert_snapshot!(check("GET /zen", app), @"");
}

#[test]
fn what_each_call_needs() {
    let check = |operation: &str| needed(operation).map_or_else(|| "?".to_owned(), |(key, access)| format!("{key} {}", access.as_str()));
    for (operation, expected) in [
        ("GET /repos/o/r/git/ref/heads/main", "contents read"),
        ("PATCH /repos/o/r/git/refs/heads/main", "contents write"),
        ("PUT /repos/o/r/pulls/1/merge", "pull_requests write"),
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
