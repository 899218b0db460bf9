//! What belongs to an object that is dropped and recreated is restored with it.

use serde_json::json;
use tests::TestDatabase;

use super::round_trip_in;
use crate::support::folder::Folder;
use crate::support::program::run;

const BASE: &str = "\
create table t (id integer not null, a integer, b text);
create unique index i on t (id);
alter table t replica identity using index i;
alter table t cluster on i;
create index e on t ((a + 1));
alter index e alter column 1 set statistics 300;
create view v as select id, a from t;
create rule r as on delete to v do instead nothing;
comment on rule r on v is 'no';
grant select on v to public;
create function f(x integer) returns integer language sql as 'select 1';
revoke execute on function f from public;
";

const UNDO: &str = "drop function f(integer); drop view v; drop table t;";

/// Changes each of them in a way that needs another one, and leaves the rest as it was.
const BY_HAND: &str = "\
drop index i;
create unique index i on t (id) include (a);
alter table t replica identity using index i;
alter table t cluster on i;
drop index e;
create index e on t ((a + 1), b);
alter index e alter column 1 set statistics 300;
drop view v;
create view v as select id from t;
create rule r as on delete to v do instead nothing;
comment on rule r on v is 'no';
grant select on v to public;
drop function f;
create function f(x integer) returns bigint language sql as 'select 1';
revoke execute on function f from public;
";

const KEPT: &str = "\
select concat_ws(' ',
         (select relreplident from pg_class where oid = 't'::regclass),
         (select indisclustered from pg_index where indexrelid = 'i'::regclass),
         (select attstattarget from pg_attribute where attrelid = 'e'::regclass and attnum = 1),
         (select ev_enabled from pg_rewrite where rulename = 'r'),
         (select obj_description(oid, 'pg_rewrite') from pg_rewrite where rulename = 'r'),
         has_table_privilege('pg_monitor', 'v', 'select'),
         has_function_privilege('pg_monitor', 'f(integer)', 'execute'))";

#[tokio::test]
async fn settings_rules_and_privileges_are_kept() {
    let folder = Folder::new(&[("V1__base.sql", BASE), ("V1__base.down.sql", UNDO)]);
    let document = round_trip_in(&folder, "recreated", BY_HAND).await;
    assert_eq!(document["problems"], json!([]), "{}", folder.read("V2__by_hand.sql"));
    let database = TestDatabase::create().await;
    for arguments in [["up", "--to", "2"], ["down", "--to", "1"], ["up", "--to", "2"]] {
        let more = if arguments[0] == "down" { &["--yes"][..] } else { &[] };
        let arguments = [&arguments[..], more, &["--dir", folder.path()]].concat();
        run(&database, &arguments).await.exits(0);
        let kept = database.client().await.query_one(KEPT, &[]).await.expect("read the catalog");
        assert_eq!(kept.get::<_, String>(0), "i t 300 O no t f", "{arguments:?}");
    }
}
