//! The host by WASI 0.2: an instance serves one request, and calls to the host block. Of all that is waited
//! for, only bodies, timers and other servers can be given up.
#![expect(clippy::unused_async, reason = "the functions are those of WASI 0.3, whose calls wait")]

pub(crate) mod http_client;
pub(crate) mod key_value;
pub(crate) mod postgres;
pub(crate) mod variables;

use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::http::app;

/// Called by the host for its one request.
struct Component;

wasi::http::proxy::export!(Component);

impl Guest for Component {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        responses::host::serve(&request, response, app::serve);
    }
}
