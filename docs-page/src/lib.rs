//! The page with the API's documentation, and its OpenAPI document: a component of its own, so that the
//! viewer's two megabytes are not in the one that serves tasks.
//!
//! All files are in the component, and nothing comes from another origin. It has no variables and may
//! not connect anywhere. Start reading at `files.rs`; `host/` has the entry point that Spin calls.

mod answer;
mod files;
mod host;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use responses::{headers, request_id};

/// The whole response to one request.
fn serve(method: &Method, path: &str, request_headers: &HeaderMap) -> Response<Bytes> {
    let started = Instant::now();
    let id = request_id::of(request_headers);
    let mut response = answer::answer(method, path, request_headers, &id);
    headers::complete(response.headers_mut(), &id, Duration::ZERO, started.elapsed());
    response
}
