//! `GET /api/{user_id}/tasks`

use axum::response::{IntoResponse, Response};
use const_format::formatcp;
use http::header::LINK;
use http::{HeaderValue, Uri};
use responses::problem::FieldError;

use super::fields::Status;
use super::messages::STATUS_UNKNOWN;
use super::page::{CURSOR_INVALID, Cursor, LIMIT_INVALID, PageLimit};
use super::sql::TASK_JSON;
use super::state::Json;
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// The statements of pages that are for the same tasks. `$1` owner, `$2` the largest number of tasks.
/// Columns: the tasks; and where the next page begins, if there is one.
struct Page {
    /// Up to [`FEW`] tasks.
    few: &'static str,
    /// Any number.
    many: &'static str,
}

/// About as many tasks with the longest description, of ASCII, are 1 MiB. Up to so many, it costs
/// less to write the JSON of all of them than to have the server plan how not to.
const FEW: i32 = 200;

/// A page of the owner's tasks, newest first: no more than fit into 1 MiB of JSON, but one at least.
/// `$filter` is a condition that narrows the owner's tasks.
///
/// One row more than `$2` is read, to know if there is a next page. Rows stay in the order in
/// which they are read, so windows and aggregates need no order of their own. A task that is not
/// shown has no text, and is neither in the array nor counted. `offset 0` keeps PostgreSQL from
/// writing the JSON once for each place that uses it.
///
/// `many` writes no JSON after the descriptions alone have reached 1 MiB in UTF-8, because their JSON is
/// at least as long: for a page of thirty large tasks, it does not write a thousand.
macro_rules! pages {
    ($filter:literal) => {
        Page {
            few: formatcp!(
                "{SHOWN}
      select id, created_at, {TASK_JSON} as task
        from (
        select id, user_id, title, description, status, created_at, updated_at
          from tasks
         where user_id = $1::text{filter}
         order by created_at desc, id desc
         limit $2::int4 + 1) as page
      offset 0) as page
    window so_far as (rows unbounded preceding)) as page",
                filter = $filter
            ),
            many: formatcp!(
                "{SHOWN}
      select id, created_at, case when bytes > 1048576 then null else {TASK_JSON} end as task
        from (
        select *, sum(octet_length(description)) over (rows unbounded preceding) as bytes
          from (
          select id, user_id, title, description, status, created_at, updated_at
            from tasks
           where user_id = $1::text{filter}
           order by created_at desc, id desc
           limit $2::int4 + 1) as page) as page
      offset 0) as page
    window so_far as (rows unbounded preceding)) as page",
                filter = $filter
            ),
        }
    };
}

/// The beginning of a page's statement: which of the texts that follow are shown.
const SHOWN: &str = "select concat('[', string_agg(task, ', '), ']'),
       case when count(*) > count(task)
            then timestamptz_send(min(created_at) filter (where task is not null))
       end,
       (array_agg(id))[count(task)]
  from (
    select id, created_at,
           case when row_number() over so_far <= $2::int4
                 and (sum(octet_length(task) + 2) over so_far <= 1048576
                      or row_number() over so_far = 1)
                then task
           end as task
      from (";

/// From the newest one on. Constants of their own for each way to list, so that each has the index
/// that fits it, and so that the first page is not planned like those after it.
const LIST_TASKS: Page = pages!("");

/// `$3` and `$4` creation time and id of the task before the page.
const LIST_TASKS_AFTER: Page = pages!(" and (created_at, id) < ($3::text::timestamptz, $4::int4)");

/// `$3` status.
const LIST_TASKS_OF_STATUS: Page = pages!(" and status = $3::text");

/// `$3` status, `$4` and `$5` as above.
const LIST_TASKS_OF_STATUS_AFTER: Page =
    pages!(" and status = $3::text and (created_at, id) < ($4::text::timestamptz, $5::int4)");

/// Query of a list. Unknown parameters are ignored, and of several
/// of one name the last one counts, as it did for the predecessor.
#[derive(Debug, Default, PartialEq, Eq)]
struct ListQuery {
    status: Option<Status>,
    limit: Option<PageLimit>,
    cursor: Option<Cursor>,
}

#[cfg_attr(test, utoipa::path(
    get,
    path = "/api/{user_id}/tasks",
    tag = "Tasks",
    summary = "List the tasks, newest first",
    params(schema::OwnerInPath, schema::ListFilter),
    responses(
        (
            status = 200,
            description = "A page of the tasks; empty when there are none",
            body = Vec<schema::Task>,
            headers(("Link")),
        ),
        (status = 400, response = failures::InvalidFilter),
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 200 with a page of the caller's tasks, newest first, and a `Link` to the next page if there is
/// one; 400 that lists every bad parameter.
pub(crate) async fn list_tasks(
    caller: Caller,
    uri: &Uri,
    database: Database,
) -> Result<Response, ApiError> {
    let query = ListQuery::parse(uri.query().unwrap_or_default())?;
    let limit = query.limit.unwrap_or_default();
    let page = match (query.status, query.cursor) {
        (None, None) => LIST_TASKS,
        (None, Some(_)) => LIST_TASKS_AFTER,
        (Some(_), None) => LIST_TASKS_OF_STATUS,
        (Some(_), Some(_)) => LIST_TASKS_OF_STATUS_AFTER,
    };
    let statement = if limit.0 <= FEW { page.few } else { page.many };
    let mut params = vec![Param::Text(caller.user_id), Param::Int4(limit.0)];
    params.extend(query.status.map(|status| Param::Text(status.as_str().to_owned())));
    if let Some(cursor) = query.cursor {
        params.extend([Param::Text(cursor.timestamp()), Param::Int4(cursor.id())]);
    }
    let mut row = database.row(statement, params).await?;
    let mut response = Json(row.text()?).into_response();
    if let (Some(time), Some(id)) = (row.optional_time()?, row.optional_int4()?) {
        let link = query.link_to(Cursor::after(time, id));
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

impl ListQuery {
    fn parse(query: &str) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let last = |name: &'static str| {
            form_urlencoded::parse(query.as_bytes())
                .filter(|(other, _)| other == name)
                .last()
                .map(|(_, value)| value)
        };
        let (status, limit, cursor) = (last("status"), last("limit"), last("cursor"));
        let parsed = Self {
            status: checked("status", status, Status::parse, STATUS_UNKNOWN, &mut errors),
            limit: checked("limit", limit, PageLimit::parse, LIMIT_INVALID, &mut errors),
            cursor: checked("cursor", cursor, Cursor::decode, CURSOR_INVALID, &mut errors),
        };
        if errors.is_empty() { Ok(parsed) } else { Err(ApiError::Invalid(errors)) }
    }

    /// The `Link` (RFC 8288) to the page that begins there, with this query's status and limit. The
    /// path is the request's own, so that it is right behind a proxy that adds a prefix to it.
    fn link_to(&self, cursor: Cursor) -> String {
        let status = self.status.map(|status| format!("status={}&", status.as_str()));
        let limit = self.limit.map(|limit| format!("limit={}&", limit.0));
        format!(
            "<?{}{}cursor={}>; rel=\"next\"",
            status.unwrap_or_default(),
            limit.unwrap_or_default(),
            cursor.encode()
        )
    }
}

/// A parameter's value; an error is added to `errors`.
fn checked<T>(
    name: &str,
    value: Option<impl AsRef<str>>,
    parse: impl Fn(&str) -> Option<T>,
    message: &str,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    let value = value?;
    let parsed = parse(value.as_ref());
    if parsed.is_none() {
        errors.push(FieldError { field: name.to_owned(), message: message.to_owned() });
    }
    parsed
}
