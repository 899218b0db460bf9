//! Random headers, paths, queries and bodies: never a 5xx, never a success except with a valid token in
//! its own user's path, and never a part of the token in the response.
//!
//! The tests have their own rules for which requests may succeed. The cases are the same in every run;
//! `PROPTEST_RNG_SEED`, `PROPTEST_CASES` and the other variables of the `proptest` crate change them.
//! A failure prints the smallest case that still fails, and writes no file.

mod header;
mod path;
mod request;

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;
use tests::{App, RawResponse, User};
use tokio::runtime::{Builder, Runtime};

/// Requests for each property, unless `PROPTEST_CASES` is set.
const CASES: u32 = 400;

/// Seed of the cases, unless `PROPTEST_RNG_SEED` is set.
const SEED: u64 = 20_261_122;

/// The expected result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Must succeed.
    Good,
    /// May succeed: an unusual request for the caller's own tasks.
    Own,
    /// Must not succeed.
    Bad,
}

/// One service for all cases of a property, and two of its users with a task each.
struct Service {
    runtime: Runtime,
    app: App,
    alice: User,
    bob: User,
    hers: Value,
    his: Value,
}

/// The parts of a request.
#[derive(Clone, Debug)]
struct Request {
    method: &'static str,
    target: String,
    authorization: String,
}

impl Service {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("start a runtime");
        let (app, alice, bob, hers, his) = runtime.block_on(async {
            let app = App::start_with(|_| {}).await;
            let (alice, bob) = (app.user("alice").await, app.user("bob").await);
            let (hers, his) = (alice.task("hers").await, bob.task("his").await);
            (app, alice, bob, hers, his)
        });
        Self { runtime, app, alice, bob, hers, his }
    }

    /// Runs `test` on the strategy's cases, then checks that the service and Bob's task are unharmed.
    fn check<S>(self, strategy: S, test: impl Fn(&Self, S::Value))
    where
        S: Strategy<Value: Debug>,
    {
        let given = Config::default();
        let seed = match given.rng_seed {
            RngSeed::Random => RngSeed::Fixed(SEED),
            fixed @ RngSeed::Fixed(_) => fixed,
        };
        let cases = std::env::var_os("PROPTEST_CASES").map_or(CASES, |_| given.cases);
        let config = Config { cases, rng_seed: seed, failure_persistence: None, ..given };
        let result = TestRunner::new(config).run(&strategy, |case| {
            test(&self, case);
            Ok(())
        });
        if let Err(failure) = result {
            panic!(
                "{failure}\nhint: `PROPTEST_RNG_SEED={seed} cargo test --test api fuzz` repeats these cases"
            );
        }
        let his = self.runtime.block_on(async { self.bob.tasks().await });
        assert_eq!(his, [self.his]);
        let log = self.app.log();
        assert!(!log.contains("panicked") && !log.contains("ended with all"), "{log}");
    }

    /// Sends the request and checks the response: tasks of `owner` only, or a whole problem document.
    fn send_and_check(&self, request: &Request, owner: &str, verdict: Verdict) -> RawResponse {
        let Request { method, target, authorization } = request;
        let body = r#"{"title": "changed", "status": "complete"}"#;
        let bytes = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nAuthorization: {authorization}\r\n\r\n{body}",
            body.len()
        );
        let response = self.runtime.block_on(self.app.send_raw(bytes));
        let status = response.status().unwrap_or_else(|| panic!("no answer"));
        assert!(status < 500, "{}", response.text);
        // Shorter parts may be in a response by chance.
        for part in authorization.split(['.', ' ']).filter(|part| part.len() >= 12) {
            assert!(!response.text.contains(part), "`{part}` is in {}", response.text);
        }
        if (200..300).contains(&status) {
            assert_ne!(verdict, Verdict::Bad, "{}", response.text);
            let document = response.to_response().json();
            let one = std::slice::from_ref(&document);
            for task in document.as_array().map_or(one, Vec::as_slice) {
                assert_eq!(task["user_id"], owner, "{}", response.text);
            }
        } else if was_answered_by_the_host(&response) {
            assert_ne!(verdict, Verdict::Good, "{}", response.text);
            assert!(
                [400, 414, 431].contains(&status) && response.body().is_empty(),
                "{}",
                response.text
            );
        } else {
            assert_ne!(verdict, Verdict::Good, "{}", response.text);
            drop(response.to_response().problem(status));
        }
        response
    }
}

/// The server's HTTP library itself rejects invalid HTTP, such as control characters in a header, with
/// a bare 400: no component has seen the request.
fn was_answered_by_the_host(response: &RawResponse) -> bool {
    response.header("x-request-id").is_none()
}
