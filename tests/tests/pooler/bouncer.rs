//! PgBouncer in front of a test's database: transactions share server sessions, as at Neon.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use nix::unistd::geteuid;
use tempfile::TempDir;
use tests::{TestDatabase, until, workspace};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A running pooler; stops when dropped.
pub(super) struct Bouncer {
    url: String,
    _program: Child,
    _folder: TempDir,
}

/// Settings of PgBouncer.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    /// Prepared statements that it keeps for each server session; 0 for none.
    pub(super) max_prepared_statements: u32,
    /// Maximum number of server sessions.
    pub(super) pool_size: u32,
}

impl Bouncer {
    pub(super) async fn before(database: &TestDatabase, settings: Settings) -> Self {
        let folder = TempDir::new().expect("create a folder");
        let port = free_port();
        let url = database.url();
        let password = url.password().expect("the throwaway server has one");
        let file = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n\
             {name} = host={host} port={server_port} user={user} password={password}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             admin_users = {user}\n\
             pool_mode = transaction\n\
             default_pool_size = {pool_size}\n\
             max_prepared_statements = {prepared}\n",
            name = url.database(),
            host = url.host(),
            server_port = url.port(),
            user = url.user(),
            pool_size = settings.pool_size,
            prepared = settings.max_prepared_statements,
        );
        fs::write(&file, text).expect("write the settings");
        let mut command = Command::new(program());
        command.arg("--quiet");
        if geteuid().is_root() {
            // It does not run as root, and reads its settings as the user that it changes to. They contain
            // only the password of a throwaway database.
            command.args(["--user", "nobody"]);
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open it");
        }
        command.arg(&file).stdin(Stdio::null()).kill_on_drop(true);
        let program = command.spawn().expect("start PgBouncer");
        until("PgBouncer listens", async || TcpStream::connect(("127.0.0.1", port)).await.ok())
            .await;
        let url = format!("postgresql://{}:x@127.0.0.1:{port}/{}", url.user(), url.database());
        Self { url, _program: program, _folder: folder }
    }

    /// The connection string through the pooler.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A client of the pooler.
    pub(super) async fn client(&self) -> Client {
        connect(&self.url).await
    }

    /// The number of clients that wait for a server session.
    pub(super) async fn waiting(&self) -> i64 {
        let (server, _) = self.url.rsplit_once('/').expect("a database in the URL");
        let console = connect(&format!("{server}/pgbouncer")).await;
        let messages = console.simple_query("show pools").await.expect("ask PgBouncer");
        messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get("cl_waiting")?.parse::<i64>().ok(),
                _ => None,
            })
            .sum()
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}

/// The program that `TASKIE_PGBOUNCER` names, that `.ci/pgbouncer` has built, or that is installed.
/// Panics without one: a skipped test proves nothing.
fn program() -> PathBuf {
    let named = std::env::var_os("TASKIE_PGBOUNCER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = named.or_else(|| {
        [workspace().join("target/pgbouncer")]
            .into_iter()
            .chain(std::env::split_paths(&path))
            .chain([PathBuf::from("/usr/sbin")])
            .map(|folder| folder.join("pgbouncer"))
            .find(|program| program.is_file())
    });
    let program = program.expect(
        "PgBouncer is missing\nhint: `.ci/pgbouncer && cargo test-pooler` builds and uses it",
    );
    assert!(program.is_file(), "TASKIE_PGBOUNCER names `{}`, which is no file", program.display());
    program
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("find a port");
    listener.local_addr().expect("an address").port()
}
