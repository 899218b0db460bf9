//! Cross-origin requests (the Fetch standard): which pages of other origins may use the API.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

use crate::config::{self, CorsOrigins};

/// What a page may send besides what it always may.
const REQUEST_HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, if-none-match, x-request-id";

/// What a page may read of an answer besides what it always may.
const RESPONSE_HEADERS: &str = "etag, idempotency-replayed, link, location, retry-after, \
                                server-timing, www-authenticate, x-request-id";

/// For how long a browser may keep the answer to a preflight, in seconds; browsers take less.
const MAX_AGE: &str = "86400";

/// What a request says about the page that it comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrossOrigin {
    /// The page's origin, if it is one of the configured ones.
    origin: Option<HeaderValue>,
    is_preflight: bool,
}

impl CrossOrigin {
    /// Reads the headers, and the configuration only for a request that has an origin. A preflight
    /// asks, before a request, whether it may be made.
    pub(crate) async fn of(method: &Method, headers: &HeaderMap) -> Self {
        let Some(origin) = headers.get(ORIGIN) else { return Self::default() };
        let Ok(CorsOrigins(allowed)) = config::cors_origins().await else { return Self::default() };
        let is_allowed = allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
        Self {
            origin: is_allowed.then(|| origin.clone()),
            is_preflight: *method == Method::OPTIONS
                && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// Adds to an answer what lets a page of one of the configured origins have it. Pages of other
    /// origins get the answer without, and their browsers keep it from them.
    pub(crate) fn complete(&self, headers: &mut HeaderMap) {
        // Caches must not give one origin's answer to another. Said whatever is configured: most
        // requests have no origin, and need not read the configuration for this.
        headers.append(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = &self.origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        // Nothing here uses cookies; the pages of the predecessor say `credentials: "include"`.
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if self.is_preflight {
            if let Some(methods) = headers.get(ALLOW).cloned() {
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            }
            let request_headers = HeaderValue::from_static(REQUEST_HEADERS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, request_headers);
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
            headers.append(
                VARY,
                HeaderValue::from_static(
                    "access-control-request-method, access-control-request-headers",
                ),
            );
        } else {
            let response_headers = HeaderValue::from_static(RESPONSE_HEADERS);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, response_headers);
        }
    }
}
