//! The entry point by WASI 0.3.

use responses::host;
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

/// Called by Spin for every request of this instance.
struct Component;

spin_sdk::wasip3::http::service::export!(Component);

impl Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        host::serve(request, async |request| {
            let answer = crate::serve(request.method(), request.uri().path(), request.headers());
            (answer, std::future::ready(()))
        })
        .await
    }
}
