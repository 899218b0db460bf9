//! The failures, with examples that the code itself gives: each is rendered as for a client.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderValue;
use http::header::ALLOW;
use responses::problem::{FieldError, Problem};
use responses::problem_type::{JSON, PROBLEM_JSON};
use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa::{IntoResponses, ToResponse};

use super::headers;
use crate::auth::key_set;
use crate::config::Misconfiguration;
use crate::db::DbError;
use crate::error::ApiError;
use crate::http::response::Response as HttpResponse;
use crate::http::{media_type, precondition};
use crate::tasks::messages::{
    DESCRIPTION_TOO_LONG, PRIORITY_UNKNOWN, STATUS_UNKNOWN, TITLE_TOO_LONG,
};
use crate::tasks::{CURSOR_INVALID, LIMIT_INVALID, SORT_UNKNOWN};

/// The request's id in the examples.
const REQUEST_ID: &str = "5c4f8f0e6d0b4a548d3f0b8a7f1f3a55";

/// `Name: "what it means" = [("example", its response), …]`
macro_rules! failures {
    ($($name:ident: $meaning:literal = [$(($example:literal, $response:expr)),+ $(,)?];)+) => {$(
        pub(crate) struct $name;

        impl ToResponse<'static> for $name {
            fn response() -> (&'static str, RefOr<Response>) {
                let examples = [$(($example, HttpResponse::from($response))),+];
                (stringify!($name), describe($meaning, examples).into())
            }
        }
    )+};
}

failures! {
    InvalidTask: "The body, or a member of it, is not acceptable" = [
        ("title", ApiError::field("title", "Title is required")),
        ("members", ApiError::Invalid(vec![
            field("title", TITLE_TOO_LONG),
            field("description", DESCRIPTION_TOO_LONG),
            field("priority", PRIORITY_UNKNOWN),
        ])),
        ("json", bad_json()),
        ("key", ApiError::BadRequest(
            "Idempotency-Key must be one key of 1 to 255 visible ASCII characters".to_owned(),
        )),
    ];
    InvalidUpdate: "The task ID, the precondition, the body or a member of it is not acceptable" = [
        ("nothing", ApiError::NothingToUpdate),
        ("status", ApiError::field("status", STATUS_UNKNOWN)),
        ("priority", ApiError::field("priority", PRIORITY_UNKNOWN)),
        ("id", ApiError::InvalidTaskId),
        ("json", bad_json()),
        ("precondition", bad_precondition("If-Match")),
    ];
    InvalidStatus: "The task ID, the precondition, the body or its status is not acceptable" = [
        ("status", ApiError::field("status", STATUS_UNKNOWN)),
        ("id", ApiError::InvalidTaskId),
        ("json", bad_json()),
        ("precondition", bad_precondition("If-Match")),
    ];
    InvalidTaskId: "The task ID or the precondition is not acceptable" = [
        ("id", ApiError::InvalidTaskId),
        ("precondition", bad_precondition("If-Match")),
        ("other-precondition", bad_precondition("If-None-Match")),
    ];
    InvalidFilter: "A parameter of the query is not acceptable" = [
        ("status", ApiError::field("status", STATUS_UNKNOWN)),
        ("sort", ApiError::field("sort", SORT_UNKNOWN)),
        ("page", ApiError::Invalid(vec![
            field("limit", LIMIT_INVALID),
            field("cursor", CURSOR_INVALID),
        ])),
    ];
    PreconditionFailed: "The task is not in a state that `If-Match` and `If-None-Match` allow" = [
        ("stale", ApiError::PreconditionFailed(precondition::CHANGED)),
        ("weak", ApiError::PreconditionFailed(precondition::ONLY_WEAK)),
        ("ruled-out", ApiError::PreconditionFailed(precondition::RULED_OUT)),
    ];
    IdempotencyKeyReused: "The `Idempotency-Key` was used for another request" = [
        ("key", ApiError::IdempotencyKeyReused),
    ];
    Unauthorized: "There is no token, or it does not count" = [
        ("missing", ApiError::TokenMissing("")),
        ("invalid", ApiError::TokenInvalid("")),
        ("expired", ApiError::TokenExpired),
    ];
    NotRegistered: "The user has no account, and none can be made: the token has no email address, \
                    or the table of the accounts does not take it" = [
        ("account", ApiError::NotRegistered("".into())),
    ];
    TaskNotFound: "The task does not exist, or belongs to another user" = [
        ("task", ApiError::TaskNotFound),
    ];
    RouteNotFound: "There is no such path" = [("path", ApiError::RouteNotFound)];
    MethodNotAllowed: "The path does not have this method" = [
        ("method", method_not_allowed()),
    ];
    EmailTaken: "The email address in the token belongs to another account" = [
        ("email", ApiError::EmailTaken),
    ];
    BodyTooSlow: "The body was not complete within `request_timeout_ms`" = [
        ("body", ApiError::BodyTooSlow(Duration::from_secs(10))),
    ];
    BodyTooLarge: "The body is larger than 128 KiB" = [("body", ApiError::BodyTooLarge)];
    UnsupportedMediaType: "The body is not JSON by its `Content-Type`, or has a `Content-Encoding`" = [
        ("type", unsupported("POST", ("content-type", "text/plain"))),
        ("patch", unsupported("PATCH", ("content-type", "application/json-patch+json"))),
        ("encoding", unsupported("PATCH", ("content-encoding", "gzip"))),
    ];
    ServerError: "The service has a fault, or is misconfigured" = [
        ("fault", ApiError::Internal(of_the_database())),
        ("configuration", ApiError::Misconfigured(Misconfiguration::accounts_are_not_ours())),
    ];
    Unavailable: "The database is not available, or the issuer's keys cannot be fetched" = [
        ("database", ApiError::DatabaseUnavailable(of_the_database())),
        ("keys", ApiError::KeysUnavailable(key_set::Unavailable(String::new()))),
    ];
    DatabaseUnhealthy: "It cannot; `type` says why" = [
        ("database", ApiError::DatabaseUnavailable(of_the_database()).into_unhealthy()),
        ("schema", ApiError::SchemaMissing.into_unhealthy()),
        ("old-schema", ApiError::SchemaOutdated.into_unhealthy()),
        ("slow", ApiError::DatabaseTooSlow(of_the_database()).into_unhealthy()),
        ("read-only", ApiError::DatabaseReadOnly.into_unhealthy()),
        ("rights", ApiError::from(Misconfiguration::lacks("insert on users")).into_unhealthy()),
        ("row-security", ApiError::from(Misconfiguration::sees_no_rows("tasks")).into_unhealthy()),
    ];
    DatabaseTooSlow: "The database did not answer in time; a write may have happened" = [
        ("database", ApiError::DatabaseTooSlow(of_the_database())),
    ];
}

fn field(field: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), message: message.to_owned() }
}

fn bad_json() -> ApiError {
    let error = "EOF while parsing an object at line 1 column 1";
    ApiError::BadRequest(format!("The request body is not valid JSON: {error}"))
}

fn bad_precondition(header: &str) -> ApiError {
    ApiError::BadRequest(format!("{header} must be * or a list of entity tags, each in quotes"))
}

/// The refusal of a body with this header, which is otherwise JSON.
fn unsupported(method: &str, (name, value): (&'static str, &str)) -> ApiError {
    let mut request = http::Request::builder().method(method).header(name, value);
    if name != "content-type" {
        request = request.header("content-type", "application/json");
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    ApiError::UnsupportedMediaType(media_type::check(&parts).expect_err("it is not read"))
}

/// Its text is for the log, so any will do.
fn of_the_database() -> DbError {
    DbError::Unavailable(String::new())
}

/// Failures of every task route.
pub(crate) struct OfEveryTaskRoute;

impl IntoResponses for OfEveryTaskRoute {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            named::<Unauthorized>(401),
            named::<TaskNotFound>(404),
            named::<ServerError>(500),
            named::<Unavailable>(503),
            named::<DatabaseTooSlow>(504),
        ]
        .into()
    }
}

/// Failures of every route that reads a body.
pub(crate) struct OfABody;

impl IntoResponses for OfABody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [named::<BodyTooSlow>(408), named::<BodyTooLarge>(413), named::<UnsupportedMediaType>(415)]
            .into()
    }
}

fn method_not_allowed() -> HttpResponse {
    let mut response = HttpResponse::from(ApiError::MethodNotAllowed);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
    response
}

fn named<R: ToResponse<'static>>(status: u16) -> (String, RefOr<Response>) {
    (status.to_string(), Ref::from_response_name(R::response().0).into())
}

/// The responses to one kind of failure; all of them have the same status.
fn describe<const N: usize>(meaning: &str, examples: [(&str, HttpResponse); N]) -> Response {
    let mut response = Response::new(meaning);
    let mut content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    for (name, example) in examples {
        for header in [
            "Accept",
            "Accept-Encoding",
            "Accept-Patch",
            "Allow",
            "Retry-After",
            "WWW-Authenticate",
        ] {
            if example.headers().contains_key(header) {
                response.headers.insert(header.to_owned(), headers::reference(header));
            }
        }
        let problem = example.extensions().get::<Problem>().expect("a failure is a problem");
        let body: Value =
            serde_json::from_slice(&problem.render(REQUEST_ID)).expect("a problem is JSON");
        let example = ExampleBuilder::new()
            .summary(body["detail"].as_str().unwrap_or_default())
            .value(Some(body))
            .build();
        content = content.examples_from_iter([(name, example)]);
    }
    let content = content.build();
    response.content.insert(JSON.to_owned(), content.clone().into());
    response.content.insert(PROBLEM_JSON.to_owned(), content.into());
    response.headers.insert("Vary".to_owned(), headers::reference("Vary"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::error::ApiError;
    use crate::openapi::{document, failures};

    /// A failure of each variant. The match has no `_`: a new variant has to come here, too.
    fn every_failure() -> Vec<ApiError> {
        use ApiError as E;
        let database = failures::of_the_database;
        let configuration = failures::Misconfiguration::accounts_are_not_ours;
        let keys = || failures::key_set::Unavailable(String::new());
        let all = vec![
            E::Invalid(Vec::new()),
            E::BadRequest(String::new()),
            E::NothingToUpdate,
            E::InvalidTaskId,
            failures::unsupported("POST", ("content-type", "text/plain")),
            E::BodyTooSlow(failures::Duration::from_secs(10)),
            E::BodyTooLarge,
            E::TokenMissing(""),
            E::TokenInvalid(""),
            E::TokenExpired,
            E::KeysUnavailable(keys()),
            E::NotRegistered("".into()),
            E::EmailTaken,
            E::TaskNotFound,
            E::PreconditionFailed(""),
            E::IdempotencyKeyReused,
            E::RouteNotFound,
            E::MethodNotAllowed,
            E::Misconfigured(configuration()),
            E::DatabaseTooSlow(database()),
            E::DatabaseUnavailable(database()),
            E::DatabaseReadOnly,
            E::SchemaMissing,
            E::SchemaOutdated,
            E::Internal(database()),
        ];
        for failure in &all {
            match failure {
                E::Invalid(_)
                | E::BadRequest(_)
                | E::NothingToUpdate
                | E::InvalidTaskId
                | E::UnsupportedMediaType(_)
                | E::BodyTooSlow(_)
                | E::BodyTooLarge
                | E::TokenMissing(_)
                | E::TokenInvalid(_)
                | E::TokenExpired
                | E::KeysUnavailable(_)
                | E::NotRegistered(_)
                | E::EmailTaken
                | E::TaskNotFound
                | E::PreconditionFailed(_)
                | E::IdempotencyKeyReused
                | E::RouteNotFound
                | E::MethodNotAllowed
                | E::Misconfigured(_)
                | E::DatabaseTooSlow(_)
                | E::DatabaseUnavailable(_)
                | E::DatabaseReadOnly
                | E::SchemaMissing
                | E::SchemaOutdated
                | E::Internal(_) => {}
            }
        }
        all
    }

    #[test]
    fn every_kind_of_failure_has_an_example() {
        let document = serde_json::to_value(document()).expect("a document is JSON");
        let responses = document["components"]["responses"].as_object().expect("responses");
        let examples = responses.values().flat_map(|response| {
            response["content"]["application/problem+json"]["examples"].as_object().into_iter()
        });
        let documented: BTreeSet<String> = examples
            .flat_map(|examples| examples.values())
            .map(|example| example["value"]["type"].as_str().unwrap_or_default().to_owned())
            .collect();
        let known: BTreeSet<String> = every_failure()
            .iter()
            .map(|failure| format!("/problems/{}", failure.problem().kind))
            .collect();
        assert_eq!(documented, known);
    }

    #[test]
    fn a_response_is_named_for_one_status() {
        let document = serde_json::to_value(document()).expect("a document is JSON");
        let paths = document["paths"].as_object().expect("paths").values();
        let operations = paths.flat_map(|path| path.as_object().expect("operations").values());
        for operation in operations {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let Some(name) = response["$ref"].as_str() else { continue };
                let response = document.pointer(name.trim_start_matches('#'));
                let response = response.unwrap_or_else(|| panic!("{name} is not there"));
                let examples = &response["content"]["application/problem+json"]["examples"];
                for example in examples.as_object().expect("examples").values() {
                    assert_eq!(example["value"]["status"].to_string(), *status, "{name}");
                }
            }
        }
    }
}
