//! Manual changes of every kind, undone by the script.

use tests::TestDatabase;

use super::{execute, perform};
use crate::new::from_drift::base;
use crate::support::catalog::objects;
use crate::support::folder::Folder;
use crate::support::program::run;

/// Changes of the schema of `BASE` that need no decision.
const CHANGES: [(&str, &str); 9] = [
    ("tables", "create table a (id serial primary key, b varchar(9) default 'x'); create table b (a int references a); drop table items cascade;"),
    (
        "columns",
        "alter table items add a int not null default 3, add f numeric generated always as (price + 1) stored, drop note, alter title set default 'a', alter made drop default;
         alter table items alter state drop default; alter table owners alter name drop not null, alter email type varchar(50);",
    ),
    (
        "constraints",
        "alter table items drop constraint items_price_check, add constraint items_price_check check (price > 1), drop constraint items_owner_fkey;
         alter table items add constraint own check (price < 9); alter table owners drop constraint owners_email_key;",
    ),
    ("indexes", "drop index items_title; create index items_title on items (title desc); drop index items_total; create unique index own on items (note);"),
    ("functions", "create or replace function touch() returns trigger language plpgsql as $$ begin return new; end $$; create function own(a int) returns int language sql as 'select a';"),
    ("views", "drop view cheapest; create or replace view cheap as select id, title, price from items where price < 5; create view own as select 1 as n;"),
    ("triggers", "drop trigger items_touch on items; create trigger own before insert on items for each row execute function touch();"),
    ("comments", "comment on table items is 'x'; comment on column items.title is null; comment on view cheap is null; comment on table owners is 'own';"),
    ("sequences", "alter sequence counter increment by 5; create sequence own; alter table items alter number drop default;"),
];

#[tokio::test]
async fn a_changed_database_becomes_that_of_its_migrations() {
    for (label, by_hand) in CHANGES {
        let folder: Folder = base();
        let database = TestDatabase::create().await;
        let dir = folder.path();
        run(&database, &["up", "--dir", dir]).await.exits(0);
        let before = objects(&database).await;
        execute(&database, by_hand).await;
        let arguments = ["drift", "--script", "--drop-extra", "--json", "--dir", dir];
        let document = run(&database, &arguments).await.json();
        assert_eq!(document["complete"], true, "{label}: {document:#}");
        perform(&database, &document).await;
        run(&database, &["drift", "--dir", dir]).await.exits(0);
        assert_eq!(objects(&database).await, before, "{label}");
    }
}
