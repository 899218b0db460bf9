//! The host by WASI 0.3: one instance serves many requests, also at the same time, and a wait for the host
//! can be given up.

pub(crate) mod http_client;
pub(crate) mod key_value;
pub(crate) mod postgres;
pub(crate) mod variables;

use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

use crate::http::app;

/// Called by Spin for every request of this instance.
struct Component;

spin_sdk::wasip3::http::service::export!(Component);

impl Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        responses::host::serve(request, app::serve).await
    }
}
