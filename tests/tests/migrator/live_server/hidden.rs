//! Scripts that hide in a dynamic statement what they do: the server notices it before the commit.

use std::fmt::Write as _;

use super::{LiveServer, folder};

/// A dynamic statement that nobody can read.
pub(super) fn hidden(statement: &str) -> String {
    let mut hex = String::new();
    for byte in statement.bytes() {
        write!(hex, "{byte:02x}").expect("writing to a string does not fail");
    }
    format!("execute convert_from('\\x{hex}', 'utf8')")
}

#[tokio::test]
async fn what_a_transaction_changed_outside_its_database_is_rolled_back() {
    let server = LiveServer::start().await;
    let before = server.shared_catalogs().await;
    for statement in [
        "create role newcomer",
        "drop role reader",
        "alter role api nologin",
        "alter role api set work_mem = '9MB'",
        "alter role api rename to other_api",
        "grant pg_read_all_data to api",
        "revoke reader from api",
        "alter database other set timezone = 'UTC'",
        "alter database other connection limit 5",
        "alter database other owner to api",
        "grant create on database other to api",
        "comment on role api is 'x'",
        "comment on database other is 'x'",
        "grant create on tablespace pg_default to api",
        "select pg_replication_origin_create('mine')",
    ] {
        let execute = hidden(statement);
        for script in [
            format!("do $$ begin {execute}; end $$"),
            format!("do $$ begin begin {execute}; exception when others then raise; end; end $$"),
            format!(
                "create function f() returns void language plpgsql as $$ begin {execute}; end $$;
                 select f()"
            ),
            format!(
                "-- migrator: no-transaction
                 create function f() returns void language plpgsql as $$ begin {execute}; end $$;
                 select f()"
            ),
        ] {
            let folder = folder(&script);
            let arguments = ["dump", "--output", "-", "--dir", folder.path()];
            let output = server.run(&arguments).await;
            assert_eq!(server.shared_catalogs().await, before, "{statement}\n{output:#?}");
            output
                .exits(2)
                .says("the script changed something outside its database, and was rolled back")
                .says("hint: try them on another server: `--shadow-local`");
        }
    }
}

#[tokio::test]
async fn undo_scripts_are_watched_too() {
    let server = LiveServer::start().await;
    let before = server.shared_catalogs().await;
    let folder = folder("select 1;");
    let undo = format!("do $$ begin {}; end $$", hidden("alter role api nologin"));
    folder.write("V2__two.down.sql", &undo);
    let output = server.run(&["check", "--dir", folder.path()]).await.exits(2);
    output
        .says("failed to undo V2__two.down.sql: the script changed something outside its database");
    assert_eq!(server.shared_catalogs().await, before);
}

#[tokio::test]
async fn dynamic_statements_within_the_database_are_no_matter() {
    let server = LiveServer::start().await;
    let execute = hidden("create table two (id bigint)");
    let folder = folder(&format!("do $$ begin {execute}; end $$"));
    folder.write("V2__two.down.sql", "drop table two;");
    server.run(&["up", "--dir", folder.path()]).await.exits(0);
    server.run(&["check", "--allow", "lint", "--dir", folder.path()]).await.exits(0);
    server.run(&["drift", "--dir", folder.path()]).await.exits(0);
}
