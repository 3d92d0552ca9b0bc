//! chartflow as a GitHub App, over sockets, against an App that verifies what it is shown.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use chartflow_core::domain::event::{Access, Permission, Permissions};
use chartflow_core::io::github::{AppError, AppKey, AppOptions, AppTransport, Clock as _, Options, Server as Address};
use chartflow_core::port::github::GitHub;
use chartflow_core::port::transport::Method::{Delete, Get, Post};
use chartflow_core::port::transport::Transport;
use serde_json::{Value, json};

use super::world::{ADMIN, JOB, World};
use crate::github::actor::Level;
use crate::github::apps::{App, Installed};
use crate::github::clock::HubClock;
use crate::github::http::ApiRequest;
use crate::github::server::Server;

/// A key in PEM, and its public half.
fn key() -> (String, Vec<u8>) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let digits = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    (format!("-----BEGIN PRIVATE KEY-----\n{digits}\n-----END PRIVATE KEY-----\n"), pair.public_key().as_ref().to_vec())
}

static OWN: LazyLock<(String, Vec<u8>)> = LazyLock::new(key);
static OTHER: LazyLock<(String, Vec<u8>)> = LazyLock::new(key);

fn app(permissions: &[(&str, Level)]) -> App {
    let permissions = permissions.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect();
    App {
        id: 4711,
        client_id: "Iv23liTheTrain".to_owned(),
        slug: "the-train".to_owned(),
        public_key: OWN.1.clone(),
        installation: Some(Installed { id: 88, permissions, suspended: false }),
    }
}

fn usual() -> App {
    app(&[("contents", Level::Write), ("pull_requests", Level::Write), ("statuses", Level::Read), ("metadata", Level::Read)])
}

/// A hub with the App, served, and how chartflow is set up for it.
async fn served(app: App) -> (World, Server, AppOptions, Arc<Mutex<Vec<String>>>) {
    let world = World::new().with_everybody(&["contents"]);
    world.hub.register_app(app);
    let server = Server::start(Arc::clone(&world.hub), 0).await.unwrap();
    let masked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&masked);
    let base = Options { clock: Arc::new(HubClock(Arc::clone(&world.hub))), ..Options::new(Address::new(&server.url()).unwrap(), None) };
    let options = AppOptions {
        base,
        app: "4711".to_owned(),
        key: AppKey::from_pem(&OWN.0).unwrap(),
        repository: "acme/charts".parse().unwrap(),
        permissions: Permissions::from([(Permission::Contents, Access::Write), (Permission::Statuses, Access::Read)]),
        on_secret: Arc::new(move |secret| seen.lock().unwrap().push(secret.expose().to_owned())),
    };
    (world, server, options, masked)
}

fn github(transport: &Arc<AppTransport>) -> GitHub {
    let transport: Arc<dyn Transport> = Arc::<AppTransport>::clone(transport);
    GitHub::new(transport, "acme/charts".parse().unwrap())
}

fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source()).map(|cause| format!(": {cause}"));
    format!("{error}{}", causes.collect::<String>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_can_do_what_was_declared_and_ends_with_the_run() {
    for id in ["4711", "Iv23liTheTrain"] {
        let (world, server, options, masked) = served(usual()).await;
        let transport = Arc::new(AppTransport::open(AppOptions { app: id.to_owned(), ..options }).await.unwrap());
        assert_eq!(transport.app_id(), 4711);
        let github = github(&transport);
        let main = world.rev("main").parse().unwrap();
        github.create_ref("heads/x", &world.rev("main")).await.unwrap();
        assert!(github.statuses(&main).await.unwrap().is_empty());
        // The installation may write pull requests; this token may not.
        let refused = github.list_pulls(&chartflow_core::port::github::PullFilter::default()).await.unwrap_err();
        assert!(refused.to_string().contains("403") && refused.to_string().contains("not accessible"), "{refused}");
        let secrets = masked.lock().unwrap().clone();
        assert_eq!(secrets.len(), 3, "each token signed by the App, and the one it was given");
        let token = secrets.last().unwrap().clone();
        assert_eq!(world.answer(&token, Get, "/branches", Value::Null), "200");
        assert!(!format!("{transport:?}").contains(&token), "secrets are not printed");
        transport.close().await.unwrap();
        transport.close().await.unwrap();
        assert_eq!(world.answer(&token, Get, "/branches", Value::Null), "401 Bad credentials", "it was taken back");
        assert!(told(&github.statuses(&main).await.unwrap_err()).contains("stopped before it was sent"), "nothing is sent afterwards");
        server.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_run_outlives_its_tokens() {
    let (world, server, options, masked) = served(usual()).await;
    let transport = Arc::new(AppTransport::open(options).await.unwrap());
    let github = github(&transport);
    let main = world.rev("main").parse().unwrap();
    for _ in 0..4 {
        assert!(github.statuses(&main).await.unwrap().is_empty());
        world.hub.pass_time(20 * 60);
    }
    // The second was asked for when the first had less than five minutes left, or none.
    let tokens: Vec<String> = masked.lock().unwrap().iter().filter(|secret| secret.starts_with("ghs_")).cloned().collect();
    assert_eq!(tokens.len(), 2);
    assert_eq!(world.answer(&tokens[0], Get, "/branches", Value::Null), "401 Bad credentials", "it has ended");
    assert_eq!(world.answer(&tokens[1], Get, "/branches", Value::Null), "200");
    transport.close().await.unwrap();
    assert_eq!(world.answer(&tokens[1], Get, "/branches", Value::Null), "401 Bad credentials");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_while_a_request_waits_is_renewed() {
    let (world, server, mut options, masked) = served(usual()).await;
    options.base.patience = Duration::from_secs(4000);
    let transport = Arc::new(AppTransport::open(options).await.unwrap());
    world.hub.limit_requests("installation 88", 2);
    let main = world.rev("main").parse().unwrap();
    for _ in 0..3 {
        assert!(github(&transport).statuses(&main).await.unwrap().is_empty());
    }
    assert_eq!(masked.lock().unwrap().iter().filter(|secret| secret.starts_with("ghs_")).count(), 2);
    transport.close().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_an_app_out() {
    let say = async |app: App, change: fn(&mut AppOptions)| {
        let (_world, server, mut options, masked) = served(app).await;
        change(&mut options);
        let refused = AppTransport::open(options).await.unwrap_err();
        let told = told(&refused).replace(&server.url(), "https://github.com");
        assert!(masked.lock().unwrap().iter().all(|secret| !told.contains(secret)));
        server.stop().await.unwrap();
        (refused, told)
    };
    let (error, told) = say(usual(), |options| options.key = AppKey::from_pem(&OTHER.0).unwrap()).await;
    assert!(matches!(error, AppError::Key { .. }));
    insta::assert_snapshot!(told, @"GitHub does not accept the private key of App 4711 (A JSON web token could not be decoded): use a key that is listed at the App's settings, General, Private keys; the clock of this machine must be right to a few minutes");
    let (_, told) = say(usual(), |options| options.app = "4712".to_owned()).await;
    insta::assert_snapshot!(told, @"GitHub knows no App 4712: the id stands at the App's settings, General, App ID");
    let (_, told) = say(App { installation: None, ..usual() }, |_| {}).await;
    insta::assert_snapshot!(told, @"App the-train is not installed on acme/charts: install it at https://github.com/apps/the-train/installations/new, and select the repository there");
    let (_, told) = say(usual(), |options| options.repository = "acme/other".parse().unwrap()).await;
    insta::assert_snapshot!(told, @"App the-train is not installed on acme/other: install it at https://github.com/apps/the-train/installations/new, and select the repository there");
    let mut suspended = usual();
    suspended.installation.as_mut().unwrap().suspended = true;
    let (_, told) = say(suspended, |_| {}).await;
    insta::assert_snapshot!(told, @"the installation of App the-train on acme/charts is suspended: its owner lifts that at https://github.com/organizations/acme/settings/installations/88");
    let (error, told) = say(app(&[("contents", Level::Read)]), |_| {}).await;
    assert!(matches!(error, AppError::Lacks { .. }));
    insta::assert_snapshot!(told, @r#"App the-train lacks contents: write and statuses: read on acme/charts: set Contents to "Read and write" and Commit statuses to "Read-only" at https://github.com/organizations/acme/settings/apps/the-train/permissions, then accept the change at https://github.com/organizations/acme/settings/installations/88"#);
}

/// A request with an App's own token: the status and GitHub's words.
fn ask(world: &World, jwt: &str, method: chartflow_core::port::transport::Method, path: &str, body: &Value) -> String {
    let mut request = ApiRequest::new(method, path).with_header("authorization", &format!("Bearer {jwt}"));
    if !body.is_null() {
        request = request.with_json(body);
    }
    let answer = world.hub.handle(&request);
    format!("{} {}", answer.status, answer.value()["message"].as_str().unwrap_or_default()).trim().to_owned()
}

#[test]
fn an_app_is_believed_by_its_signature_for_ten_minutes() {
    let world = World::new().with_everybody(&["contents"]);
    world.hub.register_app(usual());
    let now = HubClock(Arc::clone(&world.hub)).now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signed = |iat: u64, exp: u64, iss: &Value| {
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(OWN.0.as_bytes()).unwrap();
        jsonwebtoken::encode(&jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256), &json!({"iat": iat, "exp": exp, "iss": iss}), &key).unwrap()
    };
    let id = json!(4711);
    for (name, jwt, expected) in [
        ("as it should be", signed(now, now + 600, &id), "200"),
        ("by the client id", signed(now, now + 60, &json!("Iv23liTheTrain")), "200"),
        ("too long", signed(now, now + 601, &id), "401 'Expiration time' claim ('exp') is too far in the future"),
        (
            "over",
            signed(now - 700, now, &id),
            "401 'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ),
        (
            "of the future",
            signed(now + 1, now + 60, &id),
            "401 'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ),
        ("of nobody", signed(now, now + 60, &json!("4712")), "404 Integration not found"),
        ("unsigned", "eyJhbGciOiJub25lIn0.eyJpc3MiOiI0NzExIn0.".to_owned(), "401 A JSON web token could not be decoded"),
    ] {
        assert_eq!(ask(&world, &jwt, Get, "/app", &Value::Null), expected, "{name}");
    }
    let jwt = signed(now, now + 600, &id);
    assert_eq!(ask(&world, &jwt, Get, "/repos/acme/charts/branches", &Value::Null), "403 Resource not accessible by integration");
    assert_eq!(ask(&world, JOB, Get, "/app", &Value::Null), "401 A JSON web token could not be decoded");
    assert_eq!(ask(&world, ADMIN, Delete, "/installation/token", &Value::Null), "403 Resource not accessible by personal access token");
    let token = |body: Value| ask(&world, &jwt, Post, "/app/installations/88/access_tokens", &body);
    let foreign = "422 There is at least one repository that does not exist or is not accessible to the parent installation.";
    assert_eq!(token(json!({})), "201");
    assert_eq!(token(json!({"repository_ids": [1001], "permissions": {"contents": "read"}})), "201");
    assert_eq!(token(json!({"repositories": ["charts", "other"]})), foreign);
    assert_eq!(token(json!({"permissions": {"statuses": "write"}})), "422 The permissions requested are not granted to this installation.");
    assert_eq!(ask(&world, &jwt, Post, "/app/installations/89/access_tokens", &json!({})), "404 Not Found");
    let duration = Duration::from_secs(600);
    world.hub.pass_time(u32::try_from(duration.as_secs()).unwrap());
    assert!(ask(&world, &jwt, Get, "/app", &Value::Null).starts_with("401"), "it has ended");
}
