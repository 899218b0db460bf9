//! Connecting, with patience for a database that wakes up and none for one that says no.

use std::error::Error as _;
use std::io;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use neon_url::{DatabaseUrl, SslMode};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Event, tls_config};

/// What the session calls itself in `pg_stat_activity`.
pub(crate) const APPLICATION_NAME: &str = "taskie-migrator";

/// The first pause between two attempts; each is twice as long as the one before, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// A private certificate authority, trusted beside the platform's: one or more PEM
    /// certificates.
    pub ca_pem: Option<String>,
    /// For how long to go on trying while the database does not answer. Zero is one attempt.
    pub wait: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { ca_pem: None, wait: Duration::from_secs(30) }
    }
}

/// An open session.
pub(crate) struct Connection {
    pub(crate) client: Client,
    notices: UnboundedReceiver<String>,
    driver: JoinHandle<()>,
}

impl Connection {
    /// What PostgreSQL has said since the last call.
    pub(crate) fn notices(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.notices.try_recv().ok()).collect()
    }

    /// Says goodbye and waits until that is sent, so that the server ends the session, and with it
    /// its locks, now.
    pub(crate) async fn close(self) {
        drop(self.client);
        // The driver ends by itself once the client is gone; an error in it changes nothing any
        // more.
        let _ = timeout(Duration::from_secs(1), self.driver).await;
    }
}

/// The result of one attempt that failed.
enum Failure {
    /// Trying again may help: refused, timed out, starting up, out of connections.
    Transient(String),
    Permanent(Error),
}

/// Connects, trying again for as long as `options.wait` says.
pub(crate) async fn connect(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Connection, Error> {
    let connector = Connector::new(url, options)?;
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut attempts = 0;
    loop {
        let remaining = options.wait.saturating_sub(start.elapsed());
        let limit = if options.wait.is_zero() {
            url.connect_timeout()
        } else {
            url.connect_timeout().min(remaining.max(FIRST_PAUSE))
        };
        attempts += 1;
        let reason = match connector.attempt(limit).await {
            Ok(connection) => return Ok(connection),
            Err(Failure::Permanent(error)) => return Err(error),
            Err(Failure::Transient(reason)) => reason,
        };
        // Jitter, so that many that wait for one database do not all come at once.
        let jittered = pause.mul_f64(rand::random_range(0.5..1.0));
        if start.elapsed() + jittered >= options.wait {
            return Err(Error::Unreachable {
                address: address(url),
                reason,
                attempts,
                waited: start.elapsed(),
            });
        }
        if attempts == 1 {
            on_event(Event::Retrying { reason, wait: options.wait });
        }
        sleep(jittered).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Everything that attempts have in common.
pub(crate) struct Connector {
    config: Config,
    address: String,
    /// None where no TLS is used, so that a machine without certificates can use a local database.
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    pub(crate) fn new(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self, Error> {
        let refused = |reason: tokio_postgres::Error| Error::Refused {
            address: address(url),
            reason: describe(&reason),
            sqlstate: None,
        };
        let mut config: Config = url.to_connection_string().parse().map_err(refused)?;
        config.application_name(APPLICATION_NAME);
        let tls = match url.ssl_mode() {
            SslMode::Disable => None,
            SslMode::Prefer | SslMode::Require => {
                Some(MakeRustlsConnect::new(tls_config(options.ca_pem.as_deref())?))
            }
        };
        Ok(Self { config, address: address(url), tls })
    }

    /// One attempt, without telling whether another would help.
    pub(crate) async fn connect_once(&self, limit: Duration) -> Result<Connection, Error> {
        let start = Instant::now();
        self.attempt(limit).await.map_err(|failure| match failure {
            Failure::Permanent(error) => error,
            Failure::Transient(reason) => Error::Unreachable {
                address: self.address.clone(),
                reason,
                attempts: 1,
                waited: start.elapsed(),
            },
        })
    }

    /// The driver's own time limit covers the TCP handshake only; `limit` covers TLS and the login
    /// as well.
    async fn attempt(&self, limit: Duration) -> Result<Connection, Failure> {
        let attempt = async {
            match &self.tls {
                Some(tls) => open(&self.config, tls.clone()).await,
                None => open(&self.config, NoTls).await,
            }
        };
        match timeout(limit, attempt).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(self.classify(&error)),
            Err(_) => {
                Err(Failure::Transient(format!("no answer within {:.1} s", limit.as_secs_f64())))
            }
        }
    }

    fn classify(&self, error: &tokio_postgres::Error) -> Failure {
        let address = self.address.clone();
        let reason = describe(error);
        if let Some(code) = error.code() {
            return if may_pass(code) {
                Failure::Transient(reason)
            } else {
                Failure::Permanent(Error::Refused {
                    address,
                    reason,
                    sqlstate: Some(code.code().to_owned()),
                })
            };
        }
        match io_error(error) {
            Some(cause) if is_tls_error(cause) => {
                Failure::Permanent(Error::Tls { address, reason })
            }
            Some(cause) if is_unknown_host(cause) => {
                Failure::Permanent(Error::UnknownHost { address })
            }
            // Anything else that the network says may be over in a moment.
            Some(_) => Failure::Transient(reason),
            None if error.is_closed() => Failure::Transient(reason),
            // The driver has no other way to tell than these texts of its own.
            None if reason == "server does not support TLS" => {
                Failure::Permanent(Error::NoTls { address })
            }
            None if error.to_string().contains("TLS") => {
                Failure::Permanent(Error::Tls { address, reason })
            }
            None => Failure::Permanent(Error::Refused { address, reason, sqlstate: None }),
        }
    }
}

async fn open<T>(config: &Config, tls: T) -> Result<Connection, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: TlsConnect<Socket>,
{
    let (client, mut connection) = config.connect(tls).await?;
    let (sender, notices) = mpsc::unbounded_channel();
    let driver = tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notice(notice) = message {
                // Nobody listens any more when the command is over: then there is nobody to tell.
                let _ = sender.send(notice.message().to_owned());
            }
        }
    });
    Ok(Connection { client, notices, driver })
}

/// Whether a server that answers so may answer otherwise in a moment.
fn may_pass(code: &SqlState) -> bool {
    // Connection failures, too many connections and other short resources, and shutting down,
    // crashed or starting up.
    code.code().starts_with("08")
        || code.code().starts_with("53")
        || [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW]
            .contains(code)
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io_error) = error.downcast_ref() {
            return Some(io_error);
        }
        cause = error.source();
    }
    None
}

fn is_tls_error(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
}

/// Whether the resolver knows that there is no such host, as opposed to not having got an answer.
/// The standard library keeps the resolver's code only as text: glibc's, musl's and Apple's.
fn is_unknown_host(error: &io::Error) -> bool {
    let text = error.to_string();
    [
        "Name or service not known",
        "Name does not resolve",
        "No address associated",
        "nodename nor servname",
    ]
    .iter()
    .any(|known| text.contains(known))
}

/// Host and port as a person writes them.
pub(crate) fn address(url: &DatabaseUrl) -> String {
    if url.host().contains(':') {
        format!("`[{}]:{}`", url.host(), url.port())
    } else {
        format!("`{}:{}`", url.host(), url.port())
    }
}

/// An error of the driver in one line: what PostgreSQL said, with its code, or else the cause
/// without the driver's "error connecting to server" and the system's error number, which say
/// nothing more.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let Some(mut cause) = error.source() else {
        return error.to_string();
    };
    let mut text = cause.to_string();
    while let Some(deeper) = cause.source() {
        // Some errors repeat their cause in their own text.
        if !text.ends_with(&deeper.to_string()) {
            text = format!("{text}: {deeper}");
        }
        cause = deeper;
    }
    match text.rfind(" (os error ") {
        Some(number) => text[..number].to_lowercase(),
        None => text,
    }
}
