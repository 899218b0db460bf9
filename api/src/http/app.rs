//! The way of a request through an instance.
//!
//! One instance serves many requests, also at the same time: nothing of a request is kept here.

use std::time::Instant;

use http::Request;
use responses::host::RequestBody;

use super::cors::CrossOrigin;
use super::request::RequestContext;
use super::{response, router};
use crate::auth;

/// Answers one request. Every response passes through here. The future is what is left to do when the
/// host has the response.
pub(crate) async fn serve(
    request: Request<&mut RequestBody>,
) -> (response::Response, impl Future<Output = ()> + 'static + use<>) {
    let started = Instant::now();
    let context = RequestContext::new(request.uri(), request.headers());
    let cross_origin = CrossOrigin::of(request.method(), request.headers()).await;
    let method = request.method().clone();
    let answer = router::answer(&context, request).await;
    let (response, log_line) = response::complete(context, &cross_origin, method, started, answer);
    // The log line of a failure is written before the response: it must not get lost.
    let log_line = if response.status().is_server_error() {
        log_line.write().await;
        None
    } else {
        Some(log_line)
    };
    let afterwards = async move {
        if let Some(log_line) = log_line {
            log_line.write().await;
        }
        auth::refresh_keys().await;
    };
    (response, afterwards)
}
