//! Conditional requests (RFC 9110, section 13): `ETag`, `If-None-Match`, `If-Match`.

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
fn changes() -> [(&'static str, Method, &'static str, Option<Value>); 4] {
    let title = || Some(json!({ "title": "changed" }));
    [
        ("put", Method::PUT, "", title()),
        ("patch", Method::PATCH, "", title()),
        ("complete", Method::PATCH, "/complete", None),
        ("delete", Method::DELETE, "", None),
    ]
}

async fn change(
    alice: &User,
    (_, method, rest, body): (&str, Method, &str, Option<Value>),
    task: &Value,
    if_match: &str,
) -> Response {
    let path = format!("{}{rest}", alice.path(&path_of(task)));
    let request = alice.request(method, &path).header("If-Match", if_match);
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
        for if_match in ["*", "\"other\"", etag.as_str()] {
            for task in [&absent, &his] {
                let response = change(&alice, row.clone(), task, if_match).await;
                assert_eq!(response.status, 404, "{}, {if_match}: {response}", row.0);
                response.problem(404).says("Task not found");
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
            let response = change(&alice, row, &task, value).await;
            response.problem(400).mentions("If-Match");
        }
        let response = alice.get(&path_of(&task)).header("If-None-Match", value).await;
        response.problem(400).mentions("If-None-Match");
    }
    assert_eq!(alice.tasks().await, [task]);
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
