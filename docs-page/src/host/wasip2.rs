//! The entry point by WASI 0.2.

use responses::host;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

/// Called by the host for its one request.
struct Component;

wasi::http::proxy::export!(Component);

impl Guest for Component {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        host::serve(&request, response, async |request| {
            let answer = crate::serve(request.method(), request.uri().path(), request.headers());
            (answer, std::future::ready(()))
        });
    }
}
