//! Objects that differ by name only.

use super::{adopted, differing, perform, script, value};

#[tokio::test]
async fn are_renamed_and_stay_what_they_are() {
    let function =
        "create function f() returns trigger language plpgsql as 'begin return new; end';";
    let migration = format!(
        "{function} create table o (id int constraint o_pkey primary key, code text constraint o_code unique);
         create table t (id serial constraint t_pkey primary key, o int constraint t_o_fkey references o, v int constraint t_v check (v > 0), e text constraint t_e_key unique);
         create index t_v_idx on t (v desc) include (o); create unique index t_both on t (o, lower(e));
         create trigger t_touch before update on t for each row execute function f();
         alter table t enable row level security; create policy t_mine on t for select using (v > 1)"
    );
    let live = format!(
        "{function} create table o (id int constraint pk_o primary key, code text); create unique index ix_code on o (code);
         create sequence counter; create table t (id int not null default nextval('counter'), o int constraint fk references o, v int constraint ck check (v > 0), e text constraint uq unique);
         alter sequence counter owned by t.id; alter sequence counter as integer; create unique index ix_id on t (id); alter table t add constraint pk_t primary key using index ix_id;
         create index ix_v on t (v desc) include (o); create unique index ix_both on t (o, lower(e));
         create trigger tg before update on t for each row execute function f();
         alter table t enable row level security; create policy p on t for select using (v > 1);
         insert into t (v) values (1), (2)"
    );
    let (database, folder) = adopted(&migration, &live).await;
    let files = "select string_agg(relfilenode::text, ',' order by relfilenode) from pg_class
                  where relnamespace = 'public'::regnamespace and relkind in ('r', 'i', 'S')";
    let before = value(&database, files).await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(document["complete"], true, "{document:#}");
    let sql = document["sql"].as_str().expect("a script");
    for statement in [
        "alter table o add constraint o_code unique using index ix_code;",
        "alter index ix_v rename to t_v_idx;",
        "alter index ix_both rename to t_both;",
        "alter sequence counter rename to t_id_seq;",
        "alter table o rename constraint pk_o to o_pkey;",
        "alter table t rename constraint fk to t_o_fkey;",
        "alter trigger tg on t rename to t_touch;",
        "alter policy p on t rename to t_mine;",
    ] {
        assert!(sql.contains(statement), "{statement}\n{sql}");
    }
    assert!(!sql.contains("\ndrop ") && !sql.contains("\ncreate "), "{sql}");
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, [""; 0]);
    assert_eq!(value(&database, files).await, before, "nothing is built again");
    assert_eq!(value(&database, "select nextval('t_id_seq')").await.as_deref(), Some("3"));
}

#[tokio::test]
async fn one_extra_object_is_renamed_once() {
    let migration = "create table t (v int); create index a on t (v); create index b on t (v)";
    let live = "create table t (v int); create index c on t (v)";
    let (database, folder) = adopted(migration, live).await;
    let document = script(&database, &folder, &[]).await;
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, [""; 0]);
}
