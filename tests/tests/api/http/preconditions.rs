//! Conditional requests (RFC 9110, section 13): `ETag`, `If-Match`, `If-None-Match`.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Response, User};

use crate::{NO_TASK, path_of};

/// A task of Alice's, and its tag.
async fn task_with_etag() -> (User, Value, String) {
    let alice = App::start().await.user("alice").await;
    let response = alice.create(json!({ "title": "Buy milk" })).await;
    let task = response.good(201);
    (alice, task, response.header("etag").to_owned())
}

async fn get(alice: &User, task: &Value) -> Response {
    alice.get(&path_of(task)).await
}

#[tokio::test]
async fn a_task_has_one_strong_tag_wherever_it_is_shown() {
    let (alice, task, etag) = task_with_etag().await;
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2, "{etag}");
    let path = path_of(&task);
    let head = alice.request(Method::HEAD, &alice.path(&path)).await;
    for (label, response) in [("get", get(&alice, &task).await), ("head", head)] {
        assert_eq!(response.status, 200, "{label}");
        assert_eq!(response.header("etag"), etag, "{label}");
        assert_eq!(response.header("cache-control"), "private, no-cache", "{label}");
    }
    // An update that changes nothing keeps the tag.
    let same = alice.patch(&path).json(json!({ "title": "Buy milk" })).await;
    assert_eq!(same.header("etag"), etag);
}

#[tokio::test]
async fn the_tag_changes_with_every_change() {
    let (alice, task, etag) = task_with_etag().await;
    let path = path_of(&task);
    let mut tags = vec![etag];
    // The last one restores the first values, which is still a new state: the task changed in between.
    let back = json!({ "title": "Buy milk", "description": null, "status": "incomplete" });
    for request in [
        alice.put(&path).json(json!({ "title": "Buy tea" })),
        alice.patch(&path).json(json!({ "description": "green" })),
        alice.patch(&format!("{path}/complete")),
        alice.patch(&path).json(back),
    ] {
        let response = request.await;
        let etag = response.header("etag").to_owned();
        assert_eq!(get(&alice, &task).await.header("etag"), etag);
        assert!(!tags.contains(&etag), "{etag} again");
        tags.push(etag);
    }
}

#[tokio::test]
async fn a_known_state_is_not_sent_again() {
    let (alice, task, etag) = task_with_etag().await;
    let path = path_of(&task);
    for (label, value, status) in [
        ("it", etag.clone(), 304),
        ("it, weak", format!("W/{etag}"), 304),
        ("any", "*".to_owned(), 304),
        ("it in a list", format!("\"other\", {etag} , W/\"x\""), 304),
        ("another", "\"other\"".to_owned(), 200),
        ("others", "\"a\", \"b\"".to_owned(), 200),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let request = alice.request(method.clone(), &alice.path(&path));
            let response = request.header("If-None-Match", &value).await;
            assert_eq!(response.status, status, "{method}, {label}: {response}");
            assert_eq!(response.header("etag"), etag, "{label}");
            assert_eq!(response.header("cache-control"), "private, no-cache", "{label}");
            if status == 304 {
                assert!(response.body.is_empty(), "{label}: {response}");
                // There is no body that it could describe (section 8.6).
                assert!(!response.has_header("content-length"), "{label}: {response:#}");
                assert!(!response.has_header("content-type"), "{label}: {response:#}");
            }
        }
    }
    alice.patch(&path).json(json!({ "title": "Buy tea" })).await.good(200);
    let response = alice.get(&path).header("If-None-Match", &etag).await;
    assert_eq!(response.good(200)["title"], "Buy tea");
}

#[tokio::test]
async fn a_known_state_is_not_sent_again_over_http2() {
    let (alice, task, etag) = task_with_etag().await;
    let path = alice.path(&path_of(&task));
    let request = alice.app().request_http2(Method::GET, &path).token(&alice.token);
    assert_eq!(request.header("If-None-Match", &etag).await.status, 304);
}

/// Every way to change a task, with the rest of its path.
fn changes() -> [(&'static str, Method, &'static str, Option<Value>); 5] {
    let title = || Some(json!({ "title": "changed" }));
    let status = Some(json!({ "status": "complete" }));
    [
        ("put", Method::PUT, "", title()),
        ("patch", Method::PATCH, "", title()),
        ("complete", Method::PATCH, "/complete", None),
        ("status", Method::PATCH, "/status", status),
        ("delete", Method::DELETE, "", None),
    ]
}

async fn change(
    alice: &User,
    row: (&str, Method, &str, Option<Value>),
    task: &Value,
    if_match: &str,
) -> Response {
    change_with(alice, row, task, &[("If-Match", if_match)]).await
}

async fn change_with(
    alice: &User,
    (_, method, rest, body): (&str, Method, &str, Option<Value>),
    task: &Value,
    preconditions: &[(&str, &str)],
) -> Response {
    let path = format!("{}{rest}", alice.path(&path_of(task)));
    let request = preconditions
        .iter()
        .fold(alice.request(method, &path), |request, (name, value)| request.header(name, value));
    match body {
        Some(body) => request.json(body).await,
        None => request.await,
    }
}

#[tokio::test]
async fn a_change_of_another_state_is_refused_and_changes_nothing() {
    let alice = App::start().await.user("alice").await;
    for row in changes() {
        let label = row.0;
        let created = alice.create(json!({ "title": "Buy milk" })).await;
        let (task, etag) = (created.good(201), created.header("etag").to_owned());
        for (what, if_match) in [
            ("another", "\"other\"".to_owned()),
            ("others", "\"a\", \"b\"".to_owned()),
            ("weak", format!("W/{etag}")),
            ("of another task", etag.replace("1-", "1-9")),
        ] {
            let response = change(&alice, row.clone(), &task, &if_match).await;
            assert_eq!(response.status, 412, "{label}, {what}: {response}");
            response.problem(412).kind("precondition-failed");
            let now = get(&alice, &task).await;
            assert_eq!(now.good(200), task, "{label}, {what}");
            assert_eq!(now.header("etag"), etag, "{label}, {what}");
        }
        // A stale tag, of a previous state.
        let title = json!({ "title": "Buy tea" });
        let newer = alice.patch(&path_of(&task)).json(title).await;
        let response = change(&alice, row.clone(), &task, &etag).await;
        assert_eq!(response.status, 412, "{label}, stale: {response}");
        assert_eq!(get(&alice, &task).await.good(200), newer.good(200), "{label}");
    }
}

#[tokio::test]
async fn a_change_of_the_named_state_succeeds() {
    let alice = App::start().await.user("alice").await;
    for row in changes() {
        let label = row.0;
        for what in ["it", "it in a list", "any"] {
            let created = alice.create(json!({ "title": "Buy milk" })).await;
            let (task, etag) = (created.good(201), created.header("etag").to_owned());
            let if_match = match what {
                "it" => etag.clone(),
                "any" => "*".to_owned(),
                _ => format!("\"a\", {etag},\"b\""),
            };
            let response = change(&alice, row.clone(), &task, &if_match).await;
            assert!([200, 204].contains(&response.status), "{label}, {what}: {response}");
            if response.status == 200 {
                assert_ne!(response.header("etag"), etag, "{label}, {what}");
            }
        }
    }
}

#[tokio::test]
async fn an_absent_task_is_404_whatever_is_expected_of_it() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let his = bob.create(json!({ "title": "his" })).await;
    let (his, etag) = (his.good(201), his.header("etag").to_owned());
    let absent = json!({ "id": NO_TASK });
    for row in changes() {
        for value in ["*", "\"other\"", etag.as_str()] {
            for name in ["If-Match", "If-None-Match"] {
                for task in [&absent, &his] {
                    let response = change_with(&alice, row.clone(), task, &[(name, value)]).await;
                    assert_eq!(response.status, 404, "{}, {name}: {value}: {response}", row.0);
                    response.problem(404).says("Task not found");
                    let response = alice.get(&path_of(task)).header(name, value).await;
                    response.problem(404).says("Task not found");
                }
            }
        }
    }
    assert_eq!(bob.tasks().await, [his]);
}

#[tokio::test]
async fn a_malformed_precondition_is_reported() {
    let (alice, task, _) = task_with_etag().await;
    for value in ["", ",", "abc", "\"a", "\"a\" \"b\"", "w/\"a\"", "*, \"a\""] {
        for row in changes() {
            for name in ["If-Match", "If-None-Match"] {
                let response = change_with(&alice, row.clone(), &task, &[(name, value)]).await;
                response.problem(400).mentions(name);
            }
        }
        for name in ["If-Match", "If-None-Match"] {
            for rest in [path_of(&task).as_str(), "/tasks"] {
                alice.get(rest).header(name, value).await.problem(400).mentions(name);
            }
            let request = alice.create(json!({ "title": "x" })).header(name, value);
            request.await.problem(400).mentions(name);
        }
    }
    assert_eq!(alice.tasks().await, [task]);
}

/// `If-None-Match` names states in which a change must not happen (RFC 9110, section 13.1.2).
#[tokio::test]
async fn a_change_of_an_excluded_state_is_refused_and_changes_nothing() {
    let alice = App::start().await.user("alice").await;
    for row in changes() {
        let label = row.0;
        let created = alice.create(json!({ "title": "Buy milk" })).await;
        let (task, etag) = (created.good(201), created.header("etag").to_owned());
        for (what, value) in [
            ("any", "*".to_owned()),
            ("it", etag.clone()),
            ("it, weak", format!("W/{etag}")),
            ("it in a list", format!("\"other\", {etag} , W/\"x\"")),
        ] {
            let precondition = [("If-None-Match", value.as_str())];
            let response = change_with(&alice, row.clone(), &task, &precondition).await;
            assert_eq!(response.status, 412, "{label}, {what}: {response}");
            response.problem(412).kind("precondition-failed").mentions("If-None-Match");
            let now = get(&alice, &task).await;
            assert_eq!(now.good(200), task, "{label}, {what}");
            assert_eq!(now.header("etag"), etag, "{label}, {what}");
        }
    }
}

#[tokio::test]
async fn a_change_of_a_state_that_is_not_excluded_happens() {
    let alice = App::start().await.user("alice").await;
    for row in changes() {
        let label = row.0;
        for what in ["another", "others", "a previous one", "weak"] {
            let created = alice.create(json!({ "title": "Buy milk" })).await;
            let (task, etag) = (created.good(201), created.header("etag").to_owned());
            alice.patch(&path_of(&task)).json(json!({ "title": "Buy tea" })).await.good(200);
            let value = match what {
                "another" => "\"other\"".to_owned(),
                "others" => "\"a\", W/\"b\"".to_owned(),
                "a previous one" => etag,
                _ => format!("W/{etag}"),
            };
            let precondition = [("If-None-Match", value.as_str())];
            let response = change_with(&alice, row.clone(), &task, &precondition).await;
            assert!([200, 204].contains(&response.status), "{label}, {what}: {response}");
            let now = get(&alice, &task).await;
            if response.status == 204 {
                now.problem(404);
            } else {
                assert_eq!(now.good(200), response.good(200), "{label}, {what}");
                assert_ne!(response.json()["title"], "Buy milk", "{label}, {what}");
            }
        }
    }
}

/// The first one that does not hold counts; both have to (RFC 9110, section 13.2.2).
#[tokio::test]
async fn both_preconditions_have_to_hold() {
    let alice = App::start().await.user("alice").await;
    for (if_match, if_none_match, holds) in [
        ("it", "other", true),
        ("any", "other", true),
        ("it and other", "other", true),
        ("it", "it", false),
        ("any", "it", false),
        ("it", "any", false),
        ("other", "other", false),
        ("other", "it", false),
        ("it and other", "it", false),
    ] {
        for row in changes() {
            let label = format!("{}: {if_match} and not {if_none_match}", row.0);
            let created = alice.create(json!({ "title": "Buy milk" })).await;
            let (task, etag) = (created.good(201), created.header("etag").to_owned());
            let value = |what: &str| match what {
                "it" => etag.clone(),
                "any" => "*".to_owned(),
                "it and other" => format!("\"other\", {etag}"),
                _ => "\"other\"".to_owned(),
            };
            let (if_match, if_none_match) = (value(if_match), value(if_none_match));
            let preconditions =
                [("If-None-Match", if_none_match.as_str()), ("If-Match", if_match.as_str())];
            let response = change_with(&alice, row, &task, &preconditions).await;
            if holds {
                assert!([200, 204].contains(&response.status), "{label}: {response}");
            } else {
                response.problem(412).kind("precondition-failed");
                assert_eq!(get(&alice, &task).await.good(200), task, "{label}");
            }
        }
    }
}

/// `If-Match` is for `GET` and `HEAD`, too (RFC 9110, section 13.1.1), and comes first.
#[tokio::test]
async fn a_task_in_another_state_than_the_named_one_is_not_sent() {
    let (alice, task, etag) = task_with_etag().await;
    let path = path_of(&task);
    for (label, if_match, if_none_match, status) in [
        ("it", etag.clone(), None, 200),
        ("any", "*".to_owned(), None, 200),
        ("it in a list", format!("\"other\", {etag}"), None, 200),
        ("another", "\"other\"".to_owned(), None, 412),
        ("weak", format!("W/{etag}"), None, 412),
        ("it, and known", etag.clone(), Some(etag.as_str()), 304),
        ("any, and known", "*".to_owned(), Some("*"), 304),
        ("another, and known", "\"other\"".to_owned(), Some(etag.as_str()), 412),
        ("it, and another known", etag.clone(), Some("\"other\""), 200),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let request = alice.request(method.clone(), &alice.path(&path));
            let request = request.header("If-Match", &if_match);
            let response = match if_none_match {
                Some(value) => request.header("If-None-Match", value).await,
                None => request.await,
            };
            assert_eq!(response.status, status, "{method}, {label}: {response}");
            assert_eq!(response.has_header("etag"), status != 412, "{method}, {label}");
            if status == 412 && method == Method::GET {
                response.problem(412).kind("precondition-failed");
            }
        }
    }
}

/// A proxy that compresses answers makes their tags weak, and `If-Match` takes strong ones only.
#[tokio::test]
async fn a_weak_tag_is_answered_with_what_to_do() {
    let (alice, task, etag) = task_with_etag().await;
    let changed = "The task has changed since you read it";
    let weak = format!("W/{etag}");
    for row in changes() {
        for value in [weak.clone(), format!("W/\"other\", {weak}")] {
            let response = change(&alice, row.clone(), &task, &value).await;
            response.problem(412).mentions("A weak tag never matches").mentions("without W/");
        }
        let response = change(&alice, row.clone(), &task, &format!("{weak}, \"other\"")).await;
        response.problem(412).says(changed);
        let response = change(&alice, row, &task, "\"other\"").await;
        response.problem(412).says(changed);
    }
    let response = alice.get(&path_of(&task)).header("If-Match", &weak).await;
    response.problem(412).mentions("A weak tag never matches");
    // The advice works.
    let title = json!({ "title": "Buy tea" });
    let request = alice.put(&path_of(&task)).header("If-Match", weak.trim_start_matches("W/"));
    request.json(title).await.good(200);
}

/// A list, the index and health exist, which `*` stands for, and have no tag.
#[tokio::test]
async fn what_has_no_tag_matches_any_and_nothing_else() {
    let (alice, task, etag) = task_with_etag().await;
    for (name, value, read, created) in [
        ("If-Match", "*", 200, true),
        ("If-Match", etag.as_str(), 412, false),
        ("If-Match", "\"other\"", 412, false),
        ("If-None-Match", "*", 304, false),
        ("If-None-Match", etag.as_str(), 200, true),
        ("If-None-Match", "W/\"other\"", 200, true),
    ] {
        for path in [alice.path("/tasks").as_str(), "/", "/health", "/health/db"] {
            for method in [Method::GET, Method::HEAD] {
                let response = alice.request(method, path).header(name, value).await;
                assert_eq!(response.status, read, "{name}: {value}: {response}");
            }
        }
        // A new task is a change of the list.
        let before = alice.tasks().await;
        let response = alice.create(json!({ "title": "x" })).header(name, value).await;
        let after = alice.tasks().await;
        if created {
            let task = response.good(201);
            assert_eq!((after.len(), &after[0]), (before.len() + 1, &task), "{name}: {value}");
        } else {
            response.problem(412).kind("precondition-failed").mentions(name);
            assert_eq!(after, before, "{name}: {value}");
        }
    }
    assert!(alice.tasks().await.contains(&task));
}

/// Only what would be good without them has preconditions (RFC 9110, section 13.2.1).
#[tokio::test]
async fn a_request_that_fails_otherwise_fails_so_with_preconditions_too() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let path = path_of(&task);
    for (name, value) in [("If-Match", "\"other\""), ("If-None-Match", "*")] {
        for (request, status) in [
            (app.get(&alice.path(&path)), 401),
            (alice.get("/tasks/0"), 400),
            (alice.get("/tasks?limit=0"), 400),
            (alice.get("/nope"), 404),
            (alice.post(&path), 405),
            (alice.put(&path).json(json!({ "title": "" })), 400),
            (alice.create(json!({ "title": "" })), 400),
            (alice.post("/tasks").body("text/plain", "x"), 415),
        ] {
            let response = request.header(name, value).await;
            assert_eq!(response.status, status, "{name}: {value}: {response}");
        }
        let options = alice.request(Method::OPTIONS, &alice.path(&path));
        options.header(name, value).await.empty(204);
    }
    assert_eq!(alice.tasks().await, [task]);
}

/// The condition is part of the statement: whoever waits for the row sees what it has become.
#[tokio::test]
async fn of_many_writers_that_exclude_a_state_none_overwrites_it() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let task = alice.task("contended").await;
    let mut lock = app.client().await;
    let transaction = lock.transaction().await.expect("begin");
    let update = "update tasks set title = 'final' where user_id = $1
                  returning '\"1-' || (extract(epoch from updated_at) * 1000000)::int8 || '\"'";
    let row = transaction.query_one(update, &[&alice.id]).await.expect("update");
    let etag: String = row.get(0);
    let writers = (0..4).map(|writer| {
        let title = json!({ "title": format!("writer {writer}") });
        let request = alice.put(&path_of(&task)).header("If-None-Match", &etag).json(title);
        async move { request.await.status }
    });
    let commit = async {
        // They read the state before, and wait for the lock.
        let waiting = "select count(*) from pg_stat_activity
                        where datname = current_database() and wait_event_type = 'Lock'";
        let watcher = app.client().await;
        tests::until("the writers wait", async || {
            let count: i64 = watcher.query_one(waiting, &[]).await.expect("query").get(0);
            (count == 4).then_some(())
        })
        .await;
        transaction.commit().await.expect("commit");
    };
    let (statuses, ()) = futures::join!(join_all(writers), commit);
    assert_eq!(statuses, [412; 4]);
    assert_eq!(get(&alice, &task).await.good(200)["title"], "final");
}

#[tokio::test]
async fn of_many_writers_with_the_same_tag_one_succeeds() {
    let alice = App::start().await.user("alice").await;
    for round in 0..5 {
        let created = alice.create(json!({ "title": "contended" })).await;
        let (task, etag) = (created.good(201), created.header("etag").to_owned());
        let path = path_of(&task);
        let responses = join_all((0..12).map(|writer| {
            let title = json!({ "title": format!("writer {writer}") });
            let request = alice.put(&path).header("If-Match", &etag).json(title);
            async move { request.await }
        }))
        .await;
        let won: Vec<&Response> =
            responses.iter().filter(|response| response.status == 200).collect();
        let lost = responses.iter().filter(|response| response.status == 412).count();
        assert_eq!((won.len(), lost), (1, 11), "round {round}: {responses:?}");
        assert_eq!(get(&alice, &task).await.good(200), won[0].json(), "round {round}");
    }
}

#[tokio::test]
async fn of_a_deletion_and_a_change_with_the_same_tag_one_succeeds() {
    let alice = App::start().await.user("alice").await;
    for round in 0..10 {
        let created = alice.create(json!({ "title": "contended" })).await;
        let (task, etag) = (created.good(201), created.header("etag").to_owned());
        let path = path_of(&task);
        let title = json!({ "title": "changed" });
        let put = async { alice.put(&path).header("If-Match", &etag).json(title).await.status };
        let delete = async { alice.delete(&path).header("If-Match", &etag).await.status };
        let output = futures::join!(put, delete);
        // The second one finds another state, or no task.
        let fair = [(200, 412), (412, 204), (404, 204)];
        assert!(fair.contains(&output), "round {round}: {output:?}");
    }
}
