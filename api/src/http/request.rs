//! Context of a request: what its response needs of it, and the time that the database took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, Uri};

use super::route::Route;
use crate::db::error::DbError;
use crate::error::ApiError;

/// Shared by everything that works on one request; put into the request's extensions.
#[derive(Clone)]
pub(crate) struct RequestContext(Arc<Inner>);

struct Inner {
    id: String,
    problem_type: &'static str,
    route: Option<Route>,
    database_micros: AtomicU64,
}

impl RequestContext {
    /// Takes the caller's request id if it is sane, else makes a new one.
    pub(crate) fn new(uri: &Uri, headers: &HeaderMap) -> Self {
        let id = responses::request_id::of(headers);
        let problem_type = responses::problem_type::of(headers);
        let route = Route::of(uri.path());
        Self(Arc::new(Inner { id, problem_type, route, database_micros: AtomicU64::new(0) }))
    }

    /// The context that was put into this request's extensions.
    pub(crate) fn of(parts: &Parts) -> Result<Self, ApiError> {
        let missing = || DbError::Unexpected("the request has no context".to_owned());
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing().into())
    }

    /// The id that the response, the log and a problem document carry.
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// The media type of the response if the request fails.
    pub(crate) fn problem_type(&self) -> &'static str {
        self.0.problem_type
    }

    /// The route; none where no route has the path.
    pub(crate) fn route(&self) -> Option<Route> {
        self.0.route
    }

    /// Adds to the time that the request has spent on the database.
    pub(crate) fn add_database_time(&self, elapsed: Duration) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.0.database_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// The time spent on the database so far.
    pub(crate) fn database_time(&self) -> Duration {
        Duration::from_micros(self.0.database_micros.load(Ordering::Relaxed))
    }
}
