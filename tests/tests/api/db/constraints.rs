//! The rules that the database itself enforces, by direct SQL.

use std::time::{Duration, SystemTime};

use tests::TestDatabase;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// A migrated database with the user `alice`.
async fn with_alice() -> (TestDatabase, Client) {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client
        .batch_execute("insert into users (id, email) values ('alice', 'alice@example.com')")
        .await
        .expect("insert a user");
    (database, client)
}

/// A task of alice's; its id.
async fn task(client: &Client) -> i32 {
    let insert = "insert into tasks (user_id, title) values ('alice', 'Buy milk') returning id";
    client.query_one(insert, &[]).await.expect("insert a task").get(0)
}

async fn times(client: &Client, id: i32) -> (SystemTime, SystemTime) {
    let row =
        client.query_one("select created_at, updated_at from tasks where id = $1", &[&id]).await;
    let row = row.expect("query");
    (row.get(0), row.get(1))
}

/// The error of the statement: the SQLSTATE and the name of the constraint or column.
async fn refusal(client: &Client, statement: &str) -> (SqlState, String) {
    let error = client.batch_execute(statement).await.expect_err(statement);
    let error = error.as_db_error().unwrap_or_else(|| panic!("{statement}: {error}"));
    let name = error.constraint().or(error.column()).unwrap_or_default();
    (error.code().clone(), name.to_owned())
}

#[tokio::test]
async fn the_rules_of_tasks_hold_for_inserts() {
    let (_database, client) = with_alice().await;
    for (label, columns, values, state, name) in [
        (
            "empty title",
            "user_id, title",
            "'alice', ''",
            SqlState::CHECK_VIOLATION,
            "tasks_title_length",
        ),
        ("null title", "user_id, title", "'alice', null", SqlState::NOT_NULL_VIOLATION, "title"),
        (
            "long title",
            "user_id, title",
            "'alice', repeat('x', 256)",
            SqlState::STRING_DATA_RIGHT_TRUNCATION,
            "",
        ),
        (
            "long description",
            "user_id, title, description",
            "'alice', 'x', repeat('x', 5001)",
            SqlState::STRING_DATA_RIGHT_TRUNCATION,
            "",
        ),
        (
            "unknown status",
            "user_id, title, status",
            "'alice', 'x', 'done'",
            SqlState::CHECK_VIOLATION,
            "tasks_status_check",
        ),
        (
            "null status",
            "user_id, title, status",
            "'alice', 'x', null",
            SqlState::NOT_NULL_VIOLATION,
            "status",
        ),
        ("no user", "user_id, title", "null, 'x'", SqlState::NOT_NULL_VIOLATION, "user_id"),
        (
            "unknown user",
            "user_id, title",
            "'nobody', 'x'",
            SqlState::FOREIGN_KEY_VIOLATION,
            "tasks_user_id_fkey",
        ),
        (
            "null created_at",
            "user_id, title, created_at",
            "'alice', 'x', null",
            SqlState::NOT_NULL_VIOLATION,
            "created_at",
        ),
        (
            "null updated_at",
            "user_id, title, updated_at",
            "'alice', 'x', null",
            SqlState::NOT_NULL_VIOLATION,
            "updated_at",
        ),
    ] {
        let statement = format!("insert into tasks ({columns}) values ({values})");
        assert_eq!(refusal(&client, &statement).await, (state, name.to_owned()), "{label}");
    }
}

#[tokio::test]
async fn the_rules_of_tasks_hold_for_updates() {
    let (_database, client) = with_alice().await;
    task(&client).await;
    for (label, change, state) in [
        ("empty title", "title = ''", SqlState::CHECK_VIOLATION),
        ("long title", "title = repeat('x', 256)", SqlState::STRING_DATA_RIGHT_TRUNCATION),
        (
            "long description",
            "description = repeat('x', 5001)",
            SqlState::STRING_DATA_RIGHT_TRUNCATION,
        ),
        ("unknown status", "status = 'done'", SqlState::CHECK_VIOLATION),
        ("unknown priority", "priority = 'urgent'", SqlState::CHECK_VIOLATION),
        ("priority in another case", "priority = 'High'", SqlState::CHECK_VIOLATION),
        ("unknown user", "user_id = 'nobody'", SqlState::FOREIGN_KEY_VIOLATION),
    ] {
        let (found, _) = refusal(&client, &format!("update tasks set {change}")).await;
        assert_eq!(found, state, "{label}");
    }
}

#[tokio::test]
async fn values_at_the_limits_are_stored() {
    let (_database, client) = with_alice().await;
    for (label, values) in [
        ("title of 1", "'x', null, 'incomplete'"),
        ("title of 255 characters of 4 bytes", "repeat('🦀', 255), null, 'complete'"),
        ("description of 5000 characters of 4 bytes", "'x', repeat('🦀', 5000), 'complete'"),
        ("empty description", "'x', '', 'complete'"),
    ] {
        let statement = format!(
            "insert into tasks (user_id, title, description, status) values ('alice', {values})"
        );
        assert!(client.batch_execute(&statement).await.is_ok(), "{label}");
    }
}

#[tokio::test]
async fn the_rules_of_users_hold() {
    let (_database, client) = with_alice().await;
    for (label, values, state) in [
        ("the same id", "'alice', 'other@example.com'", SqlState::UNIQUE_VIOLATION),
        ("the same email", "'other', 'alice@example.com'", SqlState::UNIQUE_VIOLATION),
        ("no id", "null, 'x@example.com'", SqlState::NOT_NULL_VIOLATION),
        ("no email", "'other', null", SqlState::NOT_NULL_VIOLATION),
    ] {
        let statement = format!("insert into users (id, email) values ({values})");
        assert_eq!(refusal(&client, &statement).await.0, state, "{label}");
    }
}

#[tokio::test]
async fn a_user_takes_the_tasks_along() {
    let (_database, client) = with_alice().await;
    client
        .batch_execute(
            "insert into users (id, email) values ('bob', 'bob@example.com');
             insert into tasks (user_id, title) values ('alice', 'hers'), ('bob', 'his');
             delete from users where id = 'alice'",
        )
        .await
        .expect("delete a user");
    let rows = client.query("select user_id from tasks", &[]).await.expect("query");
    let owners: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(owners, ["bob"]);
}

#[tokio::test]
async fn defaults_are_as_documented() {
    let (_database, client) = with_alice().await;
    let id = task(&client).await;
    let statement = "
        select status, description is null, created_at = updated_at, created_at between now() - interval '1 minute' and now()
          from tasks where id = $1";
    let row = client.query_one(statement, &[&id]).await.expect("query");
    assert_eq!(row.get::<_, &str>(0), "incomplete");
    for column in 1..4 {
        assert!(row.get::<_, bool>(column), "column {column}");
    }
}

#[tokio::test]
async fn no_update_changes_created_at() {
    let (_database, client) = with_alice().await;
    let id = task(&client).await;
    let (created_at, _) = times(&client, id).await;
    for change in [
        "created_at = '2001-01-01Z'",
        "created_at = now() + interval '1 year', title = 'changed'",
        "created_at = null",
    ] {
        client.batch_execute(&format!("update tasks set {change}")).await.expect(change);
        assert_eq!(times(&client, id).await.0, created_at, "{change}");
    }
}

#[tokio::test]
async fn every_change_moves_updated_at_forward() {
    let (_database, client) = with_alice().await;
    let id = task(&client).await;
    for change in [
        "title = 'changed'",
        "description = 'new'",
        "description = null",
        "status = 'complete'",
        "status = 'incomplete', updated_at = '2001-01-01Z'",
        "title = 'again', updated_at = '2999-01-01Z'",
    ] {
        let (_, before) = times(&client, id).await;
        client.batch_execute(&format!("update tasks set {change}")).await.expect(change);
        let (_, after) = times(&client, id).await;
        assert!(after > before, "{change}: {after:?} is not after {before:?}");
        assert!(after < SystemTime::now() + Duration::from_mins(1), "{change}: {after:?}");
    }
}

#[tokio::test]
async fn changes_within_one_transaction_move_updated_at_each() {
    let (_database, mut client) = with_alice().await;
    let id = task(&client).await;
    let transaction = client.transaction().await.expect("begin");
    let mut seen = Vec::new();
    for title in ["a", "b", "c", "d"] {
        let update = "update tasks set title = $1 where id = $2 returning updated_at";
        let row = transaction.query_one(update, &[&title, &id]).await.expect("update");
        seen.push(row.get::<_, SystemTime>(0));
    }
    assert!(seen.is_sorted_by(|left, right| left < right), "{seen:?}");
}

#[tokio::test]
async fn updated_at_moves_forward_even_when_the_last_change_is_in_the_future() {
    let (_database, client) = with_alice().await;
    let insert = "
        insert into tasks (user_id, title, updated_at) values ('alice', 'x', now() + interval '1 hour') returning id";
    let id: i32 = client.query_one(insert, &[]).await.expect("insert").get(0);
    let (_, before) = times(&client, id).await;
    client.batch_execute("update tasks set title = 'y'").await.expect("update");
    assert!(times(&client, id).await.1 > before);
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_updated_at() {
    let (_database, client) = with_alice().await;
    let id = task(&client).await;
    let before = times(&client, id).await;
    for change in [
        "title = title",
        "title = 'Buy milk', status = 'incomplete'",
        "updated_at = '2999-01-01Z'",
        "description = null",
    ] {
        client.batch_execute(&format!("update tasks set {change}")).await.expect(change);
        assert_eq!(times(&client, id).await, before, "{change}");
    }
}

#[tokio::test]
async fn the_documented_names_are_there() {
    let (_database, client) = with_alice().await;
    let statement = "
        select indexdef from pg_indexes where tablename = 'tasks' and indexname like 'idx_%' order by indexname";
    let rows = client.query(statement, &[]).await.expect("query");
    let indexes: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    for (index, columns) in [
        ("idx_tasks_user_created", "(user_id, created_at DESC)"),
        ("idx_tasks_user_created_id", "(user_id, created_at DESC, id DESC)"),
        ("idx_tasks_user_status", "(user_id, status)"),
        ("idx_tasks_user_status_created_id", "(user_id, status, created_at DESC, id DESC)"),
    ] {
        let end = format!("{index} ON public.tasks USING btree {columns}");
        assert!(indexes.iter().any(|definition| definition.ends_with(&end)), "{end}: {indexes:?}");
    }
    let by_priority = indexes.iter().find(|index| index.contains("idx_tasks_user_status_priority"));
    let by_priority = by_priority.expect("the index of lists by priority");
    assert!(by_priority.contains("(user_id, status, (\nCASE priority"), "{by_priority}");
    assert!(by_priority.ends_with("END) DESC, created_at DESC, id DESC)"), "{by_priority}");
    assert_eq!(indexes.len(), 5, "{indexes:?}");
    let statement = "
        select t.tgname::text, p.proname::text
          from pg_trigger t join pg_proc p on p.oid = t.tgfoid
         where t.tgrelid = 'tasks'::regclass and not t.tgisinternal";
    let row = client.query_one(statement, &[]).await.expect("query");
    assert_eq!(row.get::<_, &str>(0), "trigger_tasks_updated_at");
    assert_eq!(row.get::<_, &str>(1), "update_tasks_updated_at");
}
