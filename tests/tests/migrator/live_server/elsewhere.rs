//! Scripts that reach beyond their database, on a server that is there for them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{LiveServer, folder};
use crate::support::folder::Folder;
use crate::support::program::{command, run_with};

/// Roles, a setting and a comment, all of which are undone.
fn roles() -> Folder {
    let folder = folder(
        "create role newcomer; grant newcomer to current_user; comment on role newcomer is 'x';
         create table two (id bigint); grant select on two to newcomer;
         do $$ begin execute format('alter role %I set work_mem = %L', 'newcomer', '9MB'); end $$;",
    );
    folder.write("V2__two.down.sql", "drop table two; drop role newcomer;");
    folder
}

#[tokio::test]
async fn another_server_runs_them_as_often_as_they_are_tried() {
    let live = LiveServer::start().await;
    let other = LiveServer::start_empty().await;
    let folder = roles();
    live.run(&["up", "--dir", folder.path()]).await.exits(0);
    live.client("live")
        .await
        .batch_execute("alter table two add by_hand int")
        .await
        .expect("alter");
    let (before, others) = (live.shared_catalogs().await, other.shared_catalogs().await);
    let url = other.server.url("postgres").to_connection_string();
    let dir = folder.path();
    for (arguments, code) in [
        (&["drift", "--dir", dir][..], 1),
        (&["drift", "--dir", dir], 1),
        (&["check", "--dir", dir], 0),
        (&["dump", "--output", "-", "--dir", dir], 0),
        (&["new", "by_hand", "--from-drift", "--dir", dir], 0),
        (&["baseline", "3", "--dry-run", "--dir", dir], 0),
    ] {
        let output = live.run(&[arguments, &["--shadow-url", &url]].concat()).await;
        assert!(output.has_exited_with(code), "{arguments:?}: {output:#?}");
        assert!(!output.stderr.contains("warning"), "{arguments:?}: {output:#?}");
        assert_eq!(live.shared_catalogs().await, before, "{arguments:?}");
        assert_eq!(other.shared_catalogs().await, others, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_role_that_was_there_before_is_not_dropped() {
    let live = LiveServer::start().await;
    let other = LiveServer::start_empty().await;
    let folder = folder(
        "do $$ begin
           create role newcomer;
         exception when duplicate_object then null; end $$;",
    );
    other.admin().await.batch_execute("create role newcomer").await.expect("create a role");
    let others = other.shared_catalogs().await;
    let url = other.server.url("postgres").to_connection_string();
    live.run(&["dump", "--output", "-", "--shadow-url", &url, "--dir", folder.path()])
        .await
        .exits(0);
    assert_eq!(other.shared_catalogs().await, others);
}

#[tokio::test]
async fn the_live_server_by_another_name_is_the_live_server() {
    let live = LiveServer::start().await;
    let before = live.shared_catalogs().await;
    let folder = roles();
    let url = live.server.url("postgres").to_connection_string();
    let by_name = url.replace("127.0.0.1", "localhost");
    for url in [url, by_name] {
        for command in [&["check"][..], &["drift", "--to", "2"], &["dump", "--output", "-"]] {
            let arguments = [command, &["--dir", folder.path(), "--shadow-url", &url]].concat();
            live.run(&arguments).await.exits(2).says("on the live server, and ");
            assert_eq!(live.shared_catalogs().await, before);
        }
        // What stays within its database may be there.
        live.run(&["drift", "--shadow-url", &url]).await.exits(0);
    }
}

#[tokio::test]
async fn a_throwaway_server_runs_them() {
    let live = LiveServer::start().await;
    let folder = roles();
    folder.write(
        "V3__server.sql",
        "-- migrator: no-transaction\nalter system set work_mem = '5MB';\ncreate database mine;",
    );
    folder.write(
        "V3__server.down.sql",
        "-- migrator: no-transaction\ndrop database mine;\nalter system reset work_mem;",
    );
    live.run(&["up", "--to", "2", "--dir", folder.path()]).await.exits(0);
    let before = live.shared_catalogs().await;
    let dir = folder.path();
    for arguments in [
        &["check", "--allow", "pending", "--allow", "lint", "--dir", dir][..],
        &["drift", "--dir", dir],
        &["dump", "--output", "-", "--dir", dir],
    ] {
        live.run(&[arguments, &["--shadow-local"]].concat()).await.exits(0);
        assert_eq!(live.shared_catalogs().await, before, "{arguments:?}");
    }
    folder.remove("V3__server.sql");
    folder.remove("V3__server.down.sql");
    live.client("live")
        .await
        .batch_execute("alter table two add by_hand int")
        .await
        .expect("alter");
    live.run(&["new", "by_hand", "--from-drift", "--shadow-local", "--dir", dir])
        .await
        .exits(0)
        .says("Tried in a shadow database");
    live.run(&["baseline", "3", "--dry-run", "--shadow-local", "--dir", dir]).await.exits(0);
    assert_eq!(live.shared_catalogs().await, before);
}

#[tokio::test]
async fn a_dump_with_a_throwaway_server_needs_no_database() {
    let folder = roles();
    let arguments = ["dump", "--output", "-", "--shadow-local", "--dir", folder.path()];
    let output = run_with(&[], &arguments).await.exits(0);
    assert!(output.stdout.contains("create table two ("), "{output:#?}");
}

#[tokio::test]
async fn a_throwaway_server_that_cannot_be_started_is_an_error() {
    let live = LiveServer::start().await;
    let arguments = ["check", "--shadow-local"];
    live.run_with(&[("TASKIE_PG_BIN", "/no/such/folder")], &arguments)
        .await
        .exits(3)
        .says("error: cannot start a PostgreSQL server for the shadow database: ")
        .says("hint: TASKIE_PG_BIN must be a folder");
}

#[tokio::test]
async fn a_throwaway_server_is_removed_when_the_run_is_asked_to_end() {
    let live = LiveServer::start().await;
    let folder = folder("select pg_sleep(600);");
    // The server runs as another account, if this is root.
    let temporary = Folder::new(&[]);
    fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).expect("open the folder");
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut program = command(&["check", "--shadow-local", "--dir", folder.path()]).await;
        program.env("DATABASE_URL", live.url().to_connection_string());
        program.env("TMPDIR", temporary.path());
        let mut program = program.spawn().expect("start the migrator");
        let stderr = program.stderr.take().expect("a pipe");
        let mut messages = BufReader::new(stderr).lines();
        let first = messages.next_line().await.expect("read").expect("a line");
        assert!(first.starts_with("Building a shadow database"), "{first}");
        assert_eq!(temporary.names().len(), 1, "the server's folder");
        let process = program.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        kill(Pid::from_raw(process), signal).expect("send the signal");
        let status = program.wait().await.expect("wait for the migrator");
        assert_eq!(status.code(), Some(code), "{signal}");
        assert_eq!(temporary.names(), [""; 0], "{signal}");
    }
}

#[tokio::test]
async fn what_leaves_any_server_is_said() {
    let live = LiveServer::start().await;
    let folder = folder("copy one from program 'echo 1';");
    let arguments = ["dump", "--output", "-", "--shadow-local", "--dir", folder.path()];
    live.run(&arguments)
        .await
        .exits(0)
        .says("V2__two.sql:1:1: a program on the server may do anything, and this runs in the shadow database, too");
}
