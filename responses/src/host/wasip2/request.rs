//! A request on its way in.

use std::future::poll_fn;

use bytes::Bytes;
use http::{Method, Request};
use wasi::http::types::{IncomingBody, IncomingRequest, Method as HostMethod};
use wasi::io::streams::{InputStream, StreamError};

use super::poll::Waiting;
use crate::host::{CutOff, RequestBody, conversion};

/// Size of a read of a body, in bytes.
const READ_BYTES: u64 = 16 * 1024;

/// The request in the types of the `http` crate; none if they cannot hold it.
pub(super) fn convert(request: &IncomingRequest) -> Option<Request<RequestBody>> {
    let (path, headers) = (request.path_with_query(), request.headers().entries());
    conversion::request(method(request.method())?, path, headers, BodySource::of(request)?)
}

fn method(method: HostMethod) -> Option<Method> {
    Some(match method {
        HostMethod::Get => Method::GET,
        HostMethod::Head => Method::HEAD,
        HostMethod::Post => Method::POST,
        HostMethod::Put => Method::PUT,
        HostMethod::Delete => Method::DELETE,
        HostMethod::Connect => Method::CONNECT,
        HostMethod::Options => Method::OPTIONS,
        HostMethod::Trace => Method::TRACE,
        HostMethod::Patch => Method::PATCH,
        HostMethod::Other(name) => Method::from_bytes(name.as_bytes()).ok()?,
    })
}

/// Where a body comes from. The order of the members is that in which the host wants them
/// dropped.
pub struct BodySource {
    waiting: Waiting,
    stream: InputStream,
    _body: IncomingBody,
}

impl BodySource {
    fn of(request: &IncomingRequest) -> Option<Self> {
        let body = request.consume().ok()?;
        let stream = body.stream().ok()?;
        Some(Self { waiting: Waiting::default(), stream, _body: body })
    }

    /// The next piece; none after the last one.
    pub(in crate::host) async fn next(&mut self) -> Option<Result<Bytes, CutOff>> {
        let Self { waiting, stream, .. } = self;
        let read = || match stream.read(READ_BYTES) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => Some(Some(Ok(Bytes::from(bytes)))),
            Err(StreamError::Closed) => Some(None),
            Err(StreamError::LastOperationFailed(_)) => Some(Some(Err(CutOff))),
        };
        poll_fn(|context| waiting.poll(context, read, || stream.subscribe())).await
    }
}
