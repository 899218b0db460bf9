//! The body of every failure: a problem document (RFC 9457).

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

/// One offending member of a request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The member's name in the request body.
    pub field: String,
    /// The problem and the accepted values.
    pub message: String,
}

/// A failure on its way out. It travels as an extension of the response and becomes a body where
/// the request's id is known.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The last part of `type`, such as `task-not-found`.
    pub kind: &'static str,
    /// The HTTP status of the response.
    pub status: StatusCode,
    /// Message for people: the contract's messages.
    pub detail: String,
    /// The offending members of a request body, each of them.
    pub errors: Vec<FieldError>,
}

/// A failure, as the client reads it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Problem))]
pub struct Document<'a> {
    /// The kind of failure; a program decides by this.
    r#type: String,
    /// The status in words.
    title: &'a str,
    /// The status code.
    status: u16,
    /// Message for people.
    detail: &'a str,
    /// Repeats `detail`: the predecessor's clients read this member.
    error: &'a str,
    /// The offending members of the request, where there are such.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    /// The same as `X-Request-Id`; the service's log has it too.
    request_id: &'a str,
}

impl Problem {
    /// The document's bytes.
    pub fn render(&self, request_id: &str) -> Bytes {
        let document = Document {
            r#type: format!("/problems/{}", self.kind),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            error: &self.detail,
            errors: &self.errors,
            request_id,
        };
        serde_json::to_vec(&document).map(Bytes::from).unwrap_or_default()
    }
}
