//! Independent variables.

use std::time::Duration;

use super::Load;
use super::origin::Origin;
use super::variables::{Reader, Source};

/// Origins of other pages that may use the API, as browsers write them.
pub(crate) struct CorsOrigins(pub(crate) Vec<String>);

/// Which responses get a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// None.
    Off,
    /// Server errors (5xx).
    Error,
    /// Client errors (4xx) too.
    Warn,
    /// All.
    Info,
}

/// Connections that the operator means the API to use.
pub(crate) struct PoolSize(pub(crate) i64);

/// True if a user's first task creates the user's row.
pub(crate) struct ProvisionUsers(pub(crate) bool);

/// The longest wait for a request's body.
pub(crate) struct RequestTimeout(pub(crate) Duration);

impl Load for CorsOrigins {
    /// Exact origins. There is no pattern: a response to a page says who it is for.
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        let list = reader.text("cors_origins").await.unwrap_or_default();
        let entries = list.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty());
        let parsed: Option<Vec<String>> =
            entries.map(|entry| Origin::parse(entry).map(|origin| origin.to_string())).collect();
        match parsed {
            Some(origins) => Some(Self(origins)),
            None => reader.problems.add(
                "`cors_origins` must be exact origins such as `https://app.example.com`, with commas between them",
            ),
        }
    }
}

impl Load for LogLevel {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        match reader.text("log_level").await.as_deref() {
            None | Some("info") => Some(Self::Info),
            Some("warn") => Some(Self::Warn),
            Some("error") => Some(Self::Error),
            Some("off") => Some(Self::Off),
            Some(_) => reader.problems.add("`log_level` must be `off`, `error`, `warn` or `info`"),
        }
    }
}

impl Load for PoolSize {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        Some(Self(i64::from(reader.number("pool_size", 10, (1, 10_000)).await?)))
    }
}

impl Load for ProvisionUsers {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        match reader.text("provision_users").await.as_deref() {
            None | Some("true") => Some(Self(true)),
            Some("false") => Some(Self(false)),
            Some(_) => reader.problems.add("`provision_users` must be `true` or `false`"),
        }
    }
}

impl Load for RequestTimeout {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        let millis = reader.number("request_timeout_ms", 10_000, (1_000, 60_000)).await?;
        Some(Self(Duration::from_millis(u64::from(millis))))
    }
}
