//! `Idempotency-Key`: a `POST` that can be repeated without a second effect.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{App, Response, Token, User};

use crate::path_of;

async fn create(user: &User, key: &str, body: Value) -> Response {
    user.post("/tasks").header("Idempotency-Key", key).json(body).await
}

#[track_caller]
fn assert_replayed(response: &Response, first: &Response) {
    assert_eq!(response.status, 201, "{response}");
    assert_eq!(response.header("idempotency-replayed"), "true", "{response:#}");
    assert_eq!(response.text(), first.text());
    for header in ["location", "etag", "content-type", "cache-control"] {
        assert_eq!(response.header(header), first.header(header), "{header}");
    }
}

#[tokio::test]
async fn the_same_request_again_gives_the_same_answer_and_no_second_task() {
    let alice = App::start().await.user("alice").await;
    let body = json!({ "title": "Buy milk", "description": "oat\n🥛" });
    let first = create(&alice, "key-1", body.clone()).await;
    let task = first.good(201);
    assert!(!first.has_header("idempotency-replayed"), "{first:#}");
    // The task is like any other.
    assert_eq!(alice.get(&path_of(&task)).await.good(200), task);
    assert_eq!(alice.get(&path_of(&task)).await.header("etag"), first.header("etag"));
    for _ in 0..3 {
        assert_replayed(&create(&alice, "key-1", body.clone()).await, &first);
    }
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn the_answer_is_that_of_the_first_time() {
    let alice = App::start().await.user("alice").await;
    let body = json!({ "title": "Buy milk" });
    let first = create(&alice, "key-1", body.clone()).await;
    let path = path_of(&first.good(201));
    alice.put(&path).json(json!({ "title": "Buy tea" })).await.good(200);
    assert_replayed(&create(&alice, "key-1", body.clone()).await, &first);
    alice.delete(&path).await.empty(204);
    assert_replayed(&create(&alice, "key-1", body).await, &first);
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
}

#[tokio::test]
async fn the_same_request_may_be_written_differently() {
    let alice = App::start().await.user("alice").await;
    let first = create(&alice, "key-1", json!({ "title": "Buy milk" })).await;
    for (label, key, body) in [
        ("spaces", "key-1", "{ \"title\" : \"Buy milk\" }"),
        ("escapes", "key-1", "{\"title\":\"Buy\\u0020milk\"}"),
        ("null", "key-1", "{\"title\":\"Buy milk\",\"description\":null}"),
        ("unknown members", "key-1", "{\"title\":\"Buy milk\",\"x\":1}"),
        (
            "the status that it has anyway",
            "key-1",
            "{\"title\":\"Buy milk\",\"status\":\"incomplete\"}",
        ),
        ("a key in quotes", "\"key-1\"", "{\"title\":\"Buy milk\"}"),
    ] {
        let request = alice.post("/tasks").header("Idempotency-Key", key);
        let response = request.json_bytes(body).await;
        assert_eq!(response.text(), first.text(), "{label}");
    }
    assert_eq!(alice.tasks().await.len(), 1);
}

#[tokio::test]
async fn the_same_key_for_something_else_is_refused() {
    let alice = App::start().await.user("alice").await;
    let first = create(&alice, "key-1", json!({ "title": "a", "description": "b" })).await;
    for (label, body) in [
        ("another title", json!({ "title": "A", "description": "b" })),
        ("another description", json!({ "title": "a", "description": "B" })),
        ("no description", json!({ "title": "a" })),
        ("an empty description", json!({ "title": "a", "description": "" })),
        ("texts run together", json!({ "title": "ab", "description": "" })),
        ("another status", json!({ "title": "a", "description": "b", "status": "complete" })),
    ] {
        let response = create(&alice, "key-1", body).await;
        assert_eq!(response.status, 422, "{label}: {response}");
        response.problem(422).kind("idempotency-key-reused");
    }
    assert_eq!(alice.tasks().await, [first.good(201)]);
}

#[tokio::test]
async fn a_status_is_replayed_with_the_task() {
    let alice = App::start().await.user("alice").await;
    let body = json!({ "title": "Buy milk", "status": "complete" });
    let first = create(&alice, "key-1", body.clone()).await;
    assert_eq!(first.good(201)["status"], "complete");
    let path = path_of(&first.json());
    assert_eq!(alice.get(&path).await.good(200), first.json());
    alice.patch(&path).json(json!({ "status": "incomplete" })).await.good(200);
    assert_replayed(&create(&alice, "key-1", body).await, &first);
    create(&alice, "key-1", json!({ "title": "Buy milk" })).await.problem(422);
}

/// What is stored for a day has to last over an update of the service: the hash of the title's length,
/// the title, and after a 1 the description.
#[tokio::test]
async fn keys_that_an_older_version_stored_still_count() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let store = "
        insert into idempotency_keys (user_id, key, fingerprint, task_id, created_at)
        values ($1, 'old', sha256(int8send(8) || 'Buy milk'), 1, now()),
               ($1, 'older', sha256(int8send(8) || 'Buy milk\\001oat'), 2, now())";
    app.client().await.execute(store, &[&alice.id]).await.expect("store keys");
    for (key, body, id) in [
        ("old", json!({ "title": "Buy milk" }), 1),
        ("older", json!({ "title": "Buy milk", "description": "oat" }), 2),
    ] {
        let response = create(&alice, key, body).await;
        assert_eq!(response.header("idempotency-replayed"), "true", "{key}");
        let task = response.good(201);
        assert_eq!((&task["id"], &task["status"]), (&json!(id), &json!("incomplete")), "{key}");
    }
}

#[tokio::test]
async fn a_failed_request_can_be_corrected_with_the_same_key() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    create(&alice, "key-1", json!({ "title": "" })).await.problem(400);
    create(&alice, "key-1", json!({ "title": "Buy milk" })).await.good(201);

    let unregistered = app.unregistered_user("newcomer");
    let nameless = unregistered.with_token(Token::new(&unregistered.id).signed(app.jwt_secret()));
    create(&nameless, "key-1", json!({ "title": "x" })).await.problem(403);
    create(&unregistered, "key-1", json!({ "title": "y" })).await.good(201);
}

#[tokio::test]
async fn many_at_once_create_one_task() {
    let alice = App::start().await.user("alice").await;
    for round in 0..5 {
        let key = format!("key-{round}");
        let body = json!({ "title": format!("task {round}") });
        let responses = join_all((0..12).map(|_| create(&alice, &key, body.clone()))).await;
        let replayed =
            responses.iter().filter(|response| response.has_header("idempotency-replayed")).count();
        assert!(responses.iter().all(|response| response.status == 201), "{responses:?}");
        assert!(
            responses.iter().all(|response| response.text() == responses[0].text()),
            "{responses:?}"
        );
        assert_eq!(replayed, 11, "round {round}");
        assert_eq!(alice.tasks().await.len(), round + 1);
    }
}

#[tokio::test]
async fn many_first_requests_at_once_create_one_account_and_one_task() {
    let unregistered = App::start().await.unregistered_user("newcomer");
    let body = json!({ "title": "first" });
    let responses = join_all((0..8).map(|_| create(&unregistered, "key-1", body.clone()))).await;
    assert!(responses.iter().all(|response| response.status == 201), "{responses:?}");
    assert_eq!(unregistered.tasks().await.len(), 1);
}

#[tokio::test]
async fn keys_of_different_users_never_meet() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let hers = create(&alice, "key-1", json!({ "title": "hers" })).await.good(201);
    let his = create(&bob, "key-1", json!({ "title": "his" })).await;
    assert!(!his.has_header("idempotency-replayed"), "{his:#}");
    assert_eq!(alice.tasks().await, [hers]);
    assert_eq!(bob.tasks().await, [his.good(201)]);
}

#[tokio::test]
async fn a_key_can_be_used_again_after_a_day() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let client = app.client().await;
    let age = async |interval: &str| {
        let statement = "update idempotency_keys set created_at = now() - $2::text::interval where user_id = $1";
        client.execute(statement, &[&alice.id, &interval]).await.expect("age the keys");
    };
    let first = create(&alice, "key-1", json!({ "title": "Buy milk" })).await;
    age("23 hours 59 minutes").await;
    let again = create(&alice, "key-1", json!({ "title": "Buy milk" })).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json()["id"], first.json()["id"]);
    age("24 hours 1 second").await;
    let other = create(&alice, "key-1", json!({ "title": "Buy tea" })).await;
    assert!(!other.has_header("idempotency-replayed"), "{other:#}");
    assert_ne!(other.good(201)["id"], first.json()["id"]);
    assert_replayed(&create(&alice, "key-1", json!({ "title": "Buy tea" })).await, &other);
}

#[tokio::test]
async fn expired_keys_are_cleared_by_later_requests() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let client = app.client().await;
    let fill = "insert into idempotency_keys
                select $1, 'old-' || n, sha256(''), n, now() - interval '2 days' from generate_series(1, 25) n";
    client.execute(fill, &[&bob.id]).await.expect("insert keys");
    for number in 0..4 {
        let key = format!("key-{number}");
        create(&alice, &key, json!({ "title": "x" })).await.good(201);
    }
    let count = "select count(*) from idempotency_keys where user_id = any($1)";
    let row = client.query_one(count, &[&[&alice.id, &bob.id].as_slice()]).await.expect("count");
    assert_eq!(row.get::<_, i64>(0), 4, "only those that count are left");
}

#[tokio::test]
async fn keys_go_with_their_user() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    create(&alice, "key-1", json!({ "title": "x" })).await.good(201);
    let client = app.client().await;
    client.execute("delete from users where id = $1", &[&alice.id]).await.expect("delete");
    let count = "select count(*) from idempotency_keys where user_id = $1";
    assert_eq!(client.query_one(count, &[&alice.id]).await.expect("count").get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_bad_key_is_reported() {
    let alice = App::start().await.user("alice").await;
    let long = "k".repeat(256);
    for key in ["", "\"\"", "\"a", "a b", "\"a\"b\"", long.as_str()] {
        let response = create(&alice, key, json!({ "title": "x" })).await;
        response.problem(400).mentions("Idempotency-Key");
    }
    let twice = alice.post("/tasks").header("Idempotency-Key", "a").header("Idempotency-Key", "a");
    twice.json(json!({ "title": "x" })).await.problem(400).mentions("Idempotency-Key");
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
    create(&alice, &"k".repeat(255), json!({ "title": "x" })).await.good(201);
}

#[tokio::test]
async fn without_a_key_every_request_creates_a_task() {
    let alice = App::start().await.user("alice").await;
    alice.task("x").await;
    alice.task("x").await;
    assert_eq!(alice.tasks().await.len(), 2);
}
