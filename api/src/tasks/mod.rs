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
pub(crate) mod messages;
mod page;
mod update;

pub(crate) use complete::complete_task;
pub(crate) use create::create_task;
pub(crate) use delete::delete_task;
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
use chrono::DateTime;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};

use crate::db::{Database, DbError, Param, Row};
use crate::error::ApiError;
use crate::http::precondition::{IfMatch, etag_header};

/// SQL: a time as it stands in JSON: RFC 3339 in UTC with six digits, whatever the session's time
/// zone and date style are.
macro_rules! json_time {
    ($time:literal) => {
        concat!("to_char(", $time, " at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    };
}
use json_time;

/// SQL: the JSON of a row of `tasks`, as text.
///
/// Not `json_build_object`, which finds out anew for each value of each row what to do with its
/// type: this takes half the time. What can hold a character that JSON escapes goes through
/// `to_json`; a status cannot, its column is checked.
macro_rules! task_json {
    () => {
        concat!(
            "format('{\"id\" : %s, \"user_id\" : %s, \"title\" : %s, \"description\" : %s, \"status\" : \"%s\", \
             \"created_at\" : \"%s\", \"updated_at\" : \"%s\"}', \
             id, to_json(user_id), to_json(title), coalesce(to_json(description)::text, 'null'), status, ",
            $crate::tasks::json_time!("created_at"),
            ", ",
            $crate::tasks::json_time!("updated_at"),
            ")"
        )
    };
}
use task_json;

/// SQL: the columns that [`TaskState::read`] takes.
macro_rules! task_state {
    () => {
        concat!($crate::tasks::task_json!(), ", ", $crate::tasks::json_time!("updated_at"))
    };
}
use task_state;

/// A statement that changes a task, and the same with `If-Match`. `$1` id, `$2` owner. Two texts,
/// because the condition makes the statement longer to plan than to execute.
pub(crate) struct Change {
    /// Its row is the changed task; none where the task is absent or somebody else's.
    statement: &'static str,
    /// Its last parameter has the tags, with spaces between them. Its first column is whether the task
    /// was changed: false where the task is there, but in another state than the tags name.
    if_match: &'static str,
}

/// The two statements of a change. `$change` is what stands before their `where`, `$tags` the
/// parameter with the states that `If-Match` names. A tag says how the task's JSON is written, and
/// when the task last changed, which moves forward with every change.
macro_rules! change {
    ($change:literal, $tags:literal, returning the task) => {
        $crate::tasks::change!(
            $change,
            $tags,
            returning concat!($crate::tasks::task_json!(), " as task, ", $crate::tasks::json_time!("updated_at"), " as updated_at"),
            ", task, updated_at",
            ", null, null"
        )
    };
    ($change:literal, $tags:literal, returning $returning:expr, $columns:literal, $nulls:literal) => {
        $crate::tasks::Change {
            statement: concat!(
                $change,
                "
 where id = $1::int4
   and user_id = $2::text
returning ",
                $returning
            ),
            if_match: concat!(
                "with changed as (
",
                $change,
                "
 where id = $1::int4
   and user_id = $2::text
   and '1-' || (extract(epoch from updated_at) * 1000000)::int8 = any (string_to_array(",
                $tags,
                "::text, ' '))
returning ",
                $returning,
                "
)
select true",
                $columns,
                " from changed
 union all
select false",
                $nulls,
                "
 where not exists (select from changed)
   and exists (select from tasks where id = $1::int4 and user_id = $2::text)"
            ),
        }
    };
}
use change;

impl Change {
    /// Changes the task. 404 when it is absent or somebody else's, 412 when its state is not one that
    /// `If-Match` names.
    async fn apply(
        &self,
        database: &Database,
        mut params: Vec<Param>,
        if_match: IfMatch,
    ) -> Result<Row, ApiError> {
        let tags = if_match.into_param();
        let is_conditional = tags.is_some();
        params.extend(tags.map(Param::Text));
        let statement = if is_conditional { self.if_match } else { self.statement };
        let row = database.first_row(statement, params).await?;
        let mut row = row.ok_or(ApiError::TaskNotFound)?;
        if is_conditional && !row.bool()? {
            return Err(ApiError::PreconditionFailed);
        }
        Ok(row)
    }
}

/// A task as it stands in a response: its JSON and its `ETag`.
pub(crate) struct TaskState {
    pub(crate) json: String,
    /// Without quotes.
    pub(crate) etag: String,
}

impl TaskState {
    /// The next two columns: `task_state`.
    fn read(row: &mut Row) -> Result<Self, DbError> {
        let (json, updated_at) = (row.text()?, row.text()?);
        let etag = format!("1-{}", micros(&updated_at)?);
        Ok(Self { json, etag })
    }
}

/// Microseconds since 1970, of a time as `json_time` writes it.
fn micros(time: &str) -> Result<i64, DbError> {
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
