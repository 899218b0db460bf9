//! `POST /api/{user_id}/tasks`

use const_format::formatcp;
use http::HeaderValue;
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::account::Insert;
use super::fields::{Description, FieldReader, Priority, Status, Title};
use super::state::{self, TaskState};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::idempotency::{IDEMPOTENCY_REPLAYED, IdempotencyKey};
use crate::http::json::JsonObject;
use crate::http::precondition::Preconditions;
use crate::http::response::Response;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// `$1` owner, `$2` title, `$3` description or null, `$4` status, `$5` priority, `$6` email address.
///
/// A function, because PostgreSQL keeps its plans, and takes longer to plan the search for the account than to
/// run it. `migrations/V5__insert_task.sql` says what it does.
pub(super) const INSERT_TASK: Insert = Insert {
    task: "values (insert_task($1::text, $2::text, $3::text, $4::text, $5::text, null),
        timestamptz_send(current_timestamp))",
    task_with_address: None,
    task_and_account:
        "values (insert_task($1::text, $2::text, $3::text, $4::text, $5::text, $6::text),
        timestamptz_send(current_timestamp))",
};

/// The task that a key has made, now or within the last day, and whether it was for the same request.
/// `$1` to `$5` as above, `$6` the key, `$7` what is asked for, as a SHA-256 in hexadecimal, `$8` email address.
///
/// The foreign keys are checked when the whole statement is done, so the account and its first task
/// come together or not at all. Whether there is an account is asked before an id is drawn for the
/// task, because an id that was drawn and not used is lost. While the account has the address, `users` is
/// not searched for it. An address of another account stays there. Of two concurrent first tasks, the
/// second one waits for the account of the first one, and updates it.
///
/// A key that is there already has its answer, and no task is created. Otherwise the request that inserts
/// the key first creates the task; a concurrent one waits for it, and finds the key. The id is drawn before,
/// so that the key's row can contain it: only a concurrent request draws an id that is not used. An expired
/// row is reused. Other expired rows are deleted, a few at a time; not this one, because a statement may
/// change a row only once.
///
/// The response is built from the key's row and the request, which equals the one that created the task:
/// the task itself may have changed since, or be deleted.
const INSERT_TASK_ONCE: Insert = Insert {
    task: formatcp!(
        "with {SEEN_AND_EXPIRED}
), drawn as (
  select nextval(pg_get_serial_sequence('tasks', 'id'))::int4 as id
   where not exists (select from seen)
     and exists (select from users where id = $1::text)
), {MADE_AND_FOUND}"
    ),
    task_with_address: Some(formatcp!(
        "with {SEEN_AND_EXPIRED}
), drawn as (
  select nextval(pg_get_serial_sequence('tasks', 'id'))::int4 as id
   where not exists (select from seen)
     and exists (select from users where id = $1::text and email = $8::text)
), {MADE_AND_FOUND}"
    )),
    task_and_account: formatcp!(
        "with owner as (
  select email from users where id = $1::text
), account as (
  insert into users (id, email)
  select $1::text, $8::text
   where not exists (select from owner where email = $8::text)
     and not exists (select from users where email = $8::text)
  on conflict (id) do update set email = excluded.email
  returning id
), {SEEN_AND_EXPIRED}
), drawn as (
  select nextval(pg_get_serial_sequence('tasks', 'id'))::int4 as id
   where not exists (select from seen)
     and (exists (select from account)
      or exists (select from owner))
), {MADE_AND_FOUND}"
    ),
};

/// The existing row of the key, and the deletion of expired keys.
const SEEN_AND_EXPIRED: &str = "seen as (
  select task_id, created_at, fingerprint
    from idempotency_keys
   where user_id = $1::text
     and key = $6::text
     and created_at >= now() - interval '24 hours'
), expired as (
  delete from idempotency_keys
   where (user_id, key) in (
     select user_id, key
       from idempotency_keys
      where created_at < now() - interval '24 hours'
        and (user_id, key) <> ($1::text, $6::text)
      order by created_at
      limit 10
        for update skip locked)";

/// From the new id to the task and the row of the key.
const MADE_AND_FOUND: &str = "claimed as (
  insert into idempotency_keys as kept (user_id, key, fingerprint, task_id, created_at)
  select $1::text, $6::text, decode($7::text, 'hex'), id, now()
    from drawn
  on conflict (user_id, key) do update
     set (fingerprint, task_id, created_at) = (
           select case when is_over then excluded.fingerprint else kept.fingerprint end,
                  case when is_over then excluded.task_id else kept.task_id end,
                  case when is_over then excluded.created_at else kept.created_at end
             from (select kept.created_at < now() - interval '24 hours' as is_over) as age)
  returning task_id, created_at, fingerprint
), made as (
  insert into tasks (id, user_id, title, description, status, priority, created_at, updated_at)
  select task_id, $1::text, $2::text, $3::text, $4::text, $5::text, created_at, created_at
    from claimed
   where task_id in (select id from drawn)
), found as (
  select task_id, created_at, fingerprint from seen
   union all
  select task_id, created_at, fingerprint from claimed
)
select task_id, timestamptz_send(created_at),
       task_id not in (select id from drawn),
       fingerprint = decode($7::text, 'hex')
  from found";

/// A new task, checked.
struct NewTask {
    title: Title,
    description: Option<Description>,
    status: Status,
    priority: Priority,
}

#[cfg_attr(test, utoipa::path(
    post,
    path = "/api/{user_id}/tasks",
    tag = "Tasks",
    summary = "Create a task",
    description = "A user's first task makes the user's account from the token, if there is none; \
                   a later one gives it the token's email address, if that is another one and free.",
    params(schema::OwnerInPath, schema::OnlyOnce),
    request_body(
        content = schema::NewTask,
        description = "The new task, at most 128 KiB",
        example = json!({ "title": "Buy groceries", "description": "Milk and bread", "priority": "high" }),
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
    let fingerprint = key.is_some().then(|| new.fingerprint());
    let NewTask { title: Title(title), description, status, priority } = new;
    let description = description.map(|text| text.0);
    let (status, priority) = (status.as_str().to_owned(), priority.as_str().to_owned());
    let mut params = vec![
        Param::Text(caller.user_id.clone()),
        Param::Text(title.clone()),
        Param::OptionalText(description.clone()),
        Param::Text(status.clone()),
        Param::Text(priority.clone()),
    ];
    let is_keyed = key.is_some();
    params.extend(key.map(|key| key.0).into_iter().chain(fingerprint).map(Param::Text));
    let insert = if is_keyed { INSERT_TASK_ONCE } else { INSERT_TASK };
    let mut row = insert.run(&database, &caller, params).await?;
    let (id, created_at) = (row.int4()?, row.time()?);
    let is_replayed = is_keyed && row.bool()?;
    if is_replayed && !row.bool()? {
        return Err(ApiError::IdempotencyKeyReused);
    }

    let task = TaskState {
        id,
        user_id: caller.user_id,
        title,
        description,
        status,
        priority,
        created_at,
        updated_at: created_at,
    };
    // Relative (RFC 3986), so that it is right behind a proxy that adds a prefix to the path.
    let list = if parts.uri.path().ends_with('/') { "" } else { "tasks/" };
    let mut response = state::created(task, &format!("{list}{id}"));
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
        let status = fields.status().unwrap_or(Status::Incomplete);
        let priority = fields.new_priority().unwrap_or(Priority::Medium);
        match (title, fields.into_errors()) {
            (Some(title), errors) if errors.is_empty() => {
                Ok(Self { title, description, status, priority })
            }
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
        // A task is incomplete and medium where a request does not say so, as all of an older version
        // were. No text has these bytes.
        if self.status == Status::Complete {
            hash.update([0xff]);
        }
        match self.priority {
            Priority::Low => hash.update([0xfd]),
            Priority::Medium => {}
            Priority::High => hash.update([0xfe]),
        }
        let (high, low) =
            hash.finalize().into_iter().fold((0_u128, 0_u128), |(high, low), byte| {
                (high << 8 | low >> 120, low << 8 | u128::from(byte))
            });
        format!("{high:032x}{low:032x}")
    }
}
