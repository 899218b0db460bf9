//! One attempt to connect, phase by phase.
//!
//! The name is looked up here and the driver is given addresses, so that the two can be timed
//! separately; the driver reports the rest when it asks for TLS (`handshake.rs`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use neon_url::{DatabaseUrl, SslMode};
use rand::seq::SliceRandom as _;
use rustls::ClientConfig;
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::LoadBalanceHosts;

use crate::connect::handshake::Handshakes;
use crate::connect::phases::{ConnectPhase, ConnectPhases, Stopwatch};
use crate::connect::retryable::Failure;
use crate::connect::tls::{TlsReport, tls_config};
use crate::connect::{APPLICATION_NAME, ConnectOptions, Connection, address};
use crate::error::Error;
use crate::error::pg_error::describe;

/// Everything that attempts have in common.
pub(crate) struct Connector {
    config: Config,
    address: String,
    /// Host name and port to look up; `None` for an address or a socket.
    name: Option<(String, u16)>,
    ssl_mode: SslMode,
    /// None where no TLS is used, so that a machine without certificates can use a local database.
    tls: Option<Arc<ClientConfig>>,
}

/// A new session with the duration of each phase.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) phases: ConnectPhases,
    /// Null without TLS.
    pub(crate) tls: Option<TlsReport>,
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
        let is_name = !url.is_unix_socket() && url.host().parse::<IpAddr>().is_err();
        let tls = match url.ssl_mode() {
            SslMode::Disable => None,
            SslMode::Prefer | SslMode::Require => {
                Some(Arc::new(tls_config(options.ca_pem.as_deref())?))
            }
        };
        Ok(Self {
            config,
            address: address(url),
            name: is_name.then(|| (url.host().to_owned(), url.port())),
            ssl_mode: url.ssl_mode(),
            tls,
        })
    }

    /// One attempt, without telling whether another would help; of a failure also the phase.
    pub(crate) async fn connect_once(
        &self,
        limit: Duration,
    ) -> Result<Opened, (Error, ConnectPhase)> {
        let start = Instant::now();
        self.attempt(limit).await.map_err(|(failure, phase)| match failure {
            Failure::Permanent(error) => (error, phase),
            Failure::Transient(reason) => {
                let address = self.address.clone();
                let waited = start.elapsed();
                (Error::Unreachable { address, reason, attempts: 1, waited }, phase)
            }
        })
    }

    /// The database let us in, and then said nothing.
    pub(crate) fn no_answer(&self, limit: Duration) -> Error {
        Error::Unreachable {
            address: self.address.clone(),
            reason: format!("connected, but then no answer within {:.1} s", limit.as_secs_f64()),
            attempts: 1,
            waited: limit,
        }
    }

    /// The driver's own time limit covers the TCP handshake only; `limit` covers all phases.
    pub(super) async fn attempt(&self, limit: Duration) -> Result<Opened, (Failure, ConnectPhase)> {
        let stopwatch = Arc::new(Stopwatch::start());
        let opened = timeout(limit, self.open(&stopwatch)).await;
        let phase = || stopwatch.phase(self.name.is_some(), self.ssl_mode == SslMode::Require);
        match opened {
            Ok(Ok(connection)) => {
                Ok(Opened { connection, phases: stopwatch.finish(), tls: stopwatch.tls() })
            }
            Ok(Err(failure)) => Err((failure, phase())),
            Err(_) => {
                let phase = phase();
                let seconds = limit.as_secs_f64();
                let reason = format!("no answer within {seconds:.1} s, during {phase}");
                Err((Failure::Transient(reason), phase))
            }
        }
    }

    async fn open(&self, stopwatch: &Arc<Stopwatch>) -> Result<Connection, Failure> {
        let Some((name, port)) = &self.name else { return self.dial(stopwatch, None).await };
        let found = lookup_host((name.as_str(), *port)).await;
        let found = found.map_err(|error| Failure::of_lookup(&error, &self.address))?;
        let mut found: Vec<SocketAddr> = found.collect();
        if self.config.get_load_balance_hosts() == LoadBalanceHosts::Random {
            found.shuffle(&mut rand::rng());
        }
        stopwatch.looked_up();

        let mut failure = Failure::Permanent(Error::UnknownHost { address: self.address.clone() });
        for one in found {
            stopwatch.next_address();
            match self.dial(stopwatch, Some(one.ip())).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Everything after the lookup, at `address` or where the connection string says.
    async fn dial(
        &self,
        stopwatch: &Arc<Stopwatch>,
        address: Option<IpAddr>,
    ) -> Result<Connection, Failure> {
        let mut config = self.config.clone();
        if let Some(address) = address {
            config.hostaddr(address);
        }
        let tls = Handshakes { config: self.tls.clone(), stopwatch: Arc::clone(stopwatch) };
        let opened = config.connect(tls).await;
        let (client, connection) = opened.map_err(|error| Failure::of(&error, &self.address))?;
        Ok(Connection::drive(client, connection))
    }
}
