//! Statements that are tried again, and those that are not: through a proxy that cuts connections.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Difference, Direction, FaultProxy, TestDatabase, User};
use tokio_postgres::Client;

use super::{behind_proxy, cause};
use crate::path_of;

/// A service with a proxy in between and the usual time to connect.
async fn patient() -> (App, FaultProxy) {
    behind_proxy(Duration::from_secs(10), |_| {}).await
}

async fn titles(client: &Client) -> Vec<String> {
    let rows = client.query("select title from tasks order by id", &[]).await;
    rows.expect("read the tasks").iter().map(|row| row.get(0)).collect()
}

/// Every kind of change, on a task of its own: a label, the method, the path after the task's.
const CHANGES: [(&str, Method, &str); 5] = [
    ("create", Method::POST, ""),
    ("put", Method::PUT, ""),
    ("patch", Method::PATCH, ""),
    ("complete", Method::PATCH, "/complete"),
    ("delete", Method::DELETE, ""),
];

#[tokio::test]
async fn a_compute_that_wakes_up_is_a_slow_first_request() {
    /// The time that the compute takes.
    const WAKING: Duration = Duration::from_secs(3);
    let (app, proxy) = patient().await;
    let alice = app.user("alice").await;
    let task = alice.task("before").await;
    proxy.refuse().await;
    proxy.cut();

    let mut requests: Vec<_> = ["one", "two", "three"]
        .map(|title| tokio::spawn(alice.create(json!({ "title": title })).into_future()))
        .into();
    requests.push(tokio::spawn(
        alice.patch(&path_of(&task)).json(json!({ "title": "after" })).into_future(),
    ));
    let read = tokio::spawn(alice.get(&path_of(&task)).into_future());
    tokio::time::sleep(WAKING).await;
    proxy.accept().await;

    for response in join_all(requests).await {
        let response = response.expect("a request that was made");
        assert!([200, 201].contains(&response.status), "{response}");
    }
    read.await.expect("a request that was made").good(200);
    let mut titles = titles(&app.client().await).await;
    titles.sort();
    assert_eq!(titles, ["after", "one", "three", "two"], "once each");
}

#[tokio::test]
async fn a_server_that_starts_up_or_has_no_connection_left_is_waited_for() {
    let database = TestDatabase::migrated().await;
    let role = database.role("taskie_test_limited").await;
    let admin = database.client().await;
    let grant = format!(
        "grant select, insert, update, delete on all tables in schema public to {role};
         grant usage on all sequences in schema public to {role};
         alter role {role} connection limit 0",
        role = role.quoted()
    );
    admin.batch_execute(&grant).await.expect("grant");
    let url = database.url_as(&role);
    let app = App::start_on(database, |options| {
        options.database(&url);
    })
    .await;
    let alice = app.user("alice").await;
    let created = tokio::spawn(alice.create(json!({ "title": "x" })).into_future());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lift = format!("alter role {} connection limit -1", role.quoted());
    admin.batch_execute(&lift).await.expect("lift the limit");
    created.await.expect("a request that was made").good(201);
}

#[tokio::test]
async fn a_read_survives_a_cut_at_every_byte_of_its_answer() {
    let (app, proxy) = patient().await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let paths = [path_of(&task), "/tasks".to_owned()];
    for path in &paths {
        let expected = alice.get(path).await.good(200);
        // The answers of one request, with the cleaning of the pooled connection, have some 500 bytes.
        for bytes in (0..700).step_by(23) {
            proxy.cut_after(Direction::Answer, bytes);
            let response = alice.get(path).await;
            assert_eq!(response.good(200), expected, "{path}, cut after {bytes} bytes");
        }
    }
}

#[tokio::test]
async fn a_read_survives_a_cut_at_every_byte_of_its_statement() {
    let (app, proxy) = patient().await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    for bytes in (0..900).step_by(29) {
        proxy.cut_after(Direction::Request, bytes);
        let response = alice.get(&path_of(&task)).await;
        assert_eq!(response.good(200), task, "cut after {bytes} bytes");
    }
}

/// A change is there if it was acknowledged, and at most once if not.
#[tokio::test]
async fn a_change_that_may_have_run_is_not_sent_again() {
    let (app, proxy) = patient().await;
    let alice = app.user("alice").await;
    let client = app.client().await;
    for direction in [Direction::Answer, Direction::Request] {
        let mut lost = 0;
        for bytes in (0..1_400).step_by(47) {
            let title = format!("{direction:?} {bytes}");
            proxy.cut_after(direction, bytes);
            let response = alice.create(json!({ "title": title })).await;
            let count = titles(&client).await.iter().filter(|found| **found == title).count();
            match response.status {
                201 => assert_eq!(count, 1, "{title}"),
                503 => {
                    response.problem(503).kind("database-unavailable");
                    assert!(count <= 1, "{title}");
                    lost += 1;
                }
                _ => panic!("{title}: {response}"),
            }
        }
        // Some cuts hit the statement itself.
        assert!(lost > 0, "{direction:?}");
        // The last cut may not have been reached.
        proxy.cut_after(direction, u32::MAX);
    }
}

/// The trigger ends the session after the change was made: what the client sees is a broken connection.
#[tokio::test]
async fn no_kind_of_change_is_sent_again_after_a_break() {
    let (app, _proxy) = patient().await;
    let alice = app.user("alice").await;
    let client = app.client().await;
    let count_attempts = "
        create sequence attempts;
        grant usage on sequence attempts to public;
        create function end_session() returns trigger language plpgsql as
        $$ begin perform nextval('attempts'); perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
        create trigger end_session after insert or update or delete on tasks
          for each statement execute function end_session();
        alter table tasks disable trigger end_session";
    client.batch_execute(count_attempts).await.expect("create a trigger");
    for (label, method, rest) in CHANGES {
        let task = alice.task(label).await;
        let switch = |on: &str| format!("alter table tasks {on} trigger end_session");
        client.batch_execute(&switch("enable")).await.expect("enable");
        let restart = "alter sequence attempts restart";
        client.batch_execute(restart).await.expect("restart the count");
        let path = if method == Method::POST { "/tasks".to_owned() } else { path_of(&task) + rest };
        let response = change(&alice, &method, &path).await;
        client.batch_execute(&switch("disable")).await.expect("disable");
        response.problem(503).kind("database-unavailable");
        let row = client.query_one("select last_value from attempts", &[]).await;
        assert_eq!(row.expect("count").get::<_, i64>(0), 1, "{label}");
    }
}

async fn change(user: &User, method: &Method, path: &str) -> tests::Response {
    user.request(method.clone(), &user.path(path)).json(json!({ "title": "changed" })).await
}

#[tokio::test]
async fn a_spent_budget_is_a_503_and_the_next_request_does_not_wait() {
    let (app, proxy) = behind_proxy(Duration::from_secs(2), |options| {
        options.reuse = crate::large_instances();
    })
    .await;
    let alice = app.user("alice").await;
    let task = alice.task("x").await;
    proxy.refuse().await;
    proxy.cut();
    for _ in 0..3 {
        let response = alice.get("/tasks").await;
        response.problem(503).kind("database-unavailable");
        assert_eq!(response.header("retry-after"), "2");
        assert!(cause(&app, &response).await.contains("no database connection"));
    }
    // Only the first of an instance has tried again.
    let lines: Vec<Value> =
        app.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let failed = lines.iter().filter(|line| line["status"] == 503);
    let retries: Vec<_> = failed.map(|line| line["retries"].as_u64()).collect();
    if Difference::OneRequestPerInstance.applies() {
        assert!(matches!(retries[..], [Some(2..), Some(2..), Some(2..)]), "{retries:?}");
    } else {
        assert!(matches!(retries[..], [Some(2..), None, None]), "{retries:?}");
    }
    proxy.accept().await;
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn deadlocks_are_resolved_within_the_request() {
    let (app, _proxy) = patient().await;
    let alice = app.user("alice").await;
    let task = alice.task("x").await;
    let client = app.client().await;
    let fail_twice = "
        create sequence attempts;
        grant usage on sequence attempts to public;
        create function fail() returns trigger language plpgsql as
        $$ begin
             if nextval('attempts') <= 2 then raise exception 'again' using errcode = '40P01'; end if;
             return new;
           end $$;
        create trigger fail before update on tasks for each row execute function fail()";
    client.batch_execute(fail_twice).await.expect("create a trigger");
    let response = alice.patch(&path_of(&task)).json(json!({ "title": "y" })).await;
    assert_eq!(response.good(200)["title"], "y");
    let line = app.log_line(response.header("x-request-id")).await;
    assert_eq!((&line["retries"], &line["sqlstate"]), (&json!(2), &json!("40P01")), "{line}");
}

#[tokio::test]
async fn health_is_what_it_is_now() {
    let (app, proxy) = patient().await;
    app.get("/health/db").await.good(200);
    proxy.refuse().await;
    proxy.cut();
    if !Difference::OneRequestPerInstance.applies() {
        // The last answer is kept for a second.
        tests::until("the last answer is forgotten", async || {
            (app.get("/health/db").await.status == 503).then_some(())
        })
        .await;
    }
    app.get("/health/db").await.problem(503);
    app.get("/health/pool").await.problem(503);
    app.get("/health").await.good(200);
}
