//! A request on its way in, asked of the host directly: the SDK's conversion asks for the scheme, the
//! authority, the options and a second time for the headers, and each question costs the host some time.

use std::mem;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request};
use spin_sdk::wasip3::http::types::{ErrorCode, Request as HostRequest, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use spin_sdk::wasip3::wit_future;

/// Size of a read of a body, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The request in the types of the `http` crate. Its URI has no scheme and no authority.
///
/// # Errors
///
/// When those types cannot hold it.
pub(super) fn convert(request: HostRequest) -> Result<Request<RequestBody>, ErrorCode> {
    let path = request.get_path_with_query().unwrap_or_else(|| "/".to_owned());
    let path = PathAndQuery::try_from(path).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    let method = request.get_method().try_into();
    let method = method.map_err(|_| ErrorCode::HttpRequestMethodInvalid)?;
    let headers = request.get_headers().copy_all();
    let mut converted = Request::new(RequestBody::Unread(request));
    *converted.method_mut() = method;
    *converted.uri_mut() = path.into();
    converted.headers_mut().reserve(headers.len());
    for (name, value) in headers {
        let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let (name, value) = header.ok_or(ErrorCode::HttpProtocolError)?;
        converted.headers_mut().append(name, value);
    }
    Ok(converted)
}

/// The body of a request, read as it comes.
pub enum RequestBody {
    /// Nothing of it was asked for.
    Unread(HostRequest),
    /// Some of it was; the future says whether it was complete.
    Begun(StreamReader<u8>, FutureReader<Result<Option<Trailers>, ErrorCode>>),
    /// There is no more.
    Ended,
}

/// A body that ended before it was complete.
#[derive(Debug)]
pub struct CutOff;

impl RequestBody {
    /// The next piece; none after the last one.
    ///
    /// # Errors
    ///
    /// When the body ended before it was complete.
    pub async fn next(&mut self) -> Option<Result<Bytes, CutOff>> {
        let (mut stream, end) = match mem::replace(self, Self::Ended) {
            Self::Unread(request) => {
                // Dropped, it has its default: the body was read successfully.
                let (_, taken) = wit_future::new(|| Ok(()));
                HostRequest::consume_body(request, taken)
            }
            Self::Begun(stream, end) => (stream, end),
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
