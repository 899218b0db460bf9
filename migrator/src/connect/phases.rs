//! The phases of a connection and their durations.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::connect::tls::TlsReport;

/// Phases of connecting, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectPhase {
    /// Lookup of the host's name.
    Dns,
    /// The TCP connection, or that to a Unix socket.
    Tcp,
    /// PostgreSQL is asked for TLS, and hands are shaken.
    Tls,
    /// From the startup message until the session is ready for a query.
    Auth,
}

impl fmt::Display for ConnectPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "the name lookup",
            Self::Tcp => "the TCP connection",
            Self::Tls => "the TLS handshake",
            Self::Auth => "the login",
        })
    }
}

/// Duration of each phase of one connection, in milliseconds. Null for a phase that it did not have: no
/// lookup of an address or a socket, no TLS where none is used.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ConnectPhases {
    /// Looking the host's name up.
    pub dns: Option<f64>,
    /// Connecting, by TCP or to a Unix socket; with addresses that did not answer.
    pub tcp: f64,
    /// Asking PostgreSQL for TLS, and shaking hands.
    pub tls: Option<f64>,
    /// From the startup message until the session is ready for a query. Where TLS was asked for and
    /// declined, with that.
    pub auth: f64,
    /// All of it.
    pub total: f64,
}

/// Notes when each phase of one connection ended. Shared with the driver, which calls back.
pub(crate) struct Stopwatch {
    started: Instant,
    laps: Mutex<Laps>,
}

#[derive(Clone, Default)]
struct Laps {
    looked_up: Option<Instant>,
    connected: Option<Instant>,
    /// When the server was asked for TLS, which it then agreed to.
    agreed: bool,
    secured: Option<Instant>,
    tls: Option<TlsReport>,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), laps: Mutex::default() }
    }

    fn note(&self, change: impl FnOnce(&mut Laps)) {
        change(&mut self.laps.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn laps(&self) -> Laps {
        self.laps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn looked_up(&self) {
        self.note(|laps| laps.looked_up = Some(Instant::now()));
    }

    /// Another address is tried: what is known of the one before does not count.
    pub(super) fn next_address(&self) {
        self.note(|laps| *laps = Laps { looked_up: laps.looked_up, ..Laps::default() });
    }

    pub(crate) fn connected(&self) {
        self.note(|laps| laps.connected = Some(Instant::now()));
    }

    /// The server has agreed to TLS.
    pub(crate) fn agreed(&self) {
        self.note(|laps| laps.agreed = true);
    }

    pub(crate) fn secured(&self, report: TlsReport) {
        self.note(|laps| {
            laps.secured = Some(Instant::now());
            laps.tls = Some(report);
        });
    }

    /// The negotiated TLS parameters, if any.
    pub(super) fn tls(&self) -> Option<TlsReport> {
        self.laps().tls
    }

    /// The current phase, or the one in which connecting failed. `looks_up` and `needs_tls` say which
    /// phases there are.
    pub(super) fn phase(&self, looks_up: bool, needs_tls: bool) -> ConnectPhase {
        let laps = self.laps();
        if looks_up && laps.looked_up.is_none() {
            ConnectPhase::Dns
        } else if laps.connected.is_none() {
            ConnectPhase::Tcp
        } else if (needs_tls || laps.agreed) && laps.secured.is_none() {
            ConnectPhase::Tls
        } else {
            ConnectPhase::Auth
        }
    }

    /// The session is ready for a query.
    pub(super) fn finish(&self) -> ConnectPhases {
        let done = Instant::now();
        let laps = self.laps();
        let between = |from: Instant, to: Instant| milliseconds(to.saturating_duration_since(from));
        let looked_up = laps.looked_up.unwrap_or(self.started);
        let connected = laps.connected.unwrap_or(looked_up);
        ConnectPhases {
            dns: laps.looked_up.map(|end| between(self.started, end)),
            tcp: between(looked_up, connected),
            tls: laps.secured.map(|end| between(connected, end)),
            auth: between(laps.secured.unwrap_or(connected), done),
            total: between(self.started, done),
        }
    }
}

/// To the microsecond: more would be noise.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
