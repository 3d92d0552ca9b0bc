use chartflow_core::port::transport::Method::{Get, Post};
use serde_json::{Value, json};

use super::world::{APP, World};
use crate::github::limits::Fault;

fn header(response: &crate::github::http::ApiResponse, name: &str) -> String {
    response.headers.get(name).cloned().unwrap_or_default()
}

#[test]
fn a_limit_is_reached_and_passes() {
    let world = World::new();
    world.hub.limit_requests("app", 2);
    let ask = || world.call(APP, Get, "/git/ref/heads/main", None);
    assert_eq!((ask().status, ask().status), (200, 200));
    let refused = ask();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.value()["message"], "API rate limit exceeded for installation ID 77.");
    assert_eq!(header(&refused, "x-ratelimit-remaining"), "0");
    let reset: i64 = header(&refused, "x-ratelimit-reset").parse().unwrap();
    let now = world.hub.now();
    assert!(reset > now && reset <= now + 3600);
    world.hub.pass_time(3600);
    assert_eq!(ask().status, 200);
}

#[test]
fn headers_tell_the_usual_limit() {
    let world = World::new();
    let first = world.call(APP, Get, "/git/ref/heads/main", None);
    assert_eq!((header(&first, "x-ratelimit-limit"), header(&first, "x-ratelimit-used")), ("5000".to_owned(), "1".to_owned()));
}

#[test]
fn faults_strike_the_call_they_are_meant_for() {
    let world = World::new();
    let make = |name: &str| {
        world.hub.handle(
            &crate::github::http::ApiRequest::new(Post, "/repos/acme/charts/git/refs")
                .with_header("authorization", &format!("Bearer {APP}"))
                .with_json(&json!({"ref": format!("refs/heads/{name}"), "sha": world.rev("main")})),
        )
    };
    let before = world.hub.calls();
    world.hub.inject(2, Fault::Refuse { status: 500, message: "Server Error".to_owned() });
    world.hub.inject(3, Fault::LoseAnswer);
    world.hub.inject(4, Fault::SecondaryLimit { status: 403, retry_after: Some(7) });
    world.hub.inject(5, Fault::SecondaryLimit { status: 429, retry_after: None });
    let answers: Vec<_> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| make(name)).collect();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201, 500, 502, 403, 429, 201]);
    assert_eq!(world.hub.calls() - before, 6);
    let there: Vec<bool> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| !world.tip(name).is_empty()).collect();
    assert_eq!(there, [true, false, true, false, false, true], "a lost answer had its effect");
    assert_eq!(header(&answers[3], "retry-after"), "7");
    assert!(answers[3].value()["message"].as_str().unwrap().starts_with("You have exceeded a secondary rate limit"));
    assert_eq!((header(&answers[4], "retry-after"), world.answer(APP, Get, "/git/ref/heads/f", Value::Null)), (String::new(), "200".to_owned()));
}
