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

pub use self::clock::{time_limit, wait};
pub use self::request::RequestBody;

/// Serves a request. `answer` gives the response, and what is left to do when the host has it.
///
/// # Errors
///
/// When the request or the response cannot be converted.
pub async fn serve<F: Future<Output = ()> + 'static>(
    request: HostRequest,
    answer: impl AsyncFnOnce(Request<RequestBody>) -> (Response<Bytes>, F),
) -> Result<HostResponse, ErrorCode> {
    let request = request::convert(request).ok_or(ErrorCode::HttpProtocolError)?;
    let method = request.method().clone();
    let (response, afterwards) = answer(request).await;
    response::respond(&method, response, afterwards).await
}
