use super::*;

fn facts(worker: Worker) -> Facts {
    Facts {
        worker,
        signing_key: false,
        server: "https://github.com".to_owned(),
        repository: Some("acme/charts".parse().unwrap()),
        remote: "origin".parse().unwrap(),
        main: "main".parse().unwrap(),
        integration: "integration".parse().unwrap(),
        release: "release".parse().unwrap(),
        environment: "chartflow".parse().unwrap(),
        wanted: vec![File { path: ".chartflow.yaml".to_owned(), text: "charts: []\n".to_owned() }],
        present: BTreeMap::new(),
        on_main: false,
        main_runs: false,
        integration_rides: None,
        owners: None,
        owner: Some("@acme/platform".to_owned()),
        references: BTreeMap::new(),
        baseline: CommitId::new("1".repeat(40)).unwrap(),
        release_start: ReleaseStart::Empty { commit: CommitId::new("2".repeat(40)).unwrap() },
        former: Vec::new(),
        notes: Vec::new(),
    }
}

fn shown(facts: &Facts) -> String {
    let Plan { files, references, steps, .. } = plan(facts);
    let mut text = String::new();
    for PlannedFile { path, state, .. } in files {
        text += &format!("{state:?} {path}\n");
    }
    for PlannedReference { name, commit, state } in references {
        text += &format!("{state:?} {name} {}\n", &commit[..4]);
    }
    for (number, Step { title, text: what, page, commands }) in steps.into_iter().enumerate() {
        text += &format!("{}. {title}\n{what}\n{}", number + 1, page.map(|page| page + "\n").unwrap_or_default());
        text += &commands.into_iter().map(|command| format!("  {command}\n")).collect::<String>();
    }
    text
}

/// A clone has no `refs/chartflow/*`; the train has moved them since the repository was set up.
#[test]
fn a_repository_that_was_set_up_before_keeps_its_baseline() {
    let mut facts = Facts { on_main: true, main_runs: true, release_start: ReleaseStart::Exists, ..facts(Worker::App { id: Some(7) }) };
    facts.references = ["integration", "release"].map(|branch| (format!("refs/remotes/origin/{branch}"), "3".repeat(40))).into();
    let told = |facts: &Facts| {
        let Plan { references, steps, .. } = plan(facts);
        let step = &steps[0];
        format!("{references:?}\n{}\n{}\n{}", step.title, step.text, step.commands.join("\n"))
    };
    insta::assert_snapshot!(told(&facts), @"
    []
    See that the baseline is recorded
    integration and release are there, so the train was set up before, and refs/chartflow/released and refs/chartflow/published should be on GitHub. If it lists nothing, push them from the clone in which `chartflow init` was run first.
    git ls-remote origin 'refs/chartflow/*'
    ");
    let waiting = Facts { integration_rides: Some(false), ..facts.clone() };
    insta::assert_snapshot!(told(&waiting), @r"
    []
    See that the baseline is recorded
    main holds the train's files, and integration does not yet. If the command lists refs/chartflow/released and refs/chartflow/published, the train was set up before, and brings the files to integration itself. If it lists nothing, push them from the clone in which `chartflow init` was run first. But where integration was not made for the train, rename or delete it first, run `git fetch --prune origin` and then `chartflow init` again.
    git ls-remote origin 'refs/chartflow/*'
    ");
    for marker in [RELEASED, PUBLISHED] {
        facts.references.insert(format!("refs/{marker}"), "1".repeat(40));
    }
    insta::assert_snapshot!(told(&facts), @r#"
    [PlannedReference { name: "refs/chartflow/released", commit: "1111111111111111111111111111111111111111", state: Unchanged }, PlannedReference { name: "refs/chartflow/published", commit: "1111111111111111111111111111111111111111", state: Unchanged }]
    See that the baseline is recorded
    integration and release are there, so the train was set up before, and refs/chartflow/released and refs/chartflow/published should be on GitHub. If it lists nothing, push them: git push origin refs/chartflow/released refs/chartflow/published
    git ls-remote origin 'refs/chartflow/*'
    "#);
}

#[test]
fn a_new_repository_with_an_app_to_be_made() {
    insta::assert_snapshot!(shown(&facts(Worker::App { id: None })), @r#"
    New .chartflow.yaml
    New .github/CODEOWNERS
    New refs/chartflow/released 1111
    New refs/chartflow/published 1111
    1. Bring the files to main
    Open a pull request from this branch to main and merge it.
    https://github.com/acme/charts/compare/main...adopt-chartflow
      git switch --create adopt-chartflow
      git add .chartflow.yaml .github
      git commit --message "chore: adopt chartflow"
      git push --set-upstream origin adopt-chartflow
    2. Make the branches and record the baseline
    After the merge. integration starts where main is. The two refs say that the charts main holds now are released already. Nothing of this can be pushed once the rules are applied.
      git fetch origin
      git push origin refs/remotes/origin/main:refs/heads/integration
      git push origin 2222222222222222222222222222222222222222:refs/heads/release
      git push origin refs/chartflow/released refs/chartflow/published
    3. Look at the settings
    The default branch is main: its workflow files sign. "Allow merge commits" and "Allow squash merging" are ticked. If GitHub Pages or another service serves the charts, it serves the branch release.
    https://github.com/acme/charts/settings
    4. Make a GitHub App
    Repository permissions Attestations: Read and write, Contents: Read and write, Pull requests: Read and write, Commit statuses: Read and write, Workflows: Read and write. No webhook. Install it in this repository, note its App ID, and make a private key.
    https://github.com/settings/apps/new?public=false&webhook_active=false&attestations=write&contents=write&pull_requests=write&statuses=write&workflows=write
    5. Make the environment
    Name it chartflow, and set its deployment branches to "Selected branches and tags" with the one pattern main: what does not run from main cannot sign. Its secrets are then out of reach of every other branch.
    https://github.com/acme/charts/settings/environments
      gh variable set CHARTFLOW_APP_ID --env chartflow --body APP_ID
      gh secret set CHARTFLOW_PRIVATE_KEY --env chartflow < app.private-key.pem
    6. Apply the rules of branches and tags
    The second command says what is still missing, and where to click for it.
      GH_TOKEN=$(gh auth token) chartflow rulesets apply --repository acme/charts --app-id APP_ID
      GH_TOKEN=$(gh auth token) chartflow rulesets plan --repository acme/charts --app-id APP_ID
    7. Rehearse a change
    Once all of this is done: the rehearsal goes on from where the train is.
      git switch main
      git pull --ff-only origin main
      git fetch origin 'refs/chartflow/*:refs/chartflow/*' integration:integration release:release
      chartflow rehearse --base main --head MY-BRANCH
    "#);
}

#[test]
fn a_repository_that_served_charts_with_the_workflow_token_and_a_key() {
    let facts = Facts {
        signing_key: true,
        server: "https://git.example.com".to_owned(),
        release_start: ReleaseStart::Branch { name: "gh-pages".to_owned() },
        owners: Some(("CODEOWNERS".to_owned(), "* @acme/all\n".to_owned())),
        former: vec![(".github/workflows/release.yaml".to_owned(), "chart-releaser".to_owned())],
        ..facts(Worker::WorkflowToken)
    };
    insta::assert_snapshot!(shown(&facts), @r#"
    New .chartflow.yaml
    New refs/chartflow/released 1111
    New refs/chartflow/published 1111
    1. Stop what released the charts so far
    Two trains on one track collide. Remove these files, or take out of them what releases: .github/workflows/release.yaml (chart-releaser).
    2. Add two lines to CODEOWNERS
    The workflow files and the configuration decide who signs, so main takes changes of them from their owners alone.
    /.github/ @acme/platform
    /.chartflow.yaml @acme/platform
    3. Bring the files to main
    Open a pull request from this branch to main and merge it.
    https://git.example.com/acme/charts/compare/main...adopt-chartflow
      git switch --create adopt-chartflow
      git add .chartflow.yaml .github
      git commit --message "chore: adopt chartflow"
      git push --set-upstream origin adopt-chartflow
    4. Make the branches and record the baseline
    After the merge. integration starts where main is. The two refs say that the charts main holds now are released already. Nothing of this can be pushed once the rules are applied.
      git fetch origin
      git push origin refs/remotes/origin/main:refs/heads/integration
      git push origin refs/remotes/origin/gh-pages:refs/heads/release
      git push origin refs/chartflow/released refs/chartflow/published
    5. Look at the settings
    The default branch is main: its workflow files sign. "Allow merge commits" and "Allow squash merging" are ticked. If GitHub Pages or another service serves the charts, it serves the branch release.
    https://git.example.com/acme/charts/settings
    6. Let workflows open pull requests
    Tick "Allow GitHub Actions to create and approve pull requests". Without an App every writer of the repository is trusted, and a person merges the pull request that brings versions back to integration.
    https://git.example.com/acme/charts/settings/actions
    7. Make the environment
    Name it chartflow, and set its deployment branches to "Selected branches and tags" with the one pattern main: what does not run from main cannot sign. Its secrets are then out of reach of every other branch.
    https://git.example.com/acme/charts/settings/environments
      openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing-key.pem
      gh secret set CHARTFLOW_SIGNING_KEY --env chartflow < signing-key.pem
    8. Apply the rules of branches and tags
    The second command says what is still missing, and where to click for it.
      GH_TOKEN=$(gh auth token) chartflow rulesets apply --repository acme/charts --api-url https://git.example.com/api/v3
      GH_TOKEN=$(gh auth token) chartflow rulesets plan --repository acme/charts --api-url https://git.example.com/api/v3
    9. Rehearse a change
    Once all of this is done: the rehearsal goes on from where the train is.
      git switch main
      git pull --ff-only origin main
      git fetch origin 'refs/chartflow/*:refs/chartflow/*' integration:integration release:release
      chartflow rehearse --base main --head MY-BRANCH
    "#);
}

#[test]
fn a_second_run_finds_its_work_done() {
    let first = facts(Worker::App { id: Some(7) });
    let there = |name: &str, id: &str| (name.to_owned(), id.repeat(40));
    let second = Facts {
        present: plan(&first).files.into_iter().map(|file| (file.path, file.text.into_bytes())).collect(),
        on_main: true,
        main_runs: true,
        references: ["refs/chartflow/released", "refs/chartflow/published", "refs/remotes/origin/integration", "refs/remotes/origin/release"]
            .into_iter()
            .zip(["1", "3", "4", "5"])
            .map(|(name, id)| there(name, id))
            .collect(),
        release_start: ReleaseStart::Exists,
        ..first
    };
    let shown = shown(&second);
    insta::assert_snapshot!(shown.lines().take(5).collect::<Vec<_>>().join("\n"), @r"
    Unchanged .chartflow.yaml
    Unchanged .github/CODEOWNERS
    Unchanged refs/chartflow/released 1111
    Differs refs/chartflow/published 3333
    1. See that the baseline is recorded
    ");
    assert!(!shown.contains("adopt-chartflow") && !shown.contains("heads/integration") && !shown.contains("heads/release"), "{shown}");
    assert_eq!(plan(&second).changed().count(), 0);
}

/// Of an integration at main nothing is said: it is what would be made. Other names were given by somebody who means it.
#[test]
fn branches_that_are_there_already_come_first() {
    let there = |branch: &str, id: &str| (format!("refs/remotes/origin/{branch}"), id.repeat(40));
    let check = |references: &[(&str, &str)], change: &dyn Fn(&mut Facts)| {
        let references = references.iter().map(|(branch, id)| there(branch, id)).collect();
        let mut facts = Facts { references, ..facts(Worker::App { id: None }) };
        change(&mut facts);
        let steps = plan(&facts).steps;
        let told = steps.iter().position(|step| step.title.starts_with("Look at the branch"));
        assert!(told.is_none_or(|at| at == 0), "{steps:#?}");
        told.map_or_else(String::new, |at| format!("{}\n{}\n{}", steps[at].title, steps[at].text, steps[at].commands.join("\n")))
    };
    let foreign = |facts: &mut Facts| facts.integration_rides = Some(false);
    assert_eq!(check(&[("main", "4"), ("integration", "4")], &foreign), "");
    assert_eq!(check(&[("main", "4"), ("integration", "5")], &|_| {}), "", "it cannot be told");
    insta::assert_snapshot!(check(&[("main", "4"), ("integration", "5")], &foreign), @r"
    Look at the branch integration
    integration is on origin already, and the train goes on from what is there. Where that is not meant, rename or delete it on origin, or give the train other names under `branches` in .chartflow.yaml. Then run the command below and `chartflow init` again.
    git fetch --prune origin
    ");
    let both = |facts: &mut Facts| {
        foreign(facts);
        facts.release_start = ReleaseStart::Exists;
    };
    let references = [("main", "4"), ("integration", "5"), ("release", "6")];
    insta::assert_snapshot!(check(&references, &both), @r"
    Look at the branches integration and release
    integration and release are on origin already, and the train goes on from what is there. Where that is not meant, rename or delete them on origin, or give the train other names under `branches` in .chartflow.yaml. Then run the command below and `chartflow init` again.
    git fetch --prune origin
    ");
    let named = |facts: &mut Facts| {
        both(facts);
        (facts.integration, facts.release) = ("develop".parse().unwrap(), "pages".parse().unwrap());
    };
    assert_eq!(check(&[("main", "4"), ("develop", "5"), ("pages", "6")], &named), "");
    // Once main has the files, whatever their version, the branches may be the train's: one may be lost, or not followed yet.
    for lost in 0..3 {
        let merged = |facts: &mut Facts| {
            both(facts);
            facts.main_runs = true;
        };
        assert_eq!(check(&references[..=lost], &merged), "");
    }
}

#[test]
fn owners_are_found_in_whatever_form() {
    for (text, is) in [
        ("/.github/ @a\n/.chartflow.yaml @a\n", true),
        (".github/** @a\n.chartflow.yaml @a\n", true),
        ("# /.chartflow.yaml @a\n/.github/ @a\n", false),
        ("* @a\n", false),
        ("", false),
    ] {
        assert_eq!(owned(text), is, "{text}");
    }
}

/// Names from files of the repository stand in commands that people copy.
#[test]
fn a_shell_reads_in_the_commands_what_is_named() {
    let hostile = Facts {
        remote: "a;curl$IFS'x'|sh".parse().unwrap(),
        main: "m&n".parse().unwrap(),
        integration: "$(i)".parse().unwrap(),
        release: "`r`".parse().unwrap(),
        environment: "prod: a; b".parse().unwrap(),
        signing_key: true,
        ..facts(Worker::App { id: Some(7) })
    };
    let commands: Vec<String> = plan(&hostile).steps.into_iter().flat_map(|step| step.commands).collect();
    insta::assert_snapshot!(commands.join("\n"), @r#"
    git switch --create adopt-chartflow
    git add .chartflow.yaml .github
    git commit --message "chore: adopt chartflow"
    git push --set-upstream 'a;curl$IFS'\''x'\''|sh' adopt-chartflow
    git fetch 'a;curl$IFS'\''x'\''|sh'
    git push 'a;curl$IFS'\''x'\''|sh' 'refs/remotes/a;curl$IFS'\''x'\''|sh/m&n:refs/heads/$(i)'
    git push 'a;curl$IFS'\''x'\''|sh' '2222222222222222222222222222222222222222:refs/heads/`r`'
    git push 'a;curl$IFS'\''x'\''|sh' refs/chartflow/released refs/chartflow/published
    gh variable set CHARTFLOW_APP_ID --env 'prod: a; b' --body 7
    gh secret set CHARTFLOW_PRIVATE_KEY --env 'prod: a; b' < app.private-key.pem
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing-key.pem
    gh secret set CHARTFLOW_SIGNING_KEY --env 'prod: a; b' < signing-key.pem
    GH_TOKEN=$(gh auth token) chartflow rulesets apply --repository acme/charts --app-id 7
    GH_TOKEN=$(gh auth token) chartflow rulesets plan --repository acme/charts --app-id 7
    git switch 'm&n'
    git pull --ff-only 'a;curl$IFS'\''x'\''|sh' 'm&n'
    git fetch 'a;curl$IFS'\''x'\''|sh' 'refs/chartflow/*:refs/chartflow/*' '$(i):$(i)' '`r`:`r`'
    chartflow rehearse --base 'm&n' --head MY-BRANCH
    "#);
}

#[test]
fn branches_in_the_way_are_named() {
    let check = |branches: &[&str]| {
        let references = branches.iter().map(|branch| (format!("refs/remotes/origin/{branch}"), "3".repeat(40))).collect();
        let steps = plan(&Facts { references, ..facts(Worker::WorkflowToken) }).steps;
        steps.into_iter().find(|step| step.title.starts_with("Move")).map(|step| step.text).unwrap_or_default()
    };
    insta::assert_snapshot!(check(&["main", "integration/a", "release/1.0"]), @"git holds a branch as a file, which cannot be a directory as well: beside integration/a, release/1.0 there can be no integration or release, and the next step would be refused. Rename or delete what is there, or give the train other names under `branches` in .chartflow.yaml.");
    assert_eq!(check(&["main", "integration", "release", "integrations/a", "a/release"]), "");
}
