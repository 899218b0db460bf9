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
mod page;
pub(crate) mod path;
mod update;

pub(crate) use complete::complete_task;
pub(crate) use create::create_task;
pub(crate) use delete::delete_task;
pub(crate) use fields::{DESCRIPTION_TOO_LONG, STATUS_UNKNOWN, TITLE_TOO_LONG};
#[cfg(test)]
pub(crate) use fields::{MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS, Status};
pub(crate) use get::get_task;
pub(crate) use list::list_tasks;
#[cfg(test)]
pub(crate) use page::{CURSOR_INVALID, LIMIT_INVALID};
pub(crate) use update::update_task;

/// The task routes' part of the OpenAPI document.
#[cfg(test)]
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    create::create_task,
    list::list_tasks,
    get::get_task,
    update::update_task,
    delete::delete_task,
    complete::complete_task
))]
pub(crate) struct TaskRoutes;

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};

use crate::db::{Database, DbError, Param, Row};
use crate::error::ApiError;
use crate::precondition::{IfMatch, etag_header};

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

/// SQL: the entity tag of a row of `tasks`, without its quotes: how its JSON is written, and when it
/// last changed, which moves forward with every change.
macro_rules! task_etag {
    () => {
        "'1-' || (extract(epoch from updated_at) * 1000000)::int8"
    };
}
use task_etag;

/// SQL: whether the task is in one of the states that `If-Match` names; `$3`, null for any.
macro_rules! if_match {
    () => {
        concat!("($3::text is null or ", task_etag!(), " = any (string_to_array($3::text, ' ')))")
    };
}
use if_match;

/// SQL: what a statement has `changed`, or a row of nulls where the task is there but in another
/// state than `If-Match` names. `$1` id, `$2` owner.
macro_rules! changed_or_stale {
    () => {
        "
select task, etag from changed
 union all
select null, null
 where not exists (select from changed)
   and exists (select from tasks where id = $1::int4 and user_id = $2::text)"
    };
}
use changed_or_stale;

/// A task as it stands in a response: its JSON and its `ETag`.
pub(crate) struct TaskState {
    pub(crate) json: String,
    /// Without quotes.
    pub(crate) etag: String,
}

impl TaskState {
    /// The next two columns.
    fn read(row: &mut Row) -> Result<Self, DbError> {
        Ok(Self { json: row.text()?, etag: row.text()? })
    }

    /// What a statement that ends in `changed_or_stale` has changed; 404 when the task is absent or
    /// somebody else's, 412 when its state is not one that `If-Match` names.
    async fn changed_by(
        database: &Database,
        statement: &'static str,
        params: Vec<Param>,
        if_match: IfMatch,
    ) -> Result<Self, ApiError> {
        let condition = if_match.into_param();
        let is_conditional = condition.is_some();
        let mut params = params;
        params.insert(2, Param::OptionalText(condition));
        let row = database.first_row(statement, params).await?;
        let mut row = row.ok_or(ApiError::TaskNotFound)?;
        match (row.optional_text()?, row.optional_text()?) {
            (Some(json), Some(etag)) => Ok(Self { json, etag }),
            _ if is_conditional => Err(ApiError::PreconditionFailed),
            // It was deleted while the statement waited for it.
            _ => Err(ApiError::TaskNotFound),
        }
    }
}

impl IntoResponse for TaskState {
    fn into_response(self) -> Response {
        let mut response = DatabaseJson(self.json).into_response();
        tag(&mut response, &self.etag);
        response
    }
}

/// Gives a response the `ETag` of a task, with which caches may keep it if they ask each time.
fn tag(response: &mut Response, etag: &str) {
    if let Some(etag) = etag_header(etag) {
        response.headers_mut().insert(ETAG, etag);
        let cache = HeaderValue::from_static("private, no-cache");
        response.headers_mut().insert(CACHE_CONTROL, cache);
    }
}

/// JSON that PostgreSQL wrote.
pub(crate) struct DatabaseJson(pub(crate) String);

impl IntoResponse for DatabaseJson {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], self.0).into_response()
    }
}
