//! `GET /api/{user_id}/tasks`

use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::{HeaderValue, Uri};
use responses::problem::FieldError;

use super::fields::{STATUS_UNKNOWN, Status};
use super::page::{CURSOR_INVALID, Cursor, LIMIT_INVALID, PageLimit};
use super::{DatabaseJson, json_time, micros, path, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// SQL: a page, newest first, after the task that was made at `$2` and has the id `$3`; of at most
/// `$4` tasks. One row more is read, which tells whether anything follows. Columns: the tasks; and
/// where the next page begins, if there is one.
macro_rules! page {
    ($filter:literal) => {
        concat!(
            "with page as (
  select id, user_id, title, description, status, created_at, updated_at
    from tasks
   where user_id = $1::text",
            $filter,
            "
     and (created_at, id) < ($2::text::timestamptz, $3::int4)
   order by created_at desc, id desc
   limit $4::int4 + 1
), shown as (
  select id, user_id, title, description, status, created_at, updated_at
    from page
   order by created_at desc, id desc
   limit $4::int4
)
select coalesce('[' || string_agg(",
            task_json!(),
            ", ', ' order by created_at desc, id desc) || ']', '[]'),
       case when (select count(*) from page) > $4::int4
            then ",
            json_time!("min(created_at)"),
            " end,
       (array_agg(id order by created_at, id))[1]
  from shown"
        )
    };
}

/// `$1` owner.
const LIST_TASKS: &str = page!("");

/// `$1` owner, `$5` status. A constant of its own, so that each of the two has the index that fits
/// it.
const LIST_TASKS_BY_STATUS: &str = page!("\n     and status = $5::text");

/// What a request says about the list that it wants. Unknown parameters are ignored, and of several
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
    uri: Uri,
    database: Database,
) -> Result<Response, ApiError> {
    let query = ListQuery::parse(uri.query().unwrap_or_default())?;
    let limit = query.limit.unwrap_or_default();
    let start = query.cursor.unwrap_or(Cursor::START);
    let mut params = vec![
        Param::Text(caller.user_id.clone()),
        Param::Text(start.timestamp()),
        Param::Int4(start.id()),
        Param::Int4(limit.0),
    ];
    let mut row = match query.status {
        None => database.row(LIST_TASKS, params).await?,
        Some(status) => {
            params.push(Param::Text(status.as_str().to_owned()));
            database.row(LIST_TASKS_BY_STATUS, params).await?
        }
    };
    let mut response = DatabaseJson(row.text()?).into_response();
    if let (Some(time), Some(id)) = (row.optional_text()?, row.optional_int4()?) {
        let link = query.link_to(&caller.user_id, Cursor::after(micros(&time)?, id));
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

    /// The `Link` (RFC 8288) to the page that begins there, with the rest of this query.
    fn link_to(&self, user_id: &str, cursor: Cursor) -> String {
        let path = path::of_tasks(user_id);
        let status = self.status.map(|status| format!("status={}&", status.as_str()));
        let limit = self.limit.map(|limit| format!("limit={}&", limit.0));
        format!(
            "<{path}?{}{}cursor={}>; rel=\"next\"",
            status.unwrap_or_default(),
            limit.unwrap_or_default(),
            cursor.encode()
        )
    }
}

/// A parameter's value; what is wrong with it is noted in `errors`.
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
