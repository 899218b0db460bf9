//! The six task routes. Each file has one route: its input, its SQL and its handler.
//!
//! PostgreSQL writes the JSON of a task, one text for a task or for a list of them, and the bytes
//! pass through here untouched: as rows, every value would cross into the component one by one.

mod complete;
mod create;
mod delete;
mod fields;
mod get;
mod list;
pub(crate) mod path;
mod update;

pub(crate) use complete::complete_task;
pub(crate) use create::create_task;
pub(crate) use delete::delete_task;
pub(crate) use fields::{DESCRIPTION_TOO_LONG, STATUS_UNKNOWN, TITLE_TOO_LONG};
pub(crate) use get::get_task;
pub(crate) use list::list_tasks;
pub(crate) use update::update_task;

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::db::{Database, Param};
use crate::error::ApiError;

/// SQL: the JSON of a row of `tasks`. Timestamps are RFC 3339 in UTC with six digits whatever the
/// session's time zone and date style are.
macro_rules! task_json {
    () => {
        "json_build_object(\
           'id', id, \
           'user_id', user_id, \
           'title', title, \
           'description', description, \
           'status', status, \
           'created_at', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
           'updated_at', to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))"
    };
}
use task_json;

/// The one task that a statement is about, or 404: no row means absent or somebody else's.
async fn one_task(
    database: &Database,
    statement: &'static str,
    params: Vec<Param>,
) -> Result<DatabaseJson, ApiError> {
    let row = database.first_row(statement, params).await?;
    Ok(DatabaseJson(row.ok_or(ApiError::TaskNotFound)?.text()?))
}

/// JSON that PostgreSQL wrote.
pub(crate) struct DatabaseJson(pub(crate) String);

impl IntoResponse for DatabaseJson {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], self.0).into_response()
    }
}
