//! The host by WASI 0.2: an instance serves one request, and what it waits for is a pollable.

mod clock;
mod poll;
mod request;
mod response;

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use wasi::http::types::{ErrorCode, IncomingRequest, ResponseOutparam};

pub use self::clock::{wait, wait as time_limit};
pub use self::poll::until;
pub use self::request::RequestBody;

/// Serves a request to its end. `answer` gives the response, and what is left to do when the host has it.
pub fn serve<F: Future<Output = ()>>(
    request: &IncomingRequest,
    response: ResponseOutparam,
    answer: impl AsyncFnOnce(Request<RequestBody>) -> (Response<Bytes>, F),
) {
    let Some(request) = request::convert(request) else {
        return ResponseOutparam::set(response, Err(ErrorCode::HttpProtocolError));
    };
    let method = request.method().clone();
    spin_executor::run(async {
        let (answer, afterwards) = answer(request).await;
        response::send(response, &method, answer).await;
        afterwards.await;
    });
}
