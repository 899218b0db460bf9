//! The way of a request through an instance.
//!
//! One instance serves many requests, also at the same time: nothing of a request is kept here.

use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use responses::worker;

use super::cors::CrossOrigin;
use super::request::RequestContext;
use super::response::{self, LogLine};
use super::router;

/// Answers one request. Every response passes through here. The log line, if it was not written yet, must
/// be written after the response.
pub(crate) async fn serve(mut request: Request<Body>) -> (http::Response<Bytes>, Option<LogLine>) {
    let started = Instant::now();
    let context = RequestContext::new(request.uri(), request.headers());
    let cross_origin = CrossOrigin::of(request.method(), request.headers()).await;
    let method = request.method().clone();
    request.extensions_mut().insert(context.clone());
    let answer = router::answer(context.route(), request).await;
    let (response, log_line) =
        response::complete(context, &cross_origin, method, started, answer).await;
    // The log line of a failure is written before the response: it must not get lost.
    let log_line = if response.status().is_server_error() {
        log_line.write().await;
        None
    } else {
        Some(log_line)
    };
    worker::settle().await;
    (response, log_line)
}
