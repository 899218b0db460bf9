//! What one instance keeps for all its requests, and the way of a request through it.
//!
//! One instance serves many requests, also at the same time: the router and the configuration are
//! built once, and nothing of a request is kept here.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use http_body::Body;
use tower_service::Service;

use crate::config::{Config, Misconfiguration};
use crate::cors::CrossOrigin;
use crate::request::RequestContext;
use crate::{options, respond, router};

/// The parsed configuration, or everything that is wrong with it.
pub(crate) type LoadedConfig = Arc<Result<Config, Misconfiguration>>;

/// The configuration of this instance; variables cannot change while it lives.
static CONFIG: OnceLock<LoadedConfig> = OnceLock::new();

/// The routes, built at the first request.
static ROUTER: OnceLock<Router> = OnceLock::new();

/// Answers one request: whoever made the response, it leaves here complete.
pub(crate) async fn serve<B>(request: Request<B>) -> http::Response<Bytes>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let started = Instant::now();
    let config = config().await;
    let context = RequestContext::new(request.uri(), request.headers(), config);
    let cross_origin = CrossOrigin::of(request.method(), request.headers());
    let method = request.method().clone();

    let mut request = request;
    request.extensions_mut().insert(context.clone());
    let mut router = ROUTER.get_or_init(router::build).clone();
    let response: Response = match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let response = options::answer(&method, response);
    respond::complete(&context, &cross_origin, &method, started, response).await
}

/// Two first requests may both read the variables; they read the same, and one result is kept.
async fn config() -> LoadedConfig {
    if let Some(config) = CONFIG.get() {
        return config.clone();
    }
    let loaded = Arc::new(Config::load().await);
    CONFIG.get_or_init(|| loaded).clone()
}
