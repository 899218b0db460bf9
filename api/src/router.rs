//! Every route of the API.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, patch};

use crate::error::ApiError;
use crate::respond::RouteTemplate;
use crate::{health, root, tasks};

/// Builds the router; an instance does so once.
pub(crate) fn build() -> Router {
    Router::new()
        // The tasks of one user.
        .route("/api/{user_id}/tasks", get(tasks::list_tasks).post(tasks::create_task))
        .route(
            "/api/{user_id}/tasks/{id}",
            get(tasks::get_task)
                .put(tasks::update_task)
                .patch(tasks::update_task)
                .delete(tasks::delete_task),
        )
        .route("/api/{user_id}/tasks/{id}/complete", patch(tasks::complete_task))
        // Where to look next, for a person who opens the address.
        .route("/", get(root::show_index))
        // For probes and operators.
        .route("/health", get(health::check_process))
        .route("/health/db", get(health::check_database))
        .route("/health/pool", get(health::show_connections))
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .route_layer(from_fn(note_route))
        .fallback(|| async { ApiError::RouteNotFound })
}

/// Hands the template of the matched route on to the log line.
async fn note_route(route: MatchedPath, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(RouteTemplate(route.as_str().to_owned()));
    response
}
