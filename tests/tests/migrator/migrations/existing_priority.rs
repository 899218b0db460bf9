//! Databases in which `tasks` has a column `priority` already, as the API's predecessor made one.

use tests::TestDatabase;

use crate::support::catalog::{objects, objects_without_history, versions};
use crate::support::program::run;

/// A database before the migration, with this column and tasks with these priorities.
async fn with_priority(column: &str, priorities: &[Option<&str>]) -> TestDatabase {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "3"]).await.exits(0);
    let client = database.client().await;
    let script = format!(
        "alter table tasks add column priority {column};
         insert into users values ('u1', 'a@b')"
    );
    client.batch_execute(&script).await.expect("add the column");
    let insert = "insert into tasks (user_id, title, priority) values ('u1', 'x', $1::text)";
    for priority in priorities {
        client.execute(insert, &[priority]).await.expect("a task");
    }
    database
}

/// The priorities of all tasks, and the times of their last change.
async fn rows(database: &TestDatabase) -> Vec<(Option<String>, String)> {
    let query = "select priority::text, updated_at::text from tasks order by id";
    let rows = database.client().await.query(query, &[]).await.expect("read the tasks");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Type, `not null` and default of the column, and its checks.
async fn shape(database: &TestDatabase) -> String {
    let query = "
        select concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
                         'default ' || pg_get_expr(adbin, adrelid),
                         (select string_agg(conname || case when convalidated then '' else ' not valid' end, ', ' order by conname)
                            from pg_constraint
                           where conrelid = attrelid and contype = 'c' and attnum = any (conkey)))
          from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid = 'tasks'::regclass and attname = 'priority' and not attisdropped";
    database.client().await.query_one(query, &[]).await.expect("the column").get(0)
}

#[tokio::test]
async fn an_existing_column_keeps_its_values_and_gets_what_it_lacks() {
    let values = [Some("low"), Some("high"), Some("medium"), Some("low")];
    let medium = "default 'medium'::character varying";
    for (column, expected) in [
        ("varchar", format!("character varying not null {medium} tasks_priority_check")),
        ("varchar not null", format!("character varying not null {medium} tasks_priority_check")),
        ("text", "text not null default 'medium'::text tasks_priority_check".to_owned()),
        (
            "varchar(10) default 'low'",
            "character varying(10) not null default 'low'::character varying tasks_priority_check"
                .to_owned(),
        ),
        (
            "varchar(10) not null default 'medium' check (priority in ('high', 'medium', 'low'))",
            format!("character varying(10) not null {medium} tasks_priority_check"),
        ),
        (
            "varchar constraint known check (priority <> 'urgent')",
            format!("character varying not null {medium} known, tasks_priority_check"),
        ),
    ] {
        let database = with_priority(column, &values).await;
        let comment = "comment on column tasks.priority is 'Urgency'";
        database.client().await.batch_execute(comment).await.expect("comment");
        let (before, objects_before) = (rows(&database).await, objects(&database).await);

        run(&database, &["up", "--to", "4"]).await.exits(0).says("1 migration applied");
        assert_eq!(shape(&database).await, expected, "{column}");
        assert_eq!(rows(&database).await, before, "{column}");

        run(&database, &["down", "--yes"]).await.exits(0);
        assert_eq!(objects(&database).await, objects_before, "{column}");
        assert_eq!(rows(&database).await, before, "{column}");
        run(&database, &["up", "--to", "4"]).await.exits(0);
    }
}

#[tokio::test]
async fn an_existing_null_stays_and_the_column_nullable() {
    let database = with_priority("varchar", &[Some("high"), None]).await;
    let (before, objects_before) = (rows(&database).await, objects(&database).await);
    run(&database, &["up", "--to", "4"]).await.exits(0);
    let expected = "character varying default 'medium'::character varying tasks_priority_check";
    assert_eq!(shape(&database).await, expected);
    assert_eq!(rows(&database).await, before);
    run(&database, &["down", "--yes"]).await.exits(0);
    assert_eq!(objects(&database).await, objects_before);
}

#[tokio::test]
async fn an_existing_column_that_does_not_fit_is_a_clear_failure_and_nothing_is_changed() {
    for (column, priorities, message, hint) in [
        (
            "varchar",
            &[Some("HIGH"), Some("low"), Some(" low"), Some("")][..],
            "3 values in the existing column \"priority\" of \"tasks\" are neither 'low', 'medium' nor 'high'",
            "where priority not in ('low', 'medium', 'high');",
        ),
        (
            "varchar not null",
            &[Some("urgent"), Some("low")],
            "1 value in the existing column \"priority\" of \"tasks\" is neither",
            "select id, user_id, priority from tasks",
        ),
        (
            "int",
            &[],
            "has the type integer, but priorities here are text",
            "alter column priority type varchar(10)",
        ),
        (
            "varchar check (priority in ('low', 'high'))",
            &[Some("low")],
            "the existing constraint \"tasks_priority_check\" is another one: CHECK",
            "drop constraint tasks_priority_check",
        ),
    ] {
        let database = with_priority(column, priorities).await;
        let before = objects(&database).await;
        run(&database, &["up", "--to", "4"])
            .await
            .exits(5)
            .says(message)
            .says(hint)
            .says("V3 and earlier are applied; V4 was rolled back");
        assert_eq!(objects(&database).await, before, "{column}");
        assert_eq!(versions(&database).await, [1, 2, 3], "{column}");
    }
}

/// What the hint says is enough.
#[tokio::test]
async fn it_applies_once_the_values_are_changed() {
    let database = with_priority("varchar", &[Some("HIGH"), Some(" Low ")]).await;
    run(&database, &["up", "--to", "4"]).await.exits(5);
    let change = "update tasks set priority = lower(trim(priority))
                   where priority not in ('low', 'medium', 'high')";
    database.client().await.batch_execute(change).await.expect("change the values");
    run(&database, &["up", "--to", "4"])
        .await
        .exits(0)
        .says("the database is at V4__task_priority");
}

/// For a table that is too large to be locked while its index is built.
#[tokio::test]
async fn what_was_made_beforehand_is_taken_over() {
    let database = with_priority(
        "varchar(10) not null default 'medium'
           constraint tasks_priority_check check (priority in ('low', 'medium', 'high'))",
        &[Some("low")],
    )
    .await;
    let client = database.client().await;
    let index = "create index concurrently idx_tasks_user_status_priority on tasks (
        user_id, status, (case priority when 'high' then 3 when 'low' then 1 else 2 end) desc,
        created_at desc, id desc)";
    client.batch_execute(index).await.expect("build the index");
    let oid = "select 'idx_tasks_user_status_priority'::regclass::oid";
    let before: u32 = client.query_one(oid, &[]).await.expect("the index").get(0);
    run(&database, &["up", "--to", "4"]).await.exits(0);
    let after: u32 = client.query_one(oid, &[]).await.expect("the index").get(0);
    assert_eq!(after, before, "it is not built again");
    let drift = run(&database, &["drift"]).await.exits(1).stdout;
    assert!(drift.contains("priority") && !drift.contains("index "), "only comments: {drift}");

    run(&database, &["down", "--yes"]).await.exits(0);
    let spoil = "create index idx_tasks_user_status_priority on tasks (id);
        update pg_index set indisvalid = false
         where indexrelid = 'idx_tasks_user_status_priority'::regclass";
    client.batch_execute(spoil).await.expect("spoil the index");
    run(&database, &["up", "--to", "4"])
        .await
        .exits(5)
        .says("is not valid: its build has failed or goes on");
}

#[tokio::test]
async fn a_column_of_our_own_is_undone() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "3"]).await.exits(0);
    let before = objects_without_history(&database).await;
    run(&database, &["up", "--to", "4"]).await.exits(0);
    run(&database, &["down", "--yes"]).await.exits(0);
    assert_eq!(objects_without_history(&database).await, before);
}

/// Old tasks are medium, and did not change.
#[tokio::test]
async fn tasks_that_are_there_are_medium() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "3"]).await.exits(0);
    let client = database.client().await;
    let fill = "insert into users values ('u1', 'a@b');
        insert into tasks (user_id, title, created_at, updated_at)
        values ('u1', 'x', '2026-01-01Z', '2026-01-02Z')";
    client.batch_execute(fill).await.expect("a task");
    run(&database, &["up", "--to", "4"]).await.exits(0);
    let query = "select priority, updated_at = '2026-01-02Z' from tasks";
    let row = client.query_one(query, &[]).await.expect("the task");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, bool>(1)), ("medium", true));
}
