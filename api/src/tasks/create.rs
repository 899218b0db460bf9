//! `POST /api/{user_id}/tasks`

use axum::response::{IntoResponse, Response};
use const_format::formatcp;
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::fields::{Description, FieldReader, Title};
use super::sql::TASK_STATE;
use super::state::TaskState;
use crate::auth::Caller;
use crate::config;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::idempotency::{IDEMPOTENCY_REPLAYED, IdempotencyKey};
use crate::http::json::JsonObject;
use crate::http::precondition::Preconditions;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// `$1` owner, `$2` title, `$3` description or null. No row where the owner has no account.
const INSERT_TASK: &str = formatcp!(
    "insert into tasks (user_id, title, description)
select $1::text, $2::text, $3::text
  from users
 where id = $1::text
returning id, {TASK_STATE}"
);

/// `$4` email address, with which the owner's account is made if there is none. No row where it
/// belongs to another account.
///
/// The foreign keys are checked when the whole statement is done, so the account and its first task
/// come together or not at all. Only for roles that may make accounts: the right to insert users is
/// asked for by the statement, whether it comes to that or not. `on conflict` names no index: of two
/// first tasks at once, the second may meet the first one's account at the email address rather than
/// at the id, and neither is an error.
///
/// Whether there is an account is asked before an id is drawn for the task, because an id that was
/// drawn and not used is lost. With neither an account that was there nor one that was made, the email
/// address belongs to another account; or else a first task at the same time has just made the
/// account, which this statement cannot see yet. Then it goes on, and the foreign key decides.
const INSERT_TASK_AND_ACCOUNT: &str = formatcp!(
    "with known as (
  select from users where id = $1::text
), account as (
  insert into users (id, email)
  select $1::text, $4::text
   where not exists (select from known)
  on conflict do nothing
  returning id
)
insert into tasks (user_id, title, description)
select $1::text, $2::text, $3::text
 where (exists (select from known)
    or exists (select from account)
    or not exists (select from users where email = $4::text))
returning id, {TASK_STATE}"
);

/// The task that a key has made, now or within the last day, and whether it was for the same request.
/// `$4` the key, `$5` what is asked for, as a SHA-256 in hexadecimal. No row where there is no account.
///
/// A key that is there already has its answer, and nothing is written. Otherwise who inserts the key
/// first makes the task; who comes while that one is at work waits, and finds the key there. The id
/// is drawn before, so that the key's row can name the task: only such a request, which came at the
/// same time, draws one in vain. A row that has expired is taken over. Others that have are deleted,
/// a few at a time; not this one, which no statement may touch twice.
///
/// The answer is written from the key's row and the request, which is the one that made the task:
/// it may have changed since, or be gone.
const INSERT_TASK_ONCE: &str = formatcp!(
    "with {SEEN_AND_EXPIRED}
), drawn as (
  select nextval(pg_get_serial_sequence('tasks', 'id'))::int4 as id
   where not exists (select from seen)
     and exists (select from users where id = $1::text)
), {MADE_AND_ANSWER}"
);

/// `$6` email address, as `$4` of [`INSERT_TASK_AND_ACCOUNT`].
const INSERT_TASK_AND_ACCOUNT_ONCE: &str = formatcp!(
    "with known as (
  select from users where id = $1::text
), account as (
  insert into users (id, email)
  select $1::text, $6::text
   where not exists (select from known)
  on conflict do nothing
  returning id
), {SEEN_AND_EXPIRED}
), drawn as (
  select nextval(pg_get_serial_sequence('tasks', 'id'))::int4 as id
   where not exists (select from seen)
     and (exists (select from known)
      or exists (select from account)
      or not exists (select from users where email = $6::text))
), {MADE_AND_ANSWER}"
);

/// What the key has already made, and the deletion of old keys.
const SEEN_AND_EXPIRED: &str = "seen as (
  select task_id, created_at, fingerprint
    from idempotency_keys
   where user_id = $1::text
     and key = $4::text
     and created_at >= now() - interval '24 hours'
), expired as (
  delete from idempotency_keys
   where (user_id, key) in (
     select user_id, key
       from idempotency_keys
      where created_at < now() - interval '24 hours'
        and (user_id, key) <> ($1::text, $4::text)
      order by created_at
      limit 10
        for update skip locked)";

/// From the id that was drawn to the task and the answer.
const MADE_AND_ANSWER: &str = formatcp!(
    "claimed as (
  insert into idempotency_keys as kept (user_id, key, fingerprint, task_id, created_at)
  select $1::text, $4::text, decode($5::text, 'hex'), id, now()
    from drawn
  on conflict (user_id, key) do update
     set (fingerprint, task_id, created_at) = (
           select case when is_over then excluded.fingerprint else kept.fingerprint end,
                  case when is_over then excluded.task_id else kept.task_id end,
                  case when is_over then excluded.created_at else kept.created_at end
             from (select kept.created_at < now() - interval '24 hours' as is_over) as age)
  returning task_id, created_at, fingerprint
), made as (
  insert into tasks (id, user_id, title, description, created_at, updated_at)
  select task_id, $1::text, $2::text, $3::text, created_at, created_at
    from claimed
   where task_id in (select id from drawn)
), found as (
  select task_id, created_at, fingerprint from seen
   union all
  select task_id, created_at, fingerprint from claimed
), answer as (
  select task_id as id, $1::text as user_id, $2::text as title, $3::text as description,
         'incomplete' as status, created_at, created_at as updated_at, fingerprint
    from found
)
select id, {TASK_STATE},
       id not in (select id from drawn),
       fingerprint = decode($5::text, 'hex')
  from answer"
);

/// A new task, checked.
struct NewTask {
    title: Title,
    description: Option<Description>,
}

#[cfg_attr(test, utoipa::path(
    post,
    path = "/api/{user_id}/tasks",
    tag = "Tasks",
    summary = "Create a task",
    description = "A user's first task makes the user's account from the token, if there is none.",
    params(schema::OwnerInPath, schema::OnlyOnce),
    request_body(
        content = schema::NewTask,
        description = "The new task, at most 128 KiB",
        example = json!({ "title": "Buy groceries", "description": "Milk and bread" }),
    ),
    responses(
        (
            status = 201,
            description = "The task, as it is stored",
            body = schema::Task,
            headers(("Location"), ("ETag"), ("Idempotency-Replayed")),
        ),
        (status = 400, response = failures::InvalidTask),
        (status = 403, response = failures::NotRegistered),
        (status = 409, response = failures::EmailTaken),
        (status = 422, response = failures::IdempotencyKeyReused),
        failures::OfABody,
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 201 with the task and its `Location`; 400 that lists every bad member; 403 when the caller has
/// no account and the token has no email address to make one; 422 when the `Idempotency-Key` was
/// used for something else.
pub(crate) async fn create_task(
    caller: Caller,
    parts: &Parts,
    preconditions: Preconditions,
    database: Database,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let key = IdempotencyKey::of(&parts.headers)?;
    let new = NewTask::from_body(&body)?;
    // The target is the list, which is there and has no tag.
    preconditions.check_untagged()?;
    let once = key.map(|key| [Param::Text(key.0), Param::Text(new.fingerprint())]);
    let is_keyed = once.is_some();
    let provisions_users = config::provision_users().await?.0;
    let email = caller.email.filter(|_| provisions_users);
    let makes_account = email.is_some();
    let statement = match (is_keyed, makes_account) {
        (false, false) => INSERT_TASK,
        (false, true) => INSERT_TASK_AND_ACCOUNT,
        (true, false) => INSERT_TASK_ONCE,
        (true, true) => INSERT_TASK_AND_ACCOUNT_ONCE,
    };
    let mut params = vec![
        Param::Text(caller.user_id),
        Param::Text(new.title.0),
        Param::OptionalText(new.description.map(|description| description.0)),
    ];
    params.extend(once.into_iter().flatten());
    params.extend(email.map(Param::Text));
    let inserted = database.first_row(statement, params).await;
    let no_account = if provisions_users {
        "no account: the token has no `email`, or its `email_verified` is not true"
    } else {
        "no account: `provision_users` is `false`"
    };
    let inserted = inserted.and_then(|row| row.ok_or(ApiError::NotRegistered(no_account)));
    let mut row = if makes_account {
        inserted.map_err(ApiError::while_making_an_account)?
    } else {
        inserted?
    };
    let id = row.int4()?;
    let task = TaskState::read(&mut row)?;
    let is_replayed = is_keyed && row.bool()?;
    if is_replayed && !row.bool()? {
        return Err(ApiError::IdempotencyKeyReused);
    }

    let mut response = (StatusCode::CREATED, task).into_response();
    // Relative (RFC 3986), so that it is right behind a proxy that adds a prefix to the path.
    let list = if parts.uri.path().ends_with('/') { "" } else { "tasks/" };
    if let Ok(location) = HeaderValue::from_str(&format!("{list}{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    if is_replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
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

    /// Tells what is asked for from anything else, however it was written: a SHA-256 in hexadecimal.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.title.0.len() as u64).to_be_bytes());
        hash.update(self.title.0.as_bytes());
        if let Some(description) = &self.description {
            hash.update([1]);
            hash.update(description.0.as_bytes());
        }
        let (high, low) =
            hash.finalize().into_iter().fold((0_u128, 0_u128), |(high, low), byte| {
                (high << 8 | low >> 120, low << 8 | u128::from(byte))
            });
        format!("{high:032x}{low:032x}")
    }
}
