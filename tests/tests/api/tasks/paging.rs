//! Pages of a list: `?limit=`, `?cursor=`, and the `Link` to the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tests::{App, Response, User};

/// Maximum size of a page in bytes of JSON.
const MIB: usize = 1_048_576;

/// The path of the next page after `/api/{user_id}`, if there is one.
pub(super) fn next(response: &Response) -> Option<String> {
    if !response.has_header("link") {
        return None;
    }
    let link = response.header("link");
    let query = link
        .strip_prefix("<?")
        .and_then(|link| link.strip_suffix(">; rel=\"next\""))
        .unwrap_or_else(|| panic!("not a link to a next page: {link}"));
    Some(format!("/tasks?{query}"))
}

/// All pages from this one on, each with its tasks.
pub(super) async fn walk(user: &User, first: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(here) = path {
        let response = user.get(&here).await;
        let Value::Array(tasks) = response.good(200) else { panic!("{response}") };
        path = next(&response);
        pages.push(tasks);
        assert!(pages.len() < 1_000, "a walk that does not end");
    }
    pages
}

pub(super) fn ids(tasks: &[Value]) -> Vec<i64> {
    tasks.iter().map(|task| task["id"].as_i64().expect("an id")).collect()
}

/// Alice, with this many tasks; `at_a_time` of them have the same creation time.
async fn alice_with(tasks: i32, at_a_time: i32) -> User {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let insert = "
        insert into tasks (user_id, title, status, created_at, updated_at)
        select $1, 'task ' || n, case when n % 3 = 0 then 'complete' else 'incomplete' end, t, t
          from (select n, timestamptz '2026-01-01 00:00:00.000001Z' - n / $3 * interval '1 second' as t
                  from generate_series(1, $2) n) as rows";
    let client = app.client().await;
    client.execute(insert, &[&alice.id, &tasks, &at_a_time]).await.expect("insert tasks");
    alice
}

#[tokio::test]
async fn pages_together_are_the_list() {
    let alice = alice_with(95, 1).await;
    let all = alice.tasks().await;
    assert_eq!(all.len(), 95);
    for (limit, pages) in [(1, 95), (10, 10), (94, 2), (95, 1), (96, 1), (1000, 1)] {
        let walked = walk(&alice, &format!("/tasks?limit={limit}")).await;
        assert_eq!(walked.len(), pages, "limit {limit}");
        assert_eq!(walked.concat(), all, "limit {limit}");
    }
}

#[tokio::test]
async fn equal_timestamps_lose_and_repeat_nothing() {
    // 40 tasks with each time, and pages of 7: most pages begin and end between equal times.
    let alice = alice_with(400, 40).await;
    let all = alice.get("/tasks?limit=1000").await.good(200);
    let walked = walk(&alice, "/tasks?limit=7").await.concat();
    assert_eq!(Value::Array(walked.clone()), all);
    assert_eq!(ids(&walked).into_iter().collect::<BTreeSet<_>>().len(), 400);
}

#[tokio::test]
async fn a_list_has_1000_tasks_by_default() {
    let alice = alice_with(2_500, 1).await;
    let pages = walk(&alice, "/tasks").await;
    let lengths: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1_000, 1_000, 500]);
}

#[tokio::test]
async fn a_filtered_list_has_pages_too() {
    let alice = alice_with(100, 10).await;
    for (status, expected) in [("complete", 33), ("incomplete", 67)] {
        let pages = walk(&alice, &format!("/tasks?status={status}&limit=5")).await;
        let tasks = pages.concat();
        assert_eq!(tasks.len(), expected, "{status}");
        assert!(tasks.iter().all(|task| task["status"] == status), "{status}");
        assert!(pages.iter().all(|page| page.len() <= 5), "{status}");
        let all = alice.get(&format!("/tasks?limit=1000&status={status}")).await.good(200);
        assert_eq!(Value::Array(tasks), all, "{status}");
    }
}

#[tokio::test]
async fn a_walk_is_stable_under_inserts_and_deletes() {
    let alice = alice_with(60, 6).await;
    let before = ids(&alice.tasks().await);
    let mut seen = Vec::new();
    let mut path = Some("/tasks?limit=10".to_owned());
    let mut deleted = Vec::new();
    while let Some(here) = path {
        let response = alice.get(&here).await;
        let page = ids(response.good(200).as_array().expect("an array"));
        path = next(&response);
        // New tasks come before the current page; of later and of seen ones, some are deleted, also the
        // one that the cursor names.
        alice.task("new").await;
        let last = *page.last().expect("a task");
        let later = before.iter().skip_while(|id| **id != last).nth(3).copied();
        for id in [Some(last), later].into_iter().flatten() {
            alice.delete(&format!("/tasks/{id}")).await.empty(204);
            deleted.push(id);
        }
        seen.extend(page);
    }
    let distinct: BTreeSet<i64> = seen.iter().copied().collect();
    assert_eq!(distinct.len(), seen.len(), "nothing is repeated: {seen:?}");
    let lost: Vec<_> =
        before.iter().filter(|id| !distinct.contains(id) && !deleted.contains(id)).collect();
    assert_eq!(lost, [] as [&i64; 0], "nothing that stayed is lost");
    assert!(seen.iter().all(|id| before.contains(id)), "nothing that came is shown");
}

#[tokio::test]
async fn the_link_keeps_status_and_limit_and_nothing_else() {
    let alice = alice_with(50, 1).await;
    let response = alice.get("/tasks?status=incomplete&limit=3&other=x").await;
    let link = next(&response).expect("a next page");
    let (asked, cursor) = link.split_once("&cursor=").expect("a cursor");
    assert_eq!(asked, "/tasks?status=incomplete&limit=3");
    assert!(!cursor.contains('&'), "what the API does not know is left out: {link}");
    let response = alice.get("/tasks?limit=3").await;
    let link = next(&response).expect("a next page");
    assert!(link.starts_with("/tasks?limit=3&cursor="), "{link}");
}

#[tokio::test]
async fn the_link_works_for_odd_user_ids() {
    let app = App::start().await;
    for id in ["a/b c", "ü 🦀", "100%", "a&b=c?d#e", "<>;,\""] {
        let user = app.unregistered_user_with_id(id);
        user.task("one").await;
        user.task("two").await;
        let response = user.get("/tasks?limit=1").await;
        let link = next(&response).expect("a next page");
        let next = user.get(&link).await.good(200);
        assert_eq!(next[0]["title"], "one", "{id}: {link}");
    }
}

#[tokio::test]
async fn the_last_page_has_no_link() {
    let alice = alice_with(10, 1).await;
    assert!(!alice.get("/tasks?limit=10").await.has_header("link"));
    assert!(alice.get("/tasks?limit=9").await.has_header("link"));
    assert!(!alice.get("/tasks?status=complete").await.has_header("link"));
    let bob = alice.app().user("bob").await;
    assert!(!bob.get("/tasks?limit=1").await.has_header("link"));
}

#[tokio::test]
async fn a_cursor_of_another_user_shows_only_ones_own() {
    let alice = alice_with(10, 1).await;
    let bob = alice.app().user("bob").await;
    let his = bob.task("his").await;
    let response = alice.get("/tasks?limit=5").await;
    let link = next(&response).expect("a next page");
    let page = bob.get(&link).await.good(200);
    let page = page.as_array().expect("an array");
    assert!(page.is_empty() || page == &[his], "{page:?}");
}

#[tokio::test]
async fn a_bad_limit_or_cursor_says_what_is_accepted() {
    let alice = alice_with(5, 1).await;
    let limit = "limit must be a whole number from 1 to 1000";
    for value in ["0", "-1", "1001", "abc", "", "1.5", "%2B5", "99999999999999999999", "5%00"] {
        alice.get(&format!("/tasks?limit={value}")).await.problem(400).field("limit", limit);
    }
    for value in
        ["", "x", "AAAA", "AAAAAAAAAAAAAAAA", "____________________", "%F0%9F%A6%80", "%00"]
    {
        let response = alice.get(&format!("/tasks?cursor={value}")).await;
        response.problem(400).field_mentions("cursor", &["Link"]);
    }
    let status = "Invalid status value. Must be 'incomplete' or 'complete'";
    let cursor = "cursor must be one that the Link header of a page gave, unchanged";
    let response = alice.get("/tasks?limit=x&cursor=x&status=x").await;
    let all = [("status", status), ("limit", limit), ("cursor", cursor)];
    assert_eq!(response.problem(400).fields(&all).message(), status);
}

#[tokio::test]
async fn of_several_limits_the_last_one_counts() {
    let alice = alice_with(5, 1).await;
    let page = alice.get("/tasks?limit=1&limit=2").await.good(200);
    assert_eq!(page.as_array().map(Vec::len), Some(2));
}

/// Adds this many tasks of Alice, all with this description.
async fn add_tasks(alice: &User, tasks: i32, description: &str) {
    let insert = "
        insert into tasks (user_id, title, description, created_at)
        select $1, 'task ' || n, $3, timestamptz '2026-01-01Z' - n * interval '1 second'
          from generate_series(1, $2) n";
    let client = alice.app().client().await;
    client.execute(insert, &[&alice.id, &tasks, &description]).await.expect("insert tasks");
}

#[tokio::test]
async fn a_page_of_large_tasks_ends_at_a_mebibyte() {
    for (label, description) in [
        ("ASCII", "x".repeat(5_000)),
        ("two bytes each", "ü".repeat(5_000)),
        ("four bytes each", "🥛".repeat(5_000)),
        ("two bytes when escaped", "\n".repeat(5_000)),
        ("six bytes when escaped", "\u{1}".repeat(5_000)),
    ] {
        let alice = App::start().await.user("alice").await;
        add_tasks(&alice, 600, &description).await;
        for rest in ["/tasks", "/tasks?limit=200", "/tasks?status=incomplete"] {
            let response = alice.get(rest).await;
            let tasks = response.good(200).as_array().expect("an array").clone();
            let bytes = response.text().len();
            let of_one = bytes / tasks.len();
            if tasks.len() < 200 {
                assert!(bytes <= MIB, "{label}, {rest}: {bytes} bytes");
                assert!(bytes + of_one + 2 > MIB, "{label}, {rest}: one more fits: {bytes} bytes");
            }
            assert!(next(&response).is_some(), "{label}, {rest}: {} tasks", tasks.len());
            let walked = ids(&walk(&alice, rest).await.concat());
            assert_eq!(walked.len(), 600, "{label}, {rest}");
            assert!(walked.is_sorted(), "{label}, {rest}: each once: {walked:?}");
        }
    }
}

#[tokio::test]
async fn a_page_has_a_mebibyte_and_not_a_byte_more() {
    const TASKS: i32 = 195;
    let alice = App::start().await.user("alice").await;
    add_tasks(&alice, TASKS, "").await;
    let client = alice.app().client().await;
    let fill = async |bytes: usize| {
        let bytes = i32::try_from(bytes).expect("a small number");
        // The titles have maximum length too: the descriptions alone are not enough.
        let update = "
            update tasks
               set title = repeat('t', 255),
                   description = repeat('d', $2::int4 / $3::int4 + (n <= $2::int4 % $3::int4)::int4)
              from (select id, row_number() over (order by id) as n
                      from tasks where user_id = $1) as numbered
             where tasks.id = numbered.id";
        client.execute(update, &[&alice.id, &bytes, &TASKS]).await.expect("fill the tasks");
    };
    fill(0).await;
    let titled = alice.get("/tasks").await.text().len();
    let tasks = usize::try_from(TASKS).expect("a small number");
    for rest in ["/tasks", "/tasks?limit=200"] {
        fill(MIB - titled).await;
        let response = alice.get(rest).await;
        assert_eq!(response.text().len(), MIB, "{rest}");
        assert_eq!(response.good(200).as_array().map(Vec::len), Some(tasks), "{rest}");
        assert!(!response.has_header("link"), "{rest}: nothing follows");

        fill(MIB - titled + 1).await;
        let response = alice.get(rest).await;
        assert_eq!(response.good(200).as_array().map(Vec::len), Some(tasks - 1), "{rest}");
        let rest = next(&response).expect("a next page");
        let response = alice.get(&rest).await;
        assert_eq!(response.good(200).as_array().map(Vec::len), Some(1), "{rest}");
        assert!(!response.has_header("link"), "{rest}: nothing follows");
    }
}

/// Pages that end by size, while other clients insert and delete around their ends.
#[tokio::test]
async fn a_walk_by_size_loses_and_repeats_nothing_while_others_write() {
    let alice = App::start().await.user("alice").await;
    for description in ["x", "\u{1}", "ü\n"] {
        add_tasks(&alice, 300, &description.repeat(5_000 / description.chars().count())).await;
    }
    let all: Vec<Value> = walk(&alice, "/tasks").await.concat();
    assert_eq!(all.len(), 900);
    // Every third one is deleted during the walk; the others stay.
    let (mut leaving, mut staying) = (Vec::new(), BTreeSet::new());
    for (place, id) in ids(&all).into_iter().enumerate() {
        if place % 3 == 0 {
            leaving.push(id);
        } else {
            staying.insert(id);
        }
    }

    let walked = AtomicBool::new(false);
    let insert = async {
        while !walked.load(Ordering::Relaxed) {
            let body = json!({ "title": "new", "description": "\u{1}".repeat(5_000) });
            alice.create(body).await.good(201);
        }
    };
    // From both ends towards the middle, so that the walk meets deleted tasks.
    let delete = async {
        let (first, second) = leaving.split_at(leaving.len() / 2);
        for id in first.iter().rev().chain(second.iter().rev()) {
            if walked.load(Ordering::Relaxed) {
                break;
            }
            alice.delete(&format!("/tasks/{id}")).await.empty(204);
        }
    };
    let walk = async {
        let mut seen = BTreeMap::new();
        let mut path = Some("/tasks".to_owned());
        let mut pages = 0;
        while let Some(here) = path {
            let response = alice.get(&here).await;
            for id in ids(response.good(200).as_array().expect("an array")) {
                *seen.entry(id).or_insert(0) += 1;
            }
            assert!(response.text().len() <= MIB);
            path = next(&response);
            pages += 1;
        }
        walked.store(true, Ordering::Relaxed);
        (seen, pages)
    };
    let ((), (), (seen, pages)) = futures::join!(insert, delete, walk);
    assert!(pages > 10, "{pages} pages");
    let repeated: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
    assert_eq!(repeated, [], "nothing is repeated");
    let lost: Vec<_> = staying.iter().filter(|id| !seen.contains_key(*id)).collect();
    assert_eq!(lost, [] as [&i64; 0], "nothing that stayed is lost");
}
