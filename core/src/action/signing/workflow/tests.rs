use super::*;
use crate::domain::lineage::bundle::key_id;
use crate::io::signing::KeySigner;
use crate::io::signing::keyless::RunClaims;
use std::collections::BTreeMap;

fn environment(server: &str) -> Environment {
    let variables = [("GITHUB_REPOSITORY", "acme/charts"), ("GITHUB_SERVER_URL", server)];
    let variables: BTreeMap<String, String> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Environment::read(&variables).unwrap()
}

fn read(text: &str) -> Configuration {
    Configuration::read(text.as_bytes()).unwrap()
}

const OWN: &str = "sigstore: {fulcio-url: https://f.example, timestamp-server-url: https://t.example/x, trusted-root: .github/root.json}\n";

fn chosen(server: &str, private: bool, configuration: &str) -> String {
    let environment = environment(server);
    let branch = BranchName::new("main").unwrap();
    let site = Site { environment: &environment, id: 7, branch: &branch, private };
    match profile(&site, &read(configuration)) {
        Ok(profile) => format!("{profile:?}"),
        Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
    }
}

#[test]
fn what_is_private_is_logged_nowhere() {
    let github = "https://github.com";
    assert_eq!(chosen(github, false, ""), "Public");
    assert_eq!(chosen(github, true, ""), "Github");
    assert_eq!(chosen(github, false, "profile: public"), "Public");
    assert_eq!(chosen(github, false, "profile: github"), "Github");
    assert_eq!(chosen(github, true, "profile: github"), "Github");
    insta::assert_snapshot!(chosen(github, true, "profile: public"), @r"
    the configuration says `profile: public`, and the repository is not public: its name, workflows and every signature would stand in logs that everybody reads and nobody can erase
    take `profile` out of .chartflow.yaml, or write `profile: github`, which logs nothing
    ");
    insta::assert_snapshot!(chosen(github, false, "profile: key"), @r"
    there is no signing-key, and the configuration says `profile: key`
    or hand in signing-key: ${{ secrets.CHARTFLOW_SIGNING_KEY }}; an empty one means that the secret is not set
    ");
}

#[test]
fn servers_without_services_that_are_known() {
    insta::assert_snapshot!(chosen("https://ghe.example", true, ""), @r"
    there is no signing-key, and runs on https://ghe.example have no signing services that are known
    hand in signing-key: ${{ secrets.CHARTFLOW_SIGNING_KEY }}; an empty one means that the secret is not set; or name a Sigstore that knows the server in .chartflow.yaml (`sigstore`)
    ");
    insta::assert_snapshot!(chosen("https://octo.ghe.com", true, "profile: github"), @r"
    there is no signing-key, and runs on https://octo.ghe.com have no signing services that are known
    name the services of octo.ghe.com in .chartflow.yaml, and bring their trusted root, a line of what `gh attestation trusted-root --hostname octo.ghe.com` prints:
    sigstore:
      fulcio-url: https://fulcio.octo.ghe.com
      timestamp-server-url: https://timestamp.octo.ghe.com/api/v1/timestamp
      oidc-issuer: https://token.actions.octo.ghe.com
      trusted-root: .github/sigstore/trusted_root.json
    or hand in signing-key: ${{ secrets.CHARTFLOW_SIGNING_KEY }}; an empty one means that the secret is not set
    ");
    assert_eq!(chosen("https://octo.ghe.com", true, OWN), "Github");
    assert_eq!(chosen("https://ghe.example", true, &OWN.replace("{fulcio", "{rekor-url: https://r.example, fulcio")), "Public");
}

#[test]
fn the_services_of_the_configuration_are_used() {
    let own = services(Profile::Github, &read(OWN));
    assert_eq!((own.fulcio.as_str(), own.timestamps.as_str(), own.log), ("https://f.example", "https://t.example/x", None));
    assert_eq!(services(Profile::Github, &read("")), Services::github());
    assert_eq!(services(Profile::Public, &read("")), Services::public());
}

/// The rules by a configuration, as the policy file of a verifier would hold them.
fn rules(configuration: &str, keys: &[Vec<u8>]) -> Policy {
    let environment = environment("https://github.com");
    let branch = BranchName::new("trunk").unwrap();
    policy(&Site { environment: &environment, id: 7, branch: &branch, private: true }, Profile::Github, &read(configuration), keys)
}

#[test]
fn the_workflow_files_of_the_default_branch_count() {
    let policy = rules("environment: signing", &[]);
    let signer = policy.epochs[0].signer.as_ref().unwrap();
    assert_eq!((policy.profile, policy.repository.id), (Profile::Github, Some(7)));
    assert_eq!(signer.uri, "https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml");
    assert_eq!((signer.reference.as_str(), signer.environment.as_deref(), &signer.caller), ("refs/heads/trunk", Some("signing"), &None));
}

/// What is told of a run that differs from one that is in order.
fn told(configuration: &str, purpose: &Purpose, change: impl FnOnce(&mut RunClaims)) -> String {
    let workflow = Some("acme/charts/.github/workflows/chartflow-tag.yml@refs/heads/trunk".to_owned());
    let mut claims = RunClaims {
        iss: "https://token.actions.githubusercontent.com".to_owned(),
        job_workflow_ref: workflow.clone(),
        job_workflow_sha: Some("1".repeat(40)),
        workflow_ref: workflow,
        repository: Some("acme/charts".to_owned()),
        repository_id: Some("7".to_owned()),
        repository_owner_id: Some("9".to_owned()),
        reference: Some("refs/heads/trunk".to_owned()),
        event_name: Some("push".to_owned()),
        runner_environment: Some("github-hosted".to_owned()),
        environment: Some("chartflow".to_owned()),
    };
    change(&mut claims);
    match identity::check(&claims, "https://github.com", purpose, &rules(configuration, &[])) {
        Ok(()) => "counts".to_owned(),
        Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
    }
}

#[test]
fn a_run_whose_statements_would_not_count_says_which_claim_and_what_to_do() {
    let train = |change: fn(&mut RunClaims)| told("", &Purpose::Train, change);
    assert_eq!(train(|_| {}), "counts");
    insta::assert_snapshot!(train(|claims| claims.runner_environment = Some("self-hosted".to_owned())), @r#"
    what this run would sign counts for nobody: its runner (runner_environment) is "self-hosted", not "github-hosted"
    run the job on a runner of GitHub's own (`runs-on: ubuntu-latest`), or sign with a key (`profile: key`)
    "#);
    insta::assert_snapshot!(train(|claims| claims.environment = None), @r#"
    what this run would sign counts for nobody: it has no environment (environment), which must be "chartflow"
    add `environment: chartflow` to the job, or name the job's own in .chartflow.yaml (`environment`)
    "#);
    insta::assert_snapshot!(train(|claims| claims.environment = Some("production".to_owned())), @r#"
    what this run would sign counts for nobody: its environment (environment) is "production", not "chartflow"
    add `environment: chartflow` to the job, or name the job's own in .chartflow.yaml (`environment`)
    "#);
    insta::assert_snapshot!(train(|claims| {
        claims.reference = Some("refs/heads/feature".to_owned());
        claims.job_workflow_ref = Some("acme/charts/.github/workflows/chartflow-tag.yml@refs/heads/feature".to_owned());
    }), @r#"
    what this run would sign counts for nobody: its workflow (job_workflow_ref) is "https://github.com/acme/charts/.github/workflows/chartflow-tag.yml@refs/heads/feature", not one of https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml@refs/heads/trunk; its ref (ref) is "refs/heads/feature", not "refs/heads/trunk"
    run this action in the workflow files that `chartflow init` writes, as they are on trunk; let an event start it that reads the workflow file of trunk: pull_request_target, push, repository_dispatch, schedule, workflow_dispatch
    "#);
    insta::assert_snapshot!(train(|claims| claims.job_workflow_ref = Some("acme/charts/.github/workflows/release.yml@refs/heads/trunk".to_owned())), @r#"
    what this run would sign counts for nobody: its workflow (job_workflow_ref) is "https://github.com/acme/charts/.github/workflows/release.yml@refs/heads/trunk", not one of https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml@refs/heads/trunk
    run this action in the workflow files that `chartflow init` writes, as they are on trunk
    "#);
    insta::assert_snapshot!(train(|claims| claims.job_workflow_ref = Some("chartflow/chartflow/.github/workflows/tag.yml@refs/tags/v1".to_owned())), @r#"
    what this run would sign counts for nobody: its workflow (job_workflow_ref) is "https://github.com/chartflow/chartflow/.github/workflows/tag.yml@refs/tags/v1", not one of https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml@refs/heads/trunk
    where the workflow files of trunk call those of chartflow/chartflow, say so in .chartflow.yaml: `reusable-workflows: chartflow/chartflow`
    "#);
    insta::assert_snapshot!(train(|claims| claims.event_name = Some("pull_request".to_owned())), @r#"
    what this run would sign counts for nobody: its trigger (event_name) is "pull_request", not one of pull_request_target, push, repository_dispatch, schedule, workflow_dispatch
    let an event start it that reads the workflow file of trunk: pull_request_target, push, repository_dispatch, schedule, workflow_dispatch
    "#);
    insta::assert_snapshot!(train(|claims| claims.iss = "https://token.actions.githubusercontent.com/acme".to_owned()), @r#"
    what this run would sign counts for nobody: its identity tokens come from "https://token.actions.githubusercontent.com/acme" (iss), not from "https://token.actions.githubusercontent.com"
    name the issuer in .chartflow.yaml: `sigstore: {oidc-issuer: ...}`, beside a Sigstore that knows it
    "#);
    insta::assert_snapshot!(train(|claims| claims.repository_id = Some("8".to_owned())), @r#"what this run would sign counts for nobody: its repository id (repository_id) is "8", not "7""#);
}

#[test]
fn a_run_of_the_called_workflows_signs_where_the_configuration_names_them() {
    const CALLED: &str = "reusable-workflows: chartflow/chartflow";
    let called = |claims: &mut RunClaims| claims.job_workflow_ref = Some("chartflow/chartflow/.github/workflows/tag.yml@refs/tags/v1".to_owned());
    assert_eq!(told(CALLED, &Purpose::Train, called), "counts");
    insta::assert_snapshot!(told(CALLED, &Purpose::Train, |_| {}), @r#"
    what this run would sign counts for nobody: its workflow (job_workflow_ref) is "https://github.com/acme/charts/.github/workflows/chartflow-tag.yml@refs/heads/trunk", not one of https://github.com/chartflow/chartflow/.github/workflows/{stage}.yml
    call the workflows that .chartflow.yaml names, as `chartflow init --reusable` writes it, or take `reusable-workflows` out
    "#);
    insta::assert_snapshot!(told(CALLED, &Purpose::Train, |claims| {
        called(claims);
        claims.workflow_ref = Some("acme/charts/.github/workflows/mine.yml@refs/heads/trunk".to_owned());
    }), @r#"
    what this run would sign counts for nobody: its calling workflow (workflow_ref) is "https://github.com/acme/charts/.github/workflows/mine.yml@refs/heads/trunk", not one of https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml@refs/heads/trunk
    run this action in the workflow files that `chartflow init` writes, as they are on trunk
    "#);
    let policy = rules(CALLED, &[]);
    let signer = policy.epochs[0].signer.as_ref().unwrap();
    assert_eq!(signer.caller.as_deref(), Some("https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml"));
    let environment = environment("https://github.com");
    assert_eq!(files(&environment, &read(CALLED)), signer.uri, "what statements name as their maker");
    assert_eq!(files(&environment, &read("")), "https://github.com/acme/charts/.github/workflows/chartflow-{stage}.yml");
}

const SCAN: &str = "checks: {outside: {scan: {workflow: .github/workflows/scan.yml, ref: refs/heads/integration}}}";

#[test]
fn the_workflow_of_an_outside_check_signs_for_it_alone() {
    let scan = Purpose::Check("scan".to_owned());
    let by = |claims: &mut RunClaims| {
        claims.job_workflow_ref = Some("acme/charts/.github/workflows/scan.yml@refs/heads/integration".to_owned());
        claims.reference = Some("refs/heads/integration".to_owned());
        claims.environment = None;
    };
    assert_eq!(told(SCAN, &scan, by), "counts");
    assert_eq!(told(&format!("{SCAN}\nreusable-workflows: chartflow/chartflow"), &scan, by), "counts", "its own file is called by nobody");
    assert_eq!(told(SCAN, &Purpose::Check("other".to_owned()), by), "counts", "the stage refuses a check that nobody knows");
    insta::assert_snapshot!(told(SCAN, &scan, |_| {}), @r#"
    what this run would sign counts for nobody: its workflow (job_workflow_ref) is "https://github.com/acme/charts/.github/workflows/chartflow-tag.yml@refs/heads/trunk", not "https://github.com/acme/charts/.github/workflows/scan.yml@refs/heads/integration"; its ref (ref) is "refs/heads/trunk", not "refs/heads/integration"
    name the workflow file that attests it in .chartflow.yaml on integration: `checks: {outside: {scan: {workflow: .github/workflows/FILE}}}`; let an event start it that reads the workflow file of integration: pull_request_target, push, repository_dispatch, schedule, workflow_dispatch
    "#);
    assert_ne!(told(SCAN, &Purpose::Train, by), "counts");
}

#[test]
fn trusted_keys_sign_outside_checks_whose_age_does_not_matter() {
    let key = KeySigner::generate().unwrap();
    let spki = vec![key.public_key_der().to_vec()];
    let policy = rules(&SCAN.replace("{scan:", "{old: {workflow: .github/workflows/x.yml, max-age: 1d}, scan:"), &spki);
    let checks = &policy.epochs[0].checks.outside;
    assert_eq!((checks["scan"].keys.as_slice(), checks["old"].keys.as_slice()), ([key_id(&spki[0])].as_slice(), [].as_slice()));
    assert_eq!(Policy::read(&policy.to_json(), crate::domain::policy::Format::Json).unwrap(), policy, "a verifier can be given the same");
}

#[tokio::test]
async fn a_run_that_signs_nothing_needs_no_identity_and_reads_what_counts() {
    let environment = environment("https://github.com");
    let branch = BranchName::new("main").unwrap();
    let site = Site { environment: &environment, id: 7, branch: &branch, private: true };
    let run = Run { ambient: None, keys: Vec::new(), purpose: Purpose::Nothing, trusted_root: None };
    let signing = signing(run, &site, &Configuration::default(), Arc::new(|_| {})).await.unwrap();
    let policy = &signing.run.as_ref().unwrap().policy;
    assert_eq!(policy.profile, Profile::Github);
    assert!(signing.open()("{}").is_none());
}
