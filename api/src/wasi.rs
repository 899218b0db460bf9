//! The way of a response out of the component, for the one case that the SDK has no form for.

use bytes::Bytes;
use http_body_util::Full;
use spin_sdk::http::IntoResponse;
use spin_sdk::wasip3::http::types::{ErrorCode, Headers, Response};
use spin_sdk::wasip3::wit_future;

/// A response whose body the client is to get.
pub(crate) fn with_body(response: http::Response<Full<Bytes>>) -> Result<Response, ErrorCode> {
    response.into_response()
}

/// The answer to HEAD: the headers of GET's answer, its `Content-Length` included, and no body at
/// all. An empty body is another thing: the host holds it against `Content-Length` and, over HTTP/2,
/// breaks the stream off.
pub(crate) fn without_body(response: &http::Response<Full<Bytes>>) -> Result<Response, ErrorCode> {
    let headers: Vec<(String, Vec<u8>)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    let headers = Headers::from_list(&headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    // The dropped end stands for its default: no trailers.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (answer, _) = Response::new(headers, None, trailers);
    answer
        .set_status_code(response.status().as_u16())
        .map_err(|()| ErrorCode::InternalError(Some("unknown status code".to_owned())))?;
    Ok(answer)
}
