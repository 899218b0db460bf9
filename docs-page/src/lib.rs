//! The page with the API's documentation, and its OpenAPI document: a component of its own, so that the
//! viewer's two megabytes are not in the one that serves tasks.
//!
//! All files are in the component, and nothing comes from another origin. It has no variables and may
//! not connect anywhere. Start reading at `files.rs`.

mod answer;
mod files;

use std::time::{Duration, Instant};

use responses::{headers, request_id, wasi};
use spin_sdk::http::Request;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

/// Entry point that Spin calls for every request of this instance.
#[spin_sdk::http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let started = Instant::now();
    let id = request_id::of(request.headers());
    let path = request.uri().path();
    let mut response = answer::answer(request.method(), path, request.headers(), &id);
    headers::complete(response.headers_mut(), &id, Duration::ZERO, started.elapsed());
    wasi::respond(request.method(), response, std::future::ready(()))
}
