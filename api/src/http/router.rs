//! Every route of the API, and what answers it.
//!
//! Written out: a router of a library would be built anew by each instance, many of which serve one
//! request only (0.03 ms of its CPU), and is 100 KB of the component.

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::header::ALLOW;
use http::{HeaderValue, StatusCode};

use super::index;
use super::route::Route;
use crate::error::ApiError;
use crate::{health, tasks};

/// Answers a request. To `HEAD`, the response is `GET`'s; whoever sends it leaves the body out.
pub(crate) async fn answer(route: Option<Route>, request: Request) -> Response {
    let Some(route) = route else { return ApiError::RouteNotFound.into_response() };
    match (route, request.method().as_str()) {
        (Route::Tasks, "GET" | "HEAD") => tasks::list_tasks.call(request, ()).await,
        (Route::Tasks, "POST") => tasks::create_task.call(request, ()).await,
        (Route::Task, "GET" | "HEAD") => tasks::get_task.call(request, ()).await,
        (Route::Task, "PUT" | "PATCH") => tasks::update_task.call(request, ()).await,
        (Route::Task, "DELETE") => tasks::delete_task.call(request, ()).await,
        (Route::Complete, "PATCH") => tasks::complete_task.call(request, ()).await,
        (Route::Index, "GET" | "HEAD") => index::show_index.call(request, ()).await,
        (Route::Health, "GET" | "HEAD") => health::check_process.call(request, ()).await,
        (Route::DatabaseHealth, "GET" | "HEAD") => health::check_database.call(request, ()).await,
        (Route::PoolHealth, "GET" | "HEAD") => health::show_connections.call(request, ()).await,
        (_, "OPTIONS") => with_methods(route, StatusCode::NO_CONTENT.into_response()),
        _ => with_methods(route, ApiError::MethodNotAllowed.into_response()),
    }
}

fn with_methods(route: Route, mut response: Response) -> Response {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(route.methods()));
    response
}
