//! The API on an adopted database of its predecessor, beside the old service.

use serde_json::{Value, json};
use tests::{App, Role, TestDatabase, Token, User};
use tokio_postgres::Client;

const ADA: &str = "7d0c7f0e-0d2c-4a57-9a53-6a1f3c5b9a01";
const GRACE: &str = "1b7f2a44-51c3-4b0e-8f0a-0f5f9f1d2b02";

/// Every task as the predecessor's rows were written: `$1` whether Grace's, newest first.
const EXPECTED: &str = "\
select json_agg(json_build_object(
         'id', i, 'title', 'Task ' || i,
         'description', case when i % 4 = 0 then null else 'About ' || i end,
         'status', case when i % 5 = 0 then 'complete' else 'incomplete' end,
         'priority', (array['low', 'medium', 'high'])[1 + i % 3],
         'created_at', to_char(timestamp '2026-01-17 09:00:00.123456' + i * interval '7 minutes', form),
         'updated_at', to_char(timestamp '2026-01-17 09:00:00.123456' + i * interval '9 minutes', form))
       order by i desc)::text
  from generate_series(1, 240) as i, (values ('YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')) as forms (form)
 where (i % 3 = 0) = $1";

async fn adopted() -> App {
    App::start_on(TestDatabase::adopted().await, |_| {}).await
}

fn signed_in(app: &App, id: &str, email: &str) -> User {
    let token = Token::new(id).claim("email", email).signed(app.jwt_secret());
    app.unregistered_user_with_id(id).with_token(token)
}

async fn value(client: &Client, query: &str) -> Option<String> {
    client.query_one(query, &[]).await.expect(query).get(0)
}

#[tokio::test]
async fn has_every_task_with_its_priority_times_and_status() {
    let app = adopted().await;
    let client = app.client().await;
    for (id, email, is_grace) in
        [(ADA, "ada@example.com", false), (GRACE, "grace@example.com", true)]
    {
        let expected: String = client.query_one(EXPECTED, &[&is_grace]).await.expect("rows").get(0);
        let expected: Vec<Value> = serde_json::from_str(&expected).expect("tasks");
        let mut tasks = signed_in(&app, id, email).tasks().await;
        for task in &mut tasks {
            let members = task.as_object_mut().expect("a task");
            assert_eq!(members.remove("user_id"), Some(json!(id)));
        }
        assert_eq!(tasks, expected);
    }
}

#[tokio::test]
async fn takes_a_frontends_requests() {
    let app = adopted().await;
    let ada = signed_in(&app, ADA, "ada@example.com");
    let task = ada.create(json!({ "title": "New", "priority": " High " })).await.good(201);
    assert_eq!(task["id"], 241);
    let path = super::path_of(&task);
    let ticked = ada.patch(&format!("{path}/status")).json(json!({ "status": "complete" }));
    assert_eq!(ticked.await.good(200)["status"], "complete");
    let old = ada.patch("/tasks/1/complete").await.good(200);
    assert_eq!(old["created_at"], "2026-01-17T09:07:00.123456Z");
    let sorted = ada.get("/tasks?sort=priority").await.good(200);
    let priorities = sorted.as_array().expect("tasks").iter().map(|task| &task["priority"]);
    let mut groups: Vec<&Value> = priorities.collect();
    groups.dedup();
    assert_eq!(groups, ["high", "medium"]);
    assert_eq!(sorted[0]["id"], 241);
    ada.delete(&path).await.empty(204);
}

#[tokio::test]
async fn creates_accounts_and_keeps_hashes_and_names() {
    let app = adopted().await;
    let client = app.client().await;
    let hashes = "select string_agg(concat_ws('|', id, password_hash, name), ' ' order by id) from users where password_hash is not null";
    let before = value(&client, hashes).await;
    app.unregistered_user("alan").task("First").await;
    assert_eq!(value(&client, hashes).await, before);
    assert_eq!(value(&client, "select count(*)::text from users").await.as_deref(), Some("3"));
}

#[tokio::test]
async fn an_address_in_another_spelling_is_the_same_account() {
    let app = adopted().await;
    let client = app.client().await;
    let grace = signed_in(&app, GRACE, "Grace@Example.com");
    grace.task("Mine").await;
    assert_eq!(grace.tasks().await.len(), 81);
    // The account follows the token, whose address counts in lower case.
    let email = format!("select email from users where id = '{GRACE}'");
    assert_eq!(value(&client, &email).await.as_deref(), Some("grace@example.com"));
    // Another id with her address is no second account.
    let other = signed_in(&app, "another-id", "GRACE@example.com");
    other.create(json!({ "title": "Not mine" })).await.problem(409);
}

/// The old service's role, as the documents set it up, and a session of it.
async fn old_service(database: &TestDatabase) -> (Role, Client) {
    let role = database.role("old_service").await;
    let quoted = role.quoted();
    let rights = format!(
        "alter role {quoted} set timezone = 'UTC';
         grant select, insert, update, delete on users, tasks to {quoted};
         grant usage on sequence tasks_id_seq to {quoted}"
    );
    database.client().await.batch_execute(&rights).await.expect("grant");
    let client = database.client_as(&role).await;
    (role, client)
}

#[tokio::test]
async fn the_old_service_works_beside_it() {
    let database = TestDatabase::adopted().await;
    let (_role, old) = old_service(&database).await;
    let app = App::start_on(database, |_| {}).await;

    // Its start looks for its tables, and creates those that are missing.
    let exists = "select count(*)::text from pg_catalog.pg_class where relname in ('users', 'tasks') and pg_table_is_visible(oid)";
    assert_eq!(value(&old, exists).await.as_deref(), Some("2"));
    // It signs up and in.
    old.execute(
        "insert into users (id, email, password_hash, name) values ($1, $2, $3, $4)",
        &[&"new-id", &"New@Example.com", &"$argon2id$x", &None::<String>],
    )
    .await
    .expect("sign up");
    let user = "select users.id, users.email, users.password_hash, users.name from users where users.email = $1";
    for (email, id) in [("New@Example.com", "new-id"), ("Grace@Example.com", GRACE)] {
        let row = old.query_one(user, &[&email]).await.expect("sign in");
        assert_eq!(row.get::<_, &str>(0), id);
        assert!(row.get::<_, &str>(2).starts_with("$argon2id$"));
    }

    // It writes times in UTC without a zone, and both mean the same moment.
    let insert =
        "insert into tasks (user_id, title, description, status, priority, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6::text::timestamp, $6::text::timestamp) returning tasks.id";
    let moment = "2026-02-03 04:05:06.000789";
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&"new-id", &"Old", &None::<String>, &"incomplete", &"low", &moment];
    let id: i32 = old.query_one(insert, &parameters).await.expect("create a task").get(0);
    let user = signed_in(&app, "new-id", "new@example.com");
    let task = user.get(&format!("/tasks/{id}")).await.good(200);
    assert_eq!(task["created_at"], "2026-02-03T04:05:06.000789Z");
    assert_eq!(task["priority"], "low");

    // Each sees what the other one changes.
    user.patch(&format!("/tasks/{id}/complete")).await.good(200);
    let tasks = "select tasks.id, tasks.user_id, tasks.title, tasks.description, tasks.status, tasks.priority, tasks.created_at, tasks.updated_at from tasks where tasks.user_id = $1 and tasks.id = $2";
    let row = old.query_one(tasks, &[&"new-id", &id]).await.expect("read the task");
    assert_eq!(row.get::<_, &str>(4), "complete");
    let update =
        "update tasks set status = $1, updated_at = $2::text::timestamp where tasks.id = $3";
    old.execute(update, &[&"incomplete", &moment, &id]).await.expect("update the task");
    let changed = user.get(&format!("/tasks/{id}")).await.good(200);
    assert_eq!(changed["status"], "incomplete");
    assert!(changed["updated_at"].as_str() > task["updated_at"].as_str(), "{changed}");
    old.execute("delete from tasks where tasks.id = $1", &[&id]).await.expect("delete the task");
    user.get(&format!("/tasks/{id}")).await.problem(404);
}
