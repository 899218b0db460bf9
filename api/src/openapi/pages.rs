//! Routes of the other component: this document, and the page that shows it.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

/// `GET /openapi.json`
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "About",
    summary = "This document",
    params(super::schema::KnownContent),
    responses(
        (status = 200, description = "OpenAPI 3.1", body = inline(AnyObject), headers(("ETag"))),
        (status = 304, description = "It is still the one that `If-None-Match` names", headers(("ETag"))),
    ),
    security(),
)]
#[expect(dead_code, reason = "it describes")]
pub(super) fn show_document() {}

/// `GET /docs`
#[utoipa::path(
    get,
    path = "/docs",
    tag = "About",
    summary = "A page that shows this document and tries the API",
    params(super::schema::KnownContent),
    responses(
        (status = 200, description = "The page", body = str, content_type = "text/html", headers(("ETag"))),
        (status = 304, description = "It is still the one that `If-None-Match` names", headers(("ETag"))),
    ),
    security(),
)]
#[expect(dead_code, reason = "it describes")]
pub(super) fn show_page() {}

/// An object with any members.
struct AnyObject;

impl PartialSchema for AnyObject {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .into()
    }
}

impl ToSchema for AnyObject {}
