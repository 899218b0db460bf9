//! Every command that only looks, on every schema of these tests and on scripts that would change the
//! server.

use super::{LiveServer, folder};
use crate::drift::object_kinds::migrations_of_all_kinds;
use crate::dump::EVERYTHING;
use crate::support::folder::Folder;

/// Scripts that reach beyond their database, each in another way.
pub(super) const NASTY: &[&str] = &[
    "create role newcomer login password 'x'",
    "drop role api",
    "alter role api nologin",
    "alter role api password 'second'",
    "alter role api set work_mem = '9MB'",
    "alter role api reset all",
    "grant pg_read_all_data to api",
    "revoke reader from api",
    "alter database live set timezone = 'UTC'",
    "alter database other reset all",
    "alter database other rename to stolen",
    "grant create on database other to api",
    "revoke connect on database other from api",
    "drop owned by api",
    "reassign owned by app to api",
    "comment on role api is null",
    "comment on database other is 'mine'",
    "comment on tablespace pg_default is 'x'",
    "create subscription s connection 'host=127.0.0.1 port=1' publication p with (connect = false, slot_name = none)",
    "select pg_replication_origin_create('mine')",
    "select pg_create_physical_replication_slot('mine')",
    "update pg_database set datallowconn = false where datname = 'other'",
    "delete from pg_db_role_setting",
    "copy one to '/tmp/never-written-by-a-test'",
    "copy one from program 'echo 1'",
    "do $$ begin create role newcomer; end $$",
    "do $$ begin execute format('alter role %I nologin', 'api'); end $$",
    "do $$ begin execute 'drop ' || 'role ' || quote_ident('api'); end $$",
    "create function f() returns void language plpgsql as $$ begin alter role api nologin; end $$; select f()",
    "create function f(s text) returns void language plpgsql as $$ begin execute s; end $$; select f('drop role api')",
    "-- migrator: no-transaction\ndrop database if exists other with (force)",
    "-- migrator: no-transaction\ncreate database mine",
    "-- migrator: no-transaction\nalter system set work_mem = '5MB'",
    "-- migrator: no-transaction\nalter role api nologin",
    "-- migrator: no-transaction\ncreate procedure p(s text) language plpgsql as $$ begin execute s; commit; end $$;\ncall p(convert_from('\\x64726f7020726f6c6520617069', 'utf8'))",
];

/// The commands that only look, each with a folder of migrations.
const LOOKING: &[&[&str]] = &[
    &["status"],
    &["current"],
    &["lint"],
    &["health"],
    &["sql"],
    &["up", "--dry-run"],
    &["down", "--dry-run"],
    &["repair", "--dry-run"],
    &["check"],
    &["check", "--allow", "undo"],
    &["drift"],
    &["drift", "--grants"],
    &["drift", "--to", "1"],
    &["dump", "--output", "-", "--grants"],
    &["dump", "--output", "-", "--live"],
    &["baseline", "1", "--dry-run"],
];

/// Runs the commands, and compares the server after each with what it was before.
async fn look(server: &LiveServer, label: &str, commands: &[&[&str]], folder: &Folder) {
    let before = server.shared_catalogs().await;
    for command in commands {
        let output = server.run(&[command, &["--dir", folder.path()][..]].concat()).await;
        let after = server.shared_catalogs().await;
        assert_eq!(after, before, "{label}: {command:?}\n{output:#?}");
    }
    let names = folder.names();
    server.run(&["new", "drift", "--from-drift", "--dir", folder.path()]).await;
    for name in folder.names() {
        if !names.contains(&name) {
            folder.remove(&name);
        }
    }
    assert_eq!(server.shared_catalogs().await, before, "{label}: new --from-drift");
}

#[tokio::test]
async fn looking_at_the_schemas_of_these_tests_changes_nothing_on_the_server() {
    let server = LiveServer::start().await;
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let of_this_repository: Vec<(String, String)> = std::fs::read_dir(built_in)
        .expect("read the folder")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "sql"))
        .map(|entry| {
            let sql = std::fs::read_to_string(entry.path()).expect("read a file");
            (entry.file_name().into_string().expect("a plain name"), sql)
        })
        .collect();
    let of_this_repository: Vec<(&str, &str)> =
        of_this_repository.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).collect();
    let (kinds, changes) = migrations_of_all_kinds();
    for (label, files, change) in [
        ("this repository", &of_this_repository[..], "create table by_hand ()"),
        ("everything", &[("V1__all.sql", EVERYTHING)][..], "create table by_hand ()"),
        ("all kinds of objects", &[("V1__all.sql", kinds.as_str())][..], changes.as_str()),
    ] {
        let folder = Folder::new(files);
        look(&server, label, LOOKING, &folder).await;
        server.run(&["up", "--dir", folder.path()]).await.exits(0);
        look(&server, label, LOOKING, &folder).await;
        server.client("live").await.batch_execute(change).await.expect(change);
        look(&server, label, LOOKING, &folder).await;
        server.reset().await;
    }
}

#[tokio::test]
async fn looking_at_scripts_that_would_change_the_server_changes_nothing_there() {
    let server = LiveServer::start().await;
    let before = server.shared_catalogs().await;
    let harmless = folder("select 1;");
    server.run(&["up", "--to", "1", "--dir", harmless.path()]).await.exits(0);
    for script in NASTY {
        // Once as what is applied, once as what undoes.
        let applied = folder(script);
        let undone = folder("select 1;");
        undone.write("V2__two.down.sql", script);
        let dir = |folder: &Folder| folder.path().to_owned();
        for (arguments, dir) in [
            (&["check"][..], dir(&applied)),
            (&["check"], dir(&undone)),
            (&["drift", "--to", "2"], dir(&applied)),
            (&["dump", "--output", "-"], dir(&applied)),
            (&["baseline", "2", "--dry-run"], dir(&applied)),
        ] {
            let output = server.run(&[arguments, &["--dir", &dir]].concat()).await;
            assert_eq!(
                server.shared_catalogs().await,
                before,
                "{arguments:?}: {script}\n{output:#?}"
            );
            assert!(output.has_exited_with(2), "{arguments:?}: {script}\n{output:#?}");
            output.says("on the live server, and ").says(" beyond ").says("--> ");
        }
    }
}
