//! Fetches a key set over HTTP: the only connection of the component other than to its
//! database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Uri;
use responses::time::{pause, within};

use super::jwks_cache::Environment;
use super::jwks_record::Record;
use super::jwks_store::JwksStore;
use super::key_set::Unavailable;
use crate::config::{self, RequiredClaims};
use crate::host::http_client;
use crate::log::{self, one_line};

/// Time limit of a fetch, from the first packet to the last.
const FETCH_LIMIT: Duration = Duration::from_secs(5);

/// The largest answer, in bytes: those of large providers have some 20 KB.
const MAX_SET_BYTES: usize = 128 * 1024;

/// Headers of a fetch.
const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/jwk-set+json, application/json"),
    ("user-agent", concat!("taskie/", env!("CARGO_PKG_VERSION"))),
];

/// The issuer's server at one URL, and what the host offers besides.
pub(crate) struct JwksClient {
    url: Uri,
    store: JwksStore,
    /// True once the log has the warning about unchecked claims.
    reported: AtomicBool,
}

impl JwksClient {
    pub(crate) fn new(url: Uri) -> Self {
        Self { store: JwksStore::new(url.to_string()), url, reported: AtomicBool::new(false) }
    }

    /// Warns in the log, once, that tokens for other applications of the issuer are accepted. The instance
    /// that fetches warns for all that share the keys.
    async fn report_unchecked_claims(&self) {
        let Ok(RequiredClaims { issuer, audience }) = config::required_claims().await else {
            return;
        };
        let missing = match (issuer, audience) {
            (Some(_), Some(_)) => return,
            (None, Some(_)) => "`jwt_issuer` is",
            (Some(_), None) => "`jwt_audience` is",
            (None, None) => "`jwt_issuer` and `jwt_audience` are",
        };
        if !self.reported.swap(true, Ordering::Relaxed) {
            let warning = "not set: tokens that the key set's issuer signs for other applications are accepted";
            log::warn(&[missing, warning].join(" ")).await;
        }
    }
}

impl Environment for JwksClient {
    /// One request: redirects are not followed, because `allowed_outbound_hosts` has one origin only.
    async fn fetch(&self) -> Result<String, Unavailable> {
        self.report_unchecked_claims().await;
        let document = within(FETCH_LIMIT, http_client::get(&self.url, HEADERS, MAX_SET_BYTES))
            .await
            .ok_or_else(|| Unavailable(format!("no answer within {FETCH_LIMIT:?}")))?
            .map_err(|error| Unavailable(one_line(&error)))?;
        String::from_utf8(document).map_err(|_| Unavailable("the answer is not UTF-8".to_owned()))
    }

    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    async fn pause(&self, duration: Duration) {
        pause(duration).await;
    }

    async fn load(&self) -> Record {
        self.store.load().await
    }

    async fn update(&self, change: impl Fn(&mut Record) -> bool + Send + Sync) -> bool {
        self.store.update(change).await
    }

    async fn warn(&self, warning: String) {
        log::warn(&warning).await;
    }
}
