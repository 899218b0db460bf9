//! A task in a response.

use std::io::Write as _;

use http::header::{CACHE_CONTROL, ETAG, LOCATION};
use http::{HeaderValue, StatusCode};

use crate::db::{DbError, Row, Time};
use crate::http::response::{self, Response};

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

    fn to_json(&self) -> Vec<u8> {
        let mut owner = Vec::new();
        push_json(&mut owner, &self.user_id);
        let mut json = Vec::new();
        let task = TaskJson {
            id: self.id,
            owner: &owner,
            title: &self.title,
            description: self.description.as_deref(),
            status: &self.status,
            priority: &self.priority,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        task.write_to(&mut json);
        json
    }

    /// The value of [`super::sql::TAG`]. None if `updated_at` is infinite: changes do not move it, so it
    /// does not identify a state.
    fn etag(&self) -> Option<HeaderValue> {
        let micros = self.updated_at.unix_micros()?;
        HeaderValue::from_str(&format!("\"1-{micros}\"")).ok()
    }
}

/// A task in the form from which its JSON is written, in every response.
pub(super) struct TaskJson<'a> {
    pub(super) id: i32,
    /// The user id, as JSON.
    pub(super) owner: &'a [u8],
    pub(super) title: &'a str,
    pub(super) description: Option<&'a str>,
    /// A status and a priority need no escapes: their columns are checked.
    pub(super) status: &'a str,
    pub(super) priority: &'a str,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
}

impl TaskJson<'_> {
    /// With the spaces that the predecessor's database put into JSON.
    pub(super) fn write_to(&self, json: &mut Vec<u8>) {
        json.extend_from_slice(br#"{"id" : "#);
        // Cannot fail.
        let _ = write!(json, "{}", self.id);
        json.extend_from_slice(br#", "user_id" : "#);
        json.extend_from_slice(self.owner);
        json.extend_from_slice(br#", "title" : "#);
        push_json(json, self.title);
        json.extend_from_slice(br#", "description" : "#);
        match self.description {
            Some(text) => push_json(json, text),
            None => json.extend_from_slice(b"null"),
        }
        json.extend_from_slice(br#", "status" : ""#);
        json.extend_from_slice(self.status.as_bytes());
        json.extend_from_slice(br#"", "priority" : ""#);
        json.extend_from_slice(self.priority.as_bytes());
        json.extend_from_slice(br#"", "created_at" : ""#);
        self.created_at.write_rfc3339(json);
        json.extend_from_slice(br#"", "updated_at" : ""#);
        self.updated_at.write_rfc3339(json);
        json.extend_from_slice(br#""}"#);
    }
}

/// Writes a text as JSON.
pub(super) fn push_json(json: &mut Vec<u8>, text: &str) {
    // Neither a text nor a `Vec` can fail.
    let _ = serde_json::to_writer(json, text);
}

/// 201 with a new task and its `Location`.
pub(super) fn created(task: TaskState, location: &str) -> Response {
    let mut response = Response::from(task);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

impl From<TaskState> for Response {
    /// 200 with the task and its `ETag`.
    fn from(task: TaskState) -> Self {
        let mut response = response::json(task.to_json());
        if let Some(etag) = task.etag() {
            response.headers_mut().insert(ETAG, etag);
            // Caches may keep it if they ask each time.
            let cache = HeaderValue::from_static("private, no-cache");
            response.headers_mut().insert(CACHE_CONTROL, cache);
        }
        response
    }
}
