//! What only the live database has.

use serde_json::json;

use super::{adopted, differing, perform, script, strings, value};

const MIGRATION: &str = "create table t (id int primary key, v text)";

const LIVE: &str = "create table t (id int primary key, v text, own text not null, filled int not null default 1, made int generated always as (id + 1) stored not null, n bigint generated always as identity);
    create table other (a int); insert into other values (1);
    create index own_index on t (own); alter table t add constraint own_check check (own <> ''), add constraint own_key unique (own);
    create view own_view as select own from t; create function own_function() returns int language sql as 'select 1';
    create sequence own_sequence; create type own_type as enum ('a');
    insert into t values (1, 'v', 'mine')";

#[tokio::test]
async fn it_stays_and_its_required_columns_become_optional() {
    let (database, folder) = adopted(MIGRATION, LIVE).await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(document["complete"], true);
    assert_eq!(document["made_optional"], json!(["column t.own"]));
    let kept = document["kept"].as_array().expect("a list").clone();
    perform(&database, &document).await;
    let database_client = database.client().await;
    database_client.batch_execute("insert into t (id, v) values (2, 'w')").await.expect("insert");
    let differing = differing(&database, &folder).await;
    assert_eq!(json!(differing), json!(kept), "exactly what was announced");
    for object in ["table other", "column t.own", "index own_index on t", "view own_view"] {
        assert!(differing.contains(&object.to_owned()), "{object}: {differing:?}");
    }
    // A second script has nothing to do.
    let again = script(&database, &folder, &[]).await;
    assert!(
        again["sql"].as_str().expect("a script").contains("There is nothing to change"),
        "{again:#}"
    );
}

#[tokio::test]
async fn it_is_dropped_on_request_and_named_as_lost() {
    let (database, folder) = adopted(MIGRATION, LIVE).await;
    let document = script(&database, &folder, &["--drop-extra", "--ignore", "other"]).await;
    assert_eq!(document["complete"], true, "{document:#}");
    let lossy = strings(document["lossy"].as_array().expect("a list"), "sql");
    assert!(lossy.contains(&"alter table t drop column own;".to_owned()), "{lossy:?}");
    assert!(document["sql"].as_str().expect("a script").contains("--   what is in column t.own."));
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, ["table other"]);
    assert_eq!(value(&database, "select v from t").await.as_deref(), Some("v"));
    let document = script(&database, &folder, &["--drop-extra"]).await;
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, [""; 0]);
}

#[tokio::test]
async fn another_primary_key_is_left_to_a_person() {
    let live = "create table t (id int not null, tenant int not null, v text, constraint own_key primary key (tenant, id))";
    let (database, folder) = adopted(MIGRATION, live).await;
    let document = script(&database, &folder, &[]).await;
    let undecided = document["undecided"].as_array().expect("a list");
    assert_eq!(strings(undecided, "object"), ["constraint t_pkey on t", "column t.tenant"]);
    perform(&database, &document).await;
    assert_eq!(
        differing(&database, &folder).await,
        ["column t.tenant", "constraint own_key on t", "constraint t_pkey on t"]
    );
}

#[tokio::test]
async fn a_column_that_may_be_a_new_one_under_another_name_is_noted() {
    let migration = "create table t (id int, description varchar(50))";
    let (database, folder) = adopted(migration, "create table t (id int, body varchar)").await;
    let document = script(&database, &folder, &[]).await;
    let note = document["notes"][0].as_str().expect("a note");
    assert!(note.contains("alter table t rename column body to description;"), "{note}");
}

#[tokio::test]
async fn a_view_of_its_own_survives_a_change_of_a_type() {
    let live =
        "create table t (id int primary key, v varchar(9)); create view own as select id, v from t";
    let (database, folder) = adopted(MIGRATION, live).await;
    let document = script(&database, &folder, &[]).await;
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, ["view own"]);
}

#[tokio::test]
async fn a_comment_that_a_script_reads_is_not_set_on_what_is_there_already() {
    let folder = crate::support::folder::Folder::new(&[
        ("V1__all.sql", "create table a (id int, v int); create table b (id int);
          comment on table a is 'ours'; comment on table b is 'plain'; comment on column a.v is 'ours'; comment on column a.id is 'plain'"),
        ("V1__all.down.sql", "do $$ begin
            if obj_description('a'::regclass, 'pg_class') = 'ours' then drop table a; end if;
            if col_description('a'::regclass, 2) = 'ours' and 'v' <> '' then null; end if;
          end $$; drop table b"),
    ]);
    let database = tests::TestDatabase::create().await;
    super::execute(&database, "create table a (id int, v int); create table b (id int)").await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(document["kept"], json!(["comment of table a", "comment of column a.v"]));
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, ["table a", "column a.v"]);
}

#[tokio::test]
async fn a_new_sequence_has_the_owner_of_its_table() {
    // `pg_monitor` is any other role than the one that runs the script.
    let live = "create table t (id int primary key, v text); create sequence own; alter table t owner to pg_monitor,
        alter id set default nextval('own')";
    let migration = "create table t (id serial primary key, v text)";
    let (database, folder) = adopted(migration, live).await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(document["complete"], true, "{document:#}");
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, ["sequence own"]);
    let owner = "select relowner::regrole from pg_class where oid = 't_id_seq'::regclass";
    assert_eq!(value(&database, owner).await.as_deref(), Some("pg_monitor"));
}
