//! A task in a response.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use serde::Serialize;

use crate::db::{DbError, Row, Time};

/// A task as it stands in a response.
pub(crate) struct TaskState {
    pub(super) id: i32,
    pub(super) user_id: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) status: String,
    pub(super) priority: String,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
}

impl TaskState {
    /// The next columns: [`super::sql::TASK_STATE`].
    pub(super) fn read(row: &mut Row, id: i32, user_id: String) -> Result<Self, DbError> {
        Ok(Self {
            id,
            user_id,
            title: row.text()?,
            description: row.optional_text()?,
            status: row.text()?,
            priority: row.text()?,
            created_at: row.time()?,
            updated_at: row.time()?,
        })
    }

    /// The same JSON as [`super::sql::TASK_JSON`], byte for byte.
    fn to_json(&self) -> String {
        format!(
            r#"{{"id" : {}, "user_id" : {}, "title" : {}, "description" : {}, "status" : "{}", "priority" : "{}", "created_at" : "{}", "updated_at" : "{}"}}"#,
            self.id,
            json(&self.user_id),
            json(&self.title),
            json(&self.description),
            self.status,
            self.priority,
            self.created_at.to_rfc3339(),
            self.updated_at.to_rfc3339(),
        )
    }

    /// The value of [`super::sql::TAG`]. None if `updated_at` is infinite: changes do not move it, so it
    /// does not identify a state.
    fn etag(&self) -> Option<HeaderValue> {
        let micros = self.updated_at.unix_micros()?;
        HeaderValue::from_str(&format!("\"1-{micros}\"")).ok()
    }
}

/// A text or null; such a value cannot fail to be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl IntoResponse for TaskState {
    fn into_response(self) -> Response {
        let mut response = Json(self.to_json()).into_response();
        if let Some(etag) = self.etag() {
            response.headers_mut().insert(ETAG, etag);
            // Caches may keep it if they ask each time.
            let cache = HeaderValue::from_static("private, no-cache");
            response.headers_mut().insert(CACHE_CONTROL, cache);
        }
        response
    }
}

/// A body that is JSON already.
pub(super) struct Json(pub(super) String);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], self.0).into_response()
    }
}
