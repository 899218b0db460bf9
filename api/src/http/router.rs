//! Every route of the API with its handler.
//!
//! Written out: every instance would have to build a library's router, and many instances serve one
//! request only (0.03 ms of CPU). It would also be 100 KB of the component.

use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use responses::host::RequestBody;

use super::json::JsonObject;
use super::media_type::{ACCEPT_PATCH, JSON_TYPES};
use super::path::TaskPath;
use super::precondition::Preconditions;
use super::request::RequestContext;
use super::response::{self, Response};
use super::route::Route;
use super::{cors, index};
use crate::auth::Caller;
use crate::db::Database;
use crate::error::ApiError;
use crate::{health, tasks};

/// Answers a request. The response to `HEAD` is that to `GET`; its body is removed later.
pub(crate) async fn answer(
    context: &RequestContext,
    request: Request<&mut RequestBody>,
) -> Response {
    let (parts, body) = request.into_parts();
    respond(context, &parts, body).await.unwrap_or_else(Response::from)
}

async fn respond(
    context: &RequestContext,
    parts: &Parts,
    body: &mut RequestBody,
) -> Result<Response, ApiError> {
    let Some(route) = context.route() else {
        // The page has to see the 404 of the request that follows.
        return if cors::is_preflight(&parts.method, &parts.headers) {
            Ok(response::empty(StatusCode::NO_CONTENT))
        } else {
            Err(ApiError::RouteNotFound)
        };
    };
    if !route.methods().split(',').any(|method| parts.method == *method) {
        return Ok(with_methods(route, ApiError::MethodNotAllowed.into()));
    }
    if parts.method == Method::OPTIONS {
        return Ok(with_methods(route, response::empty(StatusCode::NO_CONTENT)));
    }
    let response = match route {
        Route::Tasks => respond_about_list(context, parts, body).await?,
        Route::Task | Route::Complete | Route::Incomplete | Route::Status => {
            respond_about_task(context, route, parts, body).await?
        }
        Route::Index => index::show_index(),
        Route::Health => health::check_process(),
        Route::DatabaseHealth => health::check_database(Database::of(context, &parts.method)).await,
        Route::PoolHealth => health::show_connections(Database::of(context, &parts.method)).await,
    };
    // Preconditions count for requests that succeed without them (RFC 9110, section 13.2.1). A write has
    // them in its statement.
    if matches!(parts.method, Method::GET | Method::HEAD) && response.status().is_success() {
        return Ok(Preconditions::of(&parts.headers)?.apply(response));
    }
    Ok(response)
}

/// Answers `GET`, `HEAD` and `POST` of a user's tasks.
async fn respond_about_list(
    context: &RequestContext,
    parts: &Parts,
    body: &mut RequestBody,
) -> Result<Response, ApiError> {
    let caller = Caller::of(parts).await?;
    let database = Database::of(context, &parts.method);
    if parts.method != Method::POST {
        return tasks::list_tasks(caller, &parts.uri, database).await;
    }
    let preconditions = Preconditions::of(&parts.headers)?;
    let body = JsonObject::read(parts, body).await?;
    tasks::create_task(caller, parts, preconditions, database, body).await
}

/// Answers the methods of one task, and of its status.
async fn respond_about_task(
    context: &RequestContext,
    route: Route,
    parts: &Parts,
    body: &mut RequestBody,
) -> Result<Response, ApiError> {
    let caller = Caller::of(parts).await?;
    let id = TaskPath::of(parts.uri.path()).task_id().ok_or(ApiError::InvalidTaskId)?;
    let database = Database::of(context, &parts.method);
    // A read applies them to its response, in `respond`.
    let preconditions = || Preconditions::of(&parts.headers);
    Ok(match (route, parts.method.as_str()) {
        (Route::Complete, _) => {
            tasks::complete_task(caller, id, preconditions()?, database).await?.into()
        }
        (Route::Incomplete, _) => {
            tasks::reopen_task(caller, id, preconditions()?, database).await?.into()
        }
        (Route::Status, _) => {
            let preconditions = preconditions()?;
            let body = JsonObject::read(parts, body).await?;
            tasks::set_task_status(caller, id, preconditions, database, body).await?.into()
        }
        (_, "DELETE") => tasks::delete_task(caller, id, preconditions()?, database).await?,
        (_, "PUT" | "PATCH") => {
            let preconditions = preconditions()?;
            let body = JsonObject::read(parts, body).await?;
            tasks::update_task(caller, id, preconditions, database, body).await?.into()
        }
        _ => tasks::get_task(caller, id, database).await?.into(),
    })
}

fn with_methods(route: Route, mut response: Response) -> Response {
    let methods = route.methods();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    if methods.contains("PATCH") {
        response.headers_mut().insert(ACCEPT_PATCH, HeaderValue::from_static(JSON_TYPES));
    }
    response
}
