//! `migrator new --from-drift`, and adopting its migration.

mod adopt;
mod dependents;
mod failures;
mod files;
mod pairs;
mod properties;
mod recreated;
mod refusals;
mod round_trip;

use serde_json::Value;
use tests::TestDatabase;

use crate::support::catalog::objects;
use crate::support::folder::Folder;
use crate::support::program::run;

/// The migration before any manual change.
const BASE: &str = "\
create type mood as enum ('sad', 'ok');
create sequence counter;
create function double(n numeric) returns numeric language sql immutable as 'select n * 2';
create table owners (
  id bigint generated always as identity,
  name text not null,
  email varchar(100),
  constraint owners_pkey primary key (id),
  constraint owners_email_key unique (email)
);
create table items (
  id serial,
  owner bigint not null,
  title varchar(50) not null default 'none',
  price numeric(10, 2),
  note text,
  state mood default 'ok',
  number bigint default nextval('counter'),
  made timestamptz not null default now(),
  total numeric generated always as (price * 2) stored,
  constraint items_pkey primary key (id),
  constraint items_owner_fkey foreign key (owner) references owners (id) on delete cascade,
  constraint items_price_check check (price > 0)
);
create index items_title on items (title);
create index items_total on items (total);
create function touch() returns trigger language plpgsql as $$
begin
  new.made := now();
  return new;
end
$$;
create trigger items_touch before update of title on items for each row execute function touch();
create view cheap as select id, title, price from items where price < 10;
create view cheapest as select * from cheap where price < 1;
comment on table items is 'What there is.';
comment on column items.title is 'Its name.';
comment on view cheap is 'What anybody can pay.';
comment on index items_title is 'Finds by name.';
";

const BASE_UNDO: &str = "\
drop view cheapest;
drop view cheap;
drop table items;
drop table owners;
drop function touch();
drop function double(numeric);
drop sequence counter;
drop type mood;
";

pub(crate) fn base() -> Folder {
    Folder::new(&[("V1__base.sql", BASE), ("V1__base.down.sql", BASE_UNDO)])
}

/// A database with the migrations of a folder and a manual change.
async fn changed_by_hand(folder: &Folder, sql: &str) -> TestDatabase {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let done = database.client().await.batch_execute(sql).await;
    done.unwrap_or_else(|error| panic!("by hand: {error:?}\n{sql}"));
    database
}

/// Generates the migration of the manual change.
async fn write(database: &TestDatabase, folder: &Folder) -> Value {
    let arguments = ["new", "by hand", "--from-drift", "--json", "--dir", folder.path()];
    let output = run(database, &arguments).await;
    let document = output.json();
    let has_problems = document["problems"].as_array().is_some_and(|all| !all.is_empty());
    output.exits(i32::from(has_problems));
    document
}

/// [`write`], where a generated script does not work.
async fn write_and_fail(database: &TestDatabase, folder: &Folder) -> Value {
    let arguments = ["new", "by hand", "--from-drift", "--json", "--dir", folder.path()];
    let document = run(database, &arguments).await.exits(1).json();
    assert_eq!(document["tried_and_failed"], true, "{document:#}");
    document
}

/// Makes a manual change, generates its migration, and tests that: on another database it creates the
/// same schema, its undo script restores the previous one, and it can be applied again.
async fn round_trip(label: &str, by_hand: &str) -> Value {
    let folder = base();
    let document = round_trip_in(&folder, label, by_hand).await;
    assert_eq!(document["problems"], Value::Array(Vec::new()), "{label}: {document:#}");
    document
}

async fn round_trip_in(folder: &Folder, label: &str, by_hand: &str) -> Value {
    let changed = changed_by_hand(folder, by_hand).await;
    let document = write(&changed, folder).await;
    let script = folder.read("V2__by_hand.sql");
    let dir = folder.path();
    let to = ["drift", "--to", "2", "--dir", dir];
    let drift = run(&changed, &to).await;
    assert!(drift.has_exited_with(0), "{label}: {drift:#?}\n{script}");

    let other = TestDatabase::create().await;
    run(&other, &["up", "--to", "1", "--dir", dir]).await.exits(0);
    let before = objects(&other).await;
    run(&other, &["up", "--dir", dir]).await.exits(0);
    assert_eq!(objects(&other).await, objects(&changed).await, "{label}: applied\n{script}");
    run(&other, &["down", "--yes", "--dir", dir]).await.exits(0);
    assert_eq!(objects(&other).await, before, "{label}: undone\n{script}");
    run(&other, &["up", "--dir", dir]).await.exits(0);
    assert_eq!(objects(&other).await, objects(&changed).await, "{label}: again\n{script}");
    document
}
