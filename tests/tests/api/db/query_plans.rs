//! At 200,000 tasks of 2,000 users, no request reads more than its user's rows.
//!
//! The statements are the API's: the server logs them with their parameters, and the test runs each one
//! as the API's role, whose settings count, with `explain (analyze)` and rolls it back.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Response, TestServer, User};

const USERS: i64 = 2_000;
const TASKS_OF_A_USER: i64 = 100;

/// A statement from the server's log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Logged {
    statement: String,
    /// SQL literals, in the order of `$1`, `$2`, …
    parameters: Vec<String>,
}

/// A service with a full database, and one of its users.
async fn busy_app() -> (App, User) {
    let database = TestServer::throwaway().await.migrated_database().await;
    let app = App::start_on(database, |_| {}).await;
    let alice = app.user("alice").await;
    let fill = format!(
        "insert into users (id, email) select 'user-' || i, 'user-' || i || '@example.com' from generate_series(2, {USERS}) i;
         insert into tasks (user_id, title, description, status, priority, created_at, updated_at)
         select user_id, 'Task ' || n, repeat('x', 100), case when n % 10 = 0 then 'complete' else 'incomplete' end,
                (array['low', 'medium', 'high'])[1 + n % 3], t, t
           from (select case when u = 1 then '{}' else 'user-' || u end as user_id, n,
                        now() - n * interval '1 hour' - u * interval '1 second' as t
                   from generate_series(1, {TASKS_OF_A_USER}) n, generate_series(1, {USERS}) u) rows;
         analyze users;
         analyze tasks",
        alice.id
    );
    app.client().await.batch_execute(&fill).await.expect("fill the tables");
    (app, alice)
}

/// Logs every statement on the service's database from now on; returns the log's length so far.
async fn log_statements(app: &App, log: &Path) -> usize {
    let name = app.database().name();
    let switch = format!(
        "alter database {name} set log_statement = 'all';
         alter database {name} set log_parameter_max_length = -1;
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    );
    app.database().admin().await.batch_execute(&switch).await.expect("switch logging on");
    fs::read(log).expect("read the server's log").len()
}

/// The statements about the tasks of `user` in the log after its first `start` bytes: those of other
/// tests are in between.
///
/// ```text
/// 2026-11-22 08:00:00.123 UTC [42] LOG:  execute s0: select …
/// <tab>more of the statement
/// 2026-11-22 08:00:00.123 UTC [42] DETAIL:  Parameters: $1 = '7', $2 = NULL
/// ```
fn logged(log: &Path, start: usize, user: &User) -> Vec<Logged> {
    let bytes = fs::read(log).expect("read the server's log");
    let text = String::from_utf8_lossy(&bytes[start..]).replace("\n\t", "\n");
    let mut entries = Vec::new();
    // An entry begins with the year; a further line of a statement does not.
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut() {
            Some(last) if !line.starts_with("20") => {
                last.push('\n');
                last.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    for (entry, next) in lines.iter().zip(lines.iter().skip(1).map(Some).chain([None])) {
        let Some((_, statement)) =
            entry.split_once("LOG:  execute ").and_then(|(_, rest)| rest.split_once(": "))
        else {
            continue;
        };
        if !statement.contains("task") {
            continue;
        }
        let parameters: Vec<String> = next
            .and_then(|next| next.split_once("DETAIL:  "))
            // Lower case in older versions.
            .and_then(|(_, detail)| {
                detail.strip_prefix("parameters: ").or(detail.strip_prefix("Parameters: "))
            })
            .map(|list| {
                list.split(", $")
                    .filter_map(|one| one.split_once(" = "))
                    .map(|(_, value)| value.to_owned())
                    .collect()
            })
            .unwrap_or_default();
        if parameters.contains(&format!("'{}'", user.id)) {
            entries.push(Logged { statement: statement.to_owned(), parameters });
        }
    }
    entries
}

/// Executes the statement, rolls it back, and returns its plan with the actual row counts.
async fn explain(app: &App, logged: &Logged) -> Value {
    let client = app.database().client_as(app.database().api_role()).await;
    let Logged { statement, parameters } = logged;
    let values =
        if parameters.is_empty() { String::new() } else { format!("({})", parameters.join(", ")) };
    let prepare = format!("begin; deallocate all; prepare taskie as {statement}");
    client.batch_execute(&prepare).await.unwrap_or_else(|err| panic!("{statement}: {err:?}"));
    let explain = format!("explain (analyze, format json) execute taskie{values}");
    let messages =
        client.simple_query(&explain).await.unwrap_or_else(|err| panic!("{explain}: {err:?}"));
    client.batch_execute("rollback").await.expect("roll back");
    let text = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plans: Value = serde_json::from_str(text.expect("a plan")).expect("JSON");
    plans[0]["Plan"].clone()
}

/// True for the call of the function that inserts a task, of which `explain` shows no plan.
fn calls_a_function(logged: &Logged) -> bool {
    logged.statement.starts_with("values (insert_task(")
}

/// Calls the function more often than PostgreSQL plans a statement before it keeps the plan, and rolls that back:
/// an account with its address is found in an index, once by the function and once by the foreign key.
async fn assert_function_uses_indexes(app: &App, logged: &Logged) {
    const CALLS: i64 = 10;
    let client = app.database().client_as(app.database().api_role()).await;
    let prepare = format!("begin; prepare taskie as {}", logged.statement);
    client.batch_execute(&prepare).await.expect("prepare");
    let execute = format!("execute taskie({})", logged.parameters.join(", "));
    for _ in 0..CALLS {
        client.batch_execute(&execute).await.expect("call the function");
    }
    let count = "
        select pg_stat_get_xact_numscans('users'::regclass) + pg_stat_get_xact_numscans('tasks'::regclass),
               (select sum(pg_stat_get_xact_numscans(indexrelid))::int8
                  from pg_index where indrelid = 'users'::regclass),
               (select count(*) from tasks where xmin = pg_current_xact_id()::xid)";
    let row = client.query_one(count, &[]).await.expect("count");
    client.batch_execute("rollback").await.expect("roll back");
    let counts: [i64; 3] = std::array::from_fn(|column| row.get(column));
    assert_eq!(counts, [0, 2 * CALLS, CALLS], "scans of whole tables, of accounts by index; tasks");
}

/// Every node of a plan.
fn nodes(plan: &Value) -> Vec<&Value> {
    let children = plan["Plans"].as_array().into_iter().flatten().flat_map(nodes);
    std::iter::once(plan).chain(children).collect()
}

/// The rows that the plan read from `tasks`, filtered ones included.
fn rows_read(plan: &Value) -> f64 {
    nodes(plan)
        .into_iter()
        .filter(|node| {
            node["Relation Name"] == "tasks"
                && node["Node Type"].as_str().is_some_and(|kind| kind.ends_with("Scan"))
        })
        .map(|node| {
            let figure = |name: &str| node[name].as_f64().unwrap_or_default();
            let rows = figure("Actual Rows")
                + figure("Rows Removed by Filter")
                + figure("Rows Removed by Index Recheck");
            rows * figure("Actual Loops")
        })
        .sum()
}

/// A request for a page by priority, and the most rows that it may read: of either status one more than
/// the page has.
async fn sorted_pages(alice: &User) -> [(&'static str, Method, String, Option<Value>, f64); 4] {
    let page = "/tasks?limit=7&sort=priority".to_owned();
    let cursor = cursor_of(&alice.get("/tasks?limit=10&sort=priority").await);
    let next = format!("{page}&cursor={cursor}");
    let of_status = |rest: &str| format!("{rest}&status=incomplete");
    [
        ("sorted page of one status", Method::GET, of_status(&page), None, 8.0),
        ("next sorted page of one status", Method::GET, of_status(&next), None, 8.0),
        ("sorted page", Method::GET, page, None, 9.0),
        ("next sorted page", Method::GET, next, None, 9.0),
    ]
}

#[tokio::test]
async fn every_statement_is_answered_from_an_index() {
    let (app, alice) = busy_app().await;
    let log = TestServer::throwaway().await.log().expect("a throwaway server has a log");
    let task = alice.tasks().await[50].clone();
    let path = crate::path_of(&task);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let all = TASKS_OF_A_USER as f64;

    let cursor = cursor_of(&alice.get("/tasks?limit=10").await);
    let next = format!("/tasks?limit=7&cursor={cursor}");

    let requests: [(&str, Method, String, Option<Value>, f64); 14] = [
        ("list", Method::GET, "/tasks".to_owned(), None, all),
        ("list of one status", Method::GET, "/tasks?status=complete".to_owned(), None, all / 10.0),
        ("page", Method::GET, "/tasks?limit=7".to_owned(), None, 8.0),
        ("next page", Method::GET, next.clone(), None, 8.0),
        (
            "page of one status",
            Method::GET,
            "/tasks?limit=7&status=incomplete".to_owned(),
            None,
            8.0,
        ),
        ("next page of one status", Method::GET, format!("{next}&status=incomplete"), None, 8.0),
        ("get", Method::GET, path.clone(), None, 1.0),
        ("put", Method::PUT, path.clone(), Some(json!({ "title": "changed" })), 1.0),
        ("patch", Method::PATCH, path.clone(), Some(json!({ "description": null })), 1.0),
        ("complete", Method::PATCH, format!("{path}/complete"), None, 1.0),
        ("reopen", Method::PATCH, format!("{path}/incomplete"), None, 1.0),
        (
            "status",
            Method::PATCH,
            format!("{path}/status"),
            Some(json!({ "status": "complete" })),
            1.0,
        ),
        ("create", Method::POST, "/tasks".to_owned(), Some(json!({ "title": "new" })), 0.0),
        ("delete", Method::DELETE, path.clone(), None, 1.0),
    ];
    // Another task: the last request has deleted the first one.
    let path = crate::path_of(&alice.tasks().await[51]);
    let complete = format!("{path}/complete");
    let title = || Some(json!({ "title": "changed" }));
    // One that does not hold, and one that does: the same statement.
    let conditional = [
        ("put with If-Match", Method::PUT, path.clone(), title(), "If-Match"),
        ("put with If-None-Match", Method::PUT, path.clone(), title(), "If-None-Match"),
        ("complete with If-Match", Method::PATCH, complete.clone(), None, "If-Match"),
        ("complete with If-None-Match", Method::PATCH, complete, None, "If-None-Match"),
        ("delete with If-Match", Method::DELETE, path.clone(), None, "If-Match"),
    ];
    let conditional = conditional
        .map(|(label, method, rest, body, header)| (label, method, rest, body, 2.0, Some(header)));
    let requests = sorted_pages(&alice).await.into_iter().chain(requests);
    let requests = requests
        .map(|(label, method, rest, body, most_rows)| (label, method, rest, body, most_rows, None));
    let mut seen = BTreeSet::new();
    for (label, method, rest, body, most_rows, header) in requests.chain(conditional) {
        let start = log_statements(&app, &log).await;
        let mut request = alice.request(method, &alice.path(&rest));
        if let Some(header) = header {
            request = request.header(header, "\"other\"");
        }
        let response = match body {
            Some(body) => request.json(body).await,
            None => request.await,
        };
        let holds = header != Some("If-Match");
        assert_eq!(response.status < 300, holds, "{label}: {response}");
        assert!(holds || response.status == 412, "{label}: {response}");
        let statements = tests::until("the statement is in the log", async || {
            let statements = logged(&log, start, &alice);
            (!statements.is_empty()).then_some(statements)
        })
        .await;
        assert_eq!(statements.len(), 1, "{label}: one statement for a request: {statements:?}");

        // The request has had its effect: a deletion is explained for another of the user's tasks.
        let statement = if label == "delete" {
            for_another_task(&statements[0], &alice).await
        } else {
            statements[0].clone()
        };
        seen.insert(statement.statement.clone());
        if calls_a_function(&statement) {
            assert_function_uses_indexes(&app, &statement).await;
            continue;
        }
        let plan = explain(&app, &statement).await;
        let scans: Vec<&Value> =
            nodes(&plan).into_iter().filter(|node| node["Node Type"] == "Seq Scan").collect();
        assert_eq!(scans, [] as [&Value; 0], "{label}: {plan:#}");
        let rows = rows_read(&plan);
        assert!(rows <= most_rows, "{label}: {rows} rows read of {most_rows}: {plan:#}");
    }
    assert_eq!(
        seen.len(),
        18,
        "PUT and PATCH share a statement, the ways to set a status do, and both preconditions; the others have their own: {seen:#?}"
    );
}

/// PostgreSQL knows that the average user has 100 tasks, and what a few users have. For another one of
/// whom it expects about a page, reading all and sorting them must not seem cheaper than the page.
#[tokio::test]
async fn a_page_of_a_user_with_more_tasks_than_others_is_all_that_is_read() {
    let (app, alice) = busy_app().await;
    let add = format!(
        "insert into tasks (user_id, title, created_at)
         select '{}', 'More', now() - n * interval '1 minute' from generate_series(1, 900) n
         union all
         select 'user-2', 'Most', now() - n * interval '1 minute' from generate_series(1, 9000) n;
         alter table tasks alter user_id set statistics 1;
         analyze tasks",
        alice.id
    );
    app.client().await.batch_execute(&add).await.expect("add tasks");
    let log = TestServer::throwaway().await.log().expect("a throwaway server has a log");
    let cursor = cursor_of(&alice.get("/tasks?limit=100").await);
    for (rest, most_rows) in [
        ("/tasks?limit=100".to_owned(), 101.0),
        (format!("/tasks?limit=100&cursor={cursor}"), 101.0),
        ("/tasks?limit=100&status=incomplete".to_owned(), 101.0),
        ("/tasks?limit=100&sort=priority".to_owned(), 102.0),
    ] {
        let start = log_statements(&app, &log).await;
        alice.get(&rest).await.good(200);
        let statements = tests::until("the statement is in the log", async || {
            let statements = logged(&log, start, &alice);
            (!statements.is_empty()).then_some(statements)
        })
        .await;
        let plan = explain(&app, &statements[0]).await;
        let rows = rows_read(&plan);
        assert!(rows <= most_rows, "{rest}: {rows} rows read: {plan:#}");
    }
}

/// A provider's table need not have an index on addresses. Nobody looks there for one that the account
/// has already.
#[tokio::test]
async fn an_account_with_its_address_is_found_by_its_id() {
    let (app, alice) = busy_app().await;
    let client = app.client().await;
    let drop = "alter table users drop constraint users_email_key";
    client.batch_execute(drop).await.expect("drop the index");
    let log = TestServer::throwaway().await.log().expect("a throwaway server has a log");
    for (key, expects_call) in [(None, true), (Some("key-1"), false)] {
        let start = log_statements(&app, &log).await;
        let request = alice.create(json!({ "title": "new" }));
        let request = match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        };
        request.await.good(201);
        let statements = tests::until("the statement is in the log", async || {
            let statements = logged(&log, start, &alice);
            (!statements.is_empty()).then_some(statements)
        })
        .await;
        assert_eq!(statements.len(), 1, "{key:?}: {statements:?}");
        assert_eq!(calls_a_function(&statements[0]), expects_call, "{key:?}: {statements:?}");
        if expects_call {
            assert_function_uses_indexes(&app, &statements[0]).await;
            continue;
        }
        // With the key, it would find the answer and look for nothing.
        let client = app.client().await;
        client.batch_execute("delete from idempotency_keys").await.expect("delete the key");
        let plan = explain(&app, &statements[0]).await;
        let executed = nodes(&plan).into_iter().filter(|node| node["Actual Loops"] != 0);
        let scans: Vec<&Value> = executed
            .filter(|node| node["Relation Name"] == "users" && node["Node Type"] != "ModifyTable")
            .map(|node| &node["Index Name"])
            .collect();
        assert_eq!(scans, ["users_pkey"], "{key:?}: {plan:#}");
        let written = nodes(&plan)
            .into_iter()
            .filter(|node| node["Relation Name"] == "users" && node["Node Type"] == "ModifyTable");
        for node in written {
            assert_eq!(node["Conflicting Tuples"], 0, "{key:?}: {plan:#}");
            assert_eq!(node["Tuples Inserted"], 0, "{key:?}: {plan:#}");
        }
    }
}

/// The same statement, with the id of a task that is still there.
async fn for_another_task(logged: &Logged, user: &User) -> Logged {
    let other = user.tasks().await[0]["id"].to_string();
    let parameters = logged.parameters.iter().enumerate();
    let parameters = parameters
        .map(|(i, value)| if i == 0 { format!("'{other}'") } else { value.clone() })
        .collect();
    Logged { statement: logged.statement.clone(), parameters }
}

/// The `cursor` parameter of the next page.
fn cursor_of(response: &Response) -> String {
    let link = response.header("link");
    let cursor = link.split("cursor=").nth(1).and_then(|rest| rest.split('>').next());
    cursor.unwrap_or_else(|| panic!("no cursor: {link}")).to_owned()
}

#[tokio::test]
async fn page_1000_reads_as_many_rows_as_page_1() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let app = App::start_on(database, |_| {}).await;
    let log = TestServer::throwaway().await.log().expect("a throwaway server has a log");
    let alice = app.user("alice").await;
    // All of one user, ten at each moment.
    let fill = format!(
        "insert into tasks (user_id, title, status, priority, created_at, updated_at)
         select '{}', 'Task ' || n, case when n % 5 < 3 then 'complete' else 'incomplete' end,
                (array['low', 'medium', 'high'])[1 + n % 3], t, t
           from (select n, timestamptz '2026-01-01Z' - n / 10 * interval '1 second' as t
                   from generate_series(1, 200000) n) rows;
         analyze tasks",
        alice.id
    );
    app.client().await.batch_execute(&fill).await.expect("fill the table");

    // One row more than a page has: it tells whether another page follows. Where the ranges of two
    // statuses are merged, one more of the other.
    for (label, filter, expected) in [
        ("all", "", 101.0),
        ("one status", "&status=complete", 101.0),
        ("all by priority", "&sort=priority", 102.0),
        ("one status by priority", "&sort=priority&status=complete", 101.0),
    ] {
        // 999 pages of 100, most of them ten at a time: a cursor is good for pages of any length.
        let mut cursor = String::new();
        for limit in [1_000; 99].into_iter().chain([100; 9]) {
            let response = alice.get(&format!("/tasks?limit={limit}{filter}{cursor}")).await;
            assert_eq!(response.status, 200, "{label}: {response}");
            cursor = format!("&cursor={}", cursor_of(&response));
        }
        let mut rows = Vec::new();
        for place in ["", cursor.as_str()] {
            let start = log_statements(&app, &log).await;
            let response = alice.get(&format!("/tasks?limit=100{filter}{place}")).await;
            assert_eq!(response.good(200).as_array().map(Vec::len), Some(100), "{label}, {place}");
            let statements = tests::until("the statement is in the log", async || {
                let statements = logged(&log, start, &alice);
                (!statements.is_empty()).then_some(statements)
            })
            .await;
            let plan = explain(&app, &statements[0]).await;
            let kinds = nodes(&plan).into_iter().filter_map(|node| node["Node Type"].as_str());
            let kinds: Vec<&str> = kinds.collect();
            for kind in ["Seq Scan", "Sort", "Incremental Sort"] {
                assert!(!kinds.contains(&kind), "{label}: {plan:#}");
            }
            rows.push(rows_read(&plan));
        }
        assert_eq!(rows, [expected; 2], "{label}: rows read for page 1 and for page 1000");
    }
}

/// A page of 1,000 large tasks shows 34 of them, and what follows is not looked for by another scan.
#[tokio::test]
async fn a_page_that_ends_by_its_bytes_is_one_scan_of_an_index() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let app = App::start_on(database, |_| {}).await;
    let log = TestServer::throwaway().await.log().expect("a throwaway server has a log");
    let alice = app.user("alice").await;
    let fill = format!(
        "insert into tasks (user_id, title, description, created_at)
         select '{}', 'Task ' || n, repeat(e'\\u0001', 5000), now() - n * interval '1 hour'
           from generate_series(1, 3000) n;
         analyze tasks",
        alice.id
    );
    app.client().await.batch_execute(&fill).await.expect("fill the table");
    for (label, rest, most_rows) in [
        ("1,000", "/tasks", 1_001.0),
        ("1,000 of one status", "/tasks?status=incomplete", 1_001.0),
        ("200", "/tasks?limit=200", 201.0),
    ] {
        let start = log_statements(&app, &log).await;
        let response = alice.get(rest).await;
        assert_eq!(response.good(200).as_array().map(Vec::len), Some(34), "{label}");
        let statements = tests::until("the statement is in the log", async || {
            let statements = logged(&log, start, &alice);
            (!statements.is_empty()).then_some(statements)
        })
        .await;
        assert_eq!(statements.len(), 1, "{label}: {statements:?}");
        let plan = explain(&app, &statements[0]).await;
        let scans = nodes(&plan).into_iter().filter(|node| node["Relation Name"] == "tasks");
        let scans: Vec<&Value> = scans.map(|node| &node["Node Type"]).collect();
        assert_eq!(scans, ["Index Scan"], "{label}: {plan:#}");
        assert!(rows_read(&plan) <= most_rows, "{label}: {plan:#}");
    }
}
