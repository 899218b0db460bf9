//! Decides if a failed attempt to connect is retryable.

use std::error::Error as _;
use std::io;

use neon_url::NeonRefusal;
use tokio_postgres::error::SqlState;

use crate::error::Error;
use crate::error::pg_error::{describe, describe_io};

/// The result of one attempt that failed.
pub(super) enum Failure {
    /// Trying again may help: refused, timed out, starting up, out of connections.
    Transient(String),
    Permanent(Error),
}

impl Failure {
    /// The driver could not connect to `address`.
    pub(super) fn of(error: &tokio_postgres::Error, address: &str) -> Self {
        let address = address.to_owned();
        let reason = describe(error);
        if let Some(code) = error.code() {
            // Neon's proxy has the same codes for what passes and for what does not.
            let is_permanent =
                NeonRefusal::of(&reason).map_or(!may_pass(code), NeonRefusal::is_permanent);
            return if is_permanent {
                let sqlstate = Some(code.code().to_owned());
                Self::Permanent(Error::Refused { address, reason, sqlstate })
            } else {
                Self::Transient(reason)
            };
        }
        match io_error(error) {
            Some(cause) if is_tls_error(cause) => Self::Permanent(Error::Tls { address, reason }),
            // Anything else that the network says may be over in a moment.
            Some(_) => Self::Transient(reason),
            None if error.is_closed() => Self::Transient(reason),
            // The driver reports these cases as texts only.
            None if reason == "server does not support TLS" => {
                Self::Permanent(Error::NoTls { address })
            }
            None if error.to_string().contains("TLS") => {
                Self::Permanent(Error::Tls { address, reason })
            }
            None => Self::Permanent(Error::Refused { address, reason, sqlstate: None }),
        }
    }

    /// The host of `address` has no address on the network.
    pub(super) fn of_lookup(error: &io::Error, address: &str) -> Self {
        if is_unknown_host(error) {
            Self::Permanent(Error::UnknownHost { address: address.to_owned() })
        } else {
            Self::Transient(describe_io(error))
        }
    }
}

/// True if the server may accept the connection a moment later.
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

/// True if the resolver knows that there is no such host; false if it got no answer.
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
