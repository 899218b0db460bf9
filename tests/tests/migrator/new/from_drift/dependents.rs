//! Dependent objects of dropped and recreated ones, where PostgreSQL requires an order.

use serde_json::json;

use super::{round_trip, round_trip_in};
use crate::support::folder::Folder;

async fn there_and_back(base: &str, by_hand: &str) {
    let folder = Folder::new(&[("V1__base.sql", base), ("V1__base.down.sql", "select 1;")]);
    let document = round_trip_in(&folder, by_hand, by_hand).await;
    assert_eq!(document["problems"], json!([]), "{document:#}");
}

#[tokio::test]
async fn the_function_of_a_trigger_is_dropped_after_its_table() {
    let by_hand = "create table log (what text); create table orders (id int);
         create function log_order() returns trigger language plpgsql as $$
           begin insert into log values (new.id); return new; end $$;
         create trigger log_order after insert on orders for each row execute function log_order();";
    round_trip("a function whose body names a table that goes with its trigger's", by_hand).await;
}

#[tokio::test]
async fn a_function_of_a_row_is_dropped_between_the_index_on_it_and_the_table() {
    let by_hand = "create table zoo (id int);
         create function label(z zoo) returns text language sql immutable as 'select z.id::text';
         create index zoo_label on zoo (label(zoo));";
    round_trip("a row type", by_hand).await;
}

#[tokio::test]
async fn a_computed_column_is_recreated_with_its_function() {
    there_and_back(
        "create function f(a int) returns int immutable language sql as 'select a';
         create table o (a int, c int generated always as (f(a)) stored);
         create view v as select c from o;",
        "drop function f cascade;
         create function f(a int) returns bigint immutable language sql as 'select a::bigint';
         alter table o add column c int generated always as (f(a)) stored;
         create view v as select c from o;",
    )
    .await;
}

#[tokio::test]
async fn a_sequence_outlives_the_table_that_it_was_created_with() {
    let base = "create table o (id serial primary key); create view v as select id from o;";
    there_and_back(base, "alter table o rename to p;").await;
}

#[tokio::test]
async fn a_recreated_view_keeps_its_defaults() {
    there_and_back(
        "create table o (a int, b int); create view v as select a from o; create view w as select a from o;
         alter view v alter a set default 4;",
        "create or replace view v as select a, b from o; alter view w alter a set default 5;
         alter view w set (security_barrier = true);",
    )
    .await;
}

#[tokio::test]
async fn statistics_and_publications_list_columns_in_any_order() {
    // Undone, the column is the last one of the table.
    there_and_back(
        "create table o (a int primary key, b int, c int); create statistics s on a, b, c from o;
         create statistics e on b, (a + 1), c from o; create publication few for table o (a, b, c);",
        "alter publication few set table o (a, c); alter table o drop b; create statistics s on a, c from o;",
    )
    .await;
}

#[tokio::test]
async fn a_foreign_table_keeps_its_checks_and_statistics() {
    there_and_back(
        "create foreign data wrapper w; create server s foreign data wrapper w;
         create foreign table o (a int, b text) server s;",
        "alter foreign table o add constraint c check (a > 0), alter b set statistics 5;
         create foreign table p (a int, constraint d check (a > 0) not valid) server s;
         alter foreign table p alter a set (n_distinct = 5);",
    )
    .await;
}
