//! Every route of the API, and what answers it.
//!
//! Written out: a router of a library would be built anew by each instance, many of which serve one
//! request only (0.03 ms of its CPU), and is 100 KB of the component.

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::header::ALLOW;
use http::{HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;

use crate::error::ApiError;
use crate::{health, root, tasks};

/// A path that the API has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The tasks of one user.
    Tasks,
    /// One task.
    Task,
    /// Where a task is completed.
    Complete,
    /// Where to look next, for a person who opens the address.
    Index,
    /// Whether the component runs.
    Health,
    /// Whether the database can be used.
    DatabaseHealth,
    /// The connections to the database.
    PoolHealth,
}

impl Route {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 7] = [
        Self::Tasks,
        Self::Task,
        Self::Complete,
        Self::Index,
        Self::Health,
        Self::DatabaseHealth,
        Self::PoolHealth,
    ];

    /// The route that a path leads to. A slash at its end, and characters that need not have been
    /// percent-encoded, make no difference (RFC 3986, section 6.2.2.2).
    pub(crate) fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let without_slash = path.strip_suffix('/').filter(|rest| !rest.is_empty());
        let mut segments = without_slash.unwrap_or(path).split('/');
        let first: [Option<&str>; 6] = std::array::from_fn(|_| segments.next());
        match first {
            [Some(""), None, ..] => Some(Self::Index),
            [Some(health), None, ..] if is(health, "health") => Some(Self::Health),
            [Some(health), Some(what), None, ..] if is(health, "health") => match what {
                db if is(db, "db") => Some(Self::DatabaseHealth),
                pool if is(pool, "pool") => Some(Self::PoolHealth),
                _ => None,
            },
            [Some(api), Some(user), Some(tasks), id, action, None]
                if is(api, "api") && !user.is_empty() && is(tasks, "tasks") =>
            {
                match (id, action) {
                    (None, _) => Some(Self::Tasks),
                    (Some(id), None) if !id.is_empty() => Some(Self::Task),
                    (Some(id), Some(action)) if !id.is_empty() && is(action, "complete") => {
                        Some(Self::Complete)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The path with its variable segments named: what the log says, because what is in their place
    /// may be about somebody.
    pub(crate) fn template(self) -> &'static str {
        match self {
            Self::Tasks => "/api/{user_id}/tasks",
            Self::Task => "/api/{user_id}/tasks/{id}",
            Self::Complete => "/api/{user_id}/tasks/{id}/complete",
            Self::Index => "/",
            Self::Health => "/health",
            Self::DatabaseHealth => "/health/db",
            Self::PoolHealth => "/health/pool",
        }
    }

    /// Its methods, as `Allow` lists them.
    pub(crate) fn methods(self) -> &'static str {
        match self {
            Self::Tasks => "GET,HEAD,POST,OPTIONS",
            Self::Task => "GET,HEAD,PUT,PATCH,DELETE,OPTIONS",
            Self::Complete => "PATCH,OPTIONS",
            Self::Index | Self::Health | Self::DatabaseHealth | Self::PoolHealth => {
                "GET,HEAD,OPTIONS"
            }
        }
    }
}

/// Whether a segment of a path is this one.
fn is(segment: &str, expected: &str) -> bool {
    segment == expected || segment.contains('%') && percent_decode_str(segment).eq(expected.bytes())
}

/// Answers a request. To `HEAD`, the response is `GET`'s; whoever sends it leaves the body out.
pub(crate) async fn answer(route: Option<Route>, request: Request) -> Response {
    let Some(route) = route else { return ApiError::RouteNotFound.into_response() };
    match (route, request.method().as_str()) {
        (Route::Tasks, "GET" | "HEAD") => tasks::list_tasks.call(request, ()).await,
        (Route::Tasks, "POST") => tasks::create_task.call(request, ()).await,
        (Route::Task, "GET" | "HEAD") => tasks::get_task.call(request, ()).await,
        (Route::Task, "PUT" | "PATCH") => tasks::update_task.call(request, ()).await,
        (Route::Task, "DELETE") => tasks::delete_task.call(request, ()).await,
        (Route::Complete, "PATCH") => tasks::complete_task.call(request, ()).await,
        (Route::Index, "GET" | "HEAD") => root::show_index.call(request, ()).await,
        (Route::Health, "GET" | "HEAD") => health::check_process.call(request, ()).await,
        (Route::DatabaseHealth, "GET" | "HEAD") => health::check_database.call(request, ()).await,
        (Route::PoolHealth, "GET" | "HEAD") => health::show_connections.call(request, ()).await,
        (_, "OPTIONS") => with_methods(route, StatusCode::NO_CONTENT.into_response()),
        _ => with_methods(route, ApiError::MethodNotAllowed.into_response()),
    }
}

fn with_methods(route: Route, mut response: Response) -> Response {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(route.methods()));
    response
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn every_route_is_where_its_template_says() {
        for route in Route::ALL {
            let path = route.template().replace("{user_id}", "ann").replace("{id}", "7");
            assert_eq!(Route::of(&path), Some(route), "{path}");
            let slash = if path == "/" { path.clone() } else { format!("{path}/") };
            assert_eq!(Route::of(&slash), Some(route), "{slash}");
            assert_eq!(Route::of(&format!("{path}/a/b/c/d")), None, "{path}");
        }
    }

    #[test]
    fn only_what_need_not_have_been_encoded_makes_no_difference() {
        for (path, route) in [
            ("/%61pi/ann/t%61sks", Some(Route::Tasks)),
            ("/api/a%2Fb/tasks", Some(Route::Tasks)),
            ("/health%2Fdb", None),
            ("/api%2Fann/tasks", None),
            ("", None),
            ("*", None),
            ("health", None),
            ("/api", None),
            ("/api/ann", None),
            ("/api//tasks", None),
            ("/api/ann/tasks//", None),
            ("/api/ann/tasks//complete", None),
            ("/api/ann/tasks/7/complete/more", None),
            ("/api/ann/tasks/7/finish", None),
            ("/nope", None),
            ("/health/nope", None),
            ("//", None),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
