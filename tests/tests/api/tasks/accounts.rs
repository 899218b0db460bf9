//! The row in `users`: inserted with the first task of a user whose token has an email address.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{App, TestDatabase, Token};

async fn emails(app: &App, id: &str) -> Vec<String> {
    let rows = app.client().await.query("select email from users where id = $1", &[&id]).await;
    rows.expect("query").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_first_task_creates_the_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    let task = unregistered.task("first").await;
    assert_eq!(task["user_id"], unregistered.id);
    assert_eq!(emails(&app, &unregistered.id).await, [unregistered.email()]);
    let second = unregistered.task("second").await;
    assert_eq!(unregistered.tasks().await, [second, task]);
}

#[tokio::test]
async fn many_first_tasks_at_once_create_one_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    let responses = join_all((0..20).map(|i| {
        let title = format!("task {i}");
        unregistered.create(json!({ "title": title })).into_future()
    }));
    for response in responses.await {
        response.good(201);
    }
    assert_eq!(unregistered.tasks().await.len(), 20);
    assert_eq!(emails(&app, &unregistered.id).await, [unregistered.email()]);
}

/// Lets the insertions race: each waits before it reads an index until all can continue. Which of the
/// two unique indexes rejects a late one is chance, so many users try.
#[tokio::test]
async fn first_tasks_that_race_for_the_account_all_succeed() {
    const GATE: i64 = 7;
    let app = App::start_with(|_| {}).await;
    let gate = app.client().await;
    gate.batch_execute(
        "create function wait_at_the_gate() returns trigger language plpgsql as $$
         begin perform pg_advisory_xact_lock_shared(7); return new; end $$;
         create trigger wait_at_the_gate before insert on users
           for each row execute function wait_at_the_gate()",
    )
    .await
    .expect("create the gate");
    for round in 0..20 {
        gate.execute("select pg_advisory_lock($1)", &[&GATE]).await.expect("close the gate");
        let unregistered = app.unregistered_user(&format!("newcomer{round}"));
        let requests =
            join_all((0..8).map(|_| unregistered.create(json!({ "title": "x" })).into_future()));
        let open = async {
            tests::until("all wait at the gate", async || {
                let query = "select count(*) from pg_locks
                              where locktype = 'advisory' and not granted
                                and database = (select oid from pg_database where datname = current_database())";
                let row = gate.query_one(query, &[]).await.expect("count");
                (row.get::<_, i64>(0) == 8).then_some(())
            })
            .await;
            gate.execute("select pg_advisory_unlock($1)", &[&GATE]).await.expect("open the gate");
        };
        for response in futures::future::join(requests, open).await.0 {
            response.good(201);
        }
    }
}

/// The migrations need only an `id` in a provider's `users`.
#[tokio::test]
async fn users_without_email_addresses_are_reported_by_the_variables_name() {
    let app = App::start_with(|_| {}).await;
    let client = app.client().await;
    client.batch_execute("alter table users drop column email").await.expect("drop the column");
    let unregistered = app.unregistered_user("newcomer");
    let response = unregistered.create(json!({ "title": "x" })).await;
    response.problem(500).kind("misconfigured").mentions("`provision_users` must be `false`");
}

/// As after `migrator grant` without `--provision-users`.
#[tokio::test]
async fn a_role_that_may_not_insert_users_is_reported_by_the_variables_name() {
    let app = App::start_with(|_| {}).await;
    let (database, role) = (app.database(), app.database().api_role());
    let revoke = format!("revoke insert on users from {}", role.quoted());
    database.client().await.batch_execute(&revoke).await.expect("revoke");
    let response = app.unregistered_user("newcomer").create(json!({ "title": "x" })).await;
    response.problem(500).kind("misconfigured").mentions("`provision_users` must be `false`");
}

#[tokio::test]
async fn without_an_email_address_there_is_no_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    for (label, email) in [
        ("absent", None),
        ("empty", Some(json!(""))),
        ("a number", Some(json!(7))),
        ("null", Some(Value::Null)),
    ] {
        let token = Token::new(&unregistered.id);
        let token = match email {
            Some(email) => token.claim("email", email),
            None => token,
        };
        let token = token.signed(app.jwt_secret());
        let response = unregistered.with_token(token).create(json!({ "title": "x" })).await;
        assert_eq!(response.status, 403, "{label}: {response}");
        response.problem(403);
    }
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

/// Anybody can tell some issuers any address. Its owner comes later, and is not shut out.
#[tokio::test]
async fn an_address_that_is_not_verified_makes_no_account() {
    let app = App::start().await;
    let owner = app.unregistered_user("owner");
    for (label, verified) in [
        ("false", json!(false)),
        ("false as a text", json!("false")),
        ("null", Value::Null),
        ("a number", json!(1)),
        ("another text", json!("yes")),
    ] {
        let other = app.unregistered_user("other");
        let token = Token::new(&other.id).claim("email", owner.email());
        let token = token.claim("email_verified", verified).signed(app.jwt_secret());
        let other = other.with_token(token);
        let response = other.create(json!({ "title": "x" })).await;
        assert_eq!(response.status, 403, "{label}: {response}");
        response.problem(403).kind("not-registered").says("The account is not registered");
        let keyed = other.post("/tasks").header("Idempotency-Key", "key-1");
        keyed.json(json!({ "title": "x" })).await.problem(403).kind("not-registered");
        assert_eq!(emails(&app, &other.id).await, [] as [&str; 0], "{label}");
    }
    owner.task("x").await;
    assert_eq!(emails(&app, &owner.id).await, [owner.email()]);
}

#[tokio::test]
async fn a_verified_address_makes_an_account() {
    let app = App::start().await;
    for verified in [json!(true), json!("true")] {
        let newcomer = app.unregistered_user("newcomer");
        let token = Token::new(&newcomer.id).claim("email", newcomer.email());
        let token = token.claim("email_verified", verified).signed(app.jwt_secret());
        newcomer.with_token(token).task("x").await;
        assert_eq!(emails(&app, &newcomer.id).await, [newcomer.email()]);
    }
}

#[tokio::test]
async fn somebody_with_an_account_needs_no_verified_address() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id).claim("email", alice.email()).claim("email_verified", false);
    alice.with_token(token.signed(app.jwt_secret())).task("x").await;
}

#[tokio::test]
async fn a_user_with_an_account_needs_no_email_address() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id).signed(app.jwt_secret());
    alice.with_token(token).create(json!({ "title": "x" })).await.good(201);
}

#[tokio::test]
async fn an_account_is_not_changed_by_a_token() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id).claim("email", "new@example.com").signed(app.jwt_secret());
    alice.with_token(token).create(json!({ "title": "x" })).await.good(201);
    assert_eq!(emails(&app, &alice.id).await, [alice.email()]);
}

#[tokio::test]
async fn an_email_address_of_another_account_is_refused() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let unregistered = app.unregistered_user("newcomer");
    let token = Token::new(&unregistered.id).claim("email", alice.email()).signed(app.jwt_secret());
    let response = unregistered.with_token(token).create(json!({ "title": "x" })).await;
    response.problem(409);
    assert!(!response.text().contains(&alice.email()), "{response}");
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_bad_first_task_creates_no_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    unregistered.create(json!({ "title": "" })).await.problem(400);
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

#[tokio::test]
async fn reading_creates_no_account() {
    let app = App::start().await;
    let unregistered = app.unregistered_user("newcomer");
    assert_eq!(unregistered.tasks().await, [] as [Value; 0]);
    unregistered.get("/tasks/1").await.problem(404);
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
}

#[tokio::test]
async fn provisioning_can_be_switched_off() {
    let app = App::start_with(|options| {
        options.set("provision_users", "false");
    })
    .await;
    let revoke = format!("revoke insert on users from {}", app.database().api_role().quoted());
    app.client().await.batch_execute(&revoke).await.expect("revoke");
    let unregistered = app.unregistered_user("newcomer");
    unregistered.create(json!({ "title": "x" })).await.problem(403);
    let keyed = unregistered.post("/tasks").header("Idempotency-Key", "key-1");
    keyed.json(json!({ "title": "x" })).await.problem(403);
    assert_eq!(emails(&app, &unregistered.id).await, [] as [&str; 0]);
    app.user("alice").await.task("x").await;
}

#[tokio::test]
async fn without_the_privilege_to_create_accounts_existing_users_have_tasks() {
    let database = TestDatabase::migrated().await;
    let revoke = format!("revoke insert on users from {}", database.api_role().quoted());
    database.client().await.batch_execute(&revoke).await.expect("revoke");
    let app = App::start_on(database, |options| {
        options.set("provision_users", "false");
    })
    .await;
    let alice = app.user("alice").await;
    alice.task("x").await;
    for _ in 0..2 {
        let keyed = alice.post("/tasks").header("Idempotency-Key", "key-1");
        keyed.json(json!({ "title": "y" })).await.good(201);
    }
    assert_eq!(alice.tasks().await.len(), 2);
}

#[tokio::test]
async fn a_providers_table_without_email_takes_tasks_with_and_without_a_key() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client.batch_execute("alter table users drop column email").await.expect("alter");
    client.execute("insert into users (id) values ('alice')", &[]).await.expect("insert");
    let app = App::start_on(database, |options| {
        options.set("provision_users", "false");
    })
    .await;
    let alice = app.unregistered_user_with_id("alice");
    alice.task("x").await;
    let keyed = alice.post("/tasks").header("Idempotency-Key", "key-1");
    keyed.json(json!({ "title": "y" })).await.good(201);
}
