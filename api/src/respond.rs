//! What every response gets before it leaves, whoever made it: a problem's body, the headers that
//! the contract promises, and one line in the log.

use std::io::Write as _;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use responses::problem::{PROBLEM_JSON, Problem};
use serde::Serialize;

use crate::config::LogLevel;
use crate::cors::CrossOrigin;
use crate::error::Cause;
use crate::request::RequestContext;

/// Makes a response whole: body, headers, log line.
pub(crate) async fn complete(
    context: &RequestContext,
    cross_origin: &CrossOrigin,
    method: &Method,
    started: Instant,
    response: Response,
) -> http::Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    let mut body = in_memory(body).await;
    if let Some(problem) = parts.extensions.remove::<Problem>() {
        body = problem.render(context.id());
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        parts.headers.remove(CONTENT_LENGTH);
    }
    // An answer to HEAD has the length of GET's body, which the router noted, and no body. A 304 has
    // neither: the length would be that of the body that is not sent, over which HTTP/2 clients
    // stumble.
    let has_body = *method != Method::HEAD && parts.status != StatusCode::NOT_MODIFIED;
    if parts.status == StatusCode::NOT_MODIFIED {
        parts.headers.remove(CONTENT_LENGTH);
    } else if has_body || !parts.headers.contains_key(CONTENT_LENGTH) {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    if !has_body {
        body = Bytes::new();
    }

    if let Some(config) = context.good_config() {
        cross_origin.allow(&config.cors_origins, &mut parts.headers);
    }

    let total = started.elapsed();
    let database = context.database_time();
    responses::headers::complete(&mut parts.headers, context.id(), database, total);

    let level = context.good_config().map_or(LogLevel::Info, |config| config.log_level);
    if level.covers(parts.status) {
        let cause = parts.extensions.remove::<Cause>();
        LogLine {
            time: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
            request_id: context.id(),
            method: method.as_str(),
            route: context.route(),
            status: parts.status.as_u16(),
            total_ms: rounded_millis(total),
            db_ms: rounded_millis(database),
            cause: cause.as_ref().map(|cause| cause.0.as_str()),
        }
        .write();
    }
    http::Response::from_parts(parts, body)
}

/// A body that this component has made: it has one piece, and reading it cannot fail.
async fn in_memory(mut body: Body) -> Bytes {
    match body.frame().await {
        Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    }
}

/// One request in the log. It has no path, no query, no header and no body: those hold user ids,
/// texts and tokens.
#[derive(Serialize)]
struct LogLine<'a> {
    time: String,
    request_id: &'a str,
    method: &'a str,
    /// The route's template; null where no route matched.
    route: Option<&'a str>,
    status: u16,
    total_ms: f64,
    db_ms: f64,
    /// Why a 5xx was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

impl LogLine<'_> {
    /// Writes the line to standard error at once, so that lines of concurrent requests do not mix.
    /// A log that cannot be written must not end the request: `eprintln!` would panic.
    fn write(&self) {
        if let Ok(mut line) = serde_json::to_vec(self) {
            line.push(b'\n');
            let _ = std::io::stderr().lock().write_all(&line);
        }
    }
}

/// Milliseconds to the microsecond, as they stand in JSON.
pub(crate) fn rounded_millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

impl LogLevel {
    /// Whether a response of this status is logged.
    fn covers(self, status: StatusCode) -> bool {
        match self {
            Self::Off => false,
            Self::Error => status.is_server_error(),
            Self::Warn => status.is_server_error() || status.is_client_error(),
            Self::Info => true,
        }
    }
}
