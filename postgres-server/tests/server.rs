//! The PostgreSQL server that `cargo up` and the tests start.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use neon_url::DatabaseUrl;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres_server::{DataDir, Error, ErrorKind, Options, Server};
use tokio_postgres::{Client, NoTls};

/// Time limit of every step.
const PATIENCE: Duration = Duration::from_mins(1);

/// The variable of a process that a test starts and kills: the file in which it reports its server.
const CHILD: &str = "TASKIE_TEST_POSTGRES_CHILD";

#[tokio::test]
async fn a_throwaway_server_is_removed_when_it_stops() {
    let server = start(DataDir::Throwaway).await;
    let client = connect(&server.url("postgres")).await;
    let row = client.query_one("select 6 * 7", &[]).await.expect("query");
    assert_eq!(row.get::<_, i32>(0), 42);
    let (pid, folder) = (postmaster(&server), server.folder().to_owned());

    server.stop().await.expect("stop");

    assert!(!runs(pid), "the server still runs");
    assert!(!folder.exists(), "the folder is still there");
}

#[tokio::test]
async fn a_dropped_server_is_removed() {
    let server = start(DataDir::Throwaway).await;
    let (pid, folder) = (postmaster(&server), server.folder().to_owned());

    drop(server);

    wait_until("the server and its folder are gone", || !runs(pid) && !folder.exists());
}

#[tokio::test]
async fn the_server_is_utf8_with_the_c_locale_and_listens_on_loopback_only() {
    let server = start(DataDir::Throwaway).await;
    let client = connect(&server.url("postgres")).await;
    let statement = "
        select pg_encoding_to_char(encoding), datcollate, datctype, current_setting('listen_addresses'),
               current_setting('unix_socket_directories'), current_setting('password_encryption')
          from pg_database where datname = current_database()";
    let row = client.query_one(statement, &[]).await.expect("query");
    let values: Vec<String> = (0..6).map(|column| row.get(column)).collect();
    assert_eq!(values, ["UTF8", "C", "C", "127.0.0.1", "", "scram-sha-256"]);
    server.stop().await.expect("stop");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let server = start(DataDir::Throwaway).await;
    let url = format!("postgresql://postgres:wrong@127.0.0.1:{}/postgres", server.port());
    let refusal = tokio_postgres::connect(&url, NoTls).await.err().expect("a refusal");
    assert_eq!(refusal.code().map(tokio_postgres::error::SqlState::code), Some("28P01"));
    server.stop().await.expect("stop");
}

#[tokio::test]
async fn a_kept_cluster_keeps_its_data_and_password() {
    let project = project();
    let server = start(kept(&project)).await;
    let url = server.url("taskie");
    connect(&url)
        .await
        .batch_execute("create table kept as select 1 as one")
        .await
        .expect("create");
    server.stop().await.expect("stop");

    let again = start(kept(&project)).await;
    let rows = connect(&again.url("taskie")).await.query("select one from kept", &[]).await;
    assert_eq!(rows.expect("query").len(), 1);
    again.stop().await.expect("stop");
}

#[tokio::test]
async fn a_kept_cluster_is_served_by_one_process_at_a_time() {
    let project = project();
    let server = start(kept(&project)).await;

    let error = start_error(options(kept(&project))).await;

    assert_eq!(error.kind(), ErrorKind::ClusterInUse);
    let expected = format!("PostgreSQL is already running in `{}`", server.folder().display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    let hint = format!("use that one, or stop it: `kill -INT {}`", postmaster(&server));
    assert_eq!(error.hint(), Some(hint.as_str()));
    server.stop().await.expect("stop");
}

#[tokio::test]
async fn a_crashed_cluster_recovers() {
    let project = project();
    let server = start(kept(&project)).await;
    let client = connect(&server.url("taskie")).await;
    client.batch_execute("create table survived as select 1 as one").await.expect("create");
    let pid = postmaster(&server);
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("kill");
    wait_until("the server is gone", || !runs(pid));
    drop(server);

    let again = start_when_free(kept(&project)).await;
    let rows = connect(&again.url("taskie")).await.query("select one from survived", &[]).await;
    assert_eq!(rows.expect("query").len(), 1);
    again.stop().await.expect("stop");
}

#[tokio::test]
async fn a_crashed_server_starts_again_on_its_port() {
    let mut server = start(DataDir::Throwaway).await;
    let url = server.url("postgres");
    let client = connect(&url).await;
    client.batch_execute("create table kept ()").await.expect("create a table");
    // Not within the same transaction: without it, a throwaway server may forget what it has just done.
    client.batch_execute("checkpoint").await.expect("write it");
    for _ in 0..2 {
        server.crash().await.expect("crash");
        server.start_again().await.expect("start it again");
        let client = connect(&url).await;
        client.batch_execute("select from kept").await.expect("read the table");
    }
    assert!(client.batch_execute("select").await.is_err(), "its sessions have ended");
}

#[tokio::test]
async fn an_id_of_another_process_in_postmaster_pid_does_not_matter() {
    let project = project();
    let server = start(kept(&project)).await;
    let data = server.folder().join("data");
    server.stop().await.expect("stop");
    // The id of this process.
    let stale = format!("{}\n{}\n", std::process::id(), data.display());
    fs::write(data.join("postmaster.pid"), stale).expect("write");

    start(kept(&project)).await.stop().await.expect("stop");
}

#[tokio::test]
async fn an_incomplete_cluster_is_created_again() {
    let project = project();
    let folder = project.path().join("postgres");
    fs::create_dir_all(folder.join("data.new/base")).expect("create a folder");
    fs::write(folder.join("data.new/PG_VERSION"), "1\n").expect("write");

    let server = start(kept(&project)).await;

    assert!(server.folder().join("data/PG_VERSION").exists());
    assert!(!server.folder().join("data.new").exists());
    server.stop().await.expect("stop");
}

#[tokio::test]
async fn a_cluster_of_another_version_is_left_alone() {
    let project = project();
    let server = start(kept(&project)).await;
    let folder = server.folder().to_owned();
    server.stop().await.expect("stop");
    fs::write(folder.join("data/PG_VERSION"), "9\n").expect("write");

    let bin = installed_bin();
    let error = start_error(Options { bin: Some(bin), ..Options::new(kept(&project)) }).await;

    assert!(error.to_string().contains(" is of PostgreSQL 9, and only "), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.starts_with("install PostgreSQL 9, ")));
    assert_eq!(fs::read_to_string(folder.join("data/PG_VERSION")).expect("read"), "9\n");
}

#[tokio::test]
async fn a_lost_password_is_named() {
    let project = project();
    let server = start(kept(&project)).await;
    let folder = server.folder().to_owned();
    server.stop().await.expect("stop");
    fs::remove_file(folder.join("password")).expect("remove");

    let error = start_error(options(kept(&project))).await;

    assert!(error.to_string().ends_with("its password file is missing"), "{error}");
}

#[tokio::test]
async fn a_start_that_fails_shows_the_log() {
    let project = project();
    let server = start(kept(&project)).await;
    let folder = server.folder().to_owned();
    server.stop().await.expect("stop");
    fs::write(folder.join("data/postgresql.auto.conf"), "no_such_setting = on\n").expect("write");

    let error = start_error(options(kept(&project))).await;

    assert!(error.details().contains("no_such_setting"), "{error}");
}

#[tokio::test]
async fn a_folder_without_programs_is_named() {
    let empty = tempfile::tempdir().expect("create a folder");
    let bin = Some(empty.path().to_owned());
    let error = start_error(Options { bin, ..Options::new(DataDir::Throwaway) }).await;
    let folder = empty.path().display();
    assert_eq!(
        error.to_string(),
        format!("cannot use the PostgreSQL programs in `{folder}`: there is no `initdb`")
    );
}

#[tokio::test]
async fn a_folder_that_the_server_cannot_write_to_is_replaced() {
    // Like a project below `/root`: only its owner can enter it. Only root starts a server with
    // another account, which cannot.
    let project = project_with_mode(0o700);
    let messages = Mutex::new(Vec::new());
    let progress = |message: &str| messages.lock().expect("no panic").push(message.to_owned());
    let server = Server::start(options(kept(&project)), &progress).await.expect("start");
    let folder = server.folder().to_owned();
    server.stop().await.expect("stop");

    let again = start(kept(&project)).await;
    assert_eq!(again.folder(), folder);
    again.stop().await.expect("stop");

    let replaced = folder != project.path().join("postgres");
    assert_eq!(replaced, nix::unistd::geteuid().is_root());
    let reported = messages.lock().expect("no panic").iter().any(|message| {
        message.contains("cannot write to") && message.contains(&folder.display().to_string())
    });
    assert_eq!(reported, replaced, "{messages:?}");
    fs::remove_dir_all(folder).expect("remove");
}

#[tokio::test]
async fn a_killed_process_leaves_nothing_of_a_throwaway_server() {
    if let Some(report) = std::env::var_os(CHILD) {
        return run_as_child(DataDir::Throwaway, &report).await;
    }
    let (mut child, pid, folder) =
        start_child("a_killed_process_leaves_nothing_of_a_throwaway_server");

    child.kill().expect("kill");
    child.wait().expect("wait");

    wait_until("the server and its folder are gone", || !runs(pid) && !folder.exists());
}

#[tokio::test]
async fn a_killed_process_leaves_a_kept_cluster_that_is_shut_down() {
    let project = project();
    if let Some(report) = std::env::var_os(CHILD) {
        return run_as_child(kept(&project), &report).await;
    }
    let (mut child, pid, folder) =
        start_child("a_killed_process_leaves_a_kept_cluster_that_is_shut_down");

    child.kill().expect("kill");
    child.wait().expect("wait");

    wait_until("the server is gone", || !runs(pid));
    let log = fs::read_to_string(folder.join("postgres.log")).expect("read the log");
    assert!(log.contains("database system is shut down"), "{log}");
    // The killed process could not remove its own temporary project.
    fs::remove_dir_all(folder.parent().expect("the project")).expect("remove");
}

fn options(data: DataDir) -> Options {
    Options::new(data)
}

async fn start_error(options: Options) -> Error {
    Server::start(options, &|_| {}).await.err().expect("an error")
}

async fn start(data: DataDir) -> Server {
    Server::start(options(data), &|_| {}).await.expect("start")
}

/// Starts it when a dropped server has released the folder.
async fn start_when_free(data: DataDir) -> Server {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Server::start(options(data.clone()), &|_| {}).await {
            Err(error) if error.kind() == ErrorKind::ClusterInUse && Instant::now() < deadline => {}
            started => return started.expect("start"),
        }
    }
}

/// A folder that every account can reach.
fn project() -> tempfile::TempDir {
    project_with_mode(0o755)
}

fn project_with_mode(mode: u32) -> tempfile::TempDir {
    let permissions = fs::Permissions::from_mode(mode);
    tempfile::Builder::new().permissions(permissions).tempdir().expect("create a folder")
}

fn kept(project: &tempfile::TempDir) -> DataDir {
    DataDir::Kept(project.path().join("postgres"))
}

async fn connect(url: &DatabaseUrl) -> Client {
    let (client, connection) =
        tokio_postgres::connect(&url.to_connection_string(), NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}

/// The folder of an installed PostgreSQL.
fn installed_bin() -> PathBuf {
    let given = std::env::var_os("TASKIE_PG_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    given
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain(usual.map(|entry| entry.path().join("bin")))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("an installed PostgreSQL, for a test which must not use another one")
}

fn postmaster(server: &Server) -> i32 {
    postmaster_in(server.folder()).expect("a server's postmaster.pid")
}

fn postmaster_in(folder: &Path) -> Option<i32> {
    fs::read_to_string(folder.join("data/postmaster.pid")).ok()?.lines().next()?.parse().ok()
}

/// Returns true if the process is there and not a zombie.
fn runs(pid: i32) -> bool {
    let zombie =
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    !zombie && kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the test named `test` again, in another process, with [`CHILD`] set.
fn start_child(test: &str) -> (Child, i32, PathBuf) {
    let folder = tempfile::tempdir().expect("create a folder");
    let report = folder.path().join("report");
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test])
        .env(CHILD, &report)
        .stdout(Stdio::null())
        .spawn()
        .expect("start the child");
    wait_until("the child reports its server", || report.exists());
    let folder = PathBuf::from(fs::read_to_string(&report).expect("read the report"));
    let pid = postmaster_in(&folder).expect("the child's server");
    (child, pid, folder)
}

/// Starts a server, reports its folder, and waits to be killed.
async fn run_as_child(data: DataDir, report: &OsStr) {
    let server = start(data).await;
    let report = PathBuf::from(report);
    let unfinished = report.with_extension("new");
    fs::write(&unfinished, server.folder().as_os_str().as_encoded_bytes())
        .expect("write the report");
    fs::rename(&unfinished, &report).expect("name the report");
    std::future::pending::<()>().await;
}
