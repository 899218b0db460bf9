//! The database: the variables `database_…`.

use std::str::FromStr;
use std::time::Duration;

use neon_url::DatabaseUrl;

use super::Load;
use super::problems::Problems;
use super::variables::{Reader, Source};
use crate::host::postgres;

/// The longest `database_timeout_ms`.
const MAX_TIMEOUT_MS: u16 = 30_000;

/// The longest time to connect, whatever `connect_timeout` in `database_url` says.
const MAX_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The server gives up a statement this part of the time before the component does, in tenths: then
/// the connection is free again, and nothing is left running.
const SERVER_TENTHS: u32 = 9;

/// The database, and how long to wait for it.
pub(crate) struct DatabaseConfig {
    /// The database.
    pub(crate) url: DatabaseUrl,
    /// The same as the host takes it, password included, with the host's own limit on connecting, and with
    /// the server's on statements where it takes one.
    pub(crate) address: String,
    /// The same without a limit on statements.
    pub(crate) plain_address: String,
    /// PEM text of a private certificate authority.
    pub(crate) ca: Option<String>,
    /// The longest wait for a connection: `connect_timeout` in `database_url`, 10 s by default, because a
    /// suspended compute has to wake up.
    pub(crate) connect_timeout: Duration,
    /// The longest wait for the answer to a statement.
    pub(crate) timeout: Duration,
}

impl Load for DatabaseConfig {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        let url = load_url(reader).await;
        let ca = reader.text("database_ca").await;
        if ca.is_some() && !postgres::TAKES_CA {
            reader.problems.note(
                "`database_ca` must be empty: a component that is built for WASI 0.2 cannot pass a certificate on",
            );
        } else if ca.as_deref().is_some_and(|pem| !looks_like_pem(pem)) {
            reader.problems.note("`database_ca` must hold a PEM certificate");
        }
        let timeout = reader.number("database_timeout_ms", 5_000, (1, MAX_TIMEOUT_MS)).await?;
        let timeout = Duration::from_millis(u64::from(timeout));
        let url = url?.with_connect_timeout(MAX_CONNECT_TIMEOUT);
        let server_timeout = timeout * SERVER_TENTHS / 10;
        Some(Self {
            address: url.with_statement_timeout(server_timeout).to_connection_string(),
            plain_address: url.to_connection_string(),
            connect_timeout: url.connect_timeout(),
            url,
            ca,
            timeout,
        })
    }
}

/// `database_url`, led to the pooled endpoint where it is Neon's.
pub(super) async fn load_url<S: Source>(reader: &mut Reader<S>) -> Option<DatabaseUrl> {
    let text = reader.text("database_url").await;
    parse_url(text.as_deref(), &mut reader.problems)
}

fn parse_url(text: Option<&str>, problems: &mut Problems) -> Option<DatabaseUrl> {
    match text.map(DatabaseUrl::from_str) {
        None => problems.add("`database_url` is not set"),
        Some(Err(error)) => problems.add(format!("`database_url` is not usable: {error}")),
        Some(Ok(url)) if url.is_unix_socket() => {
            problems.add("`database_url` names a Unix socket; a component can only use TCP")
        }
        Some(Ok(url)) => Some(url.pooled()),
    }
}

/// True for PEM markers around base64 of a DER sequence, which begins with `MI` for any length. The host
/// parses the rest.
fn looks_like_pem(text: &str) -> bool {
    let body = text
        .split_once("-----BEGIN CERTIFICATE-----")
        .and_then(|(_, rest)| rest.split_once("-----END CERTIFICATE-----"))
        .map(|(body, _)| body.trim());
    body.is_some_and(|body| {
        body.starts_with("MI")
            && body.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=".contains(&byte)
            })
    })
}
