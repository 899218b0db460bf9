//! The way of a response out of a component, spoken to the host directly: every body is in memory
//! and none has trailers, for which the SDK's way would take 20 KB more. And it has no form for an
//! answer without a body.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use spin_sdk::wasip3::http::types::{ErrorCode, Headers, Response as Answer};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

/// The host's form of a response.
///
/// An answer to HEAD has the headers of GET's, its `Content-Length` included, and no body at all. An
/// empty body is another thing: the host holds it against `Content-Length` and, over HTTP/2, breaks
/// the stream off.
pub fn answer(method: &Method, response: Response<Bytes>) -> Result<Answer, ErrorCode> {
    let headers: Vec<(String, Vec<u8>)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    let headers = Headers::from_list(&headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let status = response.status();
    let has_body = *method != Method::HEAD && status != StatusCode::NOT_MODIFIED;
    let contents = has_body.then(|| {
        let (mut writer, contents) = wit_stream::new();
        // The host reads it when the response has gone out. It may also not: the client hung up.
        spawn(async move {
            writer.write_all(response.into_body().into()).await;
        });
        contents
    });
    // The dropped end stands for its default: no trailers.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (answer, _) = Answer::new(headers, contents, trailers);
    answer
        .set_status_code(status.as_u16())
        .map_err(|()| ErrorCode::InternalError(Some("unknown status code".to_owned())))?;
    Ok(answer)
}
