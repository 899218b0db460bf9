//! The trigger that sets both timestamps, by direct SQL.

use tests::TestDatabase;
use tokio_postgres::{Client, Row};

/// A database with one task, and a connection to it.
async fn with_a_task() -> (TestDatabase, Client) {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    let script = "insert into users values ('u1', 'a@b');
        insert into tasks (user_id, title) values ('u1', 'x');";
    client.batch_execute(script).await.expect("a task");
    (database, client)
}

/// Both timestamps as texts, which compare like times within one session.
async fn timestamps(client: &Client) -> (String, String) {
    let query = "select created_at::text, updated_at::text from tasks";
    let row: Row = client.query_one(query, &[]).await.expect("one task");
    (row.get(0), row.get(1))
}

/// True if a condition on the one task holds.
async fn holds(client: &Client, condition: &str) -> bool {
    let query = format!("select {condition} from tasks");
    client.query_one(&query, &[]).await.expect("one task").get(0)
}

#[tokio::test]
async fn a_new_task_has_both_timestamps_equal() {
    let (_database, client) = with_a_task().await;
    assert!(holds(&client, "created_at = updated_at").await);
}

#[tokio::test]
async fn a_change_moves_updated_at_forward_and_keeps_created_at() {
    let (_database, client) = with_a_task().await;
    let before = timestamps(&client).await;
    client.batch_execute("update tasks set title = 'y'").await.expect("change");
    let after = timestamps(&client).await;
    assert_eq!(after.0, before.0);
    assert!(holds(&client, "updated_at > created_at").await);
}

#[tokio::test]
async fn an_update_that_changes_nothing_changes_no_timestamp() {
    let (_database, client) = with_a_task().await;
    let before = timestamps(&client).await;
    client.batch_execute("update tasks set title = title").await.expect("change nothing");
    assert_eq!(timestamps(&client).await, before);
}

#[tokio::test]
async fn no_update_can_set_a_timestamp() {
    let (_database, client) = with_a_task().await;
    let before = timestamps(&client).await;
    let forge = "update tasks set created_at = 'epoch', updated_at = 'infinity'";
    client.batch_execute(forge).await.expect("try");
    assert_eq!(timestamps(&client).await, before);
}

#[tokio::test]
async fn a_change_does_not_let_a_forged_timestamp_through() {
    let (_database, client) = with_a_task().await;
    let before = timestamps(&client).await;
    let forge = "update tasks set title = 'y', created_at = 'epoch', updated_at = 'epoch'";
    client.batch_execute(forge).await.expect("try");
    assert_eq!(timestamps(&client).await.0, before.0);
    assert!(holds(&client, "updated_at > created_at").await);
}

#[tokio::test]
async fn two_changes_in_one_transaction_have_different_times() {
    let (_database, client) = with_a_task().await;
    let script = "begin;
        update tasks set title = 'y';
        create temporary table first on commit preserve rows as select updated_at from tasks;
        update tasks set title = 'z';
        commit;";
    client.batch_execute(script).await.expect("change twice");
    assert!(holds(&client, "updated_at > (select updated_at from first)").await);
}

#[tokio::test]
async fn updated_at_moves_forward_also_when_the_clock_was_set_back() {
    let (_database, client) = with_a_task().await;
    let script = "alter table tasks disable trigger trigger_tasks_updated_at;
        update tasks set updated_at = '2999-12-31 23:59:59.999999Z';
        alter table tasks enable trigger trigger_tasks_updated_at;
        update tasks set title = 'y';";
    client.batch_execute(script).await.expect("change a task from the future");
    assert!(holds(&client, "updated_at = '3000-01-01 00:00:00Z'").await);
}

#[tokio::test]
async fn the_trigger_does_not_depend_on_the_search_path() {
    let (_database, client) = with_a_task().await;
    let script = "create schema trap;
        create function trap.clock_timestamp() returns timestamptz language sql
          as $$ select 'epoch'::timestamptz $$;
        set search_path = trap, pg_catalog, public;
        update public.tasks set title = 'y';
        reset search_path;";
    client.batch_execute(script).await.expect("change a task");
    assert!(
        holds(&client, "updated_at > created_at and updated_at < now() + interval '1 day'").await
    );
}
