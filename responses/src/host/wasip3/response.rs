//! Hands responses to the host, spoken to directly: every body is in memory and none has trailers,
//! for which the SDK's conversion would take 20 KB more. And it has no form for a response without a
//! body.

use std::future::Future;

use bytes::Bytes;
use http::{Method, Response};
use spin_sdk::wasip3::http::types::{ErrorCode, Headers, Response as HostResponse};
use spin_sdk::wasip3::wit_bindgen::StreamWriter;
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use super::worker;
use crate::host::{WRITE_LIMIT, conversion};
use crate::time::within;

/// Hosts accept a body of this size in bytes at once, also if the client does not read: they buffer the
/// first piece of a body, which is at least that large. Setting a timer for it would cost more than writing it.
const FIRST_PIECE: usize = 64 * 1024;

/// Converts a response for the host. `afterwards` runs when the host has the whole response, so it
/// cannot delay it.
///
/// Head and body have to reach the host's socket in one write: a second one would wait for the
/// client's delayed acknowledgement, 42 ms, on a connection that is reused. So nothing is done
/// between the head and the write of the whole body, and the (empty) trailers end after the body:
/// otherwise the host would handle them first.
///
/// A response to HEAD has the headers of GET's, its `Content-Length` included, and no body at all. An
/// empty body would not do: the host compares it with `Content-Length` and, over HTTP/2, resets the
/// stream.
pub(super) async fn respond(
    method: &Method,
    response: Response<Bytes>,
    afterwards: impl Future<Output = ()> + 'static,
) -> Result<HostResponse, ErrorCode> {
    let headers = Headers::from_list(&conversion::headers(&response))
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let status = response.status();
    worker::settle().await;
    let (end, trailers) = wit_future::new(|| Ok(None));
    let contents = if conversion::has_body(method, status) {
        let (writer, contents) = wit_stream::new();
        spawn(async move {
            write(writer, response.into_body()).await;
            // Dropped without a value, it has its default: no trailers.
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
