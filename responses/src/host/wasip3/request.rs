//! A request on its way in, asked of the host directly: the SDK's conversion asks for the scheme, the
//! authority, the options and a second time for the headers, and each question costs the host some time.

use std::mem;

use bytes::Bytes;
use http::Request;
use spin_sdk::wasip3::http::types::{ErrorCode, Request as HostRequest, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use spin_sdk::wasip3::wit_future;

use super::worker;
use crate::host::{CutOff, RequestBody, conversion};

/// Size of a read of a body, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The request in the types of the `http` crate; none if they cannot hold it.
pub(super) fn convert(request: HostRequest) -> Option<Request<RequestBody>> {
    let method = request.get_method().try_into().ok()?;
    let (path, headers) = (request.get_path_with_query(), request.get_headers().copy_all());
    conversion::request(method, path, headers, BodySource::Unread(request))
}

/// Where a body comes from.
pub enum BodySource {
    /// Nothing of it was asked for.
    Unread(HostRequest),
    /// Some of it was; the future says whether it was complete.
    Begun(StreamReader<u8>, FutureReader<Result<Option<Trailers>, ErrorCode>>),
    /// There is no more.
    Ended,
}

impl BodySource {
    /// The next piece; none after the last one.
    pub(in crate::host) async fn next(&mut self) -> Option<Result<Bytes, CutOff>> {
        let (mut stream, end) = match mem::replace(self, Self::Ended) {
            Self::Unread(request) => {
                // Dropped, it has its default: the body was read successfully.
                let (_, taken) = wit_future::new(|| Ok(()));
                HostRequest::consume_body(request, taken)
            }
            Self::Begun(stream, end) => {
                // Other threads move the pieces after the first one, and may still be busy with a response.
                worker::left();
                (stream, end)
            }
            Self::Ended => return None,
        };
        let (result, bytes) = stream.read(Vec::with_capacity(READ_BYTES)).await;
        if matches!(result, StreamResult::Complete(_)) {
            *self = Self::Begun(stream, end);
            return Some(Ok(bytes.into()));
        }
        // After the end another read would be a trap.
        drop(stream);
        end.await.err().map(|_| Err(CutOff))
    }
}
