//! Hands responses to the host, spoken to directly: every body is in memory and none has trailers,
//! for which the SDK's conversion would take 20 KB more. And it has no form for a response without a
//! body.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Instant;

use bytes::Bytes;
use futures::future::{LocalBoxFuture, OptionFuture, join};
use http::{Method, Response};
use spin_sdk::wasip3::http::types::{ErrorCode, Headers, Response as HostResponse};
use spin_sdk::wasip3::wit_bindgen::StreamWriter;
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use super::unsent::Unsent;
use super::{clock, worker};
use crate::host::{WRITE_LIMIT, conversion, next_piece};
use crate::time::within;

/// Converts a response for the host. `afterwards` runs when the host has the response, or the first piece of a
/// large one, so it cannot delay it; then what is left of the request's body is `discarded`. Two futures, because one that
/// contains both would have to be copied.
///
/// Head and body have to reach the host's socket in one write: a second one would wait for the
/// client's delayed acknowledgement, 42 ms, on a connection that is reused. So nothing is done
/// between the head and the write of the body, and the (empty) trailers end after the body:
/// otherwise the host would handle them first.
///
/// A response to HEAD has the headers of GET's, its `Content-Length` included, and no body at all. An
/// empty body would not do: the host compares it with `Content-Length` and, over HTTP/2, resets the
/// stream.
pub(super) async fn respond(
    method: &Method,
    response: Response<Bytes>,
    afterwards: impl Future<Output = ()> + 'static,
    discarded: Option<LocalBoxFuture<'static, ()>>,
) -> Result<HostResponse, ErrorCode> {
    let headers = Headers::from_list(&conversion::headers(&response))
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let status = response.status();
    worker::settle().await;
    let (end, trailers) = wit_future::new(|| Ok(None));
    let contents = if conversion::has_body(method, status) {
        let (mut writer, contents) = wit_stream::new();
        let mut body = response.into_body();
        // Here, because it may be a copy: the head has to wait for it.
        let first = split_piece(&mut body);
        spawn(async move {
            // Without a time limit: the host accepts the first piece at once, also if the client does not read.
            let left = writer.write_all(first).await;
            // To write to a client that has gone would end the instance.
            if !left.is_empty() {
                body.clear();
            }
            let rest = async {
                match write_rest(writer, body).await {
                    // Dropped without a value, it has its default: no trailers.
                    Ok(()) => drop(end),
                    // Over HTTP/2, the response would else end as if it were whole.
                    Err(unread) => drop(end.write(Err(unread)).await),
                }
            };
            join(rest, afterwards).await;
            OptionFuture::from(discarded).await;
            clock::watch().await;
        });
        Some(contents)
    } else {
        drop(end);
        spawn(async move {
            afterwards.await;
            OptionFuture::from(discarded).await;
            clock::watch().await;
        });
        None
    };
    let (response, _) = HostResponse::new(headers, contents, trailers);
    response
        .set_status_code(status.as_u16())
        .map_err(|()| ErrorCode::InternalError(Some("unknown status code".to_owned())))?;
    Ok(response)
}

/// Takes the next piece off a body.
fn split_piece(body: &mut Bytes) -> Vec<u8> {
    body.split_to(next_piece(body.len())).into()
}

/// Writes what is left of a large body and ends the stream. The host takes a piece as the client reads; it would
/// take any size at once and keep it in its memory. A client that hung up gets no more, nor does one that reads
/// nothing for so long as [`WRITE_LIMIT`], which is the error.
async fn write_rest(mut writer: StreamWriter<u8>, mut body: Bytes) -> Result<(), ErrorCode> {
    if body.is_empty() {
        return Ok(());
    }
    let _unsent = Unsent::new();
    // The client can have the last piece, and ask for more, before the host is quiet.
    worker::left();
    let progress = Cell::new(Instant::now());
    let mut write = pin!(async {
        while !body.is_empty() && writer.write_all(split_piece(&mut body)).await.is_empty() {
            progress.set(Instant::now());
        }
    });
    // One timer for all pieces: another one for each would cost as much as the writing.
    loop {
        let left = WRITE_LIMIT.saturating_sub(progress.get().elapsed());
        if left.is_zero() {
            return Err(ErrorCode::ConnectionWriteTimeout);
        }
        if within(left, write.as_mut()).await.is_some() {
            return Ok(());
        }
    }
}
