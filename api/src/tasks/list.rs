//! `GET /api/{user_id}/tasks`

use std::borrow::Cow;

use const_format::formatcp;
use http::header::LINK;
use http::{HeaderValue, Uri};
use responses::problem::FieldError;

use super::fields::Status;
use super::messages::STATUS_UNKNOWN;
use super::page::{CURSOR_INVALID, CURSOR_OF_OTHER_SORT, Cursor, LIMIT_INVALID, PageLimit};
use super::records;
use super::sql::{LISTED, RANK};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::response::{self, Response};
#[cfg(test)]
use crate::openapi::{failures, schema};

pub(crate) const SORT_UNKNOWN: &str = "Invalid sort value. Must be 'priority' or omitted";

/// The statements of pages that are for the same tasks. `$1` owner, `$2` the largest number of tasks.
/// Columns: the tasks, as PostgreSQL sends rows, one after the other; and how many there were: one more than
/// `$2` where there is a next page.
pub(super) struct Page {
    /// Up to [`FEW`] tasks.
    pub(super) few: &'static str,
    /// Any number.
    many: &'static str,
}

/// About as many tasks with the longest description, of ASCII, are 1 MiB. Up to so many, it costs
/// the server less to write all of them than to plan how not to.
const FEW: i32 = 200;

/// A page of the owner's tasks, which `$rows` selects in their order. The server sends 1 MiB of them, or the
/// first one if that is larger; the component shows what fits into 1 MiB of JSON, which is longer than the rows.
///
/// `many` writes no more tasks after their descriptions alone have reached 1 MiB: for a page of thirty
/// large tasks, it does not write a thousand. `offset 0` keeps PostgreSQL from writing each one twice.
macro_rules! pages {
    ($rows:expr) => {
        Page {
            few: formatcp!(
                "{SENT}
    select record_send(page) as task
      from (
      {rows}) as page
    offset 0) as page",
                rows = $rows
            ),
            many: formatcp!(
                "{SENT}
    select case when bytes > 1048576 then null else record_send(page) end as task
      from (
      select *, sum(octet_length(description)) over (rows between unbounded preceding and 1 preceding) as bytes
        from (
        {rows}) as page) as page
    offset 0) as page",
                rows = $rows
            ),
        }
    };
}

const SENT: &str = "\
select substring(string_agg(task, '') for greatest(1048576, max(octet_length(task)))), count(*)
  from (";

/// Newest first. `$filter` is a condition that narrows the owner's tasks.
macro_rules! newest_first {
    ($filter:literal) => {
        pages!(formatcp!(
            "select {LISTED}
      from tasks
     where user_id = $1::text{filter}
     order by created_at desc, id desc
     limit $2::int4 + 1",
            filter = $filter
        ))
    };
}

/// The tasks of one status by priority: a range of the index. `$status` is an expression, `$after` one
/// more condition.
macro_rules! of_status {
    ($status:literal, $after:literal) => {
        formatcp!(
            "select {LISTED},
           {RANK} as rank
          from tasks
         where user_id = $1::text
           and status = {status}{after}
         order by rank desc, created_at desc, id desc
         limit $2::int4 + 1",
            status = $status,
            after = formatcp!($after)
        )
    };
}

/// All tasks by priority: PostgreSQL merges the ranges of the two statuses, and reads of each only what
/// it needs.
macro_rules! of_both {
    ($after:literal) => {
        formatcp!(
            "select * from (
          ({incomplete})
           union all
          ({complete})) as tasks
         order by rank desc, created_at desc, id desc
         limit $2::int4 + 1",
            incomplete = of_status!("'incomplete'", $after),
            complete = of_status!("'complete'", $after)
        )
    };
}

/// From the newest one on. Constants of their own for each way to list, so that each has the index
/// that fits it, and so that the first page is not planned like those after it.
pub(super) const LIST_TASKS: Page = newest_first!("");

/// `$3` and `$4` creation time and id of the task before the page.
const LIST_TASKS_AFTER: Page =
    newest_first!(" and (created_at, id) < ($3::text::timestamptz, $4::int4)");

/// `$3` status.
const LIST_TASKS_OF_STATUS: Page = newest_first!(" and status = $3::text");

/// `$3` status, `$4` and `$5` as above.
const LIST_TASKS_OF_STATUS_AFTER: Page = newest_first!(
    " and status = $3::text and (created_at, id) < ($4::text::timestamptz, $5::int4)"
);

/// From the newest one of the highest priority on.
const LIST_BY_PRIORITY: Page = pages!(of_both!(""));

/// `$3` to `$5` rank, creation time and id of the task before the page.
const LIST_BY_PRIORITY_AFTER: Page = pages!(of_both!(
    "
           and ({RANK}, created_at, id) < ($3::int4, $4::text::timestamptz, $5::int4)"
));

/// `$3` status.
pub(super) const LIST_BY_PRIORITY_OF_STATUS: Page = pages!(of_status!("$3::text", ""));

/// `$3` status, `$4` to `$6` as above.
const LIST_BY_PRIORITY_OF_STATUS_AFTER: Page = pages!(of_status!(
    "$3::text",
    "
           and ({RANK}, created_at, id) < ($4::int4, $5::text::timestamptz, $6::int4)"
));

/// An order other than newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// High to low, and newest first among equals.
    Priority,
}

impl Sort {
    fn parse(text: &str) -> Option<Self> {
        (text == "priority").then_some(Self::Priority)
    }
}

/// Query of a list. Unknown parameters are ignored, and of several
/// of one name the last one counts, as it did for the predecessor; a list has one order only.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListQuery {
    status: Option<Status>,
    sort: Option<Sort>,
    limit: Option<PageLimit>,
    cursor: Option<Cursor>,
}

#[cfg_attr(test, utoipa::path(
    get,
    path = "/api/{user_id}/tasks",
    tag = "Tasks",
    summary = "List the tasks, newest first or by priority",
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
/// 200 with a page of the caller's tasks and a `Link` to the next page if there is
/// one; 400 that lists every bad parameter.
pub(crate) async fn list_tasks(
    caller: Caller,
    uri: &Uri,
    database: Database,
) -> Result<Response, ApiError> {
    let query = ListQuery::parse(uri.query().unwrap_or_default())?;
    let limit = query.limit.unwrap_or_default();
    let page = match (query.sort, query.status, query.cursor) {
        (None, None, None) => LIST_TASKS,
        (None, None, Some(_)) => LIST_TASKS_AFTER,
        (None, Some(_), None) => LIST_TASKS_OF_STATUS,
        (None, Some(_), Some(_)) => LIST_TASKS_OF_STATUS_AFTER,
        (Some(Sort::Priority), None, None) => LIST_BY_PRIORITY,
        (Some(Sort::Priority), None, Some(_)) => LIST_BY_PRIORITY_AFTER,
        (Some(Sort::Priority), Some(_), None) => LIST_BY_PRIORITY_OF_STATUS,
        (Some(Sort::Priority), Some(_), Some(_)) => LIST_BY_PRIORITY_OF_STATUS_AFTER,
    };
    let statement = if limit.0 <= FEW { page.few } else { page.many };
    let mut params = vec![Param::Text(caller.user_id.clone()), Param::Int4(limit.0)];
    params.extend(query.status.map(|status| Param::Text(status.as_str().to_owned())));
    if let Some(cursor) = query.cursor {
        params.extend(cursor.rank().map(Param::Int4));
        params.extend([Param::Text(cursor.timestamp()), Param::Int4(cursor.id())]);
    }
    let mut row = database.row(statement, params).await?;
    let records = row.optional_bytes()?.unwrap_or_default();
    let read = row.int8()?;
    let shown = records::to_json(&records, read, limit, &caller.user_id)?;
    let mut response = response::json(shown.json);
    if let Some(last) = shown.last.filter(|_| shown.count < read) {
        let rank = query.sort.map(|Sort::Priority| last.rank);
        let link = query.link_to(Cursor::after(rank, last.created_at, last.id));
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

impl ListQuery {
    pub(super) fn parse(query: &str) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let last = |name: &'static str| {
            form_urlencoded::parse(query.as_bytes())
                .filter(|(other, _)| other == name)
                .last()
                .map(|(_, value)| value)
        };
        let is_sort = |(name, _): &(Cow<'_, str>, _)| name == "sort";
        let sorts = form_urlencoded::parse(query.as_bytes()).filter(is_sort).count();
        let sort = |text: &str| Sort::parse(text).filter(|_| sorts == 1);
        let (status, limit, cursor) = (last("status"), last("limit"), last("cursor"));
        let parsed = Self {
            status: checked("status", status, Status::parse, STATUS_UNKNOWN, &mut errors),
            sort: checked("sort", last("sort"), sort, SORT_UNKNOWN, &mut errors),
            limit: checked("limit", limit, PageLimit::parse, LIMIT_INVALID, &mut errors),
            cursor: checked("cursor", cursor, Cursor::decode, CURSOR_INVALID, &mut errors),
        };
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        match parsed.cursor {
            Some(cursor) if cursor.rank().is_some() != parsed.sort.is_some() => {
                Err(ApiError::field("cursor", CURSOR_OF_OTHER_SORT))
            }
            _ => Ok(parsed),
        }
    }

    /// The `Link` (RFC 8288) to the page that begins there, with this query's status, sort and limit. The
    /// path is the request's own, so that it is right behind a proxy that adds a prefix to it.
    fn link_to(&self, cursor: Cursor) -> String {
        let status = self.status.map(|status| format!("status={}&", status.as_str()));
        let sort = self.sort.map(|Sort::Priority| "sort=priority&");
        let limit = self.limit.map(|limit| format!("limit={}&", limit.0));
        format!(
            "<?{}{}{}cursor={}>; rel=\"next\"",
            status.unwrap_or_default(),
            sort.unwrap_or_default(),
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
