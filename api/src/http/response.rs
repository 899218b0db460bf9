//! Completes every response: the body of a problem, the headers that the contract promises, and the log
//! line.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderValue, Method, StatusCode};
use responses::problem::Problem;
use serde::Serialize;

use super::cors::CrossOrigin;
use super::request::RequestContext;
use super::route::Route;
use crate::config::{self, LogLevel};
use crate::error::Cause;
use crate::log;

/// The longest method in the log, in bytes; they are ASCII.
const MAX_METHOD_BYTES: usize = 32;

/// A response of this component: its body is in memory.
pub(crate) type Response = http::Response<Bytes>;

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// 200 with a body that is JSON already.
pub(crate) fn json(body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with this document as JSON.
pub(crate) fn document(document: &impl Serialize) -> Response {
    // A document of texts and numbers cannot fail.
    json(serde_json::to_vec(document).unwrap_or_default())
}

/// Makes a response whole, body and headers, and its line for the log.
pub(crate) fn complete(
    context: RequestContext,
    cross_origin: &CrossOrigin,
    method: Method,
    started: Instant,
    response: Response,
) -> (Response, LogLine) {
    let (mut parts, mut body) = response.into_parts();
    // Caches must not give one origin's answer to another. Independent of the configuration: most
    // requests have no origin, and need not read it.
    let mut vary = "origin";
    if let Some(problem) = parts.extensions.remove::<Problem>() {
        body = problem.render(context.id());
        let media_type = HeaderValue::from_static(context.problem_type());
        parts.headers.insert(CONTENT_TYPE, media_type);
        vary = "accept, origin";
    }
    parts.headers.insert(VARY, HeaderValue::from_static(vary));
    // An answer to HEAD has the length of GET's body, and no body. A 204 and a 304 have neither: a 204
    // must not (RFC 9110, section 8.6), and a 304's would be that of the body that is not sent, over
    // which HTTP/2 clients stumble.
    let never_has_body = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&parts.status);
    if never_has_body {
        parts.headers.remove(CONTENT_LENGTH);
    } else {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    if never_has_body || method == Method::HEAD {
        body = Bytes::new();
    }

    cross_origin.complete(&mut parts.headers);

    let total = started.elapsed();
    let database = context.database_time();
    responses::headers::complete(&mut parts.headers, context.id(), database, total);

    let cause = parts.extensions.remove::<Cause>();
    let log_line = LogLine { context, method, status: parts.status, total, cause };
    (Response::from_parts(parts, body), log_line)
}

/// A request that was answered, for the log.
pub(crate) struct LogLine {
    context: RequestContext,
    method: Method,
    status: StatusCode,
    total: Duration,
    /// Reason of a failure, which the response does not disclose.
    cause: Option<Cause>,
}

/// One request in the log. It has no path, no query, no header and no body: those hold user ids,
/// texts and tokens. All that a client can choose in it is short.
#[derive(Serialize)]
struct LogDocument<'a> {
    time: String,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    method: &'a str,
    /// The route's template; null where no route matched.
    route: Option<&'a str>,
    status: u16,
    total_ms: f64,
    db_ms: f64,
    /// Attempts of a statement after the first one.
    #[serde(skip_serializing_if = "is_zero")]
    retries: u32,
    /// Of the failure, or of the last one that was tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlstate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl LogLine {
    /// Writes the line, if the log level has it.
    pub(crate) async fn write(self) {
        if !config::log_level().await.covers(self.status) {
            return;
        }
        let database = self.context.database().clone();
        let (cause, code) = self.cause.map(|Cause { text, sqlstate }| (text, sqlstate)).unzip();
        let document = LogDocument {
            time: log::time(),
            request_id: self.context.id(),
            trace_id: self.context.trace_id(),
            method: self.method.as_str().get(..MAX_METHOD_BYTES).unwrap_or(self.method.as_str()),
            route: self.context.route().map(Route::template),
            status: self.status.as_u16(),
            total_ms: rounded_millis(self.total),
            db_ms: rounded_millis(database.time),
            retries: database.retries,
            sqlstate: code.flatten().or(database.sqlstate),
            cause,
        };
        log::write(&document);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Milliseconds for JSON, rounded to microseconds.
pub(crate) fn rounded_millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

impl LogLevel {
    /// True if a response of this status is logged.
    fn covers(self, status: StatusCode) -> bool {
        match self {
            Self::Off => false,
            Self::Error => status.is_server_error(),
            Self::Warn => status.is_server_error() || status.is_client_error(),
            Self::Info => true,
        }
    }
}
