//! `OPTIONS`: which methods a route has. The router has no handlers for it; it says the same about
//! every method that a route lacks.

use axum::response::{IntoResponse, Response};
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

/// Makes the refusal of a method complete: `OPTIONS` is one that every route has, and where it was
/// asked for, the refusal is its answer.
pub(crate) fn answer(method: &Method, response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let methods = response.headers().get(ALLOW).and_then(|methods| methods.to_str().ok());
    let methods = format!("{},OPTIONS", methods.unwrap_or_default());
    let Ok(methods) = HeaderValue::from_str(methods.trim_start_matches(',')) else {
        return response;
    };
    let mut response =
        if *method == Method::OPTIONS { StatusCode::NO_CONTENT.into_response() } else { response };
    response.headers_mut().insert(ALLOW, methods);
    response
}
