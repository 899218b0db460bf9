//! Generated migrations between many pairs of small schemas, and back: what is changed, by where it is
//! used. Each pair has a schema of its own in one database.

use std::fmt::Write as _;

use serde_json::json;
use tests::TestDatabase;

use super::changed_by_hand;
use crate::support::folder::Folder;
use crate::support::program::run;

/// Label, statements before, statements after.
type Pair = (String, String, String);

/// Changes of `x`, which is a type or a relation with a row type.
const CHANGES: &[(&str, &str, &str)] = &[
    ("new label", "create type x as enum ('a');", "create type x as enum ('a', 'b');"),
    ("another label", "create type x as enum ('a', 'b');", "create type x as enum ('a', 'c');"),
    (
        "columns of a view",
        "create table b (p integer, q text); create view x as select p from b;",
        "create table b (p integer, q text); create view x as select q, p from b;",
    ),
    (
        "type of a column",
        "create table x (p integer, q text);",
        "create table x (p bigint, q text);",
    ),
    ("new column", "create table x (p integer);", "create table x (p integer, q serial);"),
    ("table to view", "create table x (p integer);", "create view x as select 1 as p;"),
    (
        "view to materialized view",
        "create view x as select 1 as p;",
        "create materialized view x as select 1 as p;",
    ),
    (
        "materialized view to table",
        "create materialized view x as select 1 as p; create index i on x (p);",
        "create table x (p integer); create index i on x (p);",
    ),
    (
        "composite type of a view's rows",
        "create table b (p integer); create view v as select p from b; create type x as (v v);",
        "create table b (p integer); create view v as select p, 1 as q from b; create type x as (v v);",
    ),
    (
        "domain over a view's rows",
        "create table b (p integer); create view v as select p from b; create domain x as v;",
        "create table b (p integer); create view v as select p, 1 as q from b; create domain x as v;",
    ),
];

/// Uses of `x`. `h` is a function of it, `u` a table with a column of it.
const USES: &[(&str, &str)] = &[
    (
        "columns",
        "create table w (c x, d x[] default array[null::x]); comment on column w.c is 'C';",
    ),
    (
        "domain over it",
        "create domain d as x; create table w (c d default null::x); comment on domain d is 'D';",
    ),
    ("composite type", "create type t as (f x[]); create table w (c t, d t[]);"),
    (
        "functions",
        "create function f(a x) returns x[] language sql immutable as 'select array[a]';
         create function g() returns setof x language sql as 'select null::x';
         create procedure p(a x) language sql as 'select 1'; comment on function f(x) is 'F';",
    ),
    (
        "check and default",
        "create table w (c x, n integer default h(null::x), constraint k check (h(c) > 0));
         comment on constraint k on w is 'K';",
    ),
    (
        "generated column",
        "create table w (c x, g integer generated always as (h(c)) stored); create index on w (g);",
    ),
    (
        "index",
        "create index ui on u (h(c)) where h(c) > 0; create unique index uu on u (n);
         create table w (n integer references u (n));",
    ),
    (
        "views",
        "create view v1 as select h(c) as h from u; create view v2 as select c, h from u, v1;
         create materialized view m as select h(c) as h from u; create index mi on m (h);
         alter view v1 alter h set default 1;",
    ),
    (
        "policies",
        "create table o (n integer); create policy p1 on u using (h(c) > 0);
         create policy p2 on o using (exists (select from u where h(c) = o.n));
         alter table o enable row level security; comment on policy p2 on o is 'P';",
    ),
    (
        "trigger",
        "create trigger t1 before update of c on u for each row when (h(new.c) > 0)
           execute function suppress_redundant_updates_trigger();
         alter table u disable trigger t1;",
    ),
    (
        "body that is no string",
        "create function s() returns bigint language sql begin atomic select sum(h(c)) from u; end;
         create view v3 as select s();",
    ),
    (
        "keys",
        "alter table u add unique (c), add unique (c, n);
         create table w (c x references u (c), n integer, foreign key (c, n) references u (c, n));",
    ),
];

const COMMON: &str = "create function h(a x) returns integer language sql immutable as 'select 1';
                      create table u (c x, n integer);";

/// Pairs that are no combination.
const OTHERS: &[(&str, &str, &str)] = &[
    (
        "key and foreign key on it",
        "create table parent (id int primary key, tenant int);",
        "create table parent (id int primary key, tenant int); alter table parent add unique (id, tenant);
         create table child (id int, tenant int, foreign key (id, tenant) references parent (id, tenant));
         create unique index by_tenant on parent (tenant); create table other (t int references parent (tenant));",
    ),
    (
        "grouped by a primary key",
        "create table t (id int, a text);",
        "create table t (id int primary key, a text); create view v as select id, a from t group by id;",
    ),
    (
        "functions in expressions",
        "create table t (id int);",
        "create function f(int) returns bool immutable language sql as 'select $1 > 0';
         create domain d as int check (f(value)); create table t (id int check (f(id)), b bool default f(1), d d);
         create index on t ((f(id))); create policy p on t using (f(id));",
    ),
    (
        "parts of a table that need its rows",
        "select;",
        "create table t (id int, x int); create function ok(t) returns bool immutable language sql as 'select $1.id > 0';
         alter table t add constraint c check (ok(t)); create policy p on t using (ok(t));
         create function n() returns int language sql begin atomic select max(id) from t; end;
         alter table t alter x set default n(); create index on t (ok(t));
         create trigger g before insert on t for each row when (ok(new)) execute function suppress_redundant_updates_trigger();",
    ),
    (
        "another type below everything",
        "create table o (a int primary key);
         create table t (a int primary key references o, g int generated always as (a * 2) stored, check (a > 0));
         create index i on t (a) where a > 5; create view v as select a from t; create materialized view m as select a from v;
         create table k (a int references t); create policy p on k using (exists (select from t where t.a = k.a));
         create trigger g before update of a on t for each row execute function suppress_redundant_updates_trigger();",
        "create table o (a text primary key);
         create table t (a text primary key references o, g text generated always as (a || 'x') stored, check (a > '0'));
         create index i on t (a) where a > '5'; create view v as select a from t; create materialized view m as select a from v;
         create table k (a text references t); create policy p on k using (exists (select from t where t.a = k.a));
         create trigger g before update of a on t for each row execute function suppress_redundant_updates_trigger();",
    ),
    (
        "used labels",
        "create type e as enum ('a', 'c'); create table t (m e default 'a', n int);",
        "create type e as enum ('a', 'b', 'c'); create table t (m e default 'b', n int, check (m <> 'b'));
         create index i on t (n) where m = 'b'; create view v as select from t where m = 'b';
         create table u (m e[] default '{b}'); create policy p on t using (m = 'b');
         create function f() returns bigint language sql begin atomic select count(*) from t where m = 'b'; end;",
    ),
    (
        "types in a chain",
        "select;",
        "create type e as enum ('a'); create domain d as e; create type c as (x d); create table t (c c, s serial);
         create function f(c) returns int immutable language sql as 'select 1'; create view v as select f(c) from t;
         create index on t ((f(c)));",
    ),
    (
        "tables that are not logged",
        "create table a (x int primary key); create table b (x int primary key references a);
         create table c (x int references b, y int references a, z int);",
        "create unlogged table a (x int primary key); create unlogged table b (x int primary key references a);
         create unlogged table c (x int references b, y int references a, z int);",
    ),
    (
        "calls that could mean two functions",
        "create function f(a text) returns int language sql as 'select 1';
         create aggregate g(int) (sfunc = int4pl, stype = int);
         create view v as select f('x'), g(1); create table t (a int default f('x'), b int);",
        "create function f(a text, b text default '') returns int language sql as 'select 1';
         create aggregate g(bigint) (sfunc = int8pl, stype = bigint);
         create view v as select f('x'), g(1); create table t (a int default f('x'), b int default f('y'));",
    ),
    (
        "functions in the default of a domain",
        "select;",
        "create function n() returns int language plpgsql as 'begin return 1; end';
         create domain d as int default n(); create table t (a d);",
    ),
    (
        "functions of names in their schema",
        "select;",
        "create type r as range (subtype = float8, multirange_type_name = s);
         create function f(r) returns s language sql as 'select s($1)';",
    ),
    (
        "not valid",
        "create table o (id int primary key);",
        "create table o (id int primary key); create table t (a int, b int);
         alter table t add constraint c check (a > 0) not valid, add constraint f foreign key (b) references o not valid;",
    ),
    (
        "own parts of a partition",
        "create table o (id int primary key);",
        "create table o (id int primary key); create table p (a int, b int not null) partition by list (a); create index on p (b);
         create table p1 partition of p for values in (1); create table p2 partition of p for values in (2) partition by list (b);
         alter table p1 add constraint mine check (b > 0), add constraint later check (b > 1) not valid, add primary key (b),
           add foreign key (a) references o; create index p1i on p1 (a); alter table p2 add unique (a, b);
         create trigger g before insert on p1 for each row execute function suppress_redundant_updates_trigger();
         create table r (b int references p1);",
    ),
    (
        "two keys on the same columns",
        "create table t (a int primary key, b int);",
        "create table t (a int primary key, b int); alter table t add constraint u1 unique (a);
         alter table t add constraint u2 unique (a); alter table t add constraint u3 unique (a) include (b);
         create table n (a int primary key, constraint nu unique (a)); alter table n add constraint nv unique (a);
         create table r (a int references n); comment on constraint u2 on t is 'U';",
    ),
    (
        "defaults of a view",
        "create table t (a int, b int); create view v as select a, b from t;",
        "create function n() returns int language sql as 'select 1'; create table t (a int, b int);
         create view v as select a, b from t; alter view v alter a set default 4, alter b set default n();
         create view w as select a from v; alter view w alter a set default 5; comment on column v.a is 'A';",
    ),
    (
        "inherited columns",
        "create table p (a int, b text); create table c (d int) inherits (p); create view v as select a from c;
         create function f() returns bigint language sql begin atomic select count(a) from c; end; create policy r on c using (a > 0);
         create table k (a int, b text) partition by list (a); create table k1 partition of k for values in (1); create view w as select b from k1;",
        "create table p (a bigint, b text); create table c (d int) inherits (p); create view v as select a from c;
         create function f() returns bigint language sql begin atomic select count(a) from c; end; create policy r on c using (a > 0);
         create table k (a int, b varchar(9)) partition by list (a); create table k1 partition of k for values in (1); create view w as select b from k1;",
    ),
    (
        "partition of a referenced table",
        "create table p (k int primary key) partition by range (k); create table r (k int references p);",
        "create table p (k int primary key) partition by range (k); create table r (k int references p);
         create table d partition of p for values from (1) to (9); create table s (k int references p);",
    ),
    (
        "names that change their owner",
        "create table a (x int primary key); create table b (y int primary key); create view va as select x from a;",
        "create view a as select 1 as x; create table va (z int); create index b on va (z); create sequence a_pkey;",
    ),
    (
        "one function name, another use",
        "create function f() returns trigger language plpgsql as 'begin return new; end'; create table t (a int);
         create trigger g before insert on t for each row execute function f();",
        "create function f(a int) returns int language sql as 'select 1'; create table t (a int, b int default f(1));",
    ),
];

/// Each change with each use.
fn combinations(changes: &[(&str, &str, &str)]) -> Vec<Pair> {
    let combined = changes.iter().flat_map(|(change, before, after)| {
        USES.iter().map(move |(name, uses)| {
            let all = |x: &str| format!("{x} {COMMON} {uses}");
            (format!("{change}, {name}"), all(before), all(after))
        })
    });
    combined.collect()
}

/// The generated migrations lead from one schema to the other and back, and a dump of the other creates it.
async fn there_and_back(pairs: &[Pair]) {
    let (mut base, mut by_hand) = (String::new(), String::new());
    for (number, (label, before, after)) in pairs.iter().enumerate() {
        let enter = format!("create schema case_{number}; set search_path = case_{number};");
        let _ = writeln!(base, "/* {label} */ {enter} {before}");
        let _ = writeln!(by_hand, "drop schema case_{number} cascade; {enter} {after}");
    }
    let folder = Folder::new(&[("V1__base.sql", &base), ("V1__base.down.sql", "select 1;")]);
    let dir = folder.path();
    let changed = changed_by_hand(&folder, &by_hand).await;
    let output = run(&changed, &["new", "x", "--from-drift", "--json", "--dir", dir]).await;
    let document = output.json();
    let newest = document["version"].to_string();
    assert_eq!(document["problems"], json!([]), "{base}{:?}", script_of(&folder));
    output.exits(0);

    let dump = async |database: &TestDatabase| {
        run(database, &["dump", "--live", "--output", "-"]).await.exits(0).stdout
    };
    let wanted = dump(&changed).await;
    let other = TestDatabase::create().await;
    run(&other, &["up", "--to", "1", "--dir", dir]).await.exits(0);
    let given = dump(&other).await;
    run(&other, &["up", "--dir", dir]).await.exits(0);
    assert_eq!(dump(&other).await, wanted, "applied: {base}");
    run(&other, &["down", "--to", "1", "--yes", "--dir", dir]).await.exits(0);
    assert_eq!(dump(&other).await, given, "undone: {base}");

    let copy = TestDatabase::create().await;
    let done = copy.client().await.batch_execute(&wanted).await;
    done.unwrap_or_else(|error| panic!("{error:?}\n{wanted}"));
    run(&copy, &["drift", "--to", &newest, "--dir", dir]).await.exits(0);
}

fn script_of(folder: &Folder) -> Vec<String> {
    let mut names = folder.names();
    names.retain(|name| !name.starts_with("V1__"));
    names.iter().map(|name| folder.read(name)).collect()
}

#[tokio::test]
async fn types_change_below_what_uses_them() {
    there_and_back(&combinations(&CHANGES[..5])).await;
}

#[tokio::test]
async fn relations_change_below_what_uses_their_rows() {
    there_and_back(&combinations(&CHANGES[5..])).await;
}

#[tokio::test]
async fn what_depends_on_each_other_comes_and_goes() {
    let pairs: Vec<Pair> = OTHERS
        .iter()
        .map(|(label, before, after)| (label.to_string(), before.to_string(), after.to_string()))
        .collect();
    there_and_back(&pairs).await;
    let back: Vec<Pair> =
        pairs.into_iter().map(|(label, before, after)| (label, after, before)).collect();
    there_and_back(&back).await;
}
