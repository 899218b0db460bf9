//! The privileges of the role after `migrator grant`.

use tests::TestDatabase;
use tokio_postgres::error::SqlState;

use super::{grant, owner_without_superuser, prepare, refusal, with_role};
use crate::support::program::{run, run_with};

#[tokio::test]
async fn the_role_can_work_on_tasks_and_read_the_rest_that_the_api_reads() {
    let (database, role, _) = with_role("worker").await;
    grant(&database, &role, &[]).await.exits(0);
    let client = database.client_as(&role).await;
    for statement in [
        "insert into tasks (user_id, title) values ('ann', 'Buy milk')",
        "update tasks set status = 'complete'",
        "select title from tasks",
        "delete from tasks",
        "insert into idempotency_keys values ('ann', 'k', sha256('x'), 1, now())",
        "update idempotency_keys set task_id = 2",
        "select task_id from idempotency_keys for update",
        "delete from idempotency_keys",
        "select id, email from users",
        "select max(version) from refinery_schema_history",
    ] {
        client.batch_execute(statement).await.expect(statement);
    }
}

/// Every role may execute a new function, unless an owner has changed that for the functions to come.
#[tokio::test]
async fn the_role_can_call_the_function_that_inserts_tasks() {
    let (database, role, _) = with_role("worker").await;
    grant(&database, &role, &[]).await.exits(0).does_not_print("insert_task");
    let owner = database.client().await;
    let call = "select insert_task('ann', 'Buy milk', null, 'incomplete', 'medium', null)";
    database.client_as(&role).await.batch_execute(call).await.expect("as every role");
    let revoke = "revoke execute on function insert_task from public";
    owner.batch_execute(revoke).await.expect("revoke");
    for _ in 0..2 {
        grant(&database, &role, &[]).await.exits(0);
        database.client_as(&role).await.batch_execute(call).await.expect("as this role");
    }
}

#[tokio::test]
async fn the_role_can_do_no_ddl() {
    let (database, role, _) = with_role("worker").await;
    grant(&database, &role, &["--provision-users"]).await.exits(0);
    let client = database.client_as(&role).await;
    for statement in [
        "create table mine ()",
        "create temporary table mine ()",
        "create schema mine",
        "create view mine as select 1",
        "create sequence mine",
        "create type mine as enum ('a')",
        "create function mine() returns int language sql as 'select 1'",
        "create index mine on tasks (title)",
        "create trigger mine before insert on tasks for each row execute function update_tasks_updated_at()",
        "create policy mine on tasks",
        "create table mine (id int references tasks)",
        "alter table tasks add column mine int",
        "alter table tasks disable trigger trigger_tasks_updated_at",
        "alter table tasks disable trigger all",
        "alter sequence tasks_id_seq restart",
        "alter function update_tasks_updated_at() rename to mine",
        "comment on table tasks is 'mine'",
        "truncate tasks",
        "drop table tasks",
        "drop function update_tasks_updated_at()",
        "drop trigger trigger_tasks_updated_at on tasks",
        "drop index idx_tasks_user_status",
        "alter table idempotency_keys add column mine int",
        "create index mine on idempotency_keys (task_id)",
        "create table mine (user_id varchar, key varchar, foreign key (user_id, key) references idempotency_keys)",
        "truncate idempotency_keys",
        "drop table idempotency_keys",
        "create role mine",
        "create database mine",
        "create extension file_fdw",
        "set session_replication_role = replica",
    ] {
        let refusal = refusal(&client, statement).await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
}

#[tokio::test]
async fn the_role_can_read_and_write_nothing_else() {
    let (database, role, _) = with_role("worker").await;
    grant(&database, &role, &["--provision-users"]).await.exits(0);
    let client = database.client_as(&role).await;
    for statement in [
        "select from secrets",
        "insert into secrets values (2, 'mine')",
        "update secrets set secret = 'mine'",
        "delete from secrets",
        "copy secrets to stdout",
        "insert into refinery_schema_history values (9, 'mine', 'now', '1')",
        "update refinery_schema_history set checksum = '1'",
        "delete from refinery_schema_history",
        "update users set id = 'mine'",
        "update users set (id, email) = ('mine', 'mine@example.com')",
        "delete from users",
        "select setval('tasks_id_seq', 1)",
        "select last_value from tasks_id_seq",
        "select rolpassword from pg_authid",
        "select pg_read_file('/etc/passwd')",
        "copy tasks to '/tmp/mine'",
        "copy tasks to program 'cat'",
    ] {
        let refusal = refusal(&client, statement).await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
}

#[tokio::test]
async fn only_who_provisions_users_can_insert_them_and_update_their_addresses() {
    let (database, role, _) = with_role("worker").await;
    let statements = [
        "insert into users (id, email) values ('bob', 'bob@example.com')",
        "update users set email = 'robert@example.com' where id = 'bob'",
        "insert into users (id, email) values ('bob', 'rob@example.com')
         on conflict (id) do update set email = excluded.email",
    ];
    let client = database.client_as(&role).await;
    grant(&database, &role, &[]).await.exits(0);
    for statement in statements {
        let refusal = refusal(&client, statement).await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
    grant(&database, &role, &["--provision-users"])
        .await
        .exits(0)
        .says("Granted insert (id, email) on table public.users")
        .says("Granted update (email) on table public.users")
        .says("and nothing else");
    for statement in statements {
        client.batch_execute(statement).await.expect(statement);
    }
    grant(&database, &role, &[])
        .await
        .exits(0)
        .says("Revoked insert, update on table public.users")
        .says("and nothing else");
    for statement in statements {
        let refusal = refusal(&client, statement).await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
}

/// As an older version granted it.
#[tokio::test]
async fn a_role_that_could_only_insert_users_gets_the_right_to_update_their_addresses() {
    let (database, role, owner) = with_role("worker").await;
    grant(&database, &role, &["--provision-users"]).await.exits(0);
    let before = format!("revoke update (email) on users from {}", role.quoted());
    owner.batch_execute(&before).await.expect("revoke");
    grant(&database, &role, &["--provision-users"])
        .await
        .exits(0)
        .says("Granted update (email) on table public.users")
        .does_not_print("Revoked")
        .does_not_print("Granted insert");
    grant(&database, &role, &["--provision-users"]).await.exits(0).says("Nothing to do: ");
}

#[tokio::test]
async fn a_providers_users_without_addresses_are_only_inserted() {
    let (database, role, owner) = with_role("worker").await;
    owner.batch_execute("alter table users drop column email").await.expect("drop the column");
    for said in ["Granted insert (id) on table public.users", "Nothing to do: "] {
        grant(&database, &role, &["--provision-users"])
            .await
            .exits(0)
            .says(said)
            .does_not_print("email");
    }
}

#[tokio::test]
async fn the_time_limits_hold_in_every_new_session() {
    let (database, role, _) = with_role("worker").await;
    let limits = async || {
        let query = "select current_setting('statement_timeout'),
                            current_setting('idle_in_transaction_session_timeout')";
        let row = database.client_as(&role).await.query_one(query, &[]).await.expect("ask");
        (row.get::<_, String>(0), row.get::<_, String>(1))
    };
    grant(&database, &role, &[]).await.exits(0);
    assert_eq!(limits().await, ("4s".to_owned(), "10s".to_owned()));
    let others = ["--statement-timeout", "200ms", "--idle-in-transaction-timeout", "2m"];
    grant(&database, &role, &others).await.exits(0).says("Set statement_timeout = 200ms");
    assert_eq!(limits().await, ("200ms".to_owned(), "2min".to_owned()));
    let client = database.client_as(&role).await;
    assert_eq!(refusal(&client, "select pg_sleep(60)").await, Some(SqlState::QUERY_CANCELED));
}

/// Whatever the server and the database have.
#[tokio::test]
async fn new_sessions_plan_for_data_in_memory_or_on_flash() {
    let (database, role, owner) = with_role("worker").await;
    let of_database = format!("alter database {} set random_page_cost = 4", database.name());
    owner.batch_execute(&of_database).await.expect("set the database's cost");
    let cost = async || {
        let query = "select current_setting('random_page_cost')";
        let row = database.client_as(&role).await.query_one(query, &[]).await.expect("ask");
        row.get::<_, String>(0)
    };
    assert_eq!(cost().await, "4");
    for (arguments, change, expected) in [
        (&[][..], "\nSet random_page_cost = 1.1\n", "1.1"),
        (&["--random-page-cost", "2.50"], "Set random_page_cost = 2.5\n", "2.5"),
        (&["--random-page-cost=4"], "Set random_page_cost = 4\n", "4"),
    ] {
        grant(&database, &role, arguments).await.exits(0).says(change);
        assert_eq!(cost().await, expected, "{arguments:?}");
        grant(&database, &role, arguments).await.exits(0).says("Nothing to do: ");
        assert_eq!(cost().await, expected, "{arguments:?}, again");
    }
}

#[tokio::test]
async fn a_cost_is_a_number_above_0() {
    let (database, role, _) = with_role("worker").await;
    for cost in ["0", "-1", "nan", "inf", "1,1", "1.1; drop table tasks", ""] {
        grant(&database, &role, &[&format!("--random-page-cost={cost}")])
            .await
            .exits(2)
            .says("a number above 0 is expected, such as 1.1");
    }
}

#[tokio::test]
async fn a_limit_of_zero_is_rejected_because_it_means_no_limit() {
    let (database, role, _) = with_role("worker").await;
    grant(&database, &role, &["--statement-timeout", "0"])
        .await
        .exits(2)
        .says("0 would be no limit");
}

#[tokio::test]
async fn tables_are_found_by_search_path() {
    let database = TestDatabase::create().await;
    let role = database.role("worker").await;
    let name = database.name();
    let odd = format!(
        r#"create schema "Odd ""Schema"; alter database {name} set search_path = "Odd ""Schema""#
    );
    database.client().await.batch_execute(&odd).await.expect("create a schema");
    run(&database, &["up"]).await.exits(0);
    grant(&database, &role, &[])
        .await
        .exits(0)
        .says(r#"Granted usage on schema "Odd ""Schema""#)
        .says(r#"Granted select, delete on table "Odd ""Schema".tasks"#)
        .says(r#"Granted update (title, description, status, priority) on table "Odd ""Schema".tasks"#)
        .says(r#"Granted select, delete on table "Odd ""Schema".idempotency_keys"#);
    let client = database.client_as(&role).await;
    client.batch_execute("select from tasks").await.expect("read the tasks");
    client.batch_execute("select from idempotency_keys").await.expect("read the keys");
}

#[tokio::test]
async fn an_owner_that_is_no_superuser_can_grant() {
    let (database, owner, role) = owner_without_superuser().await;
    let url = database.url_as(&owner).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up"]).await.exits(0);
    let arguments = ["grant", "--role", &role.name];
    run_with(&variables, &arguments).await.exits(0).says("has what the API needs");
    run_with(&variables, &arguments).await.exits(0).says("Nothing to do: ");
    let client = database.client_as(&role).await;
    assert_eq!(refusal(&client, "select from tasks").await, None);
}

/// A column that the API does not know is not the role's to write.
#[tokio::test]
async fn the_role_can_write_only_the_columns_that_the_api_writes() {
    let (database, role, owner) = with_role("worker").await;
    owner
        .batch_execute(
            "alter table tasks add column internal int;
             insert into tasks (user_id, title) values ('ann', 'x')",
        )
        .await
        .expect("add a column");
    grant(&database, &role, &["--provision-users"]).await.exits(0).says("and nothing else");
    let client = database.client_as(&role).await;
    for statement in [
        "update tasks set id = 7",
        "update tasks set user_id = 'bob'",
        "update tasks set created_at = now()",
        "update tasks set internal = 1",
        "insert into tasks (user_id, title, internal) values ('ann', 'x', 1)",
        "update idempotency_keys set key = 'k'",
        "update users set id = 'bob'",
    ] {
        let refusal = refusal(&client, statement).await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
    client.batch_execute("update tasks set title = 'y', status = 'complete'").await.expect("write");
}

/// Earlier versions granted whole tables.
#[tokio::test]
async fn grants_on_whole_tables_become_grants_on_columns() {
    let (database, role, owner) = with_role("worker").await;
    prepare(
        &owner,
        &role,
        "grant select, insert, update, delete on tasks, idempotency_keys to ROLE;
         grant select, insert on users to ROLE",
    )
    .await;
    grant(&database, &role, &["--provision-users"])
        .await
        .exits(0)
        .says("Revoked insert, update on table public.tasks")
        .says("Granted update (title, description, status, priority) on table public.tasks")
        .says("and nothing else");
    grant(&database, &role, &["--provision-users"]).await.exits(0).says("Nothing to do: ");
}
