//! PgBouncer in front of a test's server: transactions share server sessions, as at Neon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use local::postgres::Watchdog;
use neon_url::DatabaseUrl;
use nix::unistd::geteuid;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::background_runtime;
use crate::build::workspace;
use crate::connect::connect;
use crate::runtime::{free_address, watch};
use crate::tls::{AUTHORITY, POOLED_HOST, with_tls, write_certificate};
use crate::wait::until;

/// A running PgBouncer; stops when dropped, or when this process ends.
pub struct Pooler {
    port: u16,
    settings: PoolerSettings,
    /// The server, as its superuser.
    server: DatabaseUrl,
    program: Child,
    watchdog: Watchdog,
    folder: TempDir,
}

/// Settings of PgBouncer.
#[derive(Clone, Copy)]
pub struct PoolerSettings {
    /// Prepared statements that it keeps for each server session; 0 for none.
    pub max_prepared_statements: u32,
    /// Maximum number of server sessions of a database and role.
    pub pool_size: u32,
    /// Whether clients have to use TLS, and the pooler verifies the server's certificate.
    pub tls: bool,
}

impl PoolerSettings {
    /// As at Neon: prepared statements are kept, TLS is required, and there are more sessions than one Spin
    /// process uses.
    pub const LIKE_NEON: Self = Self { max_prepared_statements: 100, pool_size: 60, tls: true };
}

impl Pooler {
    /// Starts one in front of the server of `server`, a superuser's connection string. With TLS, the
    /// server has to offer it.
    pub async fn before(server: &DatabaseUrl, settings: PoolerSettings) -> Self {
        let folder = TempDir::new().expect("create a folder");
        // It does not run as root, and reads its settings as the user that it changes to. They contain
        // only the password of a throwaway server.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open it");
        let port = free_address().port();
        write_files(&folder, port, server, settings);
        let (program, watchdog) = start(&folder, port).await;
        Self { port, settings, server: server.clone(), program, watchdog, folder }
    }

    /// A connection string of the server, through the pooler.
    pub fn through(&self, url: &DatabaseUrl) -> DatabaseUrl {
        if self.settings.tls {
            return with_tls(url, POOLED_HOST, self.port);
        }
        let text = url.to_connection_string();
        let (here, there) =
            (format!("@127.0.0.1:{}/", self.port), format!("@127.0.0.1:{}/", url.port()));
        text.replacen(&there, &here, 1).parse().expect("a connection string")
    }

    /// Kills it at once, with all connections.
    pub async fn kill(&mut self) {
        self.program.kill().await.expect("kill PgBouncer");
    }

    /// Starts it again, on the same port.
    pub async fn start_again(&mut self) {
        (self.program, self.watchdog) = start(&self.folder, self.port).await;
    }

    /// The number of clients that wait for a server session.
    pub async fn waiting(&self) -> i64 {
        let console = self.console().await;
        let messages = console.simple_query("show pools").await.expect("ask PgBouncer");
        messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get("cl_waiting")?.parse::<i64>().ok(),
                _ => None,
            })
            .sum()
    }

    /// A client of a database of the server, through the pooler.
    pub async fn client(&self, url: &DatabaseUrl) -> Client {
        connect(&self.through(url)).await.expect("connect to PgBouncer")
    }

    async fn console(&self) -> Client {
        self.client(&self.server.with_database("pgbouncer")).await
    }
}

/// PgBouncer asks the server for the passwords of roles, and passes each client's login on.
fn write_files(folder: &TempDir, port: u16, server: &DatabaseUrl, settings: PoolerSettings) {
    let path = folder.path().display();
    let (user, server_port) = (server.user(), server.port());
    let password = server.password().expect("the throwaway server has one");
    let tls = if settings.tls {
        write_certificate(folder.path());
        fs::write(folder.path().join("authority.pem"), AUTHORITY).expect("write the authority");
        format!(
            "client_tls_sslmode = require\n\
             client_tls_cert_file = {path}/server.pem\n\
             client_tls_key_file = {path}/server.key\n\
             server_tls_sslmode = verify-ca\n\
             server_tls_ca_file = {path}/authority.pem\n"
        )
    } else {
        String::new()
    };
    let text = format!(
        "[databases]\n\
         * = host=127.0.0.1 port={server_port}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {path}/users.txt\n\
         auth_user = {user}\n\
         auth_dbname = postgres\n\
         auth_query = select usename, passwd from pg_shadow where usename = $1\n\
         admin_users = {user}\n\
         pool_mode = transaction\n\
         max_client_conn = 1000\n\
         default_pool_size = {pool_size}\n\
         max_prepared_statements = {prepared}\n\
         server_login_retry = 1\n\
         server_idle_timeout = 30\n\
         {tls}",
        pool_size = settings.pool_size,
        prepared = settings.max_prepared_statements,
    );
    fs::write(folder.path().join("pgbouncer.ini"), text).expect("write the settings");
    let users = format!("\"{user}\" \"{password}\"\n");
    fs::write(folder.path().join("users.txt"), users).expect("write the passwords");
}

async fn start(folder: &TempDir, port: u16) -> (Child, Watchdog) {
    let mut command = Command::new(program());
    command.arg("--quiet");
    if geteuid().is_root() {
        command.args(["--user", "nobody"]);
    }
    command.arg(folder.path().join("pgbouncer.ini"));
    command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    // Not the test's runtime, which may end before.
    let child = background_runtime::run(async move { command.spawn() }).await;
    let child = child.expect("start PgBouncer");
    // What a whole test program shares is never dropped.
    let watchdog = watch(&child);
    until("PgBouncer listens", async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
    (child, watchdog)
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
