//! Actions that sign as their workflow runs, with a Sigstore of one's own that `.chartflow.yaml` names: a real Fulcio and
//! timestamp authority.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

mod needs_fulcio {
    mod needs_timestamp_server {
        use std::collections::BTreeMap;

        use chartflow_core::action::Verb;
        use chartflow_core::domain::event::StageName;
        use chartflow_core::domain::lineage::bundle::key_id;
        use chartflow_core::domain::policy::{Key, OutsideCheck, Policy, Profile};
        use chartflow_core::domain::ruleset::Mode;
        use chartflow_core::domain::statement::Stage;
        use chartflow_core::flow::listing;
        use chartflow_core::io::git::ready;
        use chartflow_core::io::signing::KeySigner;
        use chartflow_sandbox::github::rules::MergeMethod;
        use chartflow_tests::charts::CONFIGURATION;
        use chartflow_tests::people::NewCommit;
        use chartflow_tests::runner::{Ran, Runner, repository};
        use chartflow_tests::sigstore::{Provider, ROOT_PATH, Sigstore};
        use chartflow_tests::world::World;
        use serde_json::{Value, json};

        const SCAN: &str = ".github/workflows/scan.yml";
        const CALLED: &str = "chartflow/chartflow/.github/workflows";

        struct Job<'a> {
            provider: &'a Provider,
            world: World,
            runner: Runner,
            /// Whether main's files only call the workflows that sign.
            reusable: bool,
        }

        fn by_hand() -> (&'static str, Value) {
            ("workflow_dispatch", json!({ "workflow": ".github/workflows/x.yml", "ref": "refs/heads/main", "repository": repository() }))
        }

        impl<'a> Job<'a> {
            fn new(seed: u64, provider: &'a Provider, sigstore: &str, root: String, more: &str) -> Self {
                let text = format!("{CONFIGURATION}  outside:\n    scan: {{workflow: {SCAN}}}\n{sigstore}{more}");
                let files = [(ROOT_PATH.to_owned(), root)];
                let world = World::founded(seed, &text, Mode::App { id: 424_242 }, &files);
                let mut runner = Runner::new(&world);
                runner.identity = provider.variables().to_vec();
                Self { provider, world, runner, reusable: more.contains("reusable-workflows") }
            }

            fn of(seed: u64, sigstore: &'a Sigstore, more: &str) -> Self {
                Self::new(seed, &sigstore.provider, &sigstore.configuration(), sigstore.trusted_root(), more)
            }

            fn stage(&self, stage: StageName, more: &[(&str, &str)]) -> Ran {
                self.provider.run_of(stage.workflow_path());
                if self.reusable {
                    self.provider.change(|claims| claims["job_workflow_ref"] = json!(format!("{CALLED}/{stage}.yml@refs/tags/v1")));
                }
                self.run(stage, more)
            }

            /// The same, as whatever run it is.
            fn run(&self, stage: StageName, more: &[(&str, &str)]) -> Ran {
                let registry = self.runner.registry();
                let inputs: Vec<_> = [("registry", registry.as_str())].into_iter().chain(more.iter().copied()).collect();
                self.runner.step(&self.world, Verb::Stage(stage), by_hand(), &inputs, None)
            }

            fn attest(&self, more: &[(&str, &str)]) -> Ran {
                let commit = self.world.tip("integration").unwrap().to_string();
                let inputs = [("check", "scan"), ("result", "passed"), ("path", "charts/app"), ("commit", commit.as_str())];
                let inputs: Vec<_> = inputs.into_iter().chain(more.iter().copied()).collect();
                self.runner.step(&self.world, Verb::Attest, by_hand(), &inputs, None)
            }

            /// A contribution that was validated and merged.
            fn contributed(&mut self) {
                let number = self.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
                done(&self.stage(StageName::Validate, &[]));
                assert!(self.world.merge(number, MergeMethod::Merge), "{}", self.world.told());
            }

            /// Nothing is promoted: a check is missing.
            fn waits(&mut self) {
                let waiting = self.stage(StageName::Filter, &[]);
                assert!(waiting.code == 0 && waiting.output("result") != "refused", "{waiting:#?}");
                assert!(self.world.pull_from("chartflow-promote-app").is_none(), "{}", self.world.told());
            }

            /// Every stage by hand, people merging what is green, until the registry has a version.
            fn ride(&mut self, more: &[(&str, &str)]) {
                for _ in 0..12 {
                    for stage in StageName::TRAIN {
                        let ran = self.stage(stage, more);
                        assert_eq!(ran.code, 0, "{stage}: {ran:#?}\n{}", self.world.told());
                        if stage == StageName::Publish && ran.output("result") == "done" {
                            return;
                        }
                    }
                    self.world.release();
                }
                panic!("nothing was published\n{}", self.world.told());
            }

            /// What the action `verify` says of the release with a policy and trusted root in its folder.
            fn verify(&self, policy: &Policy, root: &str) -> Ran {
                let release = self.world.root(&self.world.tip("release").unwrap());
                for file in ["charts/app-1.1.0.tgz", "charts/app-1.1.0.lineage.jsonl"] {
                    let bytes = ready(listing::file(&*self.world.objects, &release, file, 1 << 24)).unwrap().unwrap().unwrap();
                    self.runner.place(file, &bytes);
                }
                self.runner.place("trust/policy.json", &policy.to_json());
                self.runner.place("trust/trusted_root.json", root.as_bytes());
                self.runner.step(&self.world, Verb::Verify, by_hand(), &[("artifact", "charts/app-1.1.0.tgz"), ("trust", "trust")], None)
            }
        }

        fn done(ran: &Ran) {
            assert_eq!((ran.code, ran.output("result")), (0, "done"), "{ran:#?}");
        }

        /// What a stranger writes down whom to trust.
        fn policy(provider: &Provider) -> Policy {
            let required = ["artifact-hub", "schema", "commits", "changelog", "version", "layout"].map(str::to_owned).to_vec();
            let mut policy = Policy::for_public_repository("acme/charts".parse().unwrap(), required);
            policy.profile = Profile::Github;
            policy.issuer = Some(provider.issuer().to_owned());
            policy.repository.id = Some(1001);
            policy.trusted_root = Some("trusted_root.json".to_owned());
            let epoch = &mut policy.epochs[0];
            let mut scan = epoch.signer.clone().unwrap();
            scan.uri = format!("https://github.com/acme/charts/{SCAN}");
            scan.environment = None;
            epoch.checks.outside = BTreeMap::from([("scan".to_owned(), OutsideCheck { signer: Some(scan), ..OutsideCheck::default() })]);
            policy
        }

        #[test]
        #[ignore = "needs fulcio and timestamp-server"]
        fn a_contribution_rides_signed_by_the_runs_of_its_actions() {
            let sigstore = Sigstore::start();
            let mut job = Job::of(171, &sigstore, "");
            job.contributed();
            job.waits();

            // The scan's own workflow, which runs in no environment.
            job.provider.run_of(SCAN);
            job.provider.change(|claims| claims["environment"] = json!(""));
            done(&job.attest(&[]));
            job.ride(&[]);

            let policy = policy(&sigstore.provider);
            let verified = job.verify(&policy, &sigstore.trusted_root());
            assert_eq!((verified.code, verified.output("result"), verified.output("version")), (0, "verified", "1.1.0"), "{verified:#?}");
            let mut other = policy.clone();
            other.epochs[0].signer.as_mut().unwrap().uri = "https://github.com/acme/charts/.github/workflows/release.yml".to_owned();
            let refused = job.verify(&other, &sigstore.trusted_root());
            assert!(refused.code == 1 && refused.log.contains("signer/identity"), "{refused:#?}");
            let mut elsewhere = policy;
            elsewhere.trusted_root = None;
            let refused = job.verify(&elsewhere, "");
            assert!(refused.code == 1 && refused.log.contains("bundle/signature"), "{refused:#?}");
        }

        #[test]
        #[ignore = "needs fulcio and timestamp-server"]
        fn called_workflows_sign_and_an_outside_check_signs_by_its_key() {
            let sigstore = Sigstore::start();
            let mut job = Job::of(172, &sigstore, "reusable-workflows: chartflow/chartflow\n");
            job.contributed();
            let key = KeySigner::generate().unwrap();
            let pem = key.public_key_pem();
            let trusted = [("trusted-keys", pem.as_str())];
            done(&job.attest(&[("signing-key", &key.to_pkcs8_pem())]));
            // Whoever does not trust the key goes on waiting for the check.
            job.waits();
            job.ride(&trusted);

            let mut policy = policy(&sigstore.provider);
            let signer = policy.epochs[0].signer.as_mut().unwrap();
            signer.caller = Some(std::mem::replace(&mut signer.uri, format!("https://github.com/{CALLED}/{{stage}}.yml")));
            signer.digests = vec!["1".repeat(40)];
            policy.keys = vec![Key::new(key.public_key_der(), vec![Stage::Validate])];
            let scan = policy.epochs[0].checks.outside.get_mut("scan").unwrap();
            (scan.keys, scan.signer) = (vec![key_id(key.public_key_der())], None);
            let verified = job.verify(&policy, &sigstore.trusted_root());
            assert_eq!((verified.code, verified.output("result"), verified.output("version")), (0, "verified", "1.1.0"), "{verified:#?}");
            // Workflows of another commit than those the policy names.
            policy.epochs[0].signer.as_mut().unwrap().digests = vec!["2".repeat(40)];
            let refused = job.verify(&policy, &sigstore.trusted_root());
            assert!(refused.code == 1 && refused.log.contains("signer/digest"), "{refused:#?}");
        }

        #[test]
        #[ignore = "needs fulcio and timestamp-server"]
        fn a_run_whose_statements_would_not_count_writes_nothing() {
            let sigstore = Sigstore::start();
            let mut job = Job::of(173, &sigstore, "");
            job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
            let before = job.world.fingerprint();
            let cases = [
                ("runner_environment", "self-hosted", "(runner_environment) is \"self-hosted\", not \"github-hosted\""),
                ("environment", "production", "(environment) is \"production\", not \"chartflow\""),
                ("ref", "refs/heads/x", "(ref) is \"refs/heads/x\", not \"refs/heads/main\""),
                ("job_workflow_ref", "acme/charts/.github/workflows/x.yml@refs/heads/main", "(job_workflow_ref) is"),
                ("job_workflow_ref", "chartflow/chartflow/.github/workflows/validate.yml@refs/tags/v1", "reusable-workflows: chartflow/chartflow"),
                ("event_name", "pull_request", "(event_name) is \"pull_request\""),
            ];
            for (claim, value, told) in cases {
                job.provider.run_of(StageName::Validate.workflow_path());
                job.provider.change(|claims| claims[claim] = json!(value));
                let ran = job.run(StageName::Validate, &[]);
                assert!(ran.code == 2 && ran.log.contains("counts for nobody") && ran.log.contains(told), "{claim} {value}: {ran:#?}");
                assert_eq!(job.world.fingerprint(), before, "{claim} {value}");
            }
            // The workflow of a stage may not attest, and the other way round.
            job.provider.run_of(StageName::Validate.workflow_path());
            let ran = job.attest(&[]);
            assert!(ran.code == 2 && ran.log.contains("checks: {outside: {scan: {workflow:"), "{ran:#?}");
            assert_eq!(job.world.fingerprint(), before);
            // Nothing is signed, so no identity is asked for.
            let asked = job.provider.asked();
            job.runner.identity.clear();
            let planned = job.run(StageName::Validate, &[("dry-run", "true")]);
            assert!(planned.code == 0 && planned.output("plan").contains("\"dryRun\":true"), "{planned:#?}");
            let mut refs = job.world.fingerprint();
            // GitHub itself makes this one when somebody looks whether the pull request can be merged.
            if let Some(at) = refs.find(", (\"refs/pull/1/merge\"") {
                let end = at + refs[at..].find("\")").unwrap() + 2;
                refs.replace_range(at..end, "");
            }
            assert_eq!((job.provider.asked(), refs), (asked, before));
            let before = job.world.fingerprint();
            let without = job.run(StageName::Validate, &[]);
            assert!(without.code == 2 && without.log.contains("id-token: write"), "{without:#?}");
            assert_eq!(job.world.fingerprint(), before);
        }

        #[test]
        #[ignore = "needs fulcio and timestamp-server"]
        fn services_that_the_trusted_root_does_not_know_sign_nothing_that_is_kept() {
            let elsewhere = Sigstore::start().trusted_root();
            let sigstore = Sigstore::start();
            let mut job = Job::new(174, &sigstore.provider, &sigstore.configuration(), elsewhere, "");
            job.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
            let store = job.world.reference("refs/chartflow/attestations");
            let ran = job.stage(StageName::Validate, &[]);
            assert!(ran.code == 3 && ran.log.contains("does not count under this repository"), "{ran:#?}");
            assert_eq!(job.world.reference("refs/chartflow/attestations"), store);
            let elsewhere = sigstore.configuration().replace(ROOT_PATH, ".github/other.json");
            let job = Job::new(176, &sigstore.provider, &elsewhere, String::new(), "");
            let ran = job.stage(StageName::Validate, &[]);
            assert!(ran.code == 2 && ran.log.contains(".github/other.json, which the configuration names, is not on main"), "{ran:#?}");
        }
    }
}
