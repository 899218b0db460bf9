//! Between the types of the `http` crate and what the hosts of both WASIs give and take.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

/// Names and values in their order.
type Headers = Vec<(String, Vec<u8>)>;

/// A request on its way in; none if the types cannot hold it. Its URI has no scheme and no authority.
pub(super) fn request<B>(
    method: Method,
    path: Option<String>,
    headers: Headers,
    body: B,
) -> Option<Request<B>> {
    let path = PathAndQuery::try_from(path.unwrap_or_else(|| "/".to_owned())).ok()?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path.into();
    request.headers_mut().reserve(headers.len());
    for (name, value) in headers {
        let name = HeaderName::try_from(name).ok()?;
        request.headers_mut().append(name, HeaderValue::try_from(value).ok()?);
    }
    Some(request)
}

/// The headers of a response on its way out.
pub(super) fn headers(response: &Response<Bytes>) -> Headers {
    let headers = response.headers().iter();
    headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

/// Whether a response has a body: an empty one is not the same.
pub(super) fn has_body(method: &Method, status: StatusCode) -> bool {
    *method != Method::HEAD
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}
