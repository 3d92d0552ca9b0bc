//! Every action in its container, as GitHub's runner starts it, against the embedded GitHub.
//!
//! `scripts/test` builds the image, names it in CHARTFLOW_IMAGE and runs these.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod needs_docker {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::time::Duration;

    use chartflow_core::domain::event::{Access, Job, Permission, Permissions, StageName, job_permissions, jobs};
    use chartflow_core::domain::ruleset::Mode;
    use chartflow_core::port::transport::Method;
    use chartflow_sandbox::github::actor::{Actor, Caller, Role, TokenKind};
    use chartflow_tests::container::{Ended, Step, UNTIL_SIGTERM};
    use chartflow_tests::gate::Gate;
    use chartflow_tests::yard::{ADMIN, CONTRIBUTOR, Due, FEATURE, Yard, git};
    use serde_json::{Value, json};

    /// A step of a job of a stage, with the token such a job gets.
    fn step(yard: &Yard, due: &Due, job: Job) -> Step {
        let stage = due.start.stage;
        let token = yard.token(&job_permissions(stage, job, Mode::WorkflowToken));
        yard.step(stage.as_str()).event(due.started.event.name(), &yard.document(&due.started.event)).token(&token)
    }

    /// The workflow of a stage: the jobs it has, one after the other.
    fn workflow(yard: &Yard, due: &Due) -> Ended {
        let mut act = step(yard, due, Job::Act).with("signing-key", &yard.signing_key());
        if jobs(due.start.stage).contains(&Job::Check) {
            let checked = step(yard, due, Job::Check).with("job", "check").run();
            assert_eq!(checked.code, 0, "{}", checked.text);
            act = act.with("job", "sign").with("checks", &checked.outputs["checks"]);
        }
        act.run()
    }

    fn contributed() -> (Yard, Due) {
        let yard = Yard::new();
        yard.contribute();
        let due = yard.due();
        assert_eq!(due.iter().map(|due| due.start.stage).collect::<Vec<_>>(), [StageName::Validate]);
        let due = due.into_iter().next().unwrap();
        (yard, due)
    }

    fn actions() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../actions");
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names.len(), 13, "{names:?}");
        names
    }

    #[test]
    #[ignore = "runs containers"]
    fn the_whole_train() {
        let yard = Yard::new();
        yard.contribute();
        let mut ran = BTreeSet::new();
        yard.settle(&mut |due| {
            let ended = workflow(&yard, due);
            assert!(ended.code == 0 && !ended.result().is_empty(), "{}: {}", due.start.stage, ended.text);
            assert_eq!(
                (ended.log.others.as_slice(), ended.state.len(), ended.environment.len(), ended.path.as_str()),
                ([].as_slice(), 0, 0, ""),
                "{}",
                ended.text
            );
            assert!(ended.summary.starts_with('#'), "{}", ended.summary);
            ran.insert(due.start.stage);
        });
        assert_eq!(ran.len(), StageName::ALL.len() - 1, "{ran:?}");
        let released = yard.released();
        assert_eq!(released.iter().map(|one| one.chart.as_str()).collect::<Vec<_>>(), ["cache", "ticker"]);
        let (summary, rehearsed) = yard.rehearsed();
        assert_eq!((summary.result, rehearsed.as_slice()), ("released", released.as_slice()), "a rehearsal of the same contribution");
        verified(&yard);
        let token = yard.token(&job_permissions(StageName::Reconcile, Job::Act, Mode::WorkflowToken));
        let again = yard.step("reconcile").event("schedule", &json!({"schedule": "17 */3 * * *"})).token(&token).with("signing-key", &yard.signing_key()).run();
        assert_eq!(again.result(), "nothing to do", "{}", again.text);
        assert!(again.is_gone());
    }

    /// The action `verify` accepts what was released, and nothing that differs from it by a byte.
    fn verified(yard: &Yard) {
        for one in yard.released() {
            let name = format!("{}-{}", one.chart, one.version);
            let (package, lineage) = (yard.file("release", &format!("charts/{name}.tgz")), yard.file("release", &format!("charts/{name}.lineage.jsonl")));
            let verify = |package: &[u8]| {
                yard.step("verify")
                    .file("a.tgz", package)
                    .file("a.lineage.jsonl", &lineage)
                    .file("trust/policy.json", &yard.policy())
                    .with("artifact", "a.tgz")
                    .with("trust", "trust")
                    .run()
            };
            let ended = verify(&package);
            assert_eq!(
                (ended.result(), ended.outputs["chart"].as_str(), ended.outputs["version"].as_str()),
                ("verified", one.chart.as_str(), one.version.as_str())
            );
            let mut other = package.clone();
            *other.last_mut().unwrap() ^= 1;
            let ended = verify(&other);
            assert_eq!((ended.code, ended.outputs["result"].as_str()), (1, "refused"), "{}", ended.text);
        }
    }

    #[test]
    #[ignore = "runs containers"]
    fn tools_beside_the_train() {
        let yard = Yard::with("checks:\n  outside:\n    scan: {workflow: .github/workflows/scan.yml}\n");
        yard.contribute();
        let due = yard.due().into_iter().next().unwrap();
        let reads = Permissions::from([(Permission::Contents, Access::Read)]);
        let event = yard.document(&due.started.event);
        let detected = yard.step("detect").event("pull_request_target", &event).token(&yard.token(&reads)).run();
        assert_eq!(detected.result(), "done");
        let matrix = json!({"include": [{"chart": "cache", "path": "charts/cache"}, {"chart": "ticker", "path": "charts/ticker"}]});
        assert_eq!((detected.json("matrix"), detected.outputs["count"].as_str()), (matrix, "2"));
        let writes = Permissions::from([(Permission::Contents, Access::Write), (Permission::Attestations, Access::Write)]);
        let attesting = |check: &str| {
            let step = yard.step("attest").event("pull_request_target", &event).token(&yard.token(&writes)).with("signing-key", &yard.signing_key());
            step.with("check", check).with("result", "passed").with("path", "charts/ticker")
        };
        let attest = |check: &str| attesting(check).run();
        cancelled_in_silence(attesting("scan"));
        cancelled_in_silence(yard.step("detect").event("pull_request_target", &event).token("x"));
        assert_eq!(attest("scan").result(), "done");
        assert!(yard.hub.reference("refs/chartflow/attestations").is_some());
        let unknown = attest("scam");
        assert!(unknown.code != 0 && unknown.text.contains("scam"), "{}", unknown.text);
        let actor = Actor { login: ADMIN.to_owned(), id: 1, name: ADMIN.to_owned(), email: String::new(), role: Role::Admin, app: None };
        yard.hub.issue_token("of-ada", Caller { actor, kind: TokenKind::Person, label: ADMIN.to_owned(), permissions: None });
        let rules = yard.step("rulesets").token("of-ada").with("app-id", "424242").run();
        assert_eq!((rules.result(), rules.outputs["drift"].as_str()), ("nothing to do", "false"), "{}", rules.text);
        let others = yard.step("rulesets").token("of-ada").run();
        assert_eq!((others.code, others.outputs["drift"].as_str()), (1, "true"), "{}", others.text);
    }

    #[test]
    #[ignore = "runs containers"]
    fn bad_input_is_named() {
        let (yard, due) = contributed();
        let before = yard.hub.counts();
        for action in actions() {
            let mandatory: &[(&str, &str)] = match action.as_str() {
                "attest" => &[("check", "scan"), ("result", "passed"), ("path", "charts/ticker")],
                "verify" => &[("artifact", "a.tgz")],
                _ => &[],
            };
            let step = yard.step(&action).token("x").with("no-such-input", "1");
            let ended = mandatory.iter().fold(step, |step, (name, value)| step.with(name, value)).run();
            assert_eq!(ended.code, 2, "{action}: {}", ended.text);
            let errors = ended.log.messages("error").join("\n");
            assert!(errors.contains("no-such-input") && errors.contains(&action), "{action}: {errors}");
        }
        for (input, value) in [("dry-run", "perhaps"), ("app-id", "chartflow"), ("signing-key", "no key")] {
            let ended = step(&yard, &due, Job::Act).with("signing-key", &yard.signing_key()).with(input, value).run();
            assert_eq!(ended.code, 2, "{input}: {}", ended.text);
            assert!(ended.log.messages("error").join("\n").contains(input), "{input}: {}", ended.text);
        }
        assert!(!step(&yard, &due, Job::Act).with("signing-key", "a secret").run().text.replace("::add-mask::a secret", "").contains("a secret"));
        assert_eq!(yard.hub.counts(), before, "nothing was asked of GitHub");
    }

    #[test]
    #[ignore = "runs containers"]
    fn a_missing_permission_is_named() {
        let whole = job_permissions(StageName::Validate, Job::Act, Mode::WorkflowToken);
        for permission in [Permission::Statuses, Permission::PullRequests, Permission::Contents] {
            let (yard, due) = contributed();
            let mut permissions = whole.clone();
            permissions.insert(permission, Access::Read);
            let step = step(&yard, &due, Job::Act).token(&yard.token(&permissions)).with("signing-key", &yard.signing_key());
            let ended = step.run();
            let key = permission.workflow_key();
            assert!(ended.code != 0, "{key}: {}", ended.text);
            let errors = ended.log.messages("error").join("\n");
            assert!(errors.contains(&format!("{key}: write")) && errors.contains("permissions:"), "{key}: {errors}");
            assert_eq!(workflow(&yard, &due).result(), "done", "and then it is there");
        }
        let (yard, due) = contributed();
        let ended = step(&yard, &due, Job::Act).token("ghs_of-nobody").with("signing-key", &yard.signing_key()).run();
        assert!(ended.code != 0 && ended.text.contains("token"), "{}", ended.text);
    }

    #[test]
    #[ignore = "runs containers"]
    fn each_stage_goes_on_after_it_was_cancelled_and_refused() {
        let yard = Yard::new();
        yard.contribute();
        let (mut ran, mut refused) = (BTreeSet::new(), BTreeSet::new());
        yard.settle(&mut |due| {
            let stage = due.start.stage;
            if ran.insert(stage) {
                let act = || step(&yard, due, Job::Act).with("signing-key", &yard.signing_key());
                cancelled_in_silence(act());
                let ended = act().token(&yard.token(&Permissions::new())).run();
                let errors = ended.log.messages("error").join("\n");
                if ended.code != 0 && errors.contains("permissions:") {
                    refused.insert(stage);
                }
            }
            let ended = workflow(&yard, due);
            assert_eq!(ended.code, 0, "{stage}: {}", ended.text);
        });
        assert_eq!(ran.len(), StageName::ALL.len() - 1, "{ran:?}");
        assert_eq!(refused, ran, "each names what it lacks");
        assert_eq!(yard.released(), yard.rehearsed().1);
        let schedule = json!({"schedule": "17 */3 * * *"});
        cancelled_in_silence(yard.step("reconcile").event("schedule", &schedule).token("x").with("signing-key", &yard.signing_key()));
        cancelled_in_silence(yard.step("rulesets").token("x").with("app-id", "424242"));
    }

    /// A server that takes every connection and never answers.
    fn cancelled_in_silence(step: Step) {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let running = step.variable("GITHUB_API_URL", &format!("http://{}", silent.local_addr().unwrap())).start();
        let (_held, _) = silent.accept().unwrap();
        let (took, ended) = running.cancel();
        assert!(took < UNTIL_SIGTERM, "it ended after {took:?}, before it would be told again");
        assert_ne!(ended.code, 0, "{}", ended.text);
        assert!(ended.text.contains("SIGINT") && ended.is_gone(), "{}", ended.text);
    }

    #[test]
    #[ignore = "runs containers"]
    fn cancelled_in_the_middle() {
        let (yard, due) = contributed();
        assert_eq!(workflow(&yard, &due).result(), "done");
        assert!(yard.act());
        let filter = yard.due().into_iter().next().unwrap();
        for writes in [0, 3, 6] {
            let gate = Gate::new(&yard.url(), writes);
            let running = step(&yard, &filter, Job::Act).with("signing-key", &yard.signing_key()).variable("GITHUB_API_URL", &gate.url()).start();
            assert!(gate.waits(Duration::from_secs(60)), "it came to its write {}", writes + 1);
            let (took, ended) = running.cancel();
            assert!(took < UNTIL_SIGTERM && ended.code == 130, "{took:?} {}", ended.text);
            assert!(ended.text.contains("SIGINT") && ended.is_gone(), "{}", ended.text);
        }
        // The next run goes on from there.
        assert_eq!(workflow(&yard, &filter).result(), "done");
        yard.settle(&mut |due| assert_eq!(workflow(&yard, due).code, 0));
        assert_eq!(yard.released(), yard.rehearsed().1);
    }

    #[test]
    #[ignore = "runs containers"]
    fn huge_events() {
        let (yard, due) = contributed();
        let act = || step(&yard, &due, Job::Act).with("signing-key", &yard.signing_key());
        let mut document = yard.document(&due.started.event);
        document["pull_request"]["title"] = Value::from("x".repeat(20 << 20));
        document["pull_request"]["body"] = Value::from("::set-output name=result::x\n".repeat(1 << 16));
        let ended = act().event("pull_request_target", &document).run();
        assert_eq!(ended.result(), "done");
        let ended = act().raw_event("pull_request_target", vec![b' '; 26 << 20]).run();
        assert!(ended.code == 2 && ended.log.messages("error").join("\n").contains("event"), "{}", ended.text);
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(act().raw_event("pull_request_target", deep.into_bytes()).run().code, 2);
    }

    /// The contribution's content as one commit of somebody. Written as it is: git takes punctuation off names.
    fn rewritten(yard: &Yard, author: &str, message: &str) -> String {
        let directory = yard.hub.git_directory();
        let line = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
        let tree = line(git(directory, &["rev-parse", &format!("{}^{{tree}}", yard.head)], b""));
        let person = format!("{author} <a@example.com> 1767222000 +0000");
        let commit = format!("tree {tree}\nparent {}\nauthor {person}\ncommitter {person}\n\n{message}\n", yard.base);
        line(git(directory, &["hash-object", "-t", "commit", "-w", "--stdin"], commit.as_bytes()))
    }

    #[test]
    #[ignore = "runs containers"]
    fn hostile_branches_and_titles() {
        let yard = Yard::new();
        let branch = "f/$(id)`id`;'&&{{.}}%0A#";
        let title = "feat: \u{202e}::set-output name=result::x %0A::add-mask::a <img src=x> ${{ github.token }} `$(id)` | \" --> \\";
        let named = |whom: &str| format!("::add-mask::a {whom} $(id) [x](y) | %0A::set-env name=X::y");
        let message = format!("{title}\n\n::set-env name=of-the-body::y\n<img src=x>\n\nCo-authored-by: {} <b@example.com>", named("helper"));
        let head = rewritten(&yard, &named("author"), &message);
        let number = yard.offer(branch, &head, title);
        let due = yard.due().into_iter().next().unwrap();
        let mut document = yard.document(&due.started.event);
        // GitHub sends no line breaks in titles; whoever writes the file may.
        document["pull_request"]["title"] = Value::from(format!("{title}\n::set-env name=X::y\n::stop-commands::t\n"));
        let checked = step(&yard, &due, Job::Check).with("job", "check").event("pull_request_target", &document).run();
        let act = step(&yard, &due, Job::Act).event("pull_request_target", &document).with("signing-key", &yard.signing_key());
        let ended = act.with("job", "sign").with("checks", &checked.outputs["checks"]).run();
        assert_eq!(ended.result(), "done");
        assert!(yard.green(&head, "chartflow/validate"), "{}", ended.text);
        let harmless = |ended: &Ended| {
            assert_eq!(ended.log.others, [""; 0], "{}", ended.text);
            assert!(!ended.log.masked.iter().any(|masked| masked == "a" || masked.starts_with("a ")), "{}", ended.text);
            assert!(ended.environment.is_empty() && !ended.summary.contains("<img"), "{}", ended.summary);
        };
        harmless(&checked);
        harmless(&ended);
        let pull = yard.call(CONTRIBUTOR, Method::Get, &format!("/pulls/{number}"), &Value::Null);
        assert!(pull["title"] == title && pull["head"]["ref"] == branch && !pull["body"].as_str().unwrap().contains("<img"), "{pull}");
        assert_ne!(branch, FEATURE.0);
        // The stages after it read the same from what was merged.
        yard.settle(&mut |due| {
            let ended = workflow(&yard, due);
            assert_eq!(ended.code, 0, "{}: {}", due.start.stage, ended.text);
            harmless(&ended);
        });
        assert_eq!(yard.released().len(), 2);
        // It did come there.
        for chart in ["cache", "ticker"] {
            let changelog = String::from_utf8(yard.file("main", &format!("charts/{chart}/CHANGELOG.md"))).unwrap();
            assert!(changelog.contains("set-output") && changelog.contains("author") && changelog.contains("helper"), "{changelog}");
            assert!(!changelog.contains("<img") && !changelog.contains("[x](y)"), "{changelog}");
        }
    }
}
