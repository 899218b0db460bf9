//! Rows that are in the way.

use super::{adopted, differing, perform, script, value};

/// Migration, live database, what changes the rows, and the number of rows in the way.
const CASES: [(&str, &str, &str, &str, i64); 13] = [
    (
        "a text that is too long, also by spaces",
        "create table t (id int, v varchar(3))",
        "create table t (id int, v text); insert into t values (1, 'abc'), (2, 'abcd'), (3, 'abc '), (4, null)",
        "update t set v = left(v, 3)",
        2,
    ),
    (
        "null",
        "create table t (id int, v text not null)",
        "create table t (id int, v text); insert into t values (1, 'abc'), (2, null)",
        "update t set v = '' where v is null",
        1,
    ),
    (
        "a check",
        "create table t (id int, v text constraint c check (v in ('a', 'b') and id > 0))",
        "create table t (id int, v text); insert into t values (1, 'a'), (2, 'c'), (-1, 'b'), (3, null)",
        "delete from t where id = -1 or v = 'c'",
        2,
    ),
    (
        "a row without an owner",
        "create table o (id int primary key); create table t (id int, v int constraint f references o)",
        "create table o (id int primary key); create table t (id int, v int);
         insert into o values (1); insert into t values (1, 1), (2, 2), (3, null), (4, 2)",
        "delete from t where v = 2",
        2,
    ),
    (
        "an owner in a table that does not exist yet",
        "create table o (id int primary key); create table t (id int, v int constraint f references o)",
        "create table t (id int, v int); insert into t values (1, 1), (3, null)",
        "update t set v = null",
        1,
    ),
    (
        "a key of two columns",
        "create table o (a int, \"B\" int, primary key (a, \"B\"));
         create table t (x int, y int, constraint f foreign key (x, y) references o (a, \"B\"))",
        "create table o (a int, \"B\" int, primary key (a, \"B\")); create table t (x int, y int);
         insert into o values (1, 1); insert into t values (1, 1), (1, 2), (2, null)",
        "delete from t where y = 2",
        1,
    ),
    (
        "a unique constraint",
        "create table t (id int, v text, constraint u unique (v))",
        "create table t (id int, v text); insert into t values (1, 'a'), (2, 'a'), (3, null), (4, null)",
        "delete from t where id = 2",
        1,
    ),
    (
        "a primary key",
        "create table t (id int, constraint k primary key (id))",
        "create table t (id int not null); insert into t values (1), (1), (2)",
        "delete from t where ctid = (select max(ctid) from t where id = 1)",
        1,
    ),
    (
        "a unique index on an expression",
        "create table t (id int, v text); create unique index i on t (lower(v) desc) where id > 0",
        "create table t (id int, v text); insert into t values (1, 'a'), (2, 'A'), (0, 'a')",
        "delete from t where id = 2",
        1,
    ),
    (
        "a number that is too large",
        "create table t (v smallint)",
        "create table t (v bigint); insert into t values (32767), (32768), (-32769), (null)",
        "delete from t where abs(v) > 32767",
        2,
    ),
    (
        "a text that is no label",
        "create type m as enum ('a', 'it''s'); create table t (v m)",
        "create type m as enum ('a', 'it''s'); create table t (v text); insert into t values ('a'), ('it''s'), ('b')",
        "update t set v = 'a' where v = 'b'",
        1,
    ),
    (
        "a new column that every row must fill",
        "create table t (id int, v int not null)",
        "create table t (id int); insert into t values (1), (2)",
        "delete from t",
        2,
    ),
    (
        "a constraint that was not valid",
        "create table t (v int constraint c check (v > 0))",
        "create table t (v int); insert into t values (0), (1); alter table t add constraint c check (v > 0) not valid",
        "delete from t where v = 0",
        1,
    ),
];

#[tokio::test]
async fn are_counted_and_the_script_fails_until_they_are_changed() {
    for (label, migration, live, fix, expected) in CASES {
        let (database, folder) = adopted(migration, live).await;
        let document = script(&database, &folder, &[]).await;
        let rows = document["rows"].as_array().expect("a list");
        assert_eq!(rows.len(), 1, "{label}: {document:#}");
        assert_eq!(rows[0]["count"], expected, "{label}: {document:#}");
        assert_eq!(document["complete"], false, "{label}");
        let query = rows[0]["query"].as_str().expect("a query");
        let sql = document["sql"].as_str().expect("a script");
        let first = sql.lines().find(|line| line.starts_with("-- FIRST")).expect("listed first");
        assert!(first.contains("change these rows"), "{label}");
        assert!(sql.contains(&format!("--     {query};\n")), "{label}: {sql}");
        let number = value(&database, &format!("select count(*) from ({query}) as found")).await;
        assert_eq!(number.as_deref(), Some(expected.to_string().as_str()), "{label}");

        let before = crate::support::catalog::objects(&database).await;
        let client = database.client().await;
        let error = client.batch_execute(sql).await.expect_err(label);
        let error = error.as_db_error().expect("an error of the server");
        assert_eq!(error.hint(), Some(query), "{label}: {error:?}");
        client.batch_execute("rollback").await.expect("roll back");
        assert_eq!(crate::support::catalog::objects(&database).await, before, "{label}");

        client.batch_execute(fix).await.expect(label);
        let document = script(&database, &folder, &[]).await;
        assert_eq!(document["complete"], true, "{label}: {document:#}");
        assert_eq!(document["rows"], serde_json::json!([]), "{label}");
        perform(&database, &document).await;
        assert_eq!(differing(&database, &folder).await, [""; 0], "{label}");
    }
}

#[tokio::test]
async fn that_cannot_be_counted_yet_are_no_obstacle() {
    let migration = "create table t (id int, kind text not null default 'a', constraint c check (kind in ('a', 'b')))";
    let live = "create table t (id int); insert into t values (1)";
    let (database, folder) = adopted(migration, live).await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(document["complete"], true, "{document:#}");
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, [""; 0]);
}

#[tokio::test]
async fn a_sequence_counts_on_from_where_they_are() {
    for live in [
        "create table t (id int primary key, v text)",
        "create table t (id int generated by default as identity primary key, v text)",
        "create sequence other; create table t (id int primary key default nextval('other'), v text)",
    ] {
        let migration = "create table t (id serial primary key, v text)";
        let live = format!("{live}; insert into t values (1, 'a'), (7, 'b')");
        let (database, folder) = adopted(migration, &live).await;
        let document = script(&database, &folder, &[]).await;
        assert_eq!(document["complete"], true, "{live}: {document:#}");
        perform(&database, &document).await;
        let id = "insert into t (v) values ('c') returning id";
        let id: i32 = database.client().await.query_one(id, &[]).await.expect(&live).get(0);
        assert_eq!(id, 8, "{live}");
    }
}
