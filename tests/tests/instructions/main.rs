//! The WebAssembly instructions that a request of each route costs: a figure that is the same on every
//! machine, so that a test can hold it to a limit. `tests/data/instructions.json` has the figures that were
//! measured last; after a change that is meant to change them, write them anew:
//!
//! ```text
//! cargo update-instructions
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tests::{App, Component, Difference, InstanceReuse, User, until};
use tokio_postgres::Client;

/// When set, the measured figures are written into the file.
const UPDATE: &str = "TASKIE_UPDATE_INSTRUCTIONS";

/// The largest part by which a figure may differ from the one in the file. Ids, times and durations have more
/// or fewer digits, which makes up to one hundredth.
const TOLERANCE: f64 = 0.05;

/// Requests that an instance serves where instances are reused.
const REQUESTS: u64 = 40;

/// Requests to new instances, each to one of its own.
const FRESH_REQUESTS: u64 = 8;

/// Tasks of a list.
const LISTED: i32 = 100;

/// The requests whose cost is measured: their names, methods and paths, below the user where they do not begin with
/// a slash, and the status of their responses.
const ROUTES: [(&str, Method, &str, u16); 11] = [
    ("health", Method::GET, "/health", 200),
    ("health of the database", Method::GET, "/health/db", 200),
    ("no such route", Method::GET, "/nowhere", 404),
    ("get", Method::GET, "tasks/{id}", 200),
    ("list of 100", Method::GET, "tasks?limit=100", 200),
    ("list by priority", Method::GET, "tasks?sort=priority&status=incomplete&limit=10", 200),
    ("create", Method::POST, "tasks", 201),
    ("create once", Method::POST, "tasks#key", 201),
    ("update", Method::PUT, "tasks/{id}", 200),
    ("complete", Method::PATCH, "tasks/{id}/complete", 200),
    ("delete", Method::DELETE, "tasks/{next}", 204),
];

/// Instructions of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    /// In an instance of its own, its beginning included.
    fresh: u64,
    /// In an instance that has served others; absent where every request has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    reused: Option<u64>,
}

type Costs = BTreeMap<String, Cost>;

#[tokio::test]
async fn no_route_costs_more_instructions_than_before() {
    let fresh = measure(1, FRESH_REQUESTS).await;
    let reused = if Difference::OneRequestPerInstance.applies() {
        None
    } else {
        Some(measure(REQUESTS, REQUESTS).await)
    };
    let measured: Costs = fresh
        .into_iter()
        .map(|(route, total)| {
            let fresh = total / FRESH_REQUESTS;
            // The first request of the instance has cost what a fresh one costs.
            let others = |total: u64| total.saturating_sub(fresh) / (REQUESTS - 1);
            let reused = reused.as_ref().map(|totals| others(totals[&route]));
            (route, Cost { fresh, reused })
        })
        .collect();

    let build = Component::under_test().name();
    let mut kept = read();
    if std::env::var_os(UPDATE).is_some() {
        kept.insert(build.to_owned(), measured);
        let text = serde_json::to_string_pretty(&kept).expect("write the figures");
        fs::write(file(), text + "\n").expect("write the file of figures");
        return;
    }
    let kept = kept.remove(build).unwrap_or_default();
    let differences = differences(&kept, &measured);
    assert!(
        differences.is_empty(),
        "instructions of a request, {build}:\n{}\nif that is meant: cargo update-instructions",
        differences.join("\n")
    );
}

/// The instructions of `requests` requests of each route, with instances that serve `max_reuse` each.
async fn measure(max_reuse: u64, requests: u64) -> BTreeMap<String, u64> {
    let app = App::start_with(|app| {
        app.counts_instructions = true;
        app.reuse = InstanceReuse {
            max_reuse: usize::try_from(max_reuse).expect("a small number"),
            // However slow the machine is, an instance serves all its requests.
            idle_timeout: Duration::from_mins(10),
            ..InstanceReuse::default()
        };
    })
    .await;
    let user = app.user("user").await;
    let client = app.client().await;
    let mut totals = BTreeMap::new();
    for (name, method, path, expected) in ROUTES {
        let tasks = add_tasks(&client, &user).await;
        let (instances, before) = app.instructions().expect("instructions are counted");
        for number in 0..requests {
            let number = usize::try_from(number).expect("a small number");
            let status = send(&user, &method, path, &tasks, number).await;
            assert_eq!(status, expected, "{name}");
        }
        let ended = instances + requests / max_reuse;
        let after = until("the instances have ended", async || {
            app.instructions().filter(|(instances, _)| *instances == ended)
        })
        .await;
        totals.insert(name.to_owned(), after.1 - before);
    }
    totals
}

async fn send(user: &User, method: &Method, path: &str, tasks: &[i32], number: usize) -> u16 {
    let (path, key) = match path.split_once('#') {
        Some((path, _)) => (path, Some(format!("key-{number}-{}", tasks[0]))),
        None => (path, None),
    };
    let path = path
        .replace("{id}", &tasks[0].to_string())
        .replace("{next}", &tasks[number % tasks.len()].to_string());
    let path = if path.starts_with('/') { path } else { user.path(&format!("/{path}")) };
    let mut request = user.request(method.clone(), &path);
    if let Some(key) = key {
        request = request.header("Idempotency-Key", &key);
    }
    if matches!(*method, Method::POST | Method::PUT) {
        request = request.json(json!({ "title": format!("Task {number:08}") }));
    }
    request.await.status
}

/// Replaces the user's tasks, and returns the new ones' ids.
async fn add_tasks(client: &Client, user: &User) -> Vec<i32> {
    client
        .execute("delete from tasks where user_id = $1", &[&user.id])
        .await
        .expect("delete tasks");
    let statement = "insert into tasks (user_id, title, description)
select $1, 'Task ' || lpad(number::text, 8, '0'), 'with some words about it'
  from generate_series(1, $2::int4) as number
returning id";
    let rows = client.query(statement, &[&user.id, &LISTED]).await.expect("add tasks");
    rows.iter().map(|row| row.get(0)).collect()
}

/// What differs by more than is tolerated: also what has become cheaper, or else it could become dearer again
/// unseen.
fn differences(kept: &Costs, measured: &Costs) -> Vec<String> {
    let mut differences = Vec::new();
    for (route, now) in measured {
        let before = kept.get(route);
        for (kind, before, now) in [
            ("fresh", before.map(|cost| cost.fresh), Some(now.fresh)),
            ("reused", before.and_then(|cost| cost.reused), now.reused),
        ] {
            let Some(now) = now else { continue };
            let ratio = before.map(|before| ratio(now, before));
            if ratio.is_none_or(|ratio| (ratio - 1.0).abs() > TOLERANCE) {
                let before = before.map_or("none".to_owned(), |before| before.to_string());
                differences.push(format!("{route}, {kind} instance: {now}, before: {before}"));
            }
        }
    }
    differences
}

#[expect(clippy::cast_precision_loss, reason = "far fewer instructions than 2 to the 52nd")]
fn ratio(now: u64, before: u64) -> f64 {
    now as f64 / before as f64
}

/// The figures of each build.
fn read() -> BTreeMap<String, Costs> {
    let text = fs::read_to_string(file()).unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str(&text).expect("a file of figures")
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/instructions.json")
}

#[test]
fn a_figure_may_not_change_by_more_than_a_twentieth() {
    let costs = |fresh, reused| Costs::from([("get".to_owned(), Cost { fresh, reused })]);
    let kept = costs(1_000, Some(100));
    assert!(differences(&kept, &costs(1_049, Some(96))).is_empty());
    assert!(differences(&kept, &costs(1_000, None)).is_empty());
    assert_eq!(
        differences(&kept, &costs(1_051, Some(94))),
        ["get, fresh instance: 1051, before: 1000", "get, reused instance: 94, before: 100"]
    );
    assert_eq!(differences(&Costs::new(), &kept).len(), 2);
}
