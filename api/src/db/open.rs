//! Takes a connection from the host's pool. The host sets no limit on the wait for one, so the deadline is
//! ours.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{Either, pending, select};
use responses::time::within;

use super::error::DbError;
use crate::config::DatabaseConfig;
use crate::host::postgres::Connection;
use crate::log::one_line;
use crate::single_flight::SingleFlight;

/// Time after which others are tried too for a connection that is not there yet.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Time for the first of the others; each further one has twice as much.
const OTHER: Duration = Duration::from_millis(500);

/// One request of an instance at a time tries others: where the server is slow because it has much to do,
/// all of them together would give it twice as much.
static OTHERS: SingleFlight = SingleFlight::new();

/// True once a pooler refused a connection with the statement timeout.
static REFUSES_SETTINGS: AtomicBool = AtomicBool::new(false);

/// Opens a connection that has the server's limit on statements; without it where a pooler is in
/// between that takes no settings.
pub(super) async fn open(config: &DatabaseConfig) -> Result<Connection, DbError> {
    if !REFUSES_SETTINGS.load(Ordering::Relaxed) {
        match open_at(&config.address, config).await {
            Err(DbError::Unavailable(text)) if refuses_settings(&text) => {
                REFUSES_SETTINGS.store(true, Ordering::Relaxed);
            }
            opened => return opened,
        }
    }
    open_at(&config.plain_address, config).await
}

/// True for what a pooler says that takes no settings with a connection: PgBouncer and Neon, and RDS Proxy.
fn refuses_settings(text: &str) -> bool {
    text.contains("startup parameter") || text.contains("command-line options")
}

/// Goes on with the opening of a connection, until the deadline.
///
/// The host may have taken a connection out of its pool on which nothing answers any more, and wait for it
/// without a limit; what is given up leaves the pool. So others are tried meanwhile. The first attempt goes
/// on: it has a place in the queue where all connections are in use, and a server may just be slow.
pub(super) async fn open_late(
    mut first: Pin<&mut impl Future<Output = Result<Connection, DbError>>>,
    config: &DatabaseConfig,
    deadline: Instant,
) -> Result<Connection, DbError> {
    let mut patience = OTHER;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let limit = config.connect_timeout;
            return Err(DbError::Unavailable(format!("none was to be had within {limit:?}")));
        }
        let permit = OTHERS.try_acquire();
        let other = async { if permit.is_some() { open(config).await } else { pending().await } };
        match select(first.as_mut(), pin!(within(patience.min(left), other))).await {
            Either::Left((opened, _)) | Either::Right((Some(opened), _)) => return opened,
            Either::Right((None, _)) => patience *= 2,
        }
    }
}

async fn open_at(address: &str, config: &DatabaseConfig) -> Result<Connection, DbError> {
    let opened = Connection::open(address, config.ca.as_deref()).await;
    opened.map_err(|text| DbError::Unavailable(printable(&text, config)))
}

/// A host's text for the log: one line without secrets.
pub(super) fn printable(text: &str, config: &DatabaseConfig) -> String {
    let text = text.replace(&config.address, "***").replace(&config.plain_address, "***");
    match config.url.password() {
        Some(password) if !password.is_empty() => one_line(&text.replace(password, "***")),
        _ => one_line(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::refuses_settings;

    #[test]
    fn a_pooler_that_takes_no_settings_is_recognised() {
        for text in [
            "FATAL: unsupported startup parameter: options",
            "ERROR: unsupported startup parameter in options: statement_timeout. Please use unpooled connection",
            "FATAL: Feature not supported: RDS Proxy currently doesn\u{2019}t support command-line options.",
        ] {
            assert!(refuses_settings(text), "{text}");
        }
        assert!(!refuses_settings("FATAL: too many connections for role \"taskie\""));
    }
}
