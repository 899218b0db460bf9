//! Times that PostgreSQL has and RFC 3339 cannot write: no program of ours stores them, other ones may.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tests::{App, User};

use crate::path_of;

const LAST: &str = "9999-12-31T23:59:59.999999Z";
const FIRST: &str = "0001-01-01T00:00:00.000000Z";

/// Newest first, as SQL and as JSON have them. Several tasks have the same time.
const TIMES: [(&str, &str); 12] = [
    ("infinity", LAST),
    ("infinity", LAST),
    ("294276-12-31 00:00:00Z", LAST),
    ("12000-01-01 00:00:00Z", LAST),
    ("12000-01-01 00:00:00Z", LAST),
    ("10000-01-01 00:00:00Z", LAST),
    ("9999-12-31 23:59:59.999999Z", LAST),
    ("0001-01-01 00:00:00.000001Z", "0001-01-01T00:00:00.000001Z"),
    ("0044-03-15 12:00:00Z BC", FIRST),
    ("4713-01-01 00:00:00Z BC", FIRST),
    ("-infinity", FIRST),
    ("-infinity", FIRST),
];

/// Alice, with a task of each time, newest first.
async fn alice_with_times(app: &App) -> (User, Vec<i32>) {
    let alice = app.user("alice").await;
    let insert = "
        insert into tasks (user_id, title, created_at, updated_at)
        select $1, 'task ' || n, time::timestamptz, time::timestamptz
          from unnest($2::text[]) with ordinality as times (time, n)
         order by n desc
        returning id";
    let times: Vec<&str> = TIMES.iter().map(|(time, _)| *time).collect();
    let rows = app.client().await.query(insert, &[&alice.id, &times]).await.expect("insert");
    (alice, rows.iter().rev().map(|row| row.get(0)).collect())
}

fn ids(tasks: &[Value]) -> Vec<i64> {
    tasks.iter().map(|task| task["id"].as_i64().expect("an id")).collect()
}

#[tokio::test]
async fn a_time_that_json_cannot_have_is_the_nearest_that_it_can() {
    let app = App::start().await;
    let (alice, made) = alice_with_times(&app).await;
    let tasks = alice.tasks().await;
    assert_eq!(ids(&tasks), made.iter().map(|id| i64::from(*id)).collect::<Vec<_>>());
    for (task, (time, expected)) in tasks.iter().zip(TIMES) {
        assert_eq!(task["created_at"], expected, "{time}");
        assert_eq!(task["updated_at"], expected, "{time}");
        expected.parse::<DateTime<Utc>>().expect("RFC 3339");
        assert_eq!(alice.get(&path_of(task)).await.good(200), *task, "{time}");
    }
    // Other representations of a list: of large pages, and of small ones.
    assert_eq!(alice.get("/tasks?limit=100").await.good(200), Value::Array(tasks));
}

#[tokio::test]
async fn pages_lose_and_repeat_no_task_of_any_time() {
    let app = App::start().await;
    let (alice, made) = alice_with_times(&app).await;
    for filter in ["", "&status=incomplete"] {
        for limit in [1, 2, 5] {
            let mut seen = Vec::new();
            let mut cursor = String::new();
            while seen.len() <= TIMES.len() {
                let response = alice.get(&format!("/tasks?limit={limit}{filter}{cursor}")).await;
                let Value::Array(tasks) = response.good(200) else { panic!("{response}") };
                seen.extend(ids(&tasks));
                if !response.has_header("link") {
                    break;
                }
                let link = response.header("link");
                let next = link.split("cursor=").nth(1).and_then(|rest| rest.split('>').next());
                cursor = format!("&cursor={}", next.expect("a cursor"));
            }
            let all: Vec<i64> = made.iter().map(|id| i64::from(*id)).collect();
            assert_eq!(seen, all, "limit {limit}{filter}");
        }
    }
}

/// No change moves an infinite time: a tag would stand for two states. And of PostgreSQL's last years
/// there is no number of microseconds.
#[tokio::test]
async fn only_a_time_that_moves_gives_a_tag() {
    let app = App::start().await;
    let (alice, made) = alice_with_times(&app).await;
    for (id, (time, _)) in made.iter().zip(TIMES) {
        let path = format!("/tasks/{id}");
        let response = alice.get(&path).await;
        response.good(200);
        let stale = alice.patch(&path).header("If-Match", "\"1-0\"").json(json!({ "title": "x" }));
        stale.await.problem(412);
        let change = |condition: &str| {
            alice.patch(&path).header("If-Match", condition).json(json!({ "title": "y" }))
        };
        if time.contains("infinity") || time.starts_with("294276") {
            assert!(!response.has_header("etag"), "{time}");
            assert_eq!(response.header("cache-control"), "no-store", "{time}");
            change("*").await.good(200);
        } else {
            let tag = response.header("etag");
            let known = alice.get(&path).header("If-None-Match", tag).await;
            assert_eq!(known.status, 304, "{time}: {known}");
            let changed = change(tag).await;
            assert_eq!(changed.status, 200, "{time}: {changed}");
            assert_ne!(changed.header("etag"), tag, "{time}");
            change(tag).await.problem(412);
        }
        assert_eq!(alice.get(&path).await.good(200)["title"], "y", "{time}");
        alice.patch(&format!("{path}/complete")).await.good(200);
    }
}
