//! What travels with one request: its id, the configuration, and the time that the database took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderMap;
use http::request::Parts;

use crate::app::LoadedConfig;
use crate::config::Config;
use crate::db::DbError;
use crate::error::ApiError;

/// The header that carries the request's id, both ways.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// The longest id that is taken over from a caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// Shared by everything that works on one request; put into the request's extensions.
#[derive(Clone)]
pub(crate) struct RequestContext(Arc<Inner>);

struct Inner {
    id: String,
    config: LoadedConfig,
    database_micros: AtomicU64,
}

impl RequestContext {
    /// Takes the caller's request id if it is sane, else makes a new one.
    pub(crate) fn new(headers: &HeaderMap, config: LoadedConfig) -> Self {
        let id = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| is_sane_id(id))
            .map_or_else(new_id, str::to_owned);
        Self(Arc::new(Inner { id, config, database_micros: AtomicU64::new(0) }))
    }

    /// The context that [`crate::app::serve`] gave this request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, ApiError> {
        let missing = || DbError::Unexpected("the request has no context".to_owned());
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing().into())
    }

    /// The id that the response, the log and a problem document carry.
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// The configuration, or the error that names what is wrong with it.
    pub(crate) fn config(&self) -> Result<&Config, ApiError> {
        (*self.0.config).as_ref().map_err(|wrong| ApiError::Misconfigured(wrong.clone()))
    }

    /// The configuration where it is good.
    pub(crate) fn good_config(&self) -> Option<&Config> {
        (*self.0.config).as_ref().ok()
    }

    /// Adds to the time that the request has spent on the database.
    pub(crate) fn add_database_time(&self, elapsed: Duration) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.0.database_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// The time spent on the database so far.
    pub(crate) fn database_time(&self) -> Duration {
        Duration::from_micros(self.0.database_micros.load(Ordering::Relaxed))
    }
}

/// Letters, digits and the punctuation of UUIDs, ULIDs and trace ids: nothing that could break a
/// log line or a header.
fn is_sane_id(id: &str) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

/// 128 random bits in hexadecimal. Without a source of randomness the id is zeros, which is still
/// an id: it is no secret.
fn new_id() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::{is_sane_id, new_id};

    #[test]
    fn an_id_with_spaces_control_characters_or_too_many_bytes_is_not_sane() {
        for (label, id, sane) in [
            ("uuid", "5c4f8f0e-6d0b-4a54-8d3f-0b8a7f1f3a55", true),
            ("aws trace id", "Root=1-67891233-abcdef012345678912345678", true),
            ("longest", &"x".repeat(128), true),
            ("too long", &"x".repeat(129), false),
            ("empty", "", false),
            ("space", "a b", false),
            ("line break", "a\nb", false),
            ("quote", "a\"b", false),
            ("not ASCII", "é", false),
        ] {
            assert_eq!(is_sane_id(id), sane, "{label}");
        }
    }

    #[test]
    fn new_ids_differ_and_are_sane() {
        assert_ne!(new_id(), new_id());
        assert!(is_sane_id(&new_id()));
    }
}
