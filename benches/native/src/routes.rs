//! The measured routes: token, one prepared statement, response.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::bench::{self, Task};
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio_postgres::types::ToSql;

use crate::service::{Failure, Service, answer, time};

/// The largest page of the API's statement for small ones.
const MAX_LIMIT: i32 = 200;

const MAX_TITLE_CHARS: usize = 255;

type Shared = State<Arc<Service>>;

/// The part of the body of a request that the measurements send.
#[derive(Deserialize)]
struct Fields {
    title: String,
}

#[derive(Deserialize)]
struct Filter {
    status: Option<String>,
    sort: Option<String>,
    limit: i32,
}

pub(crate) fn router(service: Service) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/api/{user}/tasks", get(list_tasks).post(create_task))
        .route("/api/{user}/tasks/{id}", get(get_task).put(update_task))
        .route("/api/{user}/tasks/{id}/complete", patch(complete_task))
        .route("/api/{user}/tasks/{id}/incomplete", patch(reopen_task))
        .layer(from_fn(complete))
        .with_state(Arc::new(service))
}

/// Adds the headers that every response of the API has, except the share of the database in `Server-Timing`.
async fn complete(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = responses::request_id::of(request.headers());
    let mut response = next.run(request).await;
    responses::headers::complete(response.headers_mut(), &id, Duration::ZERO, started.elapsed());
    response
}

async fn health() -> Response {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"healthy"}"#).into_response()
}

async fn get_task(
    State(service): Shared,
    Path((user, id)): Path<(String, i32)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    service.caller(&headers, &user)?;
    service.task(bench::GET_TASK, &[&id, &user], id, &user).await
}

async fn list_tasks(
    State(service): Shared,
    Path(user): Path<String>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    service.caller(&headers, &user)?;
    if !(1..=MAX_LIMIT).contains(&filter.limit) {
        return Err(Failure(StatusCode::BAD_REQUEST, "another limit than is measured".to_owned()));
    }
    let row = match (&filter.status, filter.sort.as_deref()) {
        (None, None) => service.row(bench::LIST_TASKS, &[&user, &filter.limit]).await,
        (Some(status), Some("priority")) => {
            let params: &[&(dyn ToSql + Sync)] = &[&user, &filter.limit, status];
            service.row(bench::LIST_BY_PRIORITY_OF_STATUS, params).await
        }
        _ => Err(Failure(StatusCode::BAD_REQUEST, "another filter than is measured".to_owned())),
    }?;
    let records: Option<&[u8]> = row.try_get(0)?;
    bench::page(records.unwrap_or_default(), row.try_get(1)?, filter.limit, &user)
        .map(answer)
        .ok_or_else(|| Failure(StatusCode::INTERNAL_SERVER_ERROR, "a page that ends".to_owned()))
}

async fn create_task(
    State(service): Shared,
    Path(user): Path<String>,
    headers: HeaderMap,
    Json(fields): Json<Fields>,
) -> Result<Response, Failure> {
    let caller = service.caller(&headers, &user)?;
    let title = fields.checked_title()?;
    let description: Option<String> = None;
    let (status, priority) = ("incomplete", "medium");
    let params: &[&(dyn ToSql + Sync)] =
        &[&user, &title, &description, &status, &priority, &caller.email];
    let row = service.row(bench::INSERT_TASK, params).await?;
    let created_at = time(&row, 1)?;
    let task = Task {
        id: row.try_get(0)?,
        owner: user,
        title,
        description,
        status: status.to_owned(),
        priority: priority.to_owned(),
        created_at,
        updated_at: created_at,
    };
    Ok(answer(bench::created(task)))
}

async fn update_task(
    State(service): Shared,
    Path((user, id)): Path<(String, i32)>,
    headers: HeaderMap,
    Json(fields): Json<Fields>,
) -> Result<Response, Failure> {
    service.caller(&headers, &user)?;
    let title = fields.checked_title()?;
    let none: Option<String> = None;
    let params: &[&(dyn ToSql + Sync)] = &[&id, &user, &title, &false, &none, &none, &none];
    service.task(bench::UPDATE_TASK, params, id, &user).await
}

async fn complete_task(
    service: Shared,
    path: Path<(String, i32)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    set_status(service, path, headers, "complete").await
}

async fn reopen_task(
    service: Shared,
    path: Path<(String, i32)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    set_status(service, path, headers, "incomplete").await
}

async fn set_status(
    State(service): Shared,
    Path((user, id)): Path<(String, i32)>,
    headers: HeaderMap,
    status: &'static str,
) -> Result<Response, Failure> {
    service.caller(&headers, &user)?;
    service.task(bench::SET_STATUS, &[&id, &user, &status], id, &user).await
}

impl Fields {
    fn checked_title(self) -> Result<String, Failure> {
        if (1..=MAX_TITLE_CHARS).contains(&self.title.chars().count()) {
            Ok(self.title)
        } else {
            Err(Failure(StatusCode::BAD_REQUEST, "no title".to_owned()))
        }
    }
}
