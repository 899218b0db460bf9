//! Columns of other types.

use serde_json::json;

use super::{adopted, differing, perform, script, strings, value};

#[tokio::test]
async fn a_time_without_a_zone_needs_one() {
    let migration = "create table t (id int, at timestamptz not null default now());
        create view v as select at from t; create index i on t (at desc)";
    let live = "create table t (id int, at timestamp not null); create view v as select at from t;
        create view own as select id, at from t where at > '2026-01-01'; create index i on t (at desc);
        insert into t values (1, '2026-07-01 12:00:00.123456'), (2, '2026-12-01 12:00'), (3, 'infinity')";
    let (database, folder) = adopted(migration, live).await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(
        strings(document["undecided"].as_array().expect("a list"), "object"),
        ["column t.at"]
    );
    let sql = document["undecided"][0]["sql"][0].as_str();
    assert_eq!(
        sql,
        Some("alter table t alter column at type timestamptz using at at time zone 'UTC';")
    );
    assert!(
        document["undecided"][0]["reason"].as_str().expect("a text").contains("--assume-timezone")
    );
    assert!(document["sql"].as_str().expect("a script").contains("-- NOT DONE"));
    perform(&database, &document).await;
    // The default is that of the migrations, and the type is as it was.
    assert_eq!(differing(&database, &folder).await, ["column t.at", "view own"]);

    let document = script(&database, &folder, &["--assume-timezone", "Europe/Berlin"]).await;
    assert_eq!(document["complete"], true, "{document:#}");
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, ["view own"]);
    let moments = "select string_agg(at at time zone 'UTC' || '', ', ' order by id) from t";
    let expected = "2026-07-01 10:00:00.123456, 2026-12-01 11:00:00, infinity";
    assert_eq!(value(&database, moments).await.as_deref(), Some(expected));
}

#[tokio::test]
async fn local_times_that_exist_twice_or_never_are_listed() {
    let live = "create table t (id int, at timestamp);
        insert into t values (1, '2026-03-29 02:30'), (2, '2026-10-25 02:30'), (3, '2026-10-25 03:30'), (4, '2026-03-29 01:59')";
    let (database, folder) = adopted("create table t (id int, at timestamptz)", live).await;
    let document = script(&database, &folder, &["--assume-timezone", "Europe/Berlin"]).await;
    assert_eq!(document["complete"], true);
    assert_eq!(document["rows"][0]["count"], 2, "{document:#}");
    assert_eq!(document["rows"][0]["blocks"], false);
    let query = document["rows"][0]["query"].as_str().expect("a query");
    let ids = format!("select string_agg(id::text, ',' order by id) from ({query}) as found");
    assert_eq!(value(&database, &ids).await.as_deref(), Some("1,2"));
    let document = script(&database, &folder, &["--assume-timezone", "utc"]).await;
    assert_eq!(document["rows"], json!([]));
}

#[tokio::test]
async fn an_unknown_zone_is_refused() {
    let (database, folder) = adopted("create table t (id int)", "").await;
    let arguments = ["drift", "--script", "--assume-timezone", "Mars/Base", "--dir", folder.path()];
    let output = crate::support::program::run(&database, &arguments).await.exits(2);
    let _ = output.says("unknown time zone: `Mars/Base`").says("pg_timezone_names");
}

/// A type of the live database, that of the migrations, and whether the script changes the one to the other.
const CHANGES: [(&str, &str, bool); 23] = [
    ("varchar", "text", true),
    ("text", "varchar(9)", true),
    ("char(4)", "varchar(4)", true),
    ("varchar(9)", "char(9)", false),
    ("smallint", "bigint", true),
    ("bigint", "integer", true),
    ("integer", "numeric", true),
    ("numeric(8,4)", "numeric(8,2)", false),
    ("numeric(8,2)", "numeric(10,4)", true),
    ("float8", "real", false),
    ("real", "float8", true),
    ("date", "timestamp", true),
    ("timestamp", "date", false),
    ("timestamptz", "timestamptz(0)", false),
    ("json", "jsonb", false),
    ("text", "uuid", false),
    ("text", "integer", false),
    ("integer", "text", false),
    ("varchar", "mood", true),
    ("mood", "varchar", true),
    ("mood", "varchar(20)", true),
    ("uuid", "varchar(40)", true),
    ("time", "time(0)", false),
];

/// Each case is a column of one table.
#[tokio::test]
async fn what_keeps_every_value_is_done_and_what_may_lose_something_is_not() {
    let table = |kinds: Vec<&str>| {
        let columns = kinds.iter().enumerate().map(|(index, kind)| format!("v{index} {kind}"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!("create type mood as enum ('ok', 'sad'); create table t ({columns})")
    };
    let migration = table(CHANGES.iter().map(|(_, to, _)| *to).collect());
    let live = table(CHANGES.iter().map(|(from, ..)| *from).collect());
    let (database, folder) = adopted(&migration, &live).await;
    let document = script(&database, &folder, &[]).await;
    let kept = CHANGES.iter().enumerate().filter(|(_, (.., done))| !done);
    let mut kept: Vec<String> = kept.map(|(index, _)| format!("column t.v{index}")).collect();
    kept.sort();
    let undecided = document["undecided"].as_array().expect("a list");
    assert_eq!(strings(undecided, "object"), kept, "{document:#}");
    perform(&database, &document).await;
    assert_eq!(differing(&database, &folder).await, kept);
}

#[tokio::test]
async fn a_column_that_would_be_computed_keeps_what_is_in_it() {
    let migration = "create table t (a int, b int generated always as (a + 1) stored)";
    let (database, folder) =
        adopted(migration, "create table t (a int, b int); insert into t values (1, 7)").await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(
        strings(document["undecided"].as_array().expect("a list"), "object"),
        ["column t.b"]
    );
    perform(&database, &document).await;
    assert_eq!(value(&database, "select b from t").await.as_deref(), Some("7"));
}
