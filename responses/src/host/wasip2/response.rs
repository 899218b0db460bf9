//! A response on its way out.

use bytes::Bytes;
use http::{Method, Response};
use wasi::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::{OutputStream, StreamError};

use super::poll::until;
use crate::host::{WRITE_LIMIT, conversion, next_piece};
use crate::time::within;

/// Hands a response to the host, which has all of it afterwards, unless the client has not read it.
///
/// Head and body have to reach the host's socket in one write: a second one would wait for the client's
/// delayed acknowledgement, 42 ms, on a connection that is reused. So the body, or as much of a large one as the host
/// takes at once (two pieces), is written before the host gets the head.
///
/// A response to HEAD has the headers of GET's, its `Content-Length` included, and no body at all: the host
/// compares an empty one with `Content-Length`.
pub(super) async fn send(to: ResponseOutparam, method: &Method, response: Response<Bytes>) {
    match head(&response) {
        Ok(head) if conversion::has_body(method, response.status()) => {
            send_whole(to, head, response.into_body()).await;
        }
        head => ResponseOutparam::set(to, head),
    }
}

fn head(response: &Response<Bytes>) -> Result<OutgoingResponse, ErrorCode> {
    let headers = Fields::from_list(&conversion::headers(response))
        .map_err(|error| failure(error.to_string()))?;
    let head = OutgoingResponse::new(headers);
    head.set_status_code(response.status().as_u16())
        .map_err(|()| failure("unknown status code".to_owned()))?;
    Ok(head)
}

fn failure(text: String) -> ErrorCode {
    ErrorCode::InternalError(Some(text))
}

async fn send_whole(to: ResponseOutparam, head: OutgoingResponse, bytes: Bytes) {
    let Ok(body) = head.body() else { return refuse(to) };
    let Ok(stream) = body.write() else { return refuse(to) };
    let Ok(rest) = write_at_once(&stream, &bytes) else { return refuse(to) };
    if rest.is_empty() {
        // The end of the body, before the head.
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
        ResponseOutparam::set(to, Ok(head));
        return;
    }
    ResponseOutparam::set(to, Ok(head));
    let is_written = write(&stream, rest).await;
    drop(stream);
    // Dropped unfinished, the host ends the connection: a client that hung up or reads nothing got less than
    // `Content-Length` says.
    if is_written {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn refuse(to: ResponseOutparam) {
    ResponseOutparam::set(to, Err(failure("the body cannot be written".to_owned())));
}

/// Writes what the host takes without waiting, and gives the rest.
fn write_at_once<'a>(stream: &OutputStream, mut bytes: &'a [u8]) -> Result<&'a [u8], StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            break;
        }
        let (now, rest) = bytes.split_at(room.min(next_piece(bytes.len())));
        stream.write(now)?;
        bytes = rest;
    }
    Ok(bytes)
}

/// Writes the rest as the client reads it. False if it hung up, or read nothing for so long as [`WRITE_LIMIT`].
async fn write(stream: &OutputStream, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let progress = || match write_at_once(stream, bytes) {
            Ok(rest) if rest.len() == bytes.len() => None,
            written => Some(written),
        };
        match within(WRITE_LIMIT, until(progress, || stream.subscribe())).await {
            Some(Ok(rest)) => bytes = rest,
            _ => return false,
        }
    }
    true
}
