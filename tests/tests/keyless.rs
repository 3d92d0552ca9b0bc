//! Signing as a workflow run with real services: Fulcio, a timestamp authority, a Rekor log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

mod needs_fulcio {
    mod needs_timestamp_server {
        use std::sync::{Arc, Mutex};

        use chartflow_core::domain::lineage::bundle::{Anchor, Line};
        use chartflow_core::domain::policy::{DEFAULT_BRANCH_EVENTS, Policy, Profile, SignerRule};
        use chartflow_core::io::github::SystemClock;
        use chartflow_core::io::signing::keyless::{Ambient, KeylessSigner, Services};
        use chartflow_core::port::signer::Signer as _;
        use chartflow_tests::identities::{Identity, Station};
        use chartflow_tests::people::NewCommit;
        use chartflow_tests::rest::Counting;
        use chartflow_tests::sigstore::{Provider, Sigstore, WORKFLOW};
        use chartflow_tests::world::causes;
        use sigstore_trust_root::TrustedRoot;

        const PAYLOAD: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"https://example.com/x","subject":[{"digest":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"name":"x"}]}"#;

        fn signer(sigstore: &Sigstore) -> (KeylessSigner, Arc<Mutex<Vec<String>>>) {
            signer_at(sigstore, sigstore.provider.ambient(), sigstore.services())
        }

        fn signer_at(_: &Sigstore, ambient: Ambient, services: Services) -> (KeylessSigner, Arc<Mutex<Vec<String>>>) {
            let masked: Arc<Mutex<Vec<String>>> = Arc::default();
            let seen = Arc::clone(&masked);
            let on_secret = Arc::new(move |secret: &chartflow_core::io::secret::Secret| seen.lock().unwrap().push(secret.expose().to_owned()));
            let signer = KeylessSigner::new(ambient, services, WORKFLOW, Arc::new(SystemClock), on_secret).unwrap();
            (signer, masked)
        }

        fn root(sigstore: &Sigstore) -> TrustedRoot {
            TrustedRoot::from_json(&sigstore.trusted_root()).unwrap()
        }

        fn workflow_signs(policy: &mut Policy, issuer: &str) {
            policy.profile = Profile::Github;
            policy.issuer = Some(issuer.to_owned());
            policy.server = Some("https://github.com".to_owned());
            policy.repository.owner_id = Some(2001);
            policy.keys.clear();
            policy.epochs[0].signer = Some(SignerRule {
                uri: "https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml".to_owned(),
                reference: "refs/heads/main".to_owned(),
                environment: Some("chartflow".to_owned()),
                runner: Some("github-hosted".to_owned()),
                triggers: DEFAULT_BRANCH_EVENTS.map(str::to_owned).to_vec(),
                digests: Vec::new(),
                caller: None,
            });
        }

        #[test]
        #[ignore = "needs fulcio and timestamp-server"]
        fn a_train_is_signed_by_its_workflow() {
            let sigstore = Sigstore::start();
            let mut station = Station::new(Identity::App);
            let (signer, masked) = signer(&sigstore);
            station.world.sign_with(Arc::new(signer), |policy| workflow_signs(policy, sigstore.provider.issuer()), Some(sigstore.trusted_root()));
            station.world.contribute(&[NewCommit::new("app", "feat(app): more").value("more: 1")]);
            station.settle();
            assert_eq!(station.world.check(Counting::ExactlyOnce), 1, "{}", station.world.told());
            assert_eq!(station.world.verify("app", "1.1.0"), Ok(8), "{}", station.world.told());
            assert_eq!(sigstore.provider.asked(), 1, "one certificate serves what is signed within five minutes");
            assert_eq!(masked.lock().unwrap().len(), 1);
            // The same lineage under a policy that expects another workflow.
            let (other, _) = self::signer(&sigstore);
            let change =
                |policy: &mut Policy| policy.epochs[0].signer.as_mut().unwrap().uri = "https://github.com/acme/charts/.github/workflows/other.yml".to_owned();
            station.world.sign_with(Arc::new(other), change, Some(sigstore.trusted_root()));
            let refused = station.world.verify("app", "1.1.0").unwrap_err();
            assert!(refused.contains("SignerIdentity"), "{refused}");
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "needs fulcio and timestamp-server"]
        async fn what_is_signed_is_bound_to_its_services() {
            let elsewhere = root(&Sigstore::start());
            let sigstore = Sigstore::start();
            let (signer, masked) = signer(&sigstore);
            let line = signer.sign(PAYLOAD).await.unwrap();
            assert!(!format!("{signer:?}{line}").contains(&masked.lock().unwrap()[0]), "the identity token is nowhere");
            let read = Line::read(&line).unwrap();
            let verified = read.verify(&Anchor::github(&root(&sigstore), sigstore.provider.issuer()).unwrap()).unwrap();
            assert_eq!(verified.identity.to_string(), format!("https://github.com/{WORKFLOW}"));
            assert!(verified.time.is_some());
            assert!(read.verify(&Anchor::github(&root(&sigstore), "https://token.actions.githubusercontent.com").unwrap()).is_err(), "another issuer");
            assert!(read.verify(&Anchor::public(&root(&sigstore), sigstore.provider.issuer()).unwrap()).is_err(), "it is not logged");
            assert!(read.verify(&Anchor::github(&elsewhere, sigstore.provider.issuer()).unwrap()).is_err(), "another instance");
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "needs fulcio and timestamp-server"]
        async fn services_that_refuse() {
            let sigstore = Sigstore::start();
            let say = async |ambient: Ambient, services: Services| {
                let (signer, _) = signer_at(&sigstore, ambient, services);
                causes(&signer.sign(PAYLOAD).await.unwrap_err())
            };
            let issuer = sigstore.provider.issuer();
            let wrong = Ambient::new(Some(&format!("{issuer}/token?api-version=2.0")), Some("wrong")).unwrap();
            let told = say(wrong, sigstore.services()).await;
            assert!(told.contains("the identity provider of the workflow run answered 401"), "{told}");
            // Its tokens are not believed by a Fulcio that does not know it.
            let other = Provider::start();
            let told = say(other.ambient(), sigstore.services()).await;
            assert!(told.contains("Fulcio at http://127.0.0.1:") && told.contains("failed"), "{told}");
            let nobody = Services { timestamps: "http://127.0.0.1:1/api/v1/timestamp".to_owned(), ..sigstore.services() };
            let told = say(sigstore.provider.ambient(), nobody).await;
            assert!(told.contains("the timestamp authority at http://127.0.0.1:1/api/v1/timestamp failed"), "{told}");
        }

        mod needs_rekor {
            use super::*;

            #[test]
            #[ignore = "needs fulcio, timestamp-server and rekor"]
            fn a_public_train_is_logged() {
                let sigstore = Sigstore::public();
                let mut station = Station::new(Identity::WorkflowToken);
                let (signer, _) = signer(&sigstore);
                let change = |policy: &mut Policy| {
                    workflow_signs(policy, sigstore.provider.issuer());
                    policy.profile = Profile::Public;
                };
                station.world.sign_with(Arc::new(signer), change, Some(sigstore.trusted_root()));
                station.world.contribute(&[NewCommit::new("app", "feat(app): more").value("more: 1")]);
                station.settle();
                station.schedule();
                station.settle();
                assert_eq!(station.world.check(Counting::ExactlyOnce), 1, "{}", station.world.told());
                assert_eq!(station.world.verify("app", "1.1.0"), Ok(8), "{}", station.world.told());
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs fulcio, timestamp-server and rekor"]
            async fn signatures_are_entered_in_the_log() {
                let sigstore = Sigstore::public();
                let (signer, _) = signer(&sigstore);
                let line = signer.sign(PAYLOAD).await.unwrap();
                let read = Line::read(&line).unwrap();
                assert_eq!(read.payload(), PAYLOAD);
                let verified = read.verify(&Anchor::public(&root(&sigstore), sigstore.provider.issuer()).unwrap()).unwrap();
                assert_eq!(verified.identity.to_string(), format!("https://github.com/{WORKFLOW}"));
                // With any one of the two logs unknown it is refused.
                for log in ["tlogs", "ctlogs"] {
                    let mut less: serde_json::Value = serde_json::from_str(&sigstore.trusted_root()).unwrap();
                    less[log] = serde_json::json!([]);
                    let less = TrustedRoot::from_json(&less.to_string()).unwrap();
                    let refused = Anchor::public(&less, sigstore.provider.issuer()).and_then(|anchor| read.verify(&anchor));
                    assert!(refused.is_err(), "without {log}");
                }
            }
        }
    }
}
