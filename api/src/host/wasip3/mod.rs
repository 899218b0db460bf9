//! The host by WASI 0.3: one instance serves many requests, also at the same time, and a wait for the host
//! can be given up.

pub(crate) mod http_client;
pub(crate) mod key_value;
pub(crate) mod postgres;
pub(crate) mod variables;

use axum::body::Body;
use spin_sdk::http::Request;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

use crate::http::app;

/// Called by Spin for every request of this instance.
#[spin_sdk::http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let method = request.method().clone();
    let (response, afterwards) = app::serve(request.map(Body::new)).await;
    responses::host::respond(&method, response, afterwards).await
}
