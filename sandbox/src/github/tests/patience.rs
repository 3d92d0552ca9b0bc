//! chartflow's client against the limits, over sockets, by the hub's clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chartflow_core::io::github::{OctocrabTransport, Options, Server as Address};
use chartflow_core::io::secret::Secret;
use chartflow_core::port::github::GitHub;

use super::world::{APP, World};
use crate::github::clock::HubClock;
use crate::github::limits::Fault;
use crate::github::server::Server;

struct Case {
    world: World,
    github: GitHub,
    said: Arc<Mutex<Vec<String>>>,
    _server: Server,
}

impl Case {
    async fn new(patience: Duration) -> Self {
        let world = World::new();
        let server = Server::start(Arc::clone(&world.hub), 0).await.unwrap();
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&said);
        let options = Options {
            clock: Arc::new(HubClock(Arc::clone(&world.hub))),
            on_wait: Arc::new(move |wait| heard.lock().unwrap().push(wait.to_string())),
            patience,
            ..Options::new(Address::new(&server.url()).unwrap(), Some(Secret::new(APP)))
        };
        let github = GitHub::new(Arc::new(OctocrabTransport::new(options).unwrap()), "acme/charts".parse().unwrap());
        Self { world, github, said, _server: server }
    }

    fn said(&self) -> String {
        std::mem::take(&mut *self.said.lock().unwrap()).join("\n")
    }

    /// Makes a ref; how often GitHub was asked for it, and how long that took.
    async fn make(&self, name: &str) -> (u64, i64) {
        let (calls, now) = (self.world.hub.calls(), self.world.hub.now());
        self.github.create_ref(&format!("heads/{name}"), &self.world.rev("main")).await.unwrap();
        assert_eq!(self.world.tip(name), self.world.rev("main"));
        // The mutation itself takes one second.
        (self.world.hub.calls() - calls, self.world.hub.now() - now - 1)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_up_limit_is_waited_out() {
    let case = Case::new(Duration::from_secs(4000)).await;
    case.world.hub.limit_requests("app", 1);
    case.make("one").await;
    let (calls, seconds) = case.make("two").await;
    assert_eq!(calls, 2, "the refused request, and the one that was made");
    assert!((3590..=3601).contains(&seconds), "until the limit begins anew: {seconds}");
    insta::assert_snapshot!(case.said(), @"GitHub's rate limit is reached (POST /repos/acme/charts/git/refs); trying again in 3600 s, at 2023-11-15T02:00:01Z");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_take_too_long_is_said_at_once() {
    let case = Case::new(Duration::from_secs(900)).await;
    case.world.hub.limit_requests("app", 0);
    let now = case.world.hub.now();
    let error = case.github.create_ref("heads/x", &case.world.rev("main")).await.unwrap_err();
    insta::assert_snapshot!(error, @"GitHub's rate limit is reached (POST /repos/acme/charts/git/refs), and it begins anew at 2023-11-15T02:00:00Z: API rate limit exceeded for installation ID 77.");
    assert_eq!((case.world.hub.now(), case.said().as_str()), (now, ""));
    assert!(!error.lacks_permission());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secondary_limits_are_waited_out() {
    let case = Case::new(Duration::from_secs(900)).await;
    for (status, retry_after, waited) in [(403, Some(7), 7), (429, Some(9), 9), (403, None, 60), (429, None, 60)] {
        case.world.hub.inject(1, Fault::SecondaryLimit { status, retry_after });
        assert_eq!(case.make(&format!("x-{status}-{waited}")).await, (2, waited), "{status} {retry_after:?}");
        assert!(case.said().contains(&format!("trying again in {waited} s, at ")));
    }
    // Twice in a row: longer the second time, where GitHub does not say how long.
    case.world.hub.inject(1, Fault::SecondaryLimit { status: 403, retry_after: None });
    case.world.hub.inject(2, Fault::SecondaryLimit { status: 403, retry_after: None });
    assert_eq!(case.make("y").await, (3, 180));
}

/// The ref was made and the answer lost: asking again would be refused as if somebody else had made it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_a_write_is_not_repeated() {
    let case = Case::new(Duration::from_secs(900)).await;
    case.world.hub.inject(1, Fault::LoseAnswer);
    let calls = case.world.hub.calls();
    let error = case.github.create_ref("heads/x", &case.world.rev("main")).await.unwrap_err();
    assert_eq!((error.status(), case.world.hub.calls() - calls), (Some(502), 1));
    assert_eq!(case.world.tip("x"), case.world.rev("main"));
    case.world.hub.inject(1, Fault::LoseAnswer);
    assert!(case.github.get_ref("heads/x").await.unwrap().is_some(), "reading is repeated");
    insta::assert_snapshot!(case.said(), @"GitHub failed (GET /repos/acme/charts/git/ref/heads/x); trying again in 1 s");
}
