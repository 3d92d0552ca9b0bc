use std::process::Command;
use std::sync::Arc;

use chartflow_core::port::transport::{Body, Method, Request, Transport as _, TransportError};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::world::{APP, World};
use crate::github::in_process::InProcess;
use crate::github::server::Server;

async fn exchange(server: &Server, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(server.url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_is_served_on_loopback() {
    let world = World::new();
    let server = Server::start(Arc::clone(&world.hub), 0).await.unwrap();
    let get = |path: &str, token: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n");
    let answer = exchange(&server, &get("/repos/acme/charts/git/ref/heads/main", APP)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&world.rev("main")) && answer.contains(&server.url()), "{answer}");
    assert!(exchange(&server, &get("/api/v3/repos/acme/charts", APP)).await.starts_with("HTTP/1.1 200"));
    assert!(exchange(&server, &get("/repos/acme/charts", "wrong")).await.starts_with("HTTP/1.1 401"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_repository_is_cloned_by_git_and_not_pushed_to() {
    let world = World::new();
    let server = Server::start(Arc::clone(&world.hub), 0).await.unwrap();
    let url = format!("{}/acme/charts.git", server.url());
    let dir = world.dir.path().to_owned();
    let git = move |arguments: Vec<String>| {
        let dir = dir.clone();
        async move {
            tokio::task::spawn_blocking(move || {
                let output =
                    Command::new("git").current_dir(&dir).args(&arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env_remove("http_proxy").output().unwrap();
                (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
            })
            .await
            .unwrap()
        }
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (cloned, said) = git(words(&format!("clone -q {url} clone"))).await;
    assert!(cloned, "{said}");
    assert_eq!(std::fs::read_to_string(world.dir.path().join("clone/README.md")).unwrap(), "hello\n");
    let (fetched, said) = git(words(&format!("-C clone fetch -q origin {}", world.rev("main")))).await;
    assert!(fetched, "{said}");
    let (pushed, said) = git(words("-C clone push -q origin HEAD:refs/heads/x")).await;
    assert!(!pushed && said.contains("403"), "{said}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_client_s_transport_needs_no_socket() {
    let world = World::new();
    let transport = InProcess::new(Arc::clone(&world.hub), APP);
    let request = |method, target: &str, body, limit| Request { method, target: target.to_owned(), accept: "application/vnd.github+json", body, limit };
    let blob = json!({"content": "hello\n"});
    let made = transport.send(request(Method::Post, "/repos/acme/charts/git/blobs", Body::Json(blob), 1 << 20)).await.unwrap();
    assert_eq!(made.status, 201);
    let absolute = format!("{}/repos/acme/charts", world.hub.base_url());
    assert_eq!(transport.send(request(Method::Get, &absolute, Body::Empty, 1 << 20)).await.unwrap().status, 200);
    let long = transport.send(request(Method::Get, "/repos/acme/charts", Body::Empty, 10)).await.unwrap_err();
    assert!(matches!(long, TransportError::TooLong { limit: 10, .. }));
    let elsewhere = transport.send(request(Method::Get, "https://example.com/x", Body::Empty, 10)).await.unwrap_err();
    assert!(matches!(elsewhere, TransportError::Unreachable { .. }));
    assert_eq!(world.hub.counts()["app"].operations["git/create-blob"], 1);
}
