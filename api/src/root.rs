//! `GET /`: where to look next.

use axum::Json;
use serde::Serialize;

/// What a person sees who opens the address of the API.
#[derive(Serialize)]
pub(crate) struct Index {
    message: &'static str,
    docs: &'static str,
    openapi: &'static str,
}

/// `GET /`: 200, always.
pub(crate) async fn show_index() -> Json<Index> {
    Json(Index { message: "Taskie, a task API", docs: "/docs", openapi: "/openapi.json" })
}
