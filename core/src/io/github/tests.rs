//! Over real sockets, against a server that plays back answers.

use std::sync::Mutex as StdMutex;
use std::time::UNIX_EPOCH;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// One answer of the scripted server; `None` closes the connection without one.
type Answer = Option<String>;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Some(format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len()))
}

struct Scripted {
    base: String,
    requests: Arc<StdMutex<Vec<String>>>,
}

impl Scripted {
    async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<StdMutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let request = read_request(&mut socket).await;
                seen.lock().unwrap().push(request);
                if let Some(answer) = answer {
                    socket.write_all(answer.as_bytes()).await.unwrap();
                    socket.shutdown().await.ok();
                }
            }
        });
        Self { base, requests }
    }

    fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(socket: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(|value| value.parse::<usize>().unwrap())).unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        assert!(read > 0, "the request ended early: {text}");
    }
}

/// A clock that only sleeping moves.
#[derive(Default)]
struct FakeClock {
    slept: StdMutex<Vec<Duration>>,
}

impl FakeClock {
    fn slept(&self) -> Vec<u64> {
        self.slept.lock().unwrap().iter().map(Duration::as_secs).collect()
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1000) + self.slept.lock().unwrap().iter().sum::<Duration>()
    }

    async fn sleep(&self, duration: Duration) {
        self.slept.lock().unwrap().push(duration);
    }
}

struct Case {
    server: Scripted,
    clock: Arc<FakeClock>,
    said: Arc<StdMutex<Vec<String>>>,
    transport: OctocrabTransport,
}

async fn case(answers: Vec<Answer>) -> Case {
    let server = Scripted::start(answers).await;
    let clock = Arc::new(FakeClock::default());
    let said: Arc<StdMutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&said);
    let mut options = Options::new(Server::new(&server.base).unwrap(), Some(Secret::new("ghs_secret")));
    options.clock = Arc::<FakeClock>::clone(&clock);
    options.on_wait = Arc::new(move |wait| heard.lock().unwrap().push(wait.to_string()));
    Case { server, clock, said, transport: OctocrabTransport::new(options).unwrap() }
}

fn request(method: Method, target: &str) -> Request {
    Request { method, target: target.to_owned(), accept: "application/vnd.github+json", body: Body::Empty, limit: 1000 }
}

fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source()).map(|cause| format!(": {cause}"));
    format!("{error}{}", causes.collect::<String>())
}

#[tokio::test]
async fn what_is_sent() {
    let case = case(vec![answer(200, &[("X-Some", "Value")], "{}"), answer(201, &[], "")]).await;
    let response = case.transport.send(request(Method::Get, "/repos/o/r/git/ref/heads%2Fmain?x=1")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.headers["x-some"].as_str()), (200, b"{}".as_slice(), "Value"));
    let body = Body::Json(serde_json::json!({"ref": "refs/heads/x"}));
    case.transport.send(Request { body, ..request(Method::Post, "/repos/o/r/git/refs") }).await.unwrap();
    let seen = case.server.seen();
    let lower = seen[0].to_lowercase();
    assert!(seen[0].starts_with("GET /repos/o/r/git/ref/heads%2Fmain?x=1 HTTP/1.1\r\n"), "{}", seen[0]);
    for header in [
        "authorization: bearer ghs_secret",
        "accept: application/vnd.github+json",
        "x-github-api-version: 2022-11-28",
        concat!("user-agent: chartflow/", env!("CARGO_PKG_VERSION")),
    ] {
        assert_eq!(lower.matches(header).count(), 1, "{header} in {lower}");
        assert_eq!(lower.matches(header.split(':').next().unwrap()).count(), 1, "{header} in {lower}");
    }
    assert!(seen[1].ends_with("\r\n\r\n{\"ref\":\"refs/heads/x\"}") && seen[1].to_lowercase().contains("content-type: application/json"), "{}", seen[1]);
    assert_eq!((case.transport.counter().total(), case.transport.counter().creating()), (2, 1));
    assert!(!format!("{:?}", case.transport).contains("ghs_secret"));
}

#[tokio::test]
async fn uploads_go_to_the_url_the_server_named() {
    let case = case(vec![answer(201, &[], "{}")]).await;
    let body = Body::Bytes { content_type: "application/gzip".to_owned(), bytes: b"bytes".to_vec() };
    let target = format!("{}/uploads/repos/o/r/releases/1/assets?name=a%2B1.tgz", case.server.base);
    case.transport.send(Request { body, ..request(Method::Post, &target) }).await.unwrap();
    let seen = case.server.seen().remove(0);
    assert!(seen.starts_with("POST /uploads/repos/o/r/releases/1/assets?name=a%2B1.tgz HTTP/1.1\r\n") && seen.ends_with("\r\n\r\nbytes"), "{seen}");
    assert!(seen.to_lowercase().contains("content-type: application/gzip") && seen.contains("ghs_secret"));
    assert_eq!(case.transport.counter().creating(), 1);
}

#[tokio::test]
async fn credentials_stay_with_the_server() {
    let case = case(vec![]).await;
    let elsewhere = Scripted::start(vec![answer(200, &[], "asset")]).await;
    let response = case.transport.send(request(Method::Get, &format!("{}/asset", elsewhere.base))).await.unwrap();
    assert_eq!(response.body, b"asset");
    assert!(!elsewhere.seen()[0].to_lowercase().contains("authorization"));
    let error = case.transport.send(request(Method::Post, "https://example.com/x")).await.unwrap_err();
    insta::assert_snapshot!(told(&error), @"POST https://example.com/x: no answer from the server: example.com is not the GitHub server that was asked for, so nothing is sent there");
    assert_eq!(case.transport.counter().total(), 0, "what goes elsewhere is no request to this server");
}

#[tokio::test]
async fn a_redirect_elsewhere_loses_the_credentials() {
    let elsewhere = Scripted::start(vec![answer(200, &[], "asset")]).await;
    let case = case(vec![answer(302, &[("location", &format!("{}/signed", elsewhere.base))], "")]).await;
    let response = case.transport.send(request(Method::Get, "/repos/o/r/releases/assets/1")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"asset".as_slice()));
    assert!(!elsewhere.seen()[0].to_lowercase().contains("authorization"), "{}", elsewhere.seen()[0]);
}

#[tokio::test]
async fn redirects_are_followed_for_reading_alone() {
    let moved = || answer(301, &[("location", "/repositories/1")], "moved");
    let get = case(vec![moved(), answer(200, &[], "here")]).await;
    assert_eq!(get.transport.send(request(Method::Get, "/repos/o/old")).await.unwrap().body, b"here");
    assert!(get.server.seen()[1].starts_with("GET /repositories/1 HTTP/1.1") && get.server.seen()[1].contains("ghs_secret"));
    let post = case(vec![moved()]).await;
    assert_eq!(post.transport.send(request(Method::Post, "/repos/o/old/git/refs")).await.unwrap().status, 301);
    let circle = case((0..6).map(|_| moved()).collect()).await;
    assert_eq!(circle.transport.send(request(Method::Get, "/x")).await.unwrap().status, 301);
    let from = "https://api.github.com/x".parse().unwrap();
    let to = |location: &str| {
        redirect(&from, &Response { status: 302, headers: BTreeMap::from([("location".to_owned(), location.to_owned())]), body: vec![] })
            .map(|uri| uri.to_string())
    };
    assert_eq!(to("https://objects.example/x?y").as_deref(), Some("https://objects.example/x?y"));
    for refused in ["http://api.github.com/x", "//evil.example/x", "x", "ftp://a/b", ""] {
        assert_eq!(to(refused), None, "{refused}");
    }
}

#[tokio::test]
async fn rate_limits_are_waited_out() {
    let limited = answer(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1030")], "");
    let case = case(vec![limited, answer(429, &[("retry-after", "5")], ""), answer(201, &[], "")]).await;
    let response = case.transport.send(request(Method::Post, "/repos/o/r/git/refs")).await.unwrap();
    assert_eq!((response.status, case.clock.slept()), (201, vec![31, 5]));
    insta::assert_snapshot!(case.said.lock().unwrap().join("\n"), @"
    GitHub's rate limit is reached (POST /repos/o/r/git/refs); trying again in 31 s, at 1970-01-01T00:17:11Z
    GitHub's rate limit is reached (POST /repos/o/r/git/refs); trying again in 5 s, at 1970-01-01T00:17:16Z
    ");
    assert_eq!(case.transport.counter().total(), 3);
}

#[tokio::test]
async fn patience_ends() {
    let case = case(vec![answer(429, &[("retry-after", "600")], "first"), answer(429, &[("retry-after", "600")], "second")]).await;
    let response = case.transport.send(request(Method::Get, "/x")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice(), case.clock.slept()), (429, b"second".as_slice(), vec![600]));
}

#[tokio::test]
async fn only_reading_is_repeated() {
    let broken = || answer(502, &[], "");
    let get = case(vec![broken(), None, answer(200, &[], "")]).await;
    assert_eq!(get.transport.send(request(Method::Get, "/x")).await.unwrap().status, 200);
    assert_eq!(get.clock.slept(), [1, 2]);
    let never = case(vec![broken(), broken(), broken(), broken()]).await;
    assert_eq!(never.transport.send(request(Method::Get, "/x")).await.unwrap().status, 502);
    assert_eq!(never.clock.slept(), [1, 2, 4]);
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let once = case(vec![broken()]).await;
        assert_eq!(once.transport.send(request(method, "/x")).await.unwrap().status, 502);
        let lost = case(vec![None]).await;
        assert!(
            told(&lost.transport.send(request(method, "/x")).await.unwrap_err()).starts_with(&format!("{} /x: no answer from the server: ", method.as_str()))
        );
        assert_eq!((once.transport.counter().total(), lost.transport.counter().total(), lost.clock.slept().len()), (1, 1, 0));
    }
}

#[tokio::test]
async fn long_answers_are_refused_while_they_come() {
    let exact = case(vec![answer(200, &[], &"x".repeat(1000))]).await;
    assert_eq!(exact.transport.send(request(Method::Get, "/x")).await.unwrap().body.len(), 1000);
    // More is announced than ever comes: it is refused at what has come.
    let endless = format!("HTTP/1.1 200 X\r\ncontent-length: 99999999\r\n\r\n{}", "x".repeat(5000));
    let long = case(vec![Some(endless)]).await;
    insta::assert_snapshot!(told(&long.transport.send(request(Method::Get, "/x")).await.unwrap_err()), @"GET /x: the answer is longer than 1000 bytes");
    assert_eq!(long.transport.counter().total(), 1);
}

#[tokio::test]
async fn writes_are_spaced_elsewhere_than_here() {
    let here = case(vec![answer(201, &[], ""), answer(201, &[], "")]).await;
    for _ in 0..2 {
        here.transport.send(request(Method::Post, "/x")).await.unwrap();
    }
    assert_eq!(here.clock.slept().len(), 0);
    // Nobody listens at this address; that a write was tried is enough for the next to wait.
    let clock = Arc::new(FakeClock::default());
    let mut options = Options::new(Server::new("https://api.chartflow.invalid").unwrap(), None);
    options.clock = Arc::<FakeClock>::clone(&clock);
    let transport = OctocrabTransport::new(options).unwrap();
    for _ in 0..3 {
        assert!(transport.send(request(Method::Post, "/x")).await.is_err());
    }
    assert_eq!(clock.slept(), [1, 1]);
}

#[tokio::test]
async fn tokens_that_cannot_be_sent() {
    let options = Options::new(Server::new("http://127.0.0.1:1").unwrap(), Some(Secret::new("a\nb")));
    assert!(matches!(OctocrabTransport::new(options), Err(SetupError::Token)));
}

#[tokio::test]
async fn a_private_authority_is_believed_where_it_is_named() {
    use crate::io::tls::tests::{Private, compiled_in};
    let private = Private::start("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    let get = async |roots: &Roots| {
        let server = Server::new(&format!("https://{}/api/v3", private.host)).unwrap();
        let options = Options { clock: Arc::new(FakeClock::default()), ..Options::new(server, None) };
        OctocrabTransport::believing(options, roots).unwrap().send(request(Method::Get, "/repos/o/r")).await
    };
    assert_eq!(get(&private.roots()).await.unwrap().status, 200);
    let refused = format!("{:?}", get(&compiled_in()).await.unwrap_err());
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}
