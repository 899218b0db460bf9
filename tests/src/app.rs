//! The service under test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use local::InstanceReuse;
use neon_url::DatabaseUrl;
use reqwest::{Client, ClientBuilder, Method, redirect};
use serde_json::Value;
use tokio::sync::{Mutex, RwLock};

use crate::background_runtime;
use crate::bench::processes::resident_bytes;
use crate::component::Component;
use crate::connect::connect;
use crate::database::TestDatabase;
use crate::key_server::KeyServer;
use crate::raw_http::{self, RawResponse};
use crate::request::Request;
use crate::runtime::Running;
use crate::settings::SETTINGS;
use crate::tls::AUTHORITY;
use crate::user::User;
use crate::wait::until;

/// Signs the tokens of every service that the tests start.
static JWT_SECRET: LazyLock<String> = LazyLock::new(|| format!("{:064x}", rand::random::<u128>()));

/// A running API with its database. Clones share the service, which stops with the last of them.
#[derive(Clone)]
pub struct App {
    http: Client,
    service: Arc<Inner>,
}

struct Inner {
    jwt_secret: String,
    origin: Origin,
}

enum Origin {
    /// Started elsewhere: the one that `TASKIE_URL` names.
    External { url: String, database: DatabaseUrl },
    /// Started by the harness.
    Started(Box<Started>),
}

struct Started {
    // Dropped in this order: first what uses the database, then the database.
    running: RwLock<Option<Running>>,
    /// Held during a restart: one at a time.
    restarting: Mutex<()>,
    options: Options,
    database: TestDatabase,
}

/// Options of a service that the harness starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// The application: this repository's, or another one of the same kind.
    pub manifest: PathBuf,
    /// The component's variables. Set already: the connection to the test's database as the API's
    /// role, and `jwt_secret`.
    pub variables: BTreeMap<String, String>,
    /// Whether Spin gets the variables in a file, with their defaults, rather than in its environment, where a
    /// lookup takes 0.04 ms of CPU time.
    pub(crate) has_variables_file: bool,
    /// The reuse of a component's instances.
    pub reuse: InstanceReuse,
    /// Whether the component's instructions are counted, which only `local` does.
    pub counts_instructions: bool,
    /// Whether `local` runs in a process of its own, as Spin does, so that its CPU time and memory can be
    /// measured. Only for a program that starts it again ([`crate::bench`]).
    pub(crate) has_own_process: bool,
    /// The test's database without a pooler, as the API's role.
    direct: DatabaseUrl,
}

impl Options {
    async fn new(database: &TestDatabase) -> Self {
        let mut options = Self {
            manifest: Component::under_test().manifest(),
            variables: BTreeMap::new(),
            has_variables_file: false,
            reuse: SETTINGS.reuse,
            counts_instructions: false,
            has_own_process: false,
            direct: database.api_url(),
        };
        // A busy machine is not a slow database: tests about the limits set their own.
        options.database(&patient(&database.url_under_test().await));
        options.set("database_timeout_ms", "30000").set("jwt_secret", &JWT_SECRET);
        if SETTINGS.pooled {
            options.set("database_ca", AUTHORITY);
        }
        options
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves a variable out.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.remove(name);
        self
    }

    /// Takes public keys from this server; tokens signed with the secret stay valid.
    pub fn key_server(&mut self, server: &KeyServer) -> &mut Self {
        self.set("jwt_jwks_url", &server.url()).set("jwt_jwks_origin", &server.origin())
    }

    /// Connects without a pooler, whatever `TASKIE_POOLED` says: for a test of what no pooler has, such as
    /// a host that is loopback by its name, or settings that come with the session.
    pub fn directly(&mut self) -> &mut Self {
        let direct = patient(&self.direct);
        self.database(&direct).unset("database_ca")
    }

    /// Sets another database or role, and lets the component connect to its host.
    pub fn database(&mut self, url: &DatabaseUrl) -> &mut Self {
        self.set("database_url", &url.to_connection_string())
            .set("database_host", url.host())
            .set("database_port", &url.port().to_string())
    }
}

/// The same database with more time to connect.
fn patient(url: &DatabaseUrl) -> DatabaseUrl {
    let text = url.to_connection_string().replace("connect_timeout=10", "connect_timeout=30");
    text.parse().expect("a connection string")
}

impl App {
    /// The service that `TASKIE_URL` names, or else a new one on a new, migrated database.
    pub async fn start() -> Self {
        match &SETTINGS.service {
            None => Self::start_with(|_| {}).await,
            Some(service) => Self::new(
                service.jwt_secret.clone(),
                Origin::External { url: service.url.clone(), database: service.database.clone() },
            ),
        }
    }

    /// A new service on a new, migrated database, with changed options: for every test that needs
    /// its own configuration, changes the schema, restarts the service, or sends raw bytes.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::start_on(TestDatabase::migrated().await, change).await
    }

    /// Like [`App::start_with`], on this database.
    pub async fn start_on(database: TestDatabase, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(&database).await;
        change(&mut options);
        let running = Running::start(&options).await;
        let started = Started {
            running: RwLock::new(Some(running)),
            restarting: Mutex::new(()),
            options,
            database,
        };
        Self::new(JWT_SECRET.clone(), Origin::Started(Box::new(started)))
    }

    fn new(jwt_secret: String, origin: Origin) -> Self {
        Self { http: http_client(), service: Arc::new(Inner { jwt_secret, origin }) }
    }

    /// The same service over HTTP/2 without TLS: all requests share one new connection.
    #[must_use]
    pub fn over_http2(&self) -> Self {
        Self {
            http: client(ClientBuilder::http2_prior_knowledge),
            service: Arc::clone(&self.service),
        }
    }

    /// Stops the service and starts it again: new processes, instances and connections, on the same
    /// address and the same database.
    pub async fn restart(&self) {
        let started = self.started("be restarted");
        let _guard = started.restarting.lock().await;
        let address = self.address();
        let old = started.running.write().await.take().expect("a service that was started");
        old.stop().await;
        let new = Running::start_at(&started.options, address).await;
        *started.running.write().await = Some(new);
    }

    /// A user with a new account. `name` is the beginning of the id.
    pub async fn user(&self, name: &str) -> User {
        let user = self.unregistered_user(name);
        self.client()
            .await
            .execute("insert into users (id, email) values ($1, $2)", &[&user.id, &user.email()])
            .await
            .expect("register a user");
        user
    }

    /// A user with a valid token, but without an account.
    pub fn unregistered_user(&self, name: &str) -> User {
        User::new(self, format!("{name}-{:08x}", rand::random::<u32>()))
    }

    /// A user with exactly this id, without an account.
    pub fn unregistered_user_with_id(&self, id: &str) -> User {
        User::new(self, id.to_owned())
    }

    /// Any request, without a token.
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(&self.http, method, &format!("{}{path}", self.url()))
    }

    /// Any request, without a token, to a URL: a proxy's, or a reference that a client has resolved.
    pub fn request_at(&self, method: Method, url: &str) -> Request {
        Request::new(&self.http, method, url)
    }

    /// `GET`, without a token.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// Any request, without a token, over HTTP/2 without TLS.
    pub fn request_http2(&self, method: Method, path: &str) -> Request {
        self.over_http2().request(method, path)
    }

    /// Sends bytes to the service, valid HTTP or not, and reads the response.
    pub async fn send_raw(&self, bytes: impl AsRef<[u8]>) -> RawResponse {
        self.started("take raw bytes");
        raw_http::send(self.address(), bytes.as_ref()).await
    }

    /// Sends bytes to the service and hangs up at once.
    pub async fn send_raw_and_hang_up(&self, bytes: impl AsRef<[u8]>) {
        self.started("take raw bytes");
        raw_http::send_and_hang_up(self.address(), bytes.as_ref()).await;
    }

    /// A connection to the service's database, as its owner.
    pub async fn client(&self) -> tokio_postgres::Client {
        match &self.service.origin {
            Origin::External { database, .. } => {
                connect(database).await.expect("connect to TASKIE_DATABASE_URL")
            }
            Origin::Started(started) => started.database.client().await,
        }
    }

    /// The service's database: for changes of the schema, roles or settings.
    pub fn database(&self) -> &TestDatabase {
        &self.started("have its database changed").database
    }

    /// The secret that signs valid tokens.
    pub fn jwt_secret(&self) -> &str {
        &self.service.jwt_secret
    }

    /// The component's standard error so far.
    pub fn log(&self) -> String {
        let running = self.started("show its log").running.try_read();
        let running = running.expect("a log is not read during a restart");
        running.as_ref().map(Running::log).unwrap_or_default()
    }

    /// The log's line about the request with this id: it may come after the response.
    pub async fn log_line(&self, request_id: &str) -> Value {
        until(&format!("the request {request_id} is in the log"), async || {
            let log = self.log();
            let mut documents =
                log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            documents.find(|document| document["request_id"] == request_id)
        })
        .await
    }

    /// The number of running component instances; `None` where the runtime does not report it.
    pub fn instances(&self) -> Option<usize> {
        let running = self.started("count its instances").running.try_read();
        let running = running.expect("instances are not counted during a restart");
        running.as_ref().and_then(Running::instances)
    }

    /// How many instances have ended, and how many instructions they ran; `None` where they are not counted.
    pub fn instructions(&self) -> Option<(u64, u64)> {
        let running = self.started("count its instructions").running.try_read();
        let running = running.expect("instructions are not counted during a restart");
        let counter = running.as_ref()?.instructions()?;
        Some((counter.instances(), counter.executed()))
    }

    /// The URL of the service, without a slash at the end.
    pub fn url(&self) -> String {
        match &self.service.origin {
            Origin::External { url, .. } => url.clone(),
            Origin::Started(_) => format!("http://{}", self.address()),
        }
    }

    /// The address of a service that the harness started.
    pub fn address(&self) -> SocketAddr {
        let running = self.started("tell its address").running.try_read();
        let running = running.expect("the service is not called during a restart");
        running.as_ref().expect("a service that was started").address()
    }

    /// The process group of the service, unless it runs in this process.
    pub fn process_group(&self) -> Option<u32> {
        let running = self.started("tell its processes").running.try_read();
        let running = running.expect("the processes are not read during a restart");
        running.as_ref().and_then(Running::process_group)
    }

    /// Bytes of memory that the service's processes use; where it runs in this process, all of this process.
    pub fn resident_bytes(&self) -> u64 {
        resident_bytes(self.process_group()).expect("the memory of the service, from `/proc`")
    }

    #[track_caller]
    fn started(&self, what: &str) -> &Started {
        match &self.service.origin {
            Origin::Started(started) => started,
            Origin::External { .. } => {
                panic!("an external service cannot {what}: use `App::start_with`")
            }
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().take() {
            if std::thread::panicking() {
                show(&running.log());
            }
            background_runtime::run_blocking(running.stop());
        }
    }
}

/// Prints the end of the service's log of a failed test.
#[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
fn show(log: &str) {
    const LINES: usize = 30;
    let lines: Vec<&str> = log.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    eprintln!("the service's log, last lines:\n{}", last.join("\n"));
}

/// A client that follows no redirects: every response is the service's own.
pub fn http_client() -> Client {
    client(|builder| builder)
}

fn client(adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    // The library needs a provider although no test uses TLS to the service. Fails if one is set already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    adjust(builder).build().expect("build an HTTP client")
}
