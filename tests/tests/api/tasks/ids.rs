//! Task ids have 32 bits, so a request that creates no task must not use one up.

use serde_json::{Value, json};
use tests::{App, Response, Token, User};

use crate::path_of;

/// The number of ids that the sequence has given out. Only for a service of this test alone.
async fn drawn(app: &App) -> i64 {
    let query = "select case when is_called then last_value else 0 end from tasks_id_seq";
    app.client().await.query_one(query, &[]).await.expect("query").get(0)
}

/// Creates without an idempotency key, and with one.
async fn create_both_ways(user: &User) -> [Response; 2] {
    let body = json!({ "title": "Buy milk" });
    let keyed = user.post("/tasks").header("Idempotency-Key", "key-1").json(body.clone());
    [user.create(body).await, keyed.await]
}

#[tokio::test]
async fn a_replay_draws_no_id() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let create = async |title: &str| {
        let request = alice.post("/tasks").header("Idempotency-Key", "key-1");
        request.json(json!({ "title": title })).await
    };
    let first = create("Buy milk").await.good(201);
    assert_eq!(drawn(&app).await, 1);
    for _ in 0..40 {
        assert_eq!(create("Buy milk").await.good(201), first);
        create("Buy tea").await.problem(422);
    }
    assert_eq!(drawn(&app).await, 1);
    assert_eq!(alice.task("the next").await["id"], 2);
}

#[tokio::test]
async fn without_an_account_no_id_is_drawn() {
    let app = App::start_with(|_| {}).await;
    let unregistered = app.unregistered_user("newcomer");
    let nameless = unregistered.with_token(Token::new(&unregistered.id).signed(app.jwt_secret()));
    for response in create_both_ways(&nameless).await {
        response.problem(403);
    }
    assert_eq!(drawn(&app).await, 0);
}

#[tokio::test]
async fn for_an_email_address_of_another_account_no_id_is_drawn() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let unregistered = app.unregistered_user("newcomer");
    let token = Token::new(&unregistered.id).claim("email", alice.email()).signed(app.jwt_secret());
    for response in create_both_ways(&unregistered.with_token(token)).await {
        response.problem(409);
    }
    assert_eq!(drawn(&app).await, 0);
}

#[tokio::test]
async fn where_only_the_provider_can_create_accounts_no_id_is_drawn() {
    let app = App::start_with(|_| {}).await;
    let client = app.client().await;
    client.batch_execute("alter table users add column name text not null").await.expect("alter");
    let unregistered = app.unregistered_user("newcomer");
    for response in create_both_ways(&unregistered).await {
        assert!((400..500).contains(&response.status), "{response}");
    }
    assert_eq!(unregistered.tasks().await, [] as [Value; 0]);
    assert_eq!(drawn(&app).await, 0);
}

#[tokio::test]
async fn requests_about_other_tasks_draw_no_id() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let path = path_of(&alice.task("Buy milk").await);
    alice.create(json!({ "title": "" })).await.problem(400);
    let stale = || alice.patch(&path).header("If-Match", "\"1-0\"");
    stale().json(json!({ "title": "Buy tea" })).await.problem(412);
    alice.delete(&path).header("If-Match", "\"1-0\"").await.problem(412);
    alice.patch(&path).json(json!({ "title": "Buy tea" })).await.good(200);
    assert_eq!(drawn(&app).await, 1);
}

#[tokio::test]
async fn one_id_for_each_created_task() {
    let app = App::start_with(|_| {}).await;
    let unregistered = app.unregistered_user("newcomer");
    for response in create_both_ways(&unregistered).await {
        response.good(201);
    }
    for response in create_both_ways(&unregistered).await {
        response.good(201);
    }
    assert_eq!(unregistered.tasks().await.len(), 3);
    assert_eq!(drawn(&app).await, 3);
}
