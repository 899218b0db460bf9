//! The host by WASI 0.3.

mod clock;
mod request;
mod response;
mod unsent;
mod waits;
pub mod worker;

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use spin_sdk::wasip3::http::types::{ErrorCode, Request as HostRequest, Response as HostResponse};

use super::RequestBody;

pub use self::clock::{time_limit, wait};
pub use self::request::BodySource;

/// Serves a request. `answer` gives the response, and what is left to do when the host has it.
///
/// # Errors
///
/// When the request or the response cannot be converted.
pub async fn serve<F: Future<Output = ()> + 'static>(
    request: HostRequest,
    answer: impl AsyncFnOnce(Request<&mut RequestBody>) -> (Response<Bytes>, F),
) -> Result<HostResponse, ErrorCode> {
    let request = request::convert(request).ok_or(ErrorCode::HttpProtocolError)?;
    let method = request.method().clone();
    let (head, mut body) = request.into_parts();
    let (response, afterwards) = answer(Request::from_parts(head, &mut body)).await;
    let discarded = body.discarded_after(response.status());
    response::respond(&method, response, afterwards, discarded).await
}
