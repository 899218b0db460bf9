//! The host by WASI 0.2: an instance serves one request, and what it waits for is a pollable.

mod clock;
mod poll;
mod request;
mod response;

use std::future::Future;

use bytes::Bytes;
use futures::future::OptionFuture;
use http::{Request, Response};
use wasi::http::types::{ErrorCode, IncomingRequest, ResponseOutparam};

use super::RequestBody;

pub use self::clock::{wait, wait as time_limit};
pub use self::poll::until;
pub use self::request::BodySource;

/// Serves a request to its end. `answer` gives the response, and what is left to do when the host has it.
pub fn serve<F: Future<Output = ()>>(
    request: &IncomingRequest,
    response: ResponseOutparam,
    answer: impl AsyncFnOnce(Request<&mut RequestBody>) -> (Response<Bytes>, F),
) {
    let Some(request) = request::convert(request) else {
        return ResponseOutparam::set(response, Err(ErrorCode::HttpProtocolError));
    };
    let method = request.method().clone();
    spin_executor::run(async {
        let (head, mut body) = request.into_parts();
        let (answer, afterwards) = answer(Request::from_parts(head, &mut body)).await;
        let discarded = body.discarded_after(answer.status());
        response::send(response, &method, answer).await;
        afterwards.await;
        OptionFuture::from(discarded).await;
    });
}
