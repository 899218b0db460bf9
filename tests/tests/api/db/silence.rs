//! A database that is slow, or accepts connections and never answers: every wait has its limit, and a
//! connection without an answer is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use tests::{App, Difference, FaultProxy, InstanceReuse};

use super::behind_proxy;

/// A service with a proxy in between, with so long to connect and three seconds for a statement.
async fn impatient(connect_timeout: Duration) -> (App, FaultProxy) {
    behind_proxy(connect_timeout, |options| {
        options.set("database_timeout_ms", "3000");
    })
    .await
}

#[tokio::test]
async fn a_connection_that_is_never_answered_is_a_503() {
    if Difference::NoDatabaseDeadline.applies() {
        return;
    }
    let (app, proxy) = impatient(Duration::from_secs(3)).await;
    let alice = app.user("alice").await;
    proxy.silence();
    let begin = Instant::now();
    for response in [alice.get("/tasks").await, alice.create(json!({ "title": "x" })).await] {
        response.problem(503).kind("database-unavailable");
        assert_eq!(response.header("retry-after"), "2");
    }
    let elapsed = begin.elapsed();
    assert!(elapsed >= Duration::from_secs(5), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    proxy.speak();
    alice.task("x").await;
    alice.get("/tasks").await.good(200);
}

/// The connections that stay silent are in the host's pool when the server answers again.
#[tokio::test]
async fn connections_that_became_silent_are_given_up() {
    const CONNECTIONS: usize = 4;
    if Difference::NoDatabaseDeadline.applies() {
        return;
    }
    let (app, proxy) = impatient(Duration::from_secs(10)).await;
    let alice = app.user("alice").await;
    let client = app.client().await;
    // So many connections, which are waited for together.
    client.batch_execute("begin; lock table tasks").await.expect("lock");
    let together: Vec<_> =
        (0..CONNECTIONS).map(|_| tokio::spawn(alice.get("/tasks").into_future())).collect();
    let waiting = "select count(*)
                     from pg_locks
                    where relation = 'tasks'::regclass
                      and not granted
                      and database = (
                        select oid from pg_database where datname = current_database())";
    tests::until("all of them wait for the table", async || {
        let row = client.query_one(waiting, &[]).await.expect("ask");
        (row.get::<_, i64>(0) >= CONNECTIONS.try_into().expect("a few")).then_some(())
    })
    .await;
    proxy.silence();
    for response in join_all(together).await {
        response.expect("a request that was made").problem(504).kind("database-too-slow");
    }
    client.batch_execute("rollback").await.expect("unlock");
    proxy.speak();
    for _ in 0..CONNECTIONS {
        alice.get("/tasks").await.good(200);
    }
}

/// In a busy instance, one request has the timer for all others.
#[tokio::test]
async fn requests_that_wait_together_are_all_given_up_in_time() {
    const CLIENTS: usize = 16;
    if Difference::NoDatabaseDeadline.applies() {
        return;
    }
    let (app, proxy) = behind_proxy(Duration::from_secs(3), |options| {
        options.set("database_timeout_ms", "3000");
        // No new instance, which would have a timer for each wait.
        options.reuse = InstanceReuse { max_reuse: 1_000_000, ..InstanceReuse::default() };
    })
    .await;
    let alice = app.user("alice").await;
    alice.task("x").await;
    let (served, is_silent) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let alice = alice.clone();
            let (served, is_silent) = (Arc::clone(&served), Arc::clone(&is_silent));
            tokio::spawn(async move {
                loop {
                    let begin = Instant::now();
                    let response = alice.get("/tasks").await;
                    if response.status != 200 {
                        assert!(is_silent.load(Ordering::SeqCst), "{response:?}");
                        return (response, begin.elapsed());
                    }
                    served.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    tests::until("the service is busy", async || {
        (served.load(Ordering::SeqCst) > 50 * CLIENTS).then_some(())
    })
    .await;
    is_silent.store(true, Ordering::SeqCst);
    proxy.silence();
    for client in join_all(clients).await {
        let (response, elapsed) = client.expect("a client's requests");
        let status = response.status;
        assert!([503, 504].contains(&status), "{status}");
        response.problem(status);
        // Some of the three seconds went to a connection that still answered.
        assert!(elapsed > Duration::from_secs(2), "{elapsed:?}");
        // A connection that is known not to answer is followed by another one.
        assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    }
    proxy.speak();
    // Each connection that stays silent is found by a request.
    tests::until_within(Duration::from_mins(1), "the service answers again", async || {
        (alice.get("/tasks").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_slow_network_is_not_a_fault() {
    let (app, proxy) = behind_proxy(Duration::from_secs(10), |_| {}).await;
    let alice = app.user("alice").await;
    // Opening a connection alone takes longer than the patience with a pooled one.
    proxy.delay(Duration::from_millis(400));
    alice.task("x").await;
    alice.get("/tasks").await.good(200);
}
