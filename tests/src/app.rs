//! The service under test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use local::InstanceReuse;
use neon_url::DatabaseUrl;
use reqwest::{Client, ClientBuilder, Method, redirect};
use tokio::sync::{Mutex, RwLock};

use crate::background_runtime;
use crate::build::workspace;
use crate::connect::connect;
use crate::database::TestDatabase;
use crate::key_server::KeyServer;
use crate::raw_http::{self, RawResponse};
use crate::request::Request;
use crate::runtime::Running;
use crate::settings::SETTINGS;
use crate::user::User;

/// Signs the tokens of every service that the tests start.
static JWT_SECRET: LazyLock<String> = LazyLock::new(|| format!("{:064x}", rand::random::<u128>()));

/// The API, served, with a database. Clones are the same service; it stops with the last one.
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
    /// Runs already and belongs to somebody else.
    Given { url: String, database: DatabaseUrl },
    /// Ours.
    Own(Box<Own>),
}

struct Own {
    // Dropped in this order: first what uses the database, then the database.
    running: RwLock<Option<Running>>,
    /// Held during a restart, so that two of them do not mix.
    restarting: Mutex<()>,
    options: Options,
    database: TestDatabase,
}

/// How to start a service of a test's own.
#[derive(Clone, Debug)]
pub struct Options {
    /// The application: this repository's, or another one of the same kind.
    pub manifest: PathBuf,
    /// The component's variables. There are already those which lead to the test's database as the
    /// API's role, and `jwt_secret`.
    pub variables: BTreeMap<String, String>,
    /// How long a component's instance lives.
    pub reuse: InstanceReuse,
}

impl Options {
    fn new(database: &DatabaseUrl) -> Self {
        let mut options = Self {
            manifest: workspace().join("spin.toml"),
            variables: BTreeMap::new(),
            reuse: InstanceReuse::default(),
        };
        options.database(database).set("jwt_secret", &JWT_SECRET);
        // A busy machine is not a slow database: tests about the limit set their own.
        options.set("database_timeout_ms", "30000");
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

    /// Takes public keys from this server; the secret goes on to count.
    pub fn key_server(&mut self, server: &KeyServer) -> &mut Self {
        self.set("jwt_jwks_url", &server.url()).set("jwt_jwks_origin", &server.origin())
    }

    /// Leads to another database or role, and lets the component connect to its host.
    pub fn database(&mut self, url: &DatabaseUrl) -> &mut Self {
        self.set("database_url", &url.to_connection_string())
            .set("database_host", url.host())
            .set("database_port", &url.port().to_string())
    }
}

impl App {
    /// The service that `TASKIE_URL` names, or one of our own on a new, migrated database.
    pub async fn start() -> Self {
        match &SETTINGS.service {
            None => Self::start_with(|_| {}).await,
            Some(service) => Self::new(
                service.jwt_secret.clone(),
                Origin::Given { url: service.url.clone(), database: service.database.clone() },
            ),
        }
    }

    /// A service of our own, on a new, migrated database, with its options changed: for every test
    /// that needs a configuration, changes the database beyond rows, restarts, or sends raw bytes.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::start_on(TestDatabase::migrated().await, change).await
    }

    /// Like [`App::start_with`], on this database.
    pub async fn start_on(database: TestDatabase, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(&database.api_url());
        change(&mut options);
        let running = Running::start(&options).await;
        let own = Own {
            running: RwLock::new(Some(running)),
            restarting: Mutex::new(()),
            options,
            database,
        };
        Self::new(JWT_SECRET.clone(), Origin::Own(Box::new(own)))
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
        let own = self.own("be restarted");
        let _guard = own.restarting.lock().await;
        let address = self.address();
        let old = own.running.write().await.take().expect("a service that was started");
        old.stop().await;
        let new = Running::start_at(&own.options, address).await;
        *own.running.write().await = Some(new);
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

    /// A user with a good token, but without an account.
    pub fn unregistered_user(&self, name: &str) -> User {
        User::new(self, format!("{name}-{:08x}", rand::random::<u32>()))
    }

    /// A user with exactly this id, without an account.
    pub fn unregistered_user_with_id(&self, id: &str) -> User {
        User::new(self, id.to_owned())
    }

    /// Any request, by nobody.
    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(&self.http, method, &format!("{}{path}", self.url()))
    }

    /// `GET`, by nobody.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// Any request, by nobody, over HTTP/2 without TLS.
    pub fn request_http2(&self, method: Method, path: &str) -> Request {
        self.over_http2().request(method, path)
    }

    /// Bytes to the service, which may be no good HTTP at all.
    pub async fn send_raw(&self, bytes: impl AsRef<[u8]>) -> RawResponse {
        self.own("take raw bytes");
        raw_http::send(self.address(), bytes.as_ref()).await
    }

    /// Bytes to the service from a client that hangs up at once.
    pub async fn send_raw_and_hang_up(&self, bytes: impl AsRef<[u8]>) {
        self.own("take raw bytes");
        raw_http::send_and_hang_up(self.address(), bytes.as_ref()).await;
    }

    /// A connection to the service's database, as its owner.
    pub async fn client(&self) -> tokio_postgres::Client {
        match &self.service.origin {
            Origin::Given { database, .. } => {
                connect(database).await.expect("connect to TASKIE_DATABASE_URL")
            }
            Origin::Own(own) => own.database.client().await,
        }
    }

    /// The service's own database, to change it as a whole.
    pub fn database(&self) -> &TestDatabase {
        &self.own("have its database changed").database
    }

    /// Signs tokens that the service believes.
    pub fn jwt_secret(&self) -> &str {
        &self.service.jwt_secret
    }

    /// What the component wrote to its standard error so far.
    pub fn log(&self) -> String {
        let running = self.own("show its log").running.try_read();
        let running = running.expect("a log is not read during a restart");
        running.as_ref().map(Running::log).unwrap_or_default()
    }

    /// How many instances of its components there are; `None` where the runtime does not tell.
    pub fn instances(&self) -> Option<usize> {
        let running = self.own("count its instances").running.try_read();
        let running = running.expect("instances are not counted during a restart");
        running.as_ref().and_then(Running::instances)
    }

    /// Where the service is, without a slash at the end.
    pub fn url(&self) -> String {
        match &self.service.origin {
            Origin::Given { url, .. } => url.clone(),
            Origin::Own(_) => format!("http://{}", self.address()),
        }
    }

    /// Where a service of ours listens.
    pub fn address(&self) -> SocketAddr {
        let running = self.own("tell its address").running.try_read();
        let running = running.expect("the service is not called during a restart");
        running.as_ref().expect("a service that was started").address()
    }

    /// The process group that serves, where that is not this process.
    pub fn process_group(&self) -> Option<u32> {
        let running = self.own("tell its processes").running.try_read();
        let running = running.expect("nobody asks for the processes during a restart");
        running.as_ref().and_then(Running::process_group)
    }

    #[track_caller]
    fn own(&self, what: &str) -> &Own {
        match &self.service.origin {
            Origin::Own(own) => own,
            Origin::Given { .. } => panic!("a given service cannot {what}: use `App::start_with`"),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().take() {
            if std::thread::panicking() {
                show(&running.log());
            }
            background_runtime::run_blocking(running.stop());
        }
    }
}

/// The end of a failed test's log, beside the failure.
#[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
fn show(log: &str) {
    const LINES: usize = 30;
    let lines: Vec<&str> = log.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    eprintln!("the service's log, last lines:\n{}", last.join("\n"));
}

/// A client that follows nothing: every response is the service's own.
pub fn http_client() -> Client {
    client(|builder| builder)
}

fn client(adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    // The library wants one although no test speaks TLS to the service; it fails when there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    adjust(builder).build().expect("make an HTTP client")
}
