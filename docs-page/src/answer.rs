//! Which response a request gets.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use responses::problem::{PROBLEM_JSON, Problem};

use crate::files::{self, File};

/// The page may load and ask only what its own origin serves. Images in the viewer's style sheet are
/// written out in it as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Methods of every file.
const METHODS: &str = "GET,HEAD,OPTIONS";

/// The response to one request, but for the headers that all responses have.
pub(crate) fn answer(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    request_id: &str,
) -> Response<Bytes> {
    let Some(file) = files::find(path) else {
        return problem("not-found", StatusCode::NOT_FOUND, "Not found", request_id);
    };
    if *method == Method::OPTIONS {
        return methods();
    }
    if ![Method::GET, Method::HEAD].contains(method) {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let mut response = problem("method-not-allowed", status, "Method not allowed", request_id);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
        return response;
    }
    let version = format!("\"{:016x}\"", file.version);
    let mut response = if is_known(headers, &version) { not_modified() } else { whole(file) };
    let headers = response.headers_mut();
    if let Ok(version) = HeaderValue::from_str(&version) {
        headers.insert(ETAG, version);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(file.kept));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn whole(file: &'static File) -> Response<Bytes> {
    with_body(file.content_type, Bytes::from_static(file.content))
}

fn methods() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
    response
}

fn not_modified() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

fn problem(
    kind: &'static str,
    status: StatusCode,
    detail: &str,
    request_id: &str,
) -> Response<Bytes> {
    let problem = Problem { kind, status, detail: detail.to_owned(), errors: Vec::new() };
    let mut response = with_body(PROBLEM_JSON, problem.render(request_id));
    *response.status_mut() = status;
    response
}

fn with_body(content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// True if the client has this version already (RFC 9110, section 13.1.2).
fn is_known(headers: &HeaderMap, version: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == version)
}
