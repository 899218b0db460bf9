//! One PostgreSQL server for the process, and one database for each test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use local::postgres::{self, DataDir, Options, Server};
use neon_url::DatabaseUrl;
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::background_runtime;
use crate::build::migrator;
use crate::connect::connect;
use crate::pooler::{Pooler, PoolerSettings};
use crate::role::Role;
use crate::settings::SETTINGS;
use crate::tls;
use crate::wait::until;

/// The beginning of the names of the API's roles.
const API: &str = "taskie_test_api";

/// A PostgreSQL server on which tests create their databases.
pub struct TestServer {
    /// The URL of its maintenance database.
    url: DatabaseUrl,
    /// The throwaway server, if the harness started one.
    throwaway: Option<Throwaway>,
    /// The name of a migrated database to copy; created on first use, on a throwaway server only,
    /// because nothing would drop it from another one at the end.
    template: OnceCell<String>,
    /// The same of an adopted database.
    adopted: OnceCell<String>,
    /// The API's role, shared by all databases of a throwaway server.
    api: OnceCell<Role>,
    /// Set when the throwaway server offers TLS.
    tls: OnceCell<()>,
    /// PgBouncer in front of it, for the suites through the pooled endpoint.
    pooler: OnceCell<Pooler>,
}

/// A server that the harness started.
struct Throwaway {
    server: tokio::sync::Mutex<Server>,
    log: PathBuf,
}

impl TestServer {
    /// The server that all tests share: the one that `TEST_DATABASE_URL` names, or a throwaway one.
    /// A throwaway server ends with this process, however that ends.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<TestServer> = OnceCell::const_new();
        SHARED
            .get_or_init(async || match &SETTINGS.server {
                Some(url) => Self::new(url.clone(), None),
                None => Self::start_throwaway(&[]).await,
            })
            .await
    }

    /// A throwaway server whatever the environment says: for a test that reads its log. Shared too,
    /// because starting one takes a second.
    pub async fn throwaway() -> &'static Self {
        static THROWAWAY: OnceCell<TestServer> = OnceCell::const_new();
        let shared = Self::shared().await;
        if shared.throwaway.is_some() {
            shared
        } else {
            THROWAWAY.get_or_init(|| Self::start_throwaway(&[])).await
        }
    }

    /// A server of the caller's own, with these settings as well: for a test that crashes or exhausts it.
    /// It ends with this process.
    pub async fn with_settings(settings: &'static [(&'static str, &'static str)]) -> &'static Self {
        Box::leak(Box::new(Self::start_throwaway(settings).await))
    }

    /// The same, with an error where the server does not start.
    pub(crate) async fn try_with_settings(
        settings: &'static [(&'static str, &'static str)],
    ) -> Result<&'static Self, postgres::Error> {
        let server: &Self = Box::leak(Box::new(Self::try_start_throwaway(settings).await?));
        Ok(server)
    }

    /// Kills the server. What was acknowledged is there afterwards with `synchronous_commit` only.
    pub async fn crash(&self) {
        let mut server = self.started().server.lock().await;
        server.crash().await.expect("kill the server");
    }

    /// Starts the server again.
    pub async fn start_again(&self) {
        let mut server = self.started().server.lock().await;
        server.start_again().await.expect("start the server again");
    }

    /// Starts the server again, on another port, and returns that. The URLs still have the old one.
    pub(crate) async fn start_elsewhere(&self) -> u16 {
        let mut server = self.started().server.lock().await;
        server.start_elsewhere().await.expect("start the server again");
        server.port()
    }

    /// Starts the server again, as a standby: it takes no writes until it is promoted.
    pub async fn start_as_standby(&self) {
        let mut server = self.started().server.lock().await;
        std::fs::write(server.folder().join("data/standby.signal"), "").expect("write a file");
        server.start_again().await.expect("start the server as a standby");
    }

    /// Promotes a standby, and waits until it takes writes.
    pub async fn promote(&self) {
        let admin = connect(&self.url).await.expect("connect to the tests' server");
        let row = admin.query_one("select pg_promote()", &[]).await.expect("promote");
        assert!(row.get::<_, bool>(0), "the standby was not promoted");
    }

    /// The port on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.url.port()
    }

    /// The folder with a throwaway server's cluster in `data`.
    pub async fn folder(&self) -> PathBuf {
        self.started().server.lock().await.folder().to_owned()
    }

    fn started(&self) -> &Throwaway {
        self.throwaway.as_ref().expect("a server that the harness started")
    }

    async fn start_throwaway(settings: &'static [(&'static str, &'static str)]) -> Self {
        Self::try_start_throwaway(settings).await.unwrap_or_else(|err| {
            let hint =
                err.hint().map(|hint| format!("\nhint: {hint}, or a server in TEST_DATABASE_URL"));
            panic!("{err}{}", hint.unwrap_or_default())
        })
    }

    async fn try_start_throwaway(
        settings: &'static [(&'static str, &'static str)],
    ) -> Result<Self, postgres::Error> {
        let options = Options { settings, ..Options::new(DataDir::Throwaway) };
        let server =
            background_runtime::run(async { Server::start(options, &|_| {}).await }).await?;
        let (url, log) = (server.url("postgres"), server.log());
        Ok(Self::new(url, Some(Throwaway { server: tokio::sync::Mutex::new(server), log })))
    }

    fn new(url: DatabaseUrl, throwaway: Option<Throwaway>) -> Self {
        Self {
            url,
            throwaway,
            template: OnceCell::new(),
            adopted: OnceCell::new(),
            api: OnceCell::new(),
            tls: OnceCell::new(),
            pooler: OnceCell::new(),
        }
    }

    /// The log file of a throwaway server.
    pub fn log(&self) -> Option<PathBuf> {
        self.throwaway.as_ref().map(|throwaway| throwaway.log.clone())
    }

    /// Lets a throwaway server offer TLS, with the certificate of `localhost` and [`crate::DIRECT_HOST`].
    pub async fn offer_tls(&self) {
        assert!(self.throwaway.is_some(), "TLS is configured on a throwaway server only");
        self.tls.get_or_init(async || tls::offer(&self.url).await).await;
    }

    /// PgBouncer in front of a throwaway server, with TLS on both sides.
    pub async fn pooler(&self) -> &Pooler {
        self.offer_tls().await;
        self.pooler
            .get_or_init(async || Pooler::before(&self.url, PoolerSettings::LIKE_NEON).await)
            .await
    }

    /// A database without any table.
    pub async fn empty_database(&'static self) -> TestDatabase {
        self.database_from("template1").await
    }

    /// A database with all migrations applied, on which the API's role has its privileges.
    ///
    /// A copy of a template has them too, except those on the database itself: there it has what
    /// every role has, `connect` and `temporary`.
    pub async fn migrated_database(&'static self) -> TestDatabase {
        if SETTINGS.adopted {
            return self.adopted_database().await;
        }
        self.copy_of(&self.template, Origin::Migrations).await
    }

    /// A database that the API's predecessor created, with its rows, adopted with the commands of
    /// `docs/migrator/baseline.md`; the API's role has its privileges.
    pub async fn adopted_database(&'static self) -> TestDatabase {
        self.copy_of(&self.adopted, Origin::Predecessor).await
    }

    /// A copy of a database to which nobody is connected.
    pub(crate) async fn copy(&'static self, original: &TestDatabase) -> TestDatabase {
        self.database_from(original.name()).await
    }

    async fn copy_of(
        &'static self,
        template: &'static OnceCell<String>,
        origin: Origin,
    ) -> TestDatabase {
        if self.throwaway.is_none() {
            let database = self.empty_database().await;
            prepare(&database, origin).await;
            return database;
        }
        let template = template
            .get_or_init(async || {
                let mut database = self.empty_database().await;
                prepare(&database, origin).await;
                database.keep();
                database.name().to_owned()
            })
            .await;
        self.database_from(template).await
    }

    async fn database_from(&'static self, template: &str) -> TestDatabase {
        let name = format!("taskie_test_{:016x}", rand::random::<u64>());
        let admin = connect(&self.url).await.expect("connect to the tests' server");
        let statement = format!("create database {name} template {template}");
        until("the template is not in use", async || match admin.batch_execute(&statement).await {
            Ok(()) => Some(()),
            // The session of the migrator has not ended yet.
            Err(err) if err.code() == Some(&SqlState::OBJECT_IN_USE) => None,
            Err(err) => panic!("failed to create a database: {err:?}"),
        })
        .await;
        let api = match &self.throwaway {
            Some(_) => self.api.get_or_init(|| Role::create(&admin, API)).await.clone(),
            None => Role::create(&admin, API).await,
        };
        let roles = if self.throwaway.is_some() { Vec::new() } else { vec![api.clone()] };
        let url = self.url.with_database(&name);
        TestDatabase { url, server: self, api, roles: Mutex::new(roles), kept: false }
    }
}

/// The database of one test; dropped with this value.
pub struct TestDatabase {
    url: DatabaseUrl,
    server: &'static TestServer,
    /// The role with which the API connects.
    api: Role,
    /// Dropped with this database.
    roles: Mutex<Vec<Role>>,
    kept: bool,
}

impl TestDatabase {
    /// A database without any table.
    pub async fn create() -> Self {
        TestServer::shared().await.empty_database().await
    }

    /// A database with all migrations applied.
    pub async fn migrated() -> Self {
        TestServer::shared().await.migrated_database().await
    }

    /// A database of the API's predecessor, with its rows, adopted.
    pub async fn adopted() -> Self {
        TestServer::shared().await.adopted_database().await
    }

    /// Its URL, as its owner.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.url.database()
    }

    /// A connection to it.
    pub async fn client(&self) -> Client {
        connect(&self.url).await.expect("connect to the test's database")
    }

    /// The role with which the API connects to it.
    pub fn api_role(&self) -> &Role {
        &self.api
    }

    /// Its URL, as the API's role.
    pub fn api_url(&self) -> DatabaseUrl {
        self.url_as(&self.api)
    }

    /// The same where the API connects under test: with `TASKIE_POOLED` through the pooler, over TLS.
    pub(crate) async fn url_under_test(&self) -> DatabaseUrl {
        let url = self.api_url();
        if SETTINGS.pooled { self.server.pooler().await.through(&url) } else { url }
    }

    /// A new role, dropped with this database. `name` is the beginning of its name.
    pub async fn role(&self, name: &str) -> Role {
        let role = Role::create(&self.admin().await, name).await;
        self.roles.lock().unwrap_or_else(PoisonError::into_inner).push(role.clone());
        role
    }

    /// Its URL, as a role.
    pub fn url_as(&self, role: &Role) -> DatabaseUrl {
        self.url.with_role(&role.name, &role.password)
    }

    /// A connection to it, as a role.
    pub async fn client_as(&self, role: &Role) -> Client {
        connect(&self.url_as(role)).await.expect("connect to the test's database as a role")
    }

    /// A connection to the maintenance database of the same server: for statements that would end a
    /// connection to this one.
    pub async fn admin(&self) -> Client {
        connect(&self.server.url).await.expect("connect to the tests' server")
    }

    /// Writes a checkpoint, for a test that crashes the server: a sequence that was copied with the database has
    /// values in reserve, of which nothing is logged before the next checkpoint, and a crash would give them again.
    pub async fn checkpoint(&self) {
        self.admin().await.batch_execute("checkpoint").await.expect("write a checkpoint");
    }

    fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let server = self.server.url.clone();
        let roles = self.roles.get_mut().unwrap_or_else(PoisonError::into_inner);
        let roles = roles.iter().rev().map(|role| format!("drop role if exists {}", role.quoted()));
        // The database first, because the roles may own objects in it; the newest role first, because
        // an older one may have granted it privileges.
        let database = format!("drop database if exists {} with (force)", self.url.database());
        let statements: Vec<String> = std::iter::once(database).chain(roles).collect();
        background_runtime::run_blocking(async move {
            // A test may have failed because the server is gone: then there is nothing to drop.
            if let Ok(admin) = connect(&server).await {
                for statement in statements {
                    let _ = admin.batch_execute(&statement).await;
                }
            }
        });
    }
}

/// Creator of the tables.
#[derive(Clone, Copy)]
enum Origin {
    Migrations,
    Predecessor,
}

/// Applies all migrations, or adopts the predecessor's database, and grants the API's role its
/// privileges, with the built migrator.
async fn prepare(database: &TestDatabase, origin: Origin) {
    match origin {
        Origin::Migrations => drop(run_migrator(&database.url, &["up"]).await),
        Origin::Predecessor => adopt(database).await,
    }
    grant(database).await;
}

/// Loads the predecessor's database into an empty one, and adopts it.
async fn adopt(database: &TestDatabase) {
    let predecessor = crate::build::workspace().join("tests/data/predecessor.sql");
    let predecessor = std::fs::read_to_string(predecessor).expect("read the predecessor's schema");
    let client = database.client().await;
    client.batch_execute(&predecessor).await.expect("load the predecessor's database");
    let arguments = ["drift", "--script", "--assume-timezone", "UTC", "--json"];
    let script = run_migrator(&database.url, &arguments).await;
    let script: Value = serde_json::from_str(&script).expect("a document");
    let sql = script["sql"].as_str().expect("a script");
    client.batch_execute(sql).await.expect("run the script");
    run_migrator(&database.url, &["baseline", &script["leads_to"].to_string(), "--yes"]).await;
    run_migrator(&database.url, &["up"]).await;
}

/// Grants the API's role its privileges, with the built migrator.
pub(crate) async fn grant(database: &TestDatabase) {
    // The databases of a throwaway server share the role, and only one may change it at a time.
    static ROLE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _guard = ROLE.lock().await;
    // A busy machine is not a slow database.
    let limit = "--statement-timeout=60s";
    let arguments = ["grant", "--role", &database.api.name, "--provision-users", limit];
    run_migrator(&database.url, &arguments).await;
}

/// What it prints on standard output.
pub(crate) async fn run_migrator(url: &DatabaseUrl, arguments: &[&str]) -> String {
    // The first call builds the program, which blocks.
    let program = tokio::task::spawn_blocking(migrator).await.expect("build the migrator");
    let output = Command::new(&program)
        .args(arguments)
        .env("DATABASE_URL", url.to_connection_string())
        .current_dir(crate::build::workspace())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("run the migrator");
    assert!(
        output.status.success(),
        "`{} {}` failed:\n{}",
        file_name(&program),
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
