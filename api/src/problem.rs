//! The body of every failure: `application/problem+json` (RFC 9457).

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

/// The media type of a problem document.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// One offending member of a request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    /// The member's name in the request body.
    pub(crate) field: String,
    /// What is wrong with it and what is accepted.
    pub(crate) message: String,
}

/// A failure on its way out. It travels as an extension of the response and becomes a body where
/// the request's id is known, in [`crate::respond`].
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The last part of `type`, such as `task-not-found`.
    pub(crate) kind: &'static str,
    /// The HTTP status of the response.
    pub(crate) status: StatusCode,
    /// What a person reads: the contract's messages.
    pub(crate) detail: String,
    /// The offending members of a request body, each of them.
    pub(crate) errors: Vec<FieldError>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// Repeats `detail`: the predecessor's clients read this member.
    error: &'a str,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    request_id: &'a str,
}

impl Problem {
    /// The document's bytes.
    pub(crate) fn render(&self, request_id: &str) -> Bytes {
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
