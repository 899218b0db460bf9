//! The schema that the migrations create.

use tests::TestDatabase;
use tokio_postgres::error::SqlState;

use crate::support::catalog::objects;

/// Tables, columns, indexes, sequences, constraints, functions and triggers without a comment.
const WITHOUT_COMMENT: &str = "\
select 'relation ' || relname from pg_class
 where relnamespace = 'public'::regnamespace and obj_description(oid, 'pg_class') is null
union all
select 'column ' || relname || '.' || attname
  from pg_attribute join pg_class on pg_class.oid = attrelid
 where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0
   and not attisdropped and col_description(attrelid, attnum) is null
union all
select 'constraint ' || conname from pg_constraint
 where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'u', 'p')
   and conrelid <> 'refinery_schema_history'::regclass
   and obj_description(oid, 'pg_constraint') is null
union all
select 'function ' || proname from pg_proc
 where pronamespace = 'public'::regnamespace and obj_description(oid, 'pg_proc') is null
union all
select 'trigger ' || tgname from pg_trigger
 where not tgisinternal and obj_description(oid, 'pg_trigger') is null";

#[tokio::test]
async fn every_object_has_a_comment() {
    let database = TestDatabase::migrated().await;
    let rows = database.client().await.query(WITHOUT_COMMENT, &[]).await.expect("read comments");
    let silent: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(silent, [""; 0]);
}

#[tokio::test]
async fn names_and_types_are_the_documented_ones() {
    let database = TestDatabase::migrated().await;
    let objects: Vec<String> = objects(&database)
        .await
        .iter()
        .filter(|object| !object.contains("refinery") && !object.starts_with("function"))
        .map(|object| object.split(" -- ").next().unwrap_or_default().to_owned())
        // PostgreSQL 18 lists these as constraints, earlier versions do not.
        .filter(|object| !(object.starts_with("constraint") && object.contains("NOT NULL")))
        .collect();
    insta::assert_snapshot!(objects.join("\n"), @r"
    column idempotency_keys.created_at timestamp with time zone not null
    column idempotency_keys.fingerprint bytea not null
    column idempotency_keys.key character varying(255) not null
    column idempotency_keys.task_id integer not null
    column idempotency_keys.user_id character varying not null
    column tasks.created_at timestamp with time zone not null default CURRENT_TIMESTAMP
    column tasks.description character varying(5000)
    column tasks.id integer not null default nextval('tasks_id_seq'::regclass)
    column tasks.priority character varying(10) not null default 'medium'::character varying
    column tasks.status character varying(20) not null default 'incomplete'::character varying
    column tasks.title character varying(255) not null
    column tasks.updated_at timestamp with time zone not null default CURRENT_TIMESTAMP
    column tasks.user_id character varying not null
    column users.email character varying not null
    column users.id character varying not null
    constraint idempotency_keys_fingerprint_length CHECK ((length(fingerprint) = 32))
    constraint idempotency_keys_pkey PRIMARY KEY (user_id, key)
    constraint idempotency_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
    constraint tasks_description_length CHECK (((description IS NULL) OR (length((description)::text) <= 5000)))
    constraint tasks_pkey PRIMARY KEY (id)
    constraint tasks_priority_check CHECK (((priority)::text = ANY ((ARRAY['low'::character varying, 'medium'::character varying, 'high'::character varying])::text[])))
    constraint tasks_status_check CHECK (((status)::text = ANY ((ARRAY['incomplete'::character varying, 'complete'::character varying])::text[])))
    constraint tasks_title_length CHECK (((length((title)::text) >= 1) AND (length((title)::text) <= 255)))
    constraint tasks_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
    constraint users_email_key UNIQUE (email)
    constraint users_pkey PRIMARY KEY (id)
    index CREATE INDEX idx_idempotency_keys_created ON public.idempotency_keys USING btree (created_at)
    index CREATE INDEX idx_tasks_user_created ON public.tasks USING btree (user_id, created_at DESC)
    index CREATE INDEX idx_tasks_user_created_id ON public.tasks USING btree (user_id, created_at DESC, id DESC)
    index CREATE INDEX idx_tasks_user_status ON public.tasks USING btree (user_id, status)
    index CREATE INDEX idx_tasks_user_status_created_id ON public.tasks USING btree (user_id, status, created_at DESC, id DESC)
    index CREATE INDEX idx_tasks_user_status_priority ON public.tasks USING btree (user_id, status, (
    CASE priority
        WHEN 'high'::text THEN 3
        WHEN 'low'::text THEN 1
        ELSE 2
    END) DESC, created_at DESC, id DESC)
    index CREATE UNIQUE INDEX idempotency_keys_pkey ON public.idempotency_keys USING btree (user_id, key)
    index CREATE UNIQUE INDEX tasks_pkey ON public.tasks USING btree (id)
    index CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email)
    index CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)
    relation idempotency_keys r
    relation idempotency_keys_pkey i
    relation idx_idempotency_keys_created i
    relation idx_tasks_user_created i
    relation idx_tasks_user_created_id i
    relation idx_tasks_user_status i
    relation idx_tasks_user_status_created_id i
    relation idx_tasks_user_status_priority i
    relation tasks r
    relation tasks_id_seq S
    relation tasks_pkey i
    relation users r
    relation users_email_key i
    relation users_pkey i
    trigger CREATE TRIGGER trigger_tasks_updated_at BEFORE UPDATE ON public.tasks FOR EACH ROW EXECUTE FUNCTION update_tasks_updated_at()
    ");
}

#[tokio::test]
async fn constraints_refuse_by_name() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client.batch_execute("insert into users values ('u1', 'a@b')").await.expect("a user");
    for (row, constraint) in [
        ("tasks (user_id, title, status) values ('u1', '', 'complete')", "tasks_title_length"),
        ("tasks (user_id, title, status) values ('u1', 'x', 'done')", "tasks_status_check"),
        ("tasks (user_id, title, priority) values ('u1', 'x', 'urgent')", "tasks_priority_check"),
        ("tasks (user_id, title) values ('nobody', 'x')", "tasks_user_id_fkey"),
        (
            "idempotency_keys values ('u1', 'k', 'too short', 1, now())",
            "idempotency_keys_fingerprint_length",
        ),
        (
            "idempotency_keys values ('u1', 'k', sha256('x') || 'y', 1, now())",
            "idempotency_keys_fingerprint_length",
        ),
        (
            "idempotency_keys values ('u1', 'k', sha256('x'), 1, now()), ('u1', 'k', sha256('y'), 2, now())",
            "idempotency_keys_pkey",
        ),
        (
            "idempotency_keys values ('nobody', 'k', sha256('x'), 1, now())",
            "idempotency_keys_user_id_fkey",
        ),
    ] {
        let insert = format!("insert into {row}");
        let error = client.batch_execute(&insert).await.expect_err(constraint);
        let error = error.as_db_error().expect("an answer from the server");
        assert_eq!(error.constraint(), Some(constraint));
    }
}

#[tokio::test]
async fn texts_are_measured_in_characters() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client.batch_execute("insert into users values ('u1', 'a@b')").await.expect("a user");
    let insert = "insert into tasks (user_id, title, description)
        values ('u1', repeat('ü', $1), repeat('ü', $2))";
    client.execute(insert, &[&255, &5000]).await.expect("the longest texts");
    for lengths in [[256, 5000], [255, 5001]] {
        let error =
            client.execute(insert, &[&lengths[0], &lengths[1]]).await.expect_err("too long");
        assert_eq!(error.code(), Some(&SqlState::STRING_DATA_RIGHT_TRUNCATION), "{lengths:?}");
    }
}

#[tokio::test]
async fn tasks_go_with_their_user() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    let script = "insert into users values ('u1', 'a@b');
        insert into tasks (user_id, title) values ('u1', 'x');
        delete from users;";
    client.batch_execute(script).await.expect("delete the user");
    let row = client.query_one("select count(*) from tasks", &[]).await.expect("count");
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn keys_go_with_their_user_and_not_with_their_task() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    let script = "insert into users values ('u1', 'a@b'), ('u2', 'c@d');
        insert into tasks (id, user_id, title) values (1, 'u1', 'x');
        insert into idempotency_keys
          values ('u1', 'k', sha256('x'), 1, now()), ('u2', 'k', sha256('x'), 2, now());
        delete from tasks;";
    client.batch_execute(script).await.expect("delete the task");
    let owners = async || {
        let query = "select user_id from idempotency_keys order by 1";
        let rows = client.query(query, &[]).await.expect("read the keys");
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    assert_eq!(owners().await, ["u1", "u2"]);
    client.batch_execute("delete from users where id = 'u1'").await.expect("delete a user");
    assert_eq!(owners().await, ["u2"]);
}

#[tokio::test]
async fn addresses_are_unique() {
    let database = TestDatabase::migrated().await;
    let insert = "insert into users values ('u1', 'a@b'), ('u2', 'a@b')";
    let error = database.client().await.batch_execute(insert).await.expect_err("the same address");
    let error = error.as_db_error().expect("an answer from the server");
    assert_eq!(error.constraint(), Some("users_email_key"));
}
