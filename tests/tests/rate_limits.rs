//! Actions at GitHub's limits: they wait and say until when, and what would take longer than that is no fault of the request.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chartflow_core::action::Verb;
use chartflow_core::domain::event::StageName;
use chartflow_tests::alone::Alone;
use chartflow_tests::tiny_http::serve_with_headers;
use serde_json::json;

const TAG: Verb = Verb::Stage(StageName::Tag);

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A GitHub whose limit is reached for the first requests; the limit begins anew after so many seconds.
fn limited(status: u16, requests: u32, seconds: u64) -> Alone {
    let asked = AtomicU32::new(0);
    let reset = now() + seconds;
    let api = serve_with_headers(move |_, _| {
        if asked.fetch_add(1, Ordering::Relaxed) < requests {
            let headers = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", reset.to_string())];
            (status, headers, json!({ "message": "API rate limit exceeded for installation ID 77." }))
        } else {
            (404, Vec::new(), json!({ "message": "Not Found" }))
        }
    });
    Alone::new(&api).with("signing-key", &chartflow_core::io::signing::KeySigner::generate().unwrap().to_pkcs8_pem())
}

/// Times differ from run to run.
fn told(log: &str) -> String {
    let timeless = timeless(log);
    timeless.lines().filter(|line| !line.starts_with("::add-mask::")).collect::<Vec<_>>().join("\n")
}

fn timeless(log: &str) -> String {
    let words = log.split(' ').map(|word| {
        let stamp = word.len() >= 20 && word.starts_with("20") && word.as_bytes()[4] == b'-' && word.as_bytes()[19] == b'Z';
        if stamp { format!("TIME{}", &word[20..]) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_limit_that_begins_anew_within_the_hour_is_waited_for() {
    for status in [403, 429] {
        let ran = limited(status, 1, 3000).run_until(TAG, "trying again");
        assert_eq!(ran.code, 143, "{ran:#?}");
        let said = told(&ran.log);
        let line = said.lines().next().unwrap();
        assert!(line.starts_with("GitHub's rate limit is reached (GET /repos/acme/charts); trying again in 300") && line.ends_with(" s, at TIME"), "{line}");
    }
}

#[test]
fn and_then_it_goes_on() {
    let ran = limited(403, 1, 1).run(TAG);
    assert!(ran.code == 2 && ran.log.contains("trying again in") && ran.log.contains("404"), "{ran:#?}");
}

#[test]
fn a_longer_one_is_said_at_once_and_no_fault_of_the_request() {
    for status in [403, 429] {
        let ran = limited(status, 9, 2 * 3600).run(TAG);
        assert_eq!(ran.code, 3, "{ran:#?}");
        assert!(!ran.log.contains("trying again"), "{ran:#?}");
        assert!(ran.summary.contains("rate limit"), "{}", ran.summary);
        insta::allow_duplicates! {
            insta::assert_snapshot!(told(&ran.log), @"::error title=chartflow::GitHub's rate limit is reached (GET /repos/acme/charts), and it begins anew at TIME: API rate limit exceeded for installation ID 77.%0AWhat to do: run it again then; nothing was left half done, and an App has several times the requests of the workflow token");
        }
    }
}
