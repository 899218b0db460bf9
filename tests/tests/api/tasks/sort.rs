//! `GET /api/{user_id}/tasks?sort=priority`

use serde_json::{Value, json};
use tests::{App, User};

use super::paging::{ids, next, walk};

const UNKNOWN: &str = "Invalid sort value. Must be 'priority' or omitted";

/// A user with this many tasks of all priorities and both statuses, several at each moment.
async fn alice_with(tasks: i32) -> User {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let insert = "
        insert into tasks (user_id, title, status, priority, created_at, updated_at)
        select $1, 'task ' || n, case when n % 4 = 0 then 'complete' else 'incomplete' end,
               (array['low', 'medium', 'high'])[1 + n % 3], t, t
          from (select n, timestamptz '2026-01-01Z' - n / 5 * interval '1 second' as t
                  from generate_series(1, $2) n) as rows";
    app.client().await.execute(insert, &[&alice.id, &tasks]).await.expect("insert tasks");
    alice
}

/// The order of the contract: high to low, then newest first, then the higher id.
fn sorted(mut tasks: Vec<Value>) -> Vec<Value> {
    let rank = |task: &Value| {
        ["low", "medium", "high"].iter().position(|priority| task["priority"] == *priority)
    };
    let key = |task: &Value| {
        let created_at = task["created_at"].as_str().expect("a time").to_owned();
        (rank(task), created_at, task["id"].as_i64())
    };
    tasks.sort_by_key(|task| std::cmp::Reverse(key(task)));
    tasks
}

#[tokio::test]
async fn tasks_come_from_high_to_low_and_newest_first_among_equals() {
    let alice = alice_with(60).await;
    let all = alice.tasks().await;
    let by_priority = alice.get("/tasks?sort=priority").await.good(200);
    assert_eq!(by_priority, Value::Array(sorted(all.clone())));
    assert_ne!(by_priority, Value::Array(all.clone()));
    for status in ["incomplete", "complete"] {
        let of_status = all.iter().filter(|task| task["status"] == status).cloned().collect();
        for query in
            [format!("sort=priority&status={status}"), format!("status={status}&sort=priority")]
        {
            let listed = alice.get(&format!("/tasks?{query}")).await.good(200);
            assert_eq!(listed, Value::Array(sorted(Vec::clone(&of_status))), "{query}");
        }
    }
}

#[tokio::test]
async fn pages_follow_the_same_order_and_lose_nothing() {
    let alice = alice_with(100).await;
    for filter in ["", "&status=incomplete", "&status=complete"] {
        let all = alice.get(&format!("/tasks?sort=priority{filter}")).await.good(200);
        for limit in [1, 3, 7, 50, 99, 100, 250] {
            let pages = walk(&alice, &format!("/tasks?sort=priority{filter}&limit={limit}")).await;
            assert!(pages.iter().all(|page| page.len() <= limit), "{filter} {limit}");
            assert_eq!(Value::Array(pages.concat()), all, "{filter} {limit}");
        }
    }
}

#[tokio::test]
async fn the_link_keeps_the_sort() {
    let alice = alice_with(50).await;
    let response = alice.get("/tasks?limit=3&other=x&sort=priority&status=incomplete").await;
    let link = next(&response).expect("a next page");
    let (asked, cursor) = link.split_once("&cursor=").expect("a cursor");
    assert_eq!(asked, "/tasks?status=incomplete&sort=priority&limit=3");
    assert!(!cursor.contains('&'), "{link}");
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let alice = alice_with(20).await;
    let cursor = |link: Option<String>| {
        let link = link.expect("a next page");
        link.split_once("cursor=").expect("a cursor").1.to_owned()
    };
    let by_age = cursor(next(&alice.get("/tasks?limit=5").await));
    let by_priority = cursor(next(&alice.get("/tasks?limit=5&sort=priority").await));
    for (query, cursor) in [
        ("sort=priority", &by_age),
        ("sort=priority&status=complete", &by_age),
        ("limit=5", &by_priority),
        ("status=incomplete", &by_priority),
    ] {
        let response = alice.get(&format!("/tasks?{query}&cursor={cursor}")).await;
        assert_eq!(response.status, 400, "{query}: {response}");
        response.problem(400).kind("validation").field_mentions("cursor", &["the same sort"]);
    }
    for (query, cursor) in [("limit=5", &by_age), ("sort=priority", &by_priority)] {
        alice.get(&format!("/tasks?{query}&cursor={cursor}")).await.good(200);
    }
}

#[tokio::test]
async fn another_sort_is_refused() {
    let alice = alice_with(5).await;
    for (label, query) in [
        ("another member", "sort=title"),
        ("upper case", "sort=Priority"),
        ("descending", "sort=-priority"),
        ("with a space", "sort=priority%20"),
        ("two", "sort=priority,title"),
        ("empty", "sort="),
        ("without a value", "sort"),
        ("repeated", "sort=priority&sort=priority"),
        ("repeated, another one last", "sort=priority&sort=title"),
        ("repeated, another one first", "sort=title&sort=priority"),
        ("U+0000", "sort=priority%00"),
        ("not UTF-8", "sort=%FF"),
        ("SQL", "sort=priority;drop%20table%20tasks"),
    ] {
        let response = alice.get(&format!("/tasks?{query}")).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).kind("validation").field("sort", UNKNOWN);
    }
    alice.get("/tasks?sort=x&status=x&limit=x&cursor=x").await.problem(400).fields(&[
        ("status", "Invalid status value. Must be 'incomplete' or 'complete'"),
        ("sort", UNKNOWN),
        ("limit", "limit must be a whole number from 1 to 1000"),
        ("cursor", "cursor must be one that the Link header of a page gave, unchanged"),
    ]);
    let encoded = alice.get("/tasks?%73ort=priorit%79").await.good(200);
    assert_eq!(encoded, alice.get("/tasks?sort=priority").await.good(200));
}

#[tokio::test]
async fn only_the_callers_tasks_are_sorted() {
    let alice = alice_with(10).await;
    let bob = alice.app().user("bob").await;
    assert_eq!(bob.get("/tasks?sort=priority").await.text(), "[]");
    let his = bob.create(json!({ "title": "his", "priority": "high" })).await.good(201);
    assert_eq!(bob.get("/tasks?sort=priority").await.good(200), json!([his]));
    assert_eq!(
        alice.get("/tasks?sort=priority").await.good(200).as_array().map(Vec::len),
        Some(10)
    );
}

/// Pages that end by size, too.
#[tokio::test]
async fn a_page_of_large_tasks_ends_at_a_mebibyte() {
    let alice = alice_with(450).await;
    let enlarge = "update tasks set description = repeat('ü', 5000) where user_id = $1";
    alice.app().client().await.execute(enlarge, &[&alice.id]).await.expect("enlarge the tasks");
    for rest in [
        "/tasks?sort=priority",
        "/tasks?sort=priority&limit=200",
        "/tasks?sort=priority&status=incomplete",
    ] {
        let response = alice.get(rest).await;
        response.good(200);
        assert!(response.text().len() <= 1024 * 1024, "{rest}: {} bytes", response.text().len());
        assert!(
            response.text().len() > 1024 * 1024 - 12_000,
            "{rest}: {} bytes",
            response.text().len()
        );
        let tasks = walk(&alice, rest).await.concat();
        let expected = if rest.contains("status") { 338 } else { 450 };
        assert_eq!(ids(&tasks).len(), expected, "{rest}");
        assert_eq!(sorted(tasks.clone()), tasks, "{rest}");
    }
}

#[tokio::test]
async fn a_walk_is_stable_under_changes_of_other_tasks() {
    let alice = alice_with(60).await;
    let staying: Vec<i64> =
        ids(alice.get("/tasks?sort=priority").await.good(200).as_array().expect("an array"));
    let mut seen = Vec::new();
    let mut path = Some("/tasks?sort=priority&limit=7".to_owned());
    while let Some(here) = path {
        let response = alice.get(&here).await;
        let page = ids(response.good(200).as_array().expect("an array"));
        path = next(&response);
        // A new one comes before the page; the task that the cursor names may go.
        alice.create(json!({ "title": "new", "priority": "high" })).await.good(201);
        let last = *page.last().expect("a task");
        alice.delete(&format!("/tasks/{last}")).await.empty(204);
        seen.extend(page);
    }
    assert_eq!(seen, staying);
}
