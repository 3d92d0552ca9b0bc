//! Whatever people do, in whatever order the stages run, wherever they are stopped: the train comes to rest in the one
//! state it should.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use chartflow_tests::schedule::{run, seeds};

const STEPS: u32 = 40;

/// Runs schedules on two threads; fails with the seeds that failed, after their stories.
fn check(seeds: &[u64]) {
    let (next, releases) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (failed, milliseconds) = (std::sync::Mutex::new(Vec::new()), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    match catch_unwind(AssertUnwindSafe(|| run(*seed, STEPS))) {
                        Ok(count) => drop(releases.fetch_add(count, Ordering::Relaxed)),
                        Err(_) => failed.lock().unwrap().push(*seed),
                    }
                    milliseconds.fetch_add(u64::try_from(began.elapsed().as_millis()).unwrap(), Ordering::Relaxed);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let each = milliseconds.into_inner() / seeds.len() as u64;
    println!("{} schedules, {} releases, {each} ms each", seeds.len(), releases.into_inner());
    assert!(failed.is_empty(), "{} of {} schedules failed: {failed:?}", failed.len(), seeds.len());
}

#[test]
fn schedules_converge() {
    check(&seeds(10));
}

#[test]
#[ignore = "minutes; the long run of the test script"]
fn three_hundred_schedules_converge() {
    check(&seeds(300));
}
