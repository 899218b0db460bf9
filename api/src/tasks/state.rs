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

    fn to_json(&self) -> String {
        let mut written = String::new();
        let task = TaskJson {
            id: &self.id.to_string(),
            user_id: &json(&self.user_id),
            title: &json(&self.title),
            description: &json(&self.description),
            status: &self.status,
            priority: &self.priority,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        task.write_to(&mut written);
        written
    }

    /// The value of [`super::sql::TAG`]. None if `updated_at` is infinite: changes do not move it, so it
    /// does not identify a state.
    fn etag(&self) -> Option<HeaderValue> {
        let micros = self.updated_at.unix_micros()?;
        HeaderValue::from_str(&format!("\"1-{micros}\"")).ok()
    }
}

/// A task's fields, ready for JSON: id, owner, title and description are JSON already.
pub(super) struct TaskJson<'a> {
    pub(super) id: &'a str,
    pub(super) user_id: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) status: &'a str,
    pub(super) priority: &'a str,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
}

impl TaskJson<'_> {
    /// Writes the task as it stands in every response, with the spaces that PostgreSQL puts into JSON.
    pub(super) fn write_to(&self, json: &mut String) {
        for text in [
            r#"{"id" : "#,
            self.id,
            r#", "user_id" : "#,
            self.user_id,
            r#", "title" : "#,
            self.title,
            r#", "description" : "#,
            self.description,
            r#", "status" : ""#,
            self.status,
            r#"", "priority" : ""#,
            self.priority,
            r#"", "created_at" : ""#,
        ] {
            json.push_str(text);
        }
        self.created_at.write_rfc3339(json);
        json.push_str(r#"", "updated_at" : ""#);
        self.updated_at.write_rfc3339(json);
        json.push_str(r#""}"#);
    }
}

/// A text or null; such a value cannot fail to be written.
pub(super) fn json(value: &impl Serialize) -> String {
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
