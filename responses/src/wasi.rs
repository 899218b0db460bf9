//! Hands responses to the host, spoken to directly: every body is in memory and none has trailers,
//! for which the SDK's conversion would take 20 KB more. And it has no form for a response without a
//! body.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use spin_sdk::wasip3::http::types::{ErrorCode, Headers, Response as HostResponse};
use spin_sdk::wasip3::wit_bindgen::StreamWriter;
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use crate::time::within;

/// How long the host may take to accept a body: a client that reads nothing must not keep the
/// instance. What the host has accepted waits in the host's memory.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// A body of so many bytes is accepted at once, whatever the client does: hosts take the first piece
/// of a body, which is at least that large. Setting a timer for it would cost more than writing it.
const FIRST_PIECE: usize = 64 * 1024;

/// The host's form of a response. `afterwards` runs when the whole response is with the host: nothing
/// that it does can delay the response.
///
/// Head and body have to reach the host's socket in one write: a second one would wait for the
/// client's delayed acknowledgement, 42 ms, on a connection that is reused. So nothing comes between
/// the head and the write of the whole body, and the trailers (there are none) end after the body:
/// had they ended before, the host would turn to them first.
///
/// A response to HEAD has the headers of GET's, its `Content-Length` included, and no body at all. An
/// empty body is another thing: the host holds it against `Content-Length` and, over HTTP/2, breaks
/// the stream off.
pub fn respond(
    method: &Method,
    response: Response<Bytes>,
    afterwards: impl Future<Output = ()> + 'static,
) -> Result<HostResponse, ErrorCode> {
    let headers: Vec<(String, Vec<u8>)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    let headers = Headers::from_list(&headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let status = response.status();
    let has_body = *method != Method::HEAD
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED;
    let (end, trailers) = wit_future::new(|| Ok(None));
    let contents = if has_body {
        let (writer, contents) = wit_stream::new();
        spawn(async move {
            write(writer, response.into_body()).await;
            // Dropped without a value, it stands for its default: no trailers.
            drop(end);
            afterwards.await;
        });
        Some(contents)
    } else {
        drop(end);
        spawn(afterwards);
        None
    };
    let (response, _) = HostResponse::new(headers, contents, trailers);
    response
        .set_status_code(status.as_u16())
        .map_err(|()| ErrorCode::InternalError(Some("unknown status code".to_owned())))?;
    Ok(response)
}

/// Writes a body and ends the stream. A client that hung up or reads nothing gets no more of it; the
/// host ends the connection of one that got less than `Content-Length` says.
async fn write(mut writer: StreamWriter<u8>, body: Bytes) {
    if body.len() <= FIRST_PIECE {
        writer.write_all(body.into()).await;
    } else {
        let _ = within(WRITE_LIMIT, writer.write_all(body.into())).await;
    }
}
