//! A task in a response.

use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};

use crate::db::{Row, error::DbError};
use crate::http::precondition::etag_header;

/// A task as it stands in a response: its JSON and its `ETag`.
pub(crate) struct TaskState {
    pub(crate) json: String,
    /// Without quotes.
    pub(crate) etag: String,
}

impl TaskState {
    /// The next two columns: [`super::sql::TASK_STATE`].
    pub(super) fn read(row: &mut Row) -> Result<Self, DbError> {
        let (json, updated_at) = (row.text()?, row.text()?);
        let etag = format!("1-{}", micros(&updated_at)?);
        Ok(Self { json, etag })
    }
}

/// Microseconds since 1970, of a time as [`super::sql::UPDATED_AT`] writes it.
pub(super) fn micros(time: &str) -> Result<i64, DbError> {
    let time = DateTime::parse_from_rfc3339(time);
    let micros = time.map(|time| time.timestamp_micros());
    micros.map_err(|_| DbError::Unexpected("a time that is not RFC 3339".to_owned()))
}

impl IntoResponse for TaskState {
    fn into_response(self) -> Response {
        let mut response = DatabaseJson(self.json).into_response();
        tag(&mut response, &self.etag);
        response
    }
}

/// Gives a response the `ETag` of a task, with which caches may keep it if they ask each time.
pub(super) fn tag(response: &mut Response, etag: &str) {
    if let Some(etag) = etag_header(etag) {
        response.headers_mut().insert(ETAG, etag);
        let cache = HeaderValue::from_static("private, no-cache");
        response.headers_mut().insert(CACHE_CONTROL, cache);
    }
}

/// JSON that PostgreSQL wrote.
pub(super) struct DatabaseJson(pub(crate) String);

impl IntoResponse for DatabaseJson {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], self.0).into_response()
    }
}
