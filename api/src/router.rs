//! Every route of the API.

use axum::Router;
use axum::routing::{get, patch};

use crate::error::ApiError;
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
        .fallback(|| async { ApiError::RouteNotFound })
}
