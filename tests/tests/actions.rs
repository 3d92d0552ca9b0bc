//! The actions as the runner starts them, each with its own token, files and environment, against the embedded GitHub.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::collections::BTreeMap;

use chartflow_core::action::Verb;
use chartflow_core::domain::event::{Access, Permission, Permissions, StageName};
use chartflow_core::domain::policy::{Policy, Repository, ReviewRules};
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::charts::CONFIGURATION;
use chartflow_tests::people::NewCommit;
use chartflow_tests::runner::{Ran, Runner, repository};
use chartflow_tests::world::World;
use serde_json::{Value, json};

fn rendering() -> String {
    CONFIGURATION.replace("required: [", "required: [helm-lint, ")
}

struct Job {
    world: World,
    runner: Runner,
    pem: String,
}

fn read_contents() -> Option<Permissions> {
    Some(BTreeMap::from([(Permission::Contents, Access::Read)]))
}

fn by_hand() -> (&'static str, Value) {
    ("workflow_dispatch", json!({ "workflow": ".github/workflows/x.yml", "ref": "refs/heads/main", "repository": repository() }))
}

impl Job {
    fn new(seed: u64, configuration: &str) -> Self {
        let world = World::configured(seed, configuration);
        let runner = Runner::new(&world);
        let pem = runner.key.to_pkcs8_pem();
        Self { world, runner, pem }
    }

    fn run(&self, stage: StageName, event: (&str, Value), more: &[(&str, &str)]) -> Ran {
        let registry = self.runner.registry();
        let mut inputs = vec![("signing-key", self.pem.as_str()), ("registry", registry.as_str())];
        inputs.extend(more);
        self.runner.step(&self.world, Verb::Stage(stage), event, &inputs, None)
    }

    fn check(&self, stage: StageName, event: (&str, Value)) -> Ran {
        self.runner.step(&self.world, Verb::Stage(stage), event, &[("job", "check")], read_contents())
    }

    fn pull(&self, action: &str, number: u64) -> (&'static str, Value) {
        ("pull_request_target", self.runner.pull_event(&self.world, action, number))
    }

    /// Both halves of a stage, as its workflow runs them.
    fn halves(&self, stage: StageName, event: &(&'static str, Value)) -> Ran {
        let check = self.check(stage, event.clone());
        assert_eq!(check.code, 0, "{check:#?}");
        self.run(stage, event.clone(), &[("job", "sign"), ("checks", check.output("checks"))])
    }

    /// Every stage by hand, people merging what is green, until the registry has a version.
    fn ride(&mut self) -> BTreeMap<&'static str, Ran> {
        let mut done = BTreeMap::new();
        for _ in 0..12 {
            for stage in StageName::TRAIN {
                let ran = self.run(stage, by_hand(), &[]);
                assert_eq!(ran.code, 0, "{stage}: {ran:#?}");
                if ran.output("result") == "done" {
                    done.insert(stage.as_str(), ran);
                }
            }
            self.world.release();
            if done.contains_key("publish") {
                return done;
            }
        }
        panic!("nothing was published: {:#?}", done.keys());
    }
}

#[test]
fn a_contribution_rides_the_train_in_its_actions() {
    let mut job = Job::new(71, &rendering());
    job.runner.install_helm("echo '[INFO] Chart.yaml: icon is recommended'");
    let number = job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let opened = job.pull("opened", number);

    let validate = job.halves(StageName::Validate, &opened);
    assert_eq!((validate.code, validate.output("result")), (0, "done"), "{validate:#?}");
    assert!(validate.output("attestation-id").starts_with("sha256:"), "{validate:#?}");
    assert!(validate.output("attestation-url").starts_with("https://github.com/acme/charts/blob/"), "{validate:#?}");
    assert_eq!(validate.json("charts")[0]["chart"], "app");
    assert!(validate.summary.contains("# chartflow validate: done") && validate.summary.contains("```mermaid"), "{}", validate.summary);
    assert!(!validate.log.contains(&job.pem.lines().nth(1).unwrap()[..20]) || validate.log.starts_with("::add-mask::"));
    let masks = validate.log.lines().take_while(|line| line.starts_with("::add-mask::")).count();
    assert!(masks >= 3, "the token and every line of the key: {}", validate.log);

    assert!(job.world.merge(number, MergeMethod::Merge), "{}", job.world.told());
    let closed = job.pull("closed", number);
    let filter = job.halves(StageName::Filter, &closed);
    assert_eq!((filter.code, filter.output("result")), (0, "done"), "{filter:#?}");
    let steps = filter.json("plan")["steps"].to_string();
    assert!(steps.contains("open a pull request") && steps.contains("refs/heads/integration-app"), "{steps}");

    let promotion = job.world.pull_from("chartflow-promote-app").unwrap();
    let enforce = job.run(StageName::Enforce, job.pull("opened", promotion), &[]);
    assert_eq!((enforce.code, enforce.output("result")), (0, "done"), "{enforce:#?}");
    let format = job.run(StageName::Format, job.pull("closed", promotion), &[]);
    assert_eq!((format.code, format.output("result")), (0, "done"), "{format:#?}");

    // From here on helm is asked nothing more, and its absence is nobody's concern.
    let done = job.ride();
    for stage in ["bump", "tag", "package", "publish"] {
        assert!(done.contains_key(stage), "{:?}", done.keys());
    }
    let tag = &done["tag"];
    assert!(tag.summary.contains("app-v1.1.0") && tag.summary.contains("/releases/tag/app-v1.1.0"), "{}", tag.summary);

    let reconcile = job.run(StageName::Reconcile, ("schedule", json!({ "schedule": "17 */3 * * *" })), &[]);
    assert_eq!(reconcile.code, 0, "{reconcile:#?}");

    let release = job.world.tip("release").unwrap();
    let root = job.world.root(&release);
    let stem = "charts/app-1.1.0";
    for file in [format!("{stem}.tgz"), format!("{stem}.lineage.jsonl")] {
        let bytes = chartflow_core::io::git::ready(chartflow_core::flow::listing::file(&*job.world.objects, &root, &file, 1 << 24)).unwrap().unwrap().unwrap();
        job.runner.place(&file, &bytes);
    }
    verify(&job, stem);
}

/// The action `verify` accepts what the train has published, and nothing else.
fn verify(job: &Job, stem: &str) {
    let name = Repository { name: "acme/charts".parse().unwrap(), id: Some(1001), owner_id: None };
    let required = ["helm-lint", "artifact-hub", "schema", "commits", "changelog", "version", "layout"].map(str::to_owned).to_vec();
    let spki = job.runner.key.public_key_der();
    let reviews = ReviewRules { integration: 1, main: 1 };
    let policy = Policy::for_rehearsal(name, "{chart}-v{version}", spki, jiff::Timestamp::UNIX_EPOCH, required, Vec::new(), reviews);
    job.runner.place("trust/policy.json", &policy.to_json());
    let artifact = format!("{stem}.tgz");
    let inputs = [("artifact", artifact.as_str()), ("trust", "trust")];
    let verified = job.runner.step(&job.world, Verb::Verify, by_hand(), &inputs, None);
    assert_eq!((verified.code, verified.output("result"), verified.output("version")), (0, "verified", "1.1.0"), "{verified:#?}");
    job.runner.place(&artifact, b"something else");
    let refused = job.runner.step(&job.world, Verb::Verify, by_hand(), &inputs, None);
    assert_eq!((refused.code, refused.output("result")), (1, "refused"), "{refused:#?}");
    let workspace = job.runner.workspace();
    let through = format!("{}/../event.json", workspace.display());
    for [artifact, trust] in [["../event.json", "trust"], [&through, "trust"], ["/etc/hostname", "trust"], [&artifact, "../trust"], [&artifact, "/etc"]] {
        let outside = job.runner.step(&job.world, Verb::Verify, by_hand(), &[("artifact", artifact), ("trust", trust)], None);
        assert!(outside.code == 2 && outside.log.contains("name what lies below the workspace"), "{artifact} {trust}: {outside:#?}");
    }
    let absolute = workspace.join(&artifact).display().to_string();
    let inside = job.runner.step(&job.world, Verb::Verify, by_hand(), &[("artifact", &absolute), ("trust", "trust")], None);
    assert_eq!((inside.code, inside.output("result")), (1, "refused"), "{inside:#?}");
}

#[test]
fn what_helm_has_not_looked_at_is_refused() {
    let mut job = Job::new(72, &rendering());
    job.runner.install_helm("echo '[ERROR] templates/: bad'; exit 1");
    let number = job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let opened = job.pull("opened", number);
    let failed = job.halves(StageName::Validate, &opened);
    assert!(failed.code == 1 && failed.output("result") == "refused" && failed.log.contains("::error"), "{failed:#?}");

    job.runner.install_helm("exit 0");
    let nothing = r#"{"helm":"v4.0.0","results":{}}"#;
    let unseen = job.run(StageName::Validate, opened.clone(), &[("job", "sign"), ("checks", nothing)]);
    assert!(unseen.code == 1 && unseen.log.contains("has not looked at this content of app"), "{unseen:#?}");
    let forged = job.run(StageName::Validate, opened.clone(), &[("job", "sign"), ("checks", r#"{"helm":"v4","extra":1,"results":{}}"#)]);
    assert!(forged.code == 2 && forged.log.contains("the input checks cannot be read"), "{forged:#?}");
    let absent = job.run(StageName::Validate, opened.clone(), &[("job", "sign")]);
    assert!(absent.code == 2 && absent.log.contains("needs.check.outputs.checks"), "{absent:#?}");
    let both = job.run(StageName::Validate, opened, &[]);
    assert_eq!((both.code, both.output("result")), (0, "done"), "{both:#?}");
}

#[test]
fn the_job_check_needs_no_more_than_to_read_contents() {
    let mut job = Job::new(73, &rendering());
    job.runner.install_helm("exit 0");
    let number = job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let dispatch = |payload: Value| ("repository_dispatch", json!({ "action": "chartflow-validate", "client_payload": payload, "repository": repository() }));
    for event in [job.pull("opened", number), dispatch(json!({ "pull": number })), dispatch(json!({})), by_hand()] {
        let check = job.check(StageName::Validate, event.clone());
        let found: Vec<Value> = check.json("checks")["results"].as_object().unwrap().values().cloned().collect();
        assert!(check.code == 0 && found == [json!({ "chart": "app", "success": true, "text": "" })], "{event:?}: {check:#?}");
    }
    // Somebody else's event: closed without a merge.
    let mut closed = job.pull("closed", number);
    closed.1["pull_request"]["merged"] = json!(false);
    let check = job.check(StageName::Validate, closed);
    assert!(check.code == 0 && check.output("checks") == r#"{"helm":"v4.0.0","results":{}}"#, "{check:#?}");
}

/// Everything there is to see but GitHub's own test merges, which it makes when somebody looks at a pull request.
fn state(world: &World) -> String {
    let fingerprint = world.fingerprint();
    let (refs, rest) = fingerprint.split_once('\n').unwrap();
    let kept = refs.trim_matches(['[', ']']).split("), (").filter(|part| !(part.contains("refs/pull/") && part.contains("/merge\"")));
    format!("{}\n{rest}", kept.map(|part| part.trim_matches(['(', ')'])).collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_dry_run_plans_and_changes_nothing() {
    let mut job = Job::new(74, CONFIGURATION);
    let number = job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let before = state(&job.world);
    let plan = job.run(StageName::Validate, job.pull("opened", number), &[("dry-run", "True")]);
    assert_eq!(
        (plan.code, plan.output("result"), &plan.json("plan")["dryRun"], &plan.json("plan")["complete"]),
        (0, "done", &json!(true), &json!(true)),
        "{plan:#?}"
    );
    assert!(plan.output("plan").contains("chartflow/validate is success") && plan.summary.contains("A dry run"), "{plan:#?}");
    assert_eq!(state(&job.world), before);

    job.run(StageName::Validate, job.pull("opened", number), &[]);
    assert!(job.world.merge(number, MergeMethod::Merge), "{}", job.world.told());
    for _ in 0..12 {
        for stage in StageName::ALL {
            let before = state(&job.world);
            let plan = job.run(stage, by_hand(), &[("dry-run", "true")]);
            assert_eq!(state(&job.world), before, "{stage} has changed something");
            assert_eq!(plan.code, 0, "{stage}: {plan:#?}");
            if stage == StageName::Reconcile {
                continue;
            }
            let done = job.run(stage, by_hand(), &[]);
            let does =
                |ran: &Ran| ran.json("plan")["steps"].as_array().unwrap().iter().map(|step| step["does"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
            // As far as the plan says that it sees, it is what is then done; statements are posted only in earnest, and
            // behind a merge there may be more.
            let (planned, did) = (does(&plan), does(&done));
            let merged = planned.iter().position(|step| step == "merge a pull request").unwrap_or(planned.len());
            let same = planned.iter().take(merged).filter(|step| *step != "post an attestation");
            let did: Vec<&String> = did.iter().filter(|step| *step != "post an attestation").collect();
            for (index, step) in same.enumerate() {
                assert_eq!(did.get(index).map(|step| step.as_str()), Some(step.as_str()), "{stage}: planned {planned:?}, did {did:?}");
            }
        }
        job.world.release();
    }
    assert_eq!(job.world.version("release", "app").or(job.world.version("main", "app")).as_deref(), Some("1.1.0"));
}

#[test]
fn a_missing_permission_is_named_with_the_line_to_add() {
    let mut job = Job::new(75, CONFIGURATION);
    let number = job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    for missing in [Permission::Statuses, Permission::Contents] {
        let mut permissions = Verb::Stage(StageName::Validate).permissions();
        permissions.remove(&missing);
        let event = job.pull("opened", number);
        let inputs = [("signing-key", job.pem.as_str())];
        let ran = job.runner.step(&job.world, Verb::Stage(StageName::Validate), event, &inputs, Some(permissions));
        let line = format!("%0Apermissions:%0A  {}: write", missing.workflow_key());
        assert!(ran.code == 2 && ran.log.contains("the token lacks") && ran.log.contains(&line), "{missing:?}: {ran:#?}");
    }
}

#[test]
fn hostile_titles_and_branches_are_text() {
    let mut job = Job::new(76, CONFIGURATION);
    let number = job.world.contribute(&[NewCommit::new("app", "no conventional commit ::error::x\n\n::set-output name=result::pwned").value("more: 1")]);
    let mut event = job.pull("opened", number);
    event.1["pull_request"]["title"] = json!("::add-mask::a\n::stop-commands::x %0A ##[error]y");
    event.1["pull_request"]["head"]["ref"] = json!("x::error::y");
    let ran = job.run(StageName::Validate, event, &[]);
    assert!(ran.code == 1 && ran.output("result") == "refused", "{ran:#?}");
    let commands: Vec<&str> = ran.log.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    let ours = |line: &&str| {
        ["::add-mask::", "::error title=", "::group::", "::endgroup::", "::notice ", "::stop-commands::stop_", "::stop_"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    assert!(commands.iter().all(ours), "{commands:#?}");
    for file in ["[".repeat(100_000), "null".to_owned(), "{".to_owned()] {
        let deep: Value = Value::String(file.clone());
        let ran = job.runner.step(&job.world, Verb::Stage(StageName::Tag), ("push", deep), &[("signing-key", &job.pem)], None);
        assert!(ran.code == 2 && ran.log.contains("is not a JSON object"), "{ran:#?}");
    }
}

#[test]
fn the_tools_beside_the_train() {
    let mut job = Job::new(77, &format!("{CONFIGURATION}  outside:\n    scan: {{workflow: .github/workflows/scan.yml}}\n"));
    let number = job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let event = job.pull("opened", number);
    let detect = job.runner.step(&job.world, Verb::Detect, event.clone(), &[], None);
    assert_eq!((detect.code, detect.output("count")), (0, "1"), "{detect:#?}");
    assert_eq!(detect.output("matrix"), r#"{"include":[{"chart":"app","path":"charts/app"}]}"#);
    let dependents = job.runner.step(&job.world, Verb::Detect, by_hand(), &[("base", "integration"), ("head", "main"), ("dependents", "true")], None);
    assert_eq!((dependents.code, dependents.output("result"), dependents.output("count")), (0, "nothing to do", "0"), "{dependents:#?}");
    let unknown = job.runner.step(&job.world, Verb::Detect, by_hand(), &[("base", "nowhere")], None);
    assert!(unknown.code == 2 && unknown.log.contains("name a branch, a tag"), "{unknown:#?}");

    let mut inputs = vec![("check", "scan"), ("result", "passed"), ("path", "charts/app/"), ("signing-key", job.pem.as_str())];
    let attest = job.runner.step(&job.world, Verb::Attest, event.clone(), &inputs, None);
    assert_eq!((attest.code, attest.output("result")), (0, "done"), "{attest:#?}");
    assert!(attest.output("attestation-id").starts_with("sha256:") && attest.summary.starts_with("# chartflow attest: done"), "{attest:#?}");
    inputs[0].1 = "other";
    let refused = job.runner.step(&job.world, Verb::Attest, event, &inputs, None);
    assert!(refused.code == 1 && refused.log.contains("attest/unknown-check"), "{refused:#?}");

    let rulesets = job.runner.step(&job.world, Verb::Rulesets, by_hand(), &[("app-id", "424242")], None);
    assert_eq!((rulesets.code, rulesets.output("drift")), (0, "false"), "{rulesets:#?}");
    let others = job.runner.step(&job.world, Verb::Rulesets, by_hand(), &[], None);
    assert_eq!((others.code, others.output("result")), (1, "refused"), "{others:#?}");
}
