//! A task in a response.

use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};

use crate::db::{Row, error::DbError};

/// A task as it stands in a response: its JSON and its `ETag`.
pub(crate) struct TaskState {
    json: String,
    /// Without quotes.
    etag: String,
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
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", self.etag)) {
            response.headers_mut().insert(ETAG, etag);
            // Caches may keep it if they ask each time.
            let cache = HeaderValue::from_static("private, no-cache");
            response.headers_mut().insert(CACHE_CONTROL, cache);
        }
        response
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
