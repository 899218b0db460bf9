//! Every way in which a request can fail, and the one place that gives failures their HTTP form.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::auth::key_set::Unavailable;
use crate::config::Misconfiguration;
use crate::db::error::DbError;
use crate::http::media_type::Unsupported;
use crate::http::response::{self, Response};
use crate::tasks::messages;
use responses::problem::{FieldError, Problem};

/// Seconds after which a client may try again when the database or the issuer's keys are not to be
/// had: about what a suspended Neon database takes to wake up.
const RETRY_AFTER_SECONDS: &str = "2";

/// The reason of a failure, for the log; travels as an extension of the response.
#[derive(Clone)]
pub(crate) struct Cause {
    pub(crate) text: String,
    /// The SQLSTATE, where the failure has one. It may be that of another request, whose answer is kept.
    pub(crate) sqlstate: Option<String>,
}

/// A request that failed. `?` in a handler is enough: each variant has its response.
#[derive(Clone, Debug)]
pub(crate) enum ApiError {
    /// Members of the body that are not acceptable, all of them.
    Invalid(Vec<FieldError>),
    /// A request that cannot be read at all: not JSON, not UTF-8, a bad parameter.
    BadRequest(String),
    /// A valid update that changes nothing.
    NothingToUpdate,
    /// The id in the path is not a positive 32-bit integer.
    InvalidTaskId,
    /// The body is of another media type, or encoded.
    UnsupportedMediaType(Unsupported),
    /// The body is over the limit.
    BodyTooLarge,
    /// The body was not complete within this time.
    BodyTooSlow(Duration),
    /// No token was sent. The reason is for the log.
    TokenMissing(&'static str),
    /// A token was sent and is invalid. The reason is for the log, and not disclosed to the client.
    TokenInvalid(&'static str),
    /// A valid token has expired.
    TokenExpired,
    /// The token cannot be checked, because the issuer's keys cannot be fetched.
    KeysUnavailable(Unavailable),
    /// The token's user has no account here. The reason is for the log.
    NotRegistered(Cow<'static, str>),
    /// The token's email address belongs to another account.
    EmailTaken,
    /// The task does not exist, or belongs to another user: the response is the same.
    TaskNotFound,
    /// The state is not one that `If-Match` and `If-None-Match` allow; which of them, and why.
    PreconditionFailed(&'static str),
    /// The `Idempotency-Key` stands for another request.
    IdempotencyKeyReused,
    /// No route has this path.
    RouteNotFound,
    /// The route has no such method.
    MethodNotAllowed,
    /// The operator has to mend the configuration.
    Misconfigured(Misconfiguration),
    /// The database answered too late.
    DatabaseTooSlow(DbError),
    /// The database cannot be used now.
    DatabaseUnavailable(DbError),
    /// The database works, but takes no writes.
    DatabaseReadOnly,
    /// The database works, but has no schema.
    SchemaMissing,
    /// The database works, but its schema is older than this service.
    SchemaOutdated,
    /// A fault of this program.
    Internal(DbError),
}

impl ApiError {
    /// A single offending member.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// True if PostgreSQL refused the statement, for another reason than the request's text or the time.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Internal(DbError::Refused { .. }))
    }

    /// The failure of a statement that reads the accounts.
    pub(crate) fn on_missing_right(self) -> Self {
        match self {
            Self::Internal(DbError::Refused { code, .. }) if code == "42501" => {
                Self::Misconfigured(Misconfiguration::accounts_are_not_ours())
            }
            other => other,
        }
    }

    /// The failure of a statement that names the address of an account.
    pub(crate) fn on_missing_address(self) -> Self {
        match self {
            // An auth provider's table without `email`.
            Self::Internal(DbError::Refused { code, .. }) if code == "42703" => {
                Self::Misconfigured(Misconfiguration::accounts_are_not_ours())
            }
            other => other.on_missing_right(),
        }
    }

    /// The failure of a statement that makes the caller's account and nothing else.
    pub(crate) fn on_account_insert(self) -> Self {
        match self {
            // Columns that only the provider of the accounts can fill, its constraints, its triggers.
            Self::Internal(error @ DbError::Refused { .. }) if error.is_about_values() => {
                Self::NotRegistered(format!("no account: {error}").into())
            }
            other => other.on_missing_address(),
        }
    }

    /// The problem document for the client.
    #[expect(clippy::too_many_lines, reason = "a table: an entry for each variant")]
    pub(crate) fn problem(&self) -> Problem {
        let (kind, status, detail): (_, _, Cow<'static, str>) = match self {
            Self::Invalid(errors) => {
                let first = errors.first().map(|error| error.message.clone());
                ("validation", StatusCode::BAD_REQUEST, first.unwrap_or_default().into())
            }
            Self::BadRequest(detail) => {
                ("bad-request", StatusCode::BAD_REQUEST, detail.clone().into())
            }
            Self::NothingToUpdate => (
                "nothing-to-update",
                StatusCode::BAD_REQUEST,
                "At least one field (title, description, status or priority) must be provided"
                    .into(),
            ),
            Self::InvalidTaskId => {
                ("invalid-task-id", StatusCode::BAD_REQUEST, "Invalid task ID".into())
            }
            Self::UnsupportedMediaType(unsupported) => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                unsupported.detail.into(),
            ),
            Self::BodyTooLarge => (
                "body-too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request body must not be larger than 128 KiB".into(),
            ),
            Self::BodyTooSlow(limit) => (
                "body-too-slow",
                StatusCode::REQUEST_TIMEOUT,
                format!("The request body must be complete within {limit:?}").into(),
            ),
            Self::TokenMissing(_) => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "Authentication required".into())
            }
            Self::TokenInvalid(_) => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "Invalid token".into())
            }
            Self::TokenExpired => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "The token has expired".into())
            }
            Self::KeysUnavailable(_) => (
                "keys-unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "Tokens cannot be checked at the moment".into(),
            ),
            Self::NotRegistered(_) => {
                ("not-registered", StatusCode::FORBIDDEN, "The account is not registered".into())
            }
            Self::EmailTaken => (
                "email-taken",
                StatusCode::CONFLICT,
                "The email address belongs to another account".into(),
            ),
            Self::TaskNotFound => {
                ("task-not-found", StatusCode::NOT_FOUND, "Task not found".into())
            }
            Self::PreconditionFailed(detail) => {
                ("precondition-failed", StatusCode::PRECONDITION_FAILED, (*detail).into())
            }
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The Idempotency-Key was used for another request".into(),
            ),
            Self::RouteNotFound => ("not-found", StatusCode::NOT_FOUND, "Not found".into()),
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed".into())
            }
            Self::Misconfigured(wrong) => {
                ("misconfigured", StatusCode::INTERNAL_SERVER_ERROR, wrong.to_string().into())
            }
            Self::DatabaseTooSlow(_) => (
                "database-too-slow",
                StatusCode::GATEWAY_TIMEOUT,
                "The database did not answer in time".into(),
            ),
            Self::DatabaseUnavailable(_) => (
                "database-unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The database is not available".into(),
            ),
            Self::DatabaseReadOnly => (
                "database-read-only",
                StatusCode::SERVICE_UNAVAILABLE,
                "The database is read-only: tasks can be read, and not changed".into(),
            ),
            Self::SchemaMissing => (
                "schema-missing",
                StatusCode::SERVICE_UNAVAILABLE,
                "The database has no schema yet: apply the migrations".into(),
            ),
            Self::SchemaOutdated => (
                "schema-outdated",
                StatusCode::SERVICE_UNAVAILABLE,
                "The schema of the database is older than this service: apply the migrations"
                    .into(),
            ),
            Self::Internal(_) => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Internal server error".into())
            }
        };
        let errors = match self {
            Self::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        };
        Problem { kind, status, detail: detail.into_owned(), errors }
    }

    /// The reason of the failure, for the log. It has nothing of a token in it.
    pub(crate) fn cause(&self) -> Option<String> {
        match self {
            Self::Misconfigured(wrong) => Some(wrong.to_string()),
            Self::DatabaseTooSlow(error)
            | Self::DatabaseUnavailable(error)
            | Self::Internal(error) => Some(error.to_string()),
            Self::KeysUnavailable(unavailable) => Some(unavailable.to_string()),
            Self::DatabaseReadOnly => {
                Some("a standby, or default_transaction_read_only is on".to_owned())
            }
            Self::SchemaMissing => Some("the table tasks does not exist".to_owned()),
            Self::SchemaOutdated => {
                Some("tasks has no priority, or there is no idempotency_keys".to_owned())
            }
            Self::TokenMissing(reason) | Self::TokenInvalid(reason) => Some((*reason).to_owned()),
            Self::NotRegistered(reason) => Some(reason.clone().into_owned()),
            Self::TokenExpired => Some("expired token".to_owned()),
            _ => None,
        }
    }

    fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::DatabaseTooSlow(error)
            | Self::DatabaseUnavailable(error)
            | Self::Internal(error) => error.sqlstate(),
            _ => None,
        }
    }

    /// The challenge of a 401 (RFC 6750, section 3): without a token it names no error.
    fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::TokenMissing(_) => Some("Bearer"),
            Self::TokenInvalid(_) => {
                Some("Bearer error=\"invalid_token\", error_description=\"The token is not valid\"")
            }
            Self::TokenExpired => {
                Some("Bearer error=\"invalid_token\", error_description=\"The token has expired\"")
            }
            _ => None,
        }
    }

    /// The header that says what would have been accepted.
    fn header(&self) -> Option<(HeaderName, &'static str)> {
        match self {
            Self::UnsupportedMediaType(Unsupported { header, accepted, .. }) => {
                Some((header.clone(), accepted))
            }
            _ => self.challenge().map(|challenge| (WWW_AUTHENTICATE, challenge)),
        }
    }

    /// The same failure as a health check reports it: whatever is wrong with the configuration or
    /// the database, the answer is 503.
    pub(crate) fn into_unhealthy(self) -> Response {
        let mut response = Response::from(self);
        if let Some(problem) = response.extensions_mut().get_mut::<Problem>() {
            problem.status = StatusCode::SERVICE_UNAVAILABLE;
        }
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        response
    }
}

impl From<ApiError> for Response {
    /// Without a body: the problem becomes it when the response is completed.
    fn from(error: ApiError) -> Self {
        let problem = error.problem();
        let mut response = response::empty(problem.status);
        if problem.status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from_static(RETRY_AFTER_SECONDS);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        if let Some((name, value)) = error.header() {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if let Some(text) = error.cause() {
            let sqlstate = error.sqlstate().map(str::to_owned);
            response.extensions_mut().insert(Cause { text, sqlstate });
        }
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<Misconfiguration> for ApiError {
    fn from(wrong: Misconfiguration) -> Self {
        Self::Misconfigured(wrong)
    }
}

impl From<DbError> for ApiError {
    /// Maps by SQLSTATE and constraint, never by text.
    fn from(error: DbError) -> Self {
        let (code, constraint) = match &error {
            DbError::TimedOut(_) => return Self::DatabaseTooSlow(error),
            DbError::Unavailable(_) | DbError::Broken(_) => {
                return Self::DatabaseUnavailable(error);
            }
            DbError::Unexpected(_) => return Self::Internal(error),
            DbError::Refused { code, constraint, .. } => (code.as_str(), constraint.as_deref()),
        };
        match (code, constraint) {
            // The checks of the schema say the same as ours; they speak only if ours have a hole.
            ("23514", Some("tasks_title_length")) => Self::field("title", messages::TITLE_TOO_LONG),
            ("23514", Some("tasks_description_length")) => {
                Self::field("description", messages::DESCRIPTION_TOO_LONG)
            }
            ("23514", Some("tasks_status_check")) => {
                Self::field("status", messages::STATUS_UNKNOWN)
            }
            ("23514", Some("tasks_priority_check")) => {
                Self::field("priority", messages::PRIORITY_UNKNOWN)
            }
            ("23503", Some("tasks_user_id_fkey" | "idempotency_keys_user_id_fkey")) => {
                Self::NotRegistered("no account: the user has no row in users".into())
            }
            // A character that the database cannot store; ours are checked, a user id is not.
            ("22021" | "22P05", _) => {
                Self::BadRequest("The request has a character that cannot be stored".to_owned())
            }
            // The limits of a statement, a lock, a transaction and its pauses.
            ("57014" | "55P03" | "25P04" | "25P03", _) => Self::DatabaseTooSlow(error),
            // Read-only: a standby, or a failover that is going on.
            ("25006", _) => Self::DatabaseUnavailable(error),
            // Connections, resources, shutdowns. 40: a deadlock, or changes at once under an isolation
            // that does not bear them. Nothing was done, and it may be repeated.
            _ if ["08", "40", "53", "57P0"].iter().any(|class| code.starts_with(class)) => {
                Self::DatabaseUnavailable(error)
            }
            _ => Self::Internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiError, DbError, Response};

    fn refused(code: &str, constraint: Option<&str>) -> ApiError {
        let error = DbError::Refused {
            code: code.to_owned(),
            constraint: constraint.map(str::to_owned),
            message: "not for clients".to_owned(),
        };
        ApiError::from(error)
    }

    #[test]
    fn sqlstates_have_the_contracts_status() {
        for (label, code, constraint, expected) in [
            ("title check", "23514", Some("tasks_title_length"), 400),
            ("description check", "23514", Some("tasks_description_length"), 400),
            ("status check", "23514", Some("tasks_status_check"), 400),
            ("another check", "23514", Some("something_else"), 500),
            ("no such user", "23503", Some("tasks_user_id_fkey"), 403),
            ("bad character", "22021", None, 400),
            ("cancelled", "57014", None, 504),
            ("lock not had", "55P03", None, 504),
            ("transaction too long", "25P04", None, 504),
            ("transaction idle too long", "25P03", None, 504),
            ("read-only", "25006", None, 503),
            ("deadlock", "40P01", None, 503),
            ("cannot serialize", "40001", None, 503),
            ("outcome unknown", "40003", None, 503),
            ("shutting down", "57P01", None, 503),
            ("starting up", "57P03", None, 503),
            ("session idle too long", "57P05", None, 503),
            ("too many connections", "53300", None, 503),
            ("disk full", "53100", None, 503),
            ("connection failure", "08006", None, 503),
            ("undefined table", "42P01", None, 500),
            ("permission", "42501", None, 500),
        ] {
            let response = Response::from(refused(code, constraint));
            assert_eq!(response.status().as_u16(), expected, "{label}");
        }
    }

    #[test]
    fn accounts_that_cannot_be_made_are_told_apart() {
        for (label, code, kind) in [
            ("required column", "23502", "not-registered"),
            ("check constraint", "23514", "not-registered"),
            ("too long", "22001", "not-registered"),
            ("raised by a trigger", "P0001", "not-registered"),
            ("no column email", "42703", "misconfigured"),
            ("permission", "42501", "misconfigured"),
            ("undefined table", "42P01", "internal"),
            ("cancelled", "57014", "database-too-slow"),
        ] {
            let error = refused(code, None).on_account_insert();
            assert_eq!(error.problem().kind, kind, "{label}");
            assert!(error.cause().is_some(), "{label}");
            let names_variable = error.problem().detail.contains("`provision_users`");
            assert_eq!(names_variable, kind == "misconfigured", "{label}");
        }
    }

    #[test]
    fn a_server_error_says_nothing_of_its_cause() {
        let error = ApiError::from(DbError::Unexpected("secret".to_owned()));
        assert_eq!(error.problem().detail, "Internal server error");
        assert_eq!(error.cause().as_deref(), Some("unexpected answer from the database: secret"));
    }
}
