//! The headers that every response carries.

use std::fmt;
use std::time::Duration;

use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::request_id::REQUEST_ID;

/// Adds them; a `Cache-Control` that is there stays. `database` and `total` are what the request
/// took.
pub fn complete(headers: &mut HeaderMap, request_id: &str, database: Duration, total: Duration) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static(REQUEST_ID), id);
    }
    let timing = format!("db;dur={}, total;dur={}", Millis(database), Millis(total));
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        headers.insert(HeaderName::from_static("server-timing"), timing);
    }
}

/// Milliseconds with three digits after the point. Written by hand: the standard library's way to
/// write fractions is 12 KB that nothing else here needs.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03}", micros / 1_000, micros % 1_000)
    }
}
