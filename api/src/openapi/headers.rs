//! The headers of responses: each described once, and on every response those that all have.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Object, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type, header::Header};

use crate::http::media_type;

/// Every response has these.
const ON_EVERY_RESPONSE: [&str; 2] = ["X-Request-Id", "Server-Timing"];

/// Describes the headers, and refers to them wherever they are named.
pub(super) fn describe(document: &mut OpenApi) {
    let operations = document.paths.paths.values_mut().flat_map(super::operations);
    let inline = operations.flat_map(|operation| operation.responses.responses.values_mut());
    let components = document.components.get_or_insert_default();
    for response in inline.chain(components.responses.values_mut()) {
        if let RefOr::T(response) = response {
            refer(response);
        }
    }
    let described = described().into_iter();
    components.headers = described.map(|(name, header)| (name.to_owned(), header.into())).collect();
}

fn refer(response: &mut Response) {
    let own: Vec<String> = response.headers.keys().cloned().collect();
    let all = own.into_iter().chain(ON_EVERY_RESPONSE.map(str::to_owned));
    response.headers = all.map(|name| (name.clone(), reference(&name))).collect();
}

pub(super) fn reference(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn described() -> [(&'static str, Header); 13] {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    [
        optional(
            "Accept",
            "The media types that a body may have",
            text().build(),
            media_type::JSON_TYPES,
        ),
        optional(
            "Accept-Encoding",
            "The `Content-Encoding` that a body may have",
            text().build(),
            "identity",
        ),
        optional(
            "Accept-Patch",
            "The media types that the body of a `PATCH` may have (RFC 5789)",
            text().build(),
            media_type::JSON_TYPES,
        ),
        header("Allow", "The methods that the path has", text().build(), "GET,HEAD"),
        header(
            "ETag",
            "Stands for this state; for `If-None-Match` and `If-Match`",
            text().build(),
            "\"1-1795358272782796\"",
        ),
        optional(
            "Idempotency-Replayed",
            "There when this answer was given before",
            text().enum_values(Some(["true"])).build(),
            "true",
        ),
        optional(
            "Link",
            "The next page (RFC 8288), relative to this address, with its `status`, `sort` and `limit`; not there on the last one",
            text().pattern(Some("^<\\?[^>]+>; rel=\"next\"$")).build(),
            "<?limit=2&cursor=AAZg3mwcSlAAAAAD>; rel=\"next\"",
        ),
        header(
            "Location",
            "The new task, relative to this address",
            text()
                .format(Some(utoipa::openapi::SchemaFormat::Custom("uri-reference".to_owned())))
                .build(),
            "tasks/42",
        ),
        header(
            "Retry-After",
            "Seconds after which another try makes sense",
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build(),
            2,
        ),
        header(
            "Server-Timing",
            "Milliseconds that the database and the whole answer took",
            text().build(),
            "db;dur=1.204, total;dur=1.530",
        ),
        header(
            "Vary",
            "The headers of the request that the answer depends on",
            text().build(),
            "accept, origin",
        ),
        header(
            "WWW-Authenticate",
            "The challenge (RFC 6750); it names an error if a token was sent",
            text().pattern(Some("^Bearer")).build(),
            "Bearer error=\"invalid_token\", error_description=\"The token has expired\"",
        ),
        header(
            "X-Request-Id",
            "The caller's, if it sent a sane one, else a new one",
            text().pattern(Some("^[A-Za-z0-9_.:/+=-]{1,128}$")).build(),
            "5c4f8f0e6d0b4a548d3f0b8a7f1f3a55",
        ),
    ]
}

/// A header that every response which names it has.
fn header(
    name: &'static str,
    description: &str,
    schema: Object,
    example: impl Into<serde_json::Value>,
) -> (&'static str, Header) {
    let (name, mut header) = optional(name, description, schema, example);
    // The library has no member for it.
    header.extensions = Some(Extensions::from_iter([("required", true)]));
    (name, header)
}

fn optional(
    name: &'static str,
    description: &str,
    schema: Object,
    example: impl Into<serde_json::Value>,
) -> (&'static str, Header) {
    let header = HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(schema))
        .example(Some(example.into()))
        .build();
    (name, header)
}
