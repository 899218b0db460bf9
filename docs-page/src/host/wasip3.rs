//! The entry point by WASI 0.3.

use spin_sdk::http::Request;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

/// Called by Spin for every request of this instance.
#[spin_sdk::http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let response = crate::serve(request.method(), request.uri().path(), request.headers());
    responses::host::respond(request.method(), response, std::future::ready(())).await
}
