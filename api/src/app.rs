//! The way of a request through an instance.
//!
//! One instance serves many requests, also at the same time: the router is built once, and nothing of
//! a request is kept here.

use std::sync::OnceLock;
use std::time::Instant;

use axum::Router;
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use http_body::Body;
use responses::worker;
use tower_service::Service;

use crate::cors::CrossOrigin;
use crate::request::RequestContext;
use crate::respond::{self, LogLine};
use crate::{options, router};

/// The routes, built at the first request.
static ROUTER: OnceLock<Router> = OnceLock::new();

/// Answers one request: whoever made the response, it leaves here complete. The line for the log is
/// to be written when the response is out.
pub(crate) async fn serve<B>(request: Request<B>) -> (http::Response<Bytes>, LogLine)
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let started = Instant::now();
    let context = RequestContext::new(request.uri(), request.headers());
    let cross_origin = CrossOrigin::of(request.method(), request.headers()).await;
    let method = request.method().clone();

    let mut request = request;
    request.extensions_mut().insert(context.clone());
    let mut router = ROUTER.get_or_init(router::build).clone();
    let response: Response = match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let response = options::answer(&method, response);
    let completed = respond::complete(context, &cross_origin, method, started, response).await;
    worker::settle().await;
    completed
}
