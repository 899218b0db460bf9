//! Between the types of the `http` crate and what the hosts of both WASIs give and take.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::{BodySource, RequestBody};

/// Names and values in their order.
type Headers = Vec<(String, Vec<u8>)>;

/// A request on its way in; none if the types cannot hold it. Its URI has no scheme and no authority.
pub(super) fn request(
    method: Method,
    path: Option<String>,
    headers: Headers,
    body: BodySource,
) -> Option<Request<RequestBody>> {
    let path = PathAndQuery::try_from(path.unwrap_or_else(|| "/".to_owned())).ok()?;
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        map.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    let mut request = Request::new(RequestBody::new(&method, &map, body));
    *request.method_mut() = method;
    *request.uri_mut() = path.into();
    *request.headers_mut() = map;
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
