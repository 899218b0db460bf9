//! Objects of unsupported kinds, which are not compared: they are reported, never ignored silently.

use serde_json::json;
use tests::TestDatabase;

use super::{base, changed_by_hand, write};
use crate::support::program::run;

const BY_HAND: &str = "\
create aggregate total(integer) (sfunc = int4pl, stype = integer);
create type span as range (subtype = float8);
create rule keep as on delete to items do instead nothing;
create statistics kinds on owner, price from items;
alter table items replica identity full;
alter table items alter note set storage external;
create event trigger seen on ddl_command_end execute function seen();
create table parts (id int, note text default 'a') partition by range (id);
create table parts_1 partition of parts for values from (1) to (10);
alter table parts_1 alter note set default 'b';
create trigger on_parts after insert on parts for each row execute function touch();
alter table parts_1 disable trigger on_parts;
";

const SEEN: &str = "create function seen() returns event_trigger language plpgsql as 'begin end';";

fn things() -> Vec<&'static str> {
    vec![
        "aggregate public.total(integer)",
        "event trigger seen",
        "replica identity of table public.items",
        "rule keep on public.items",
        "statistics object public.kinds",
        "storage or statistics of table column public.items.note",
        "type public.span",
        "what is inherited otherwise: table column public.parts_1.note",
        "whether it is on: trigger on_parts on public.parts_1",
    ]
}

#[tokio::test]
async fn drift_names_it() {
    let folder = base();
    let database = changed_by_hand(&folder, &format!("{SEEN}{BY_HAND}")).await;
    let arguments = ["drift", "--json", "--dir", folder.path()];
    let mut document = run(&database, &arguments).await.exits(1).json();
    let mut named: Vec<String> =
        serde_json::from_value(document["not_compared"].take()).expect("a list of names");
    named.sort();
    assert_eq!(named, things());
    // PostgreSQL itself creates the functions of a range type.
    assert!(!document.to_string().contains("span"), "{document:#}");
    let text = run(&database, &["drift", "--dir", folder.path()]).await.exits(1);
    text.says("Not compared: aggregate public.total(integer), event trigger seen, ");
}

#[tokio::test]
async fn it_is_a_todo() {
    let folder = base();
    let database = changed_by_hand(&folder, &format!("{SEEN}{BY_HAND}")).await;
    let document = write(&database, &folder).await;
    let todos = |member: &str| document[member].to_string();
    for thing in things() {
        let wanted = format!("make this by hand, if it is needed: {thing}");
        assert!(todos("todos").contains(&wanted), "{document:#}");
        let wanted = format!("undo this by hand, if it has to go: {thing}");
        assert!(todos("undo_todos").contains(&wanted), "{document:#}");
    }
    assert_eq!(document["not_compared"].as_array().map(Vec::len), Some(things().len()));
}

#[tokio::test]
async fn it_is_reported_even_without_other_drift() {
    let folder = base();
    let database = changed_by_hand(&folder, "alter table items replica identity full").await;
    let document = write(&database, &folder).await;
    assert_eq!(document["files"], json!([]));
    assert_eq!(document["not_compared"], json!(["replica identity of table public.items"]));
}

#[tokio::test]
async fn a_dump_says_what_it_lacks() {
    let database = TestDatabase::create().await;
    let by_hand = "create aggregate total(integer) (sfunc = int4pl, stype = integer)";
    database.client().await.batch_execute(by_hand).await.expect("an aggregate");
    run(&database, &["dump", "--live", "--output", "-"])
        .await
        .exits(0)
        .says("warning: not in the script: aggregate public.total(integer)");
}
