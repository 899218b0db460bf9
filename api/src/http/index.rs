//! `GET /`: links to the documentation.

use serde::Serialize;

use super::response::{self, Response};

/// What a person sees who opens the address of the API.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Index {
    message: &'static str,
    /// Relative to this address, which may have a prefix that a proxy adds.
    docs: &'static str,
    /// The same.
    openapi: &'static str,
}

#[cfg_attr(test, utoipa::path(
    get,
    path = "/",
    tag = "About",
    summary = "Where to look next",
    responses((
        status = 200,
        description = "Where to look next",
        body = Index,
        example = json!({ "message": "Taskie, a task API", "docs": "docs", "openapi": "openapi.json" }),
    )),
    security(),
))]
/// `GET /`: 200, always.
pub(crate) fn show_index() -> Response {
    response::document(&Index {
        message: "Taskie, a task API",
        docs: "docs",
        openapi: "openapi.json",
    })
}
