//! Context of a request: what its response and its line in the log need of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Uri};

use super::route::Route;
use super::trace_context;

/// Shared by everything that works on one request.
#[derive(Clone)]
pub(crate) struct RequestContext(Arc<Inner>);

struct Inner {
    id: String,
    problem_type: &'static str,
    route: Option<Route>,
    trace_id: Option<String>,
    database: Mutex<DatabaseUse>,
}

/// What a request has had of the database so far.
#[derive(Clone, Default)]
pub(crate) struct DatabaseUse {
    /// Time spent on it.
    pub(crate) time: Duration,
    /// Attempts after the first one, of all statements.
    pub(crate) retries: u32,
    /// SQLSTATE of the failure that ended its last statement, or else of the last one that was tried again.
    pub(crate) sqlstate: Option<String>,
}

impl RequestContext {
    /// Takes the caller's request id if it is sane, else makes a new one.
    pub(crate) fn new(uri: &Uri, headers: &HeaderMap) -> Self {
        let id = responses::request_id::of(headers);
        let problem_type = responses::problem_type::of(headers);
        let route = Route::of(uri.path());
        let trace_id = trace_context::trace_id(headers);
        Self(Arc::new(Inner { id, problem_type, route, trace_id, database: Mutex::default() }))
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

    /// The trace that the caller has named.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// What the request has had of the database so far. Not to be held while something is awaited.
    pub(crate) fn database(&self) -> MutexGuard<'_, DatabaseUse> {
        self.0.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time spent on the database so far.
    pub(crate) fn database_time(&self) -> Duration {
        self.database().time
    }
}
