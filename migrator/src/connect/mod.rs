//! Connections to PostgreSQL: retries while the database starts, not when it rejects the login.

pub(crate) mod advisory_lock;
pub(crate) mod backoff;
mod connector;
mod handshake;
mod phases;
mod retryable;
pub(crate) mod session;
pub(crate) mod tls;

use std::fmt;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use neon_url::DatabaseUrl;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::{AsyncMessage, Client};

pub(crate) use connector::{Connector, Opened};
pub use phases::{ConnectPhase, ConnectPhases};
pub(crate) use phases::{Stopwatch, milliseconds};

use crate::connect::retryable::Failure;
use crate::error::Error;
use crate::model::{Event, Notice};

/// `application_name` of the session in `pg_stat_activity`.
pub(crate) const APPLICATION_NAME: &str = "taskie-migrator";

/// The first and the longest pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Time without an answer after which the user is told what is waited for.
const SILENCE: Duration = Duration::from_secs(1);

/// Options of a connection.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// A private certificate authority, trusted beside the platform's: one or more PEM
    /// certificates.
    pub ca_pem: Option<String>,
    /// Limit for retries while the database does not answer. Zero is one attempt.
    pub wait: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { ca_pem: None, wait: Duration::from_secs(30) }
    }
}

/// A database: where it is, and how to connect to it.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its address, with the login.
    pub url: DatabaseUrl,
    /// Options of the connection.
    pub options: ConnectOptions,
}

/// As questions and messages call it.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "database `{}` at `{}`", self.url.database(), self.url.host())
    }
}

/// An open session.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) notices: UnboundedReceiver<Notice>,
    /// The server process that was given the migration lock, if this session took it.
    pub(crate) lock_process: Option<i32>,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Lets the driver work until the client is gone.
    fn drive<S, T>(client: Client, mut driver: tokio_postgres::Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, notices) = mpsc::unbounded_channel();
        let driver = tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |context| driver.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notice(notice) = message {
                    // The receiver is gone when the command is over.
                    let _ = sender.send(notice_of(&notice));
                }
            }
        });
        Self { client, notices, lock_process: None, driver }
    }

    /// PostgreSQL's notices since the last call.
    pub(crate) fn notices(&mut self) -> Vec<Notice> {
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

fn notice_of(said: &DbError) -> Notice {
    let severity = match said.parsed_severity() {
        Some(Severity::Warning) => "warning",
        Some(Severity::Info) => "info",
        Some(Severity::Log) => "log",
        Some(Severity::Debug) => "debug",
        Some(Severity::Notice | Severity::Error | Severity::Fatal | Severity::Panic) | None => {
            "notice"
        }
    };
    Notice { severity, message: said.message().to_owned() }
}

/// Connects, trying again for as long as the options say.
pub(crate) async fn connect(
    database: &Database,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Connection, Error> {
    let Database { url, options } = database;
    let connector = Connector::new(url, options)?;
    let start = Instant::now();
    let mut attempts = 0;
    let mut told = false;
    loop {
        let remaining = options.wait.saturating_sub(start.elapsed());
        let limit = if options.wait.is_zero() {
            url.connect_timeout()
        } else {
            url.connect_timeout().min(remaining.max(FIRST_PAUSE))
        };
        attempts += 1;
        // In a box: a connection is part of many futures.
        let mut attempt = Box::pin(connector.attempt(limit));
        let opened = if let Ok(opened) = timeout(SILENCE, attempt.as_mut()).await {
            opened
        } else {
            if !told {
                let reason = "a suspended compute takes some seconds to wake up".to_owned();
                on_event(Event::Retrying { reason, wait: options.wait.max(limit) });
            }
            told = true;
            attempt.await
        };
        let reason = match opened {
            Ok(opened) => return Ok(opened.connection),
            Err((Failure::Permanent(error), _)) => return Err(error),
            Err((Failure::Transient(reason), _)) => reason,
        };
        let pause = backoff::pause(attempts, FIRST_PAUSE, LONGEST_PAUSE);
        if start.elapsed() + pause >= options.wait {
            return Err(Error::Unreachable {
                address: address(url),
                reason,
                attempts,
                waited: start.elapsed(),
            });
        }
        if !told {
            on_event(Event::Retrying { reason, wait: options.wait });
        }
        told = true;
        sleep(pause).await;
    }
}

/// Host and port as a person writes them.
pub(crate) fn address(url: &DatabaseUrl) -> String {
    if url.host().contains(':') {
        format!("`[{}]:{}`", url.host(), url.port())
    } else {
        format!("`{}:{}`", url.host(), url.port())
    }
}
