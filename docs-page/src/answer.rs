//! Which response a request gets.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use responses::problem::Problem;
use responses::problem_type;

use crate::files::{self, File};

/// The page may load and ask only what its own origin serves. Images in the viewer's style sheet are
/// written out in it as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Methods of every file.
const METHODS: &str = "GET,HEAD,OPTIONS";

/// Lets pages of all origins read the document (the Fetch standard): it is public, and they send no
/// credentials. `*` stands for all headers but `Authorization`.
const FOR_ANY_ORIGIN: [(HeaderName, &str); 5] = [
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (ACCESS_CONTROL_ALLOW_METHODS, "GET,HEAD"),
    (ACCESS_CONTROL_ALLOW_HEADERS, "*,authorization"),
    (ACCESS_CONTROL_EXPOSE_HEADERS, "*"),
    (ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// The response to one request, but for the headers that all responses have.
pub(crate) fn answer(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    request_id: &str,
) -> Response<Bytes> {
    let Some(file) = files::find(path) else {
        let status = StatusCode::NOT_FOUND;
        return problem("not-found", status, "Not found", headers, request_id);
    };
    let mut response = answer_with(file, method, path, headers, request_id);
    if file.path == files::DOCUMENT {
        for (name, value) in FOR_ANY_ORIGIN {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

fn answer_with(
    file: &'static File,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    request_id: &str,
) -> Response<Bytes> {
    if *method == Method::OPTIONS {
        return methods();
    }
    if ![Method::GET, Method::HEAD].contains(method) {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let mut response =
            problem("method-not-allowed", status, "Method not allowed", headers, request_id);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
        return response;
    }
    let version = format!("\"{:016x}\"", file.version);
    // The order is that of RFC 9110, section 13.2.2. A weak tag never matches in `If-Match`.
    if headers.contains_key(IF_MATCH) && !tags(headers, IF_MATCH).any(|tag| is(tag, &version)) {
        let status = StatusCode::PRECONDITION_FAILED;
        return problem(
            "precondition-failed",
            status,
            "The content has changed",
            headers,
            request_id,
        );
    }
    let is_known =
        tags(headers, IF_NONE_MATCH).any(|tag| is(tag.trim_start_matches("W/"), &version));
    let mut response =
        if is_known { not_modified() } else { with_body(file.content_type, file.at(path)) };
    let headers = response.headers_mut();
    if let Ok(version) = HeaderValue::from_str(&version) {
        headers.insert(ETAG, version);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(file.kept));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
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
    headers: &HeaderMap,
    request_id: &str,
) -> Response<Bytes> {
    let problem = Problem { kind, status, detail: detail.to_owned(), errors: Vec::new() };
    let mut response = with_body(problem_type::of(headers), problem.render(request_id));
    *response.status_mut() = status;
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

fn with_body(content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// The tags that a precondition lists.
fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// True if a tag of a precondition stands for this version.
fn is(tag: &str, version: &str) -> bool {
    tag == "*" || tag == version
}
