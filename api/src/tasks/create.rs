//! `POST /api/{user_id}/tasks`

use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use super::fields::{Description, FieldReader, Title};
use super::{DatabaseJson, path, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::json::JsonObject;

/// `$1` owner, `$2` title, `$3` description or null.
const INSERT_TASK: &str = concat!(
    "insert into tasks (user_id, title, description)
values ($1::text, $2::text, $3::text)
returning id, ",
    task_json!(),
    "::text"
);

/// `$4` email: makes the owner's account as well, if there is none. The foreign key is checked when
/// the whole statement is done, so the account and its first task come together or not at all.
///
/// `on conflict` names no index: of two first tasks at once, the second may meet the first one's
/// account at the email address rather than at the id, and neither is an error.
const INSERT_TASK_AND_ACCOUNT: &str = concat!(
    "with account as (
  insert into users (id, email)
  select $1::text, $4::text
   where not exists (select from users where id = $1::text)
  on conflict do nothing
)
insert into tasks (user_id, title, description)
values ($1::text, $2::text, $3::text)
returning id, ",
    task_json!(),
    "::text"
);

/// A new task, checked.
struct NewTask {
    title: Title,
    description: Option<Description>,
}

/// 201 with the task and its `Location`; 400 that lists every bad member; 403 when the caller has
/// no account and the token has no email address to make one.
pub(crate) async fn create_task(
    caller: Caller,
    database: Database,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let new = NewTask::from_body(&body)?;
    let mut params = vec![
        Param::Text(caller.user_id.clone()),
        Param::Text(new.title.0),
        Param::OptionalText(new.description.map(|description| description.0)),
    ];
    let mut row = match caller.email.filter(|_| database.provisions_users()) {
        None => database.row(INSERT_TASK, params).await?,
        Some(email) => {
            params.push(Param::Text(email));
            let inserted = database.row(INSERT_TASK_AND_ACCOUNT, params).await;
            inserted.map_err(ApiError::while_making_an_account)?
        }
    };
    let location = path::of_task(&caller.user_id, row.int4()?);
    let mut response = (StatusCode::CREATED, DatabaseJson(row.text()?)).into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

impl NewTask {
    fn from_body(body: &JsonObject) -> Result<Self, ApiError> {
        let mut fields = FieldReader::new(body);
        let title = fields.required_title();
        let description = fields.description().flatten();
        match (title, fields.into_errors()) {
            (Some(title), errors) if errors.is_empty() => Ok(Self { title, description }),
            (_, errors) => Err(ApiError::Invalid(errors)),
        }
    }
}
