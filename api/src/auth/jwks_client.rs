//! Fetches a key set over HTTP: the only connection of the component other than to its
//! database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use responses::time::{pause, within};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use spin_sdk::wasip3::wit_bindgen::StreamResult;
use spin_sdk::wasip3::wit_future;

use super::jwks_cache::Environment;
use super::jwks_record::Record;
use super::jwks_store::JwksStore;
use super::key_set::Unavailable;
use crate::config::{self, RequiredClaims};
use crate::log::{self, one_line};

/// Time limit of a fetch, from the first packet to the last.
const FETCH_LIMIT: Duration = Duration::from_secs(5);

/// Interval at which requests check if the fetch of another one has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Size of a read of the response, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The largest answer, in bytes: those of large providers have some 20 KB.
const MAX_SET_BYTES: usize = 128 * 1024;

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
    async fn fetch(&self) -> Result<String, Unavailable> {
        self.report_unchecked_claims().await;
        let document = within(FETCH_LIMIT, get(&self.url))
            .await
            .ok_or_else(|| Unavailable(format!("no answer within {FETCH_LIMIT:?}")))??;
        String::from_utf8(document).map_err(|_| Unavailable("the answer is not UTF-8".to_owned()))
    }

    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    async fn pause(&self) {
        pause(PAUSE).await;
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

/// One GET. Redirects are not followed: `allowed_outbound_hosts` knows one origin only.
///
/// Spoken to the host directly, because the SDK's way through the types of the `http` crate would
/// take 20 KB of the component for this one request.
async fn get(url: &Uri) -> Result<Vec<u8>, Unavailable> {
    let failed = |error: ErrorCode| Unavailable(one_line(&format!("{error:?}")));
    let request = request_for(url).ok_or_else(|| Unavailable("not a URL to ask".to_owned()))?;
    let response = client::send(request).await.map_err(failed)?;
    let status = response.get_status_code();
    if status != 200 {
        return Err(Unavailable(format!("status {status}")));
    }
    // Dropped, it has its default: the body was read successfully.
    let (_, taken) = wit_future::new(|| Ok(()));
    let (mut body, end) = Response::consume_body(response, taken);
    let mut bytes = Vec::new();
    loop {
        let (result, read) = body.read(Vec::with_capacity(READ_BYTES)).await;
        bytes.extend(read);
        if bytes.len() > MAX_SET_BYTES {
            return Err(Unavailable(format!("more than {MAX_SET_BYTES} bytes")));
        }
        // After the end, another read would be a trap.
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
    }
    // Tells a body that was cut off from one that is complete.
    end.await.map_err(failed)?;
    Ok(bytes)
}

fn request_for(url: &Uri) -> Option<Request> {
    let headers = Fields::from_list(&[
        ("accept".to_owned(), b"application/jwk-set+json, application/json".to_vec()),
        ("user-agent".to_owned(), concat!("taskie/", env!("CARGO_PKG_VERSION")).into()),
    ])
    .ok()?;
    // Dropped, it has its default: no trailers.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, _) = Request::new(headers, None, trailers, None);
    let scheme = if url.scheme_str() == Some("http") { Scheme::Http } else { Scheme::Https };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(url.authority().map(Authority::as_str)).ok()?;
    request.set_path_with_query(url.path_and_query().map(PathAndQuery::as_str)).ok()?;
    Some(request)
}
