//! The paths of the API and their methods.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A path that the API has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The tasks of one user.
    Tasks,
    /// One task.
    Task,
    /// Completion of a task.
    Complete,
    /// The opposite of it.
    Incomplete,
    /// Status of a task.
    Status,
    /// Links to the documentation, for a person who opens the address.
    Index,
    /// Health of the component.
    Health,
    /// Health of the database.
    DatabaseHealth,
    /// The connections to the database.
    PoolHealth,
}

impl Route {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Tasks,
        Self::Task,
        Self::Complete,
        Self::Incomplete,
        Self::Status,
        Self::Index,
        Self::Health,
        Self::DatabaseHealth,
        Self::PoolHealth,
    ];

    /// The route that a path leads to, with or without a slash at its end. Split before decoding, so
    /// that an encoded slash never moves a segment.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if path.is_empty() {
            return Some(Self::Index);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments =
            path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy());
        let first: [Option<Cow<'_, str>>; 6] = std::array::from_fn(|_| segments.next());
        match first.each_ref().map(Option::as_deref) {
            [Some("health"), None, ..] => Some(Self::Health),
            [Some("health"), Some("db"), None, ..] => Some(Self::DatabaseHealth),
            [Some("health"), Some("pool"), None, ..] => Some(Self::PoolHealth),
            [Some("api"), Some(_), Some("tasks"), id, action, None] => match (id, action) {
                (None, _) => Some(Self::Tasks),
                (Some(""), _) => None,
                (Some(_), None) => Some(Self::Task),
                (Some(_), Some("complete")) => Some(Self::Complete),
                (Some(_), Some("incomplete")) => Some(Self::Incomplete),
                (Some(_), Some("status")) => Some(Self::Status),
                _ => None,
            },
            _ => None,
        }
    }

    /// The path with the names of its variable segments, for the log: their values may be personal data.
    pub(crate) fn template(self) -> &'static str {
        match self {
            Self::Tasks => "/api/{user_id}/tasks",
            Self::Task => "/api/{user_id}/tasks/{id}",
            Self::Complete => "/api/{user_id}/tasks/{id}/complete",
            Self::Incomplete => "/api/{user_id}/tasks/{id}/incomplete",
            Self::Status => "/api/{user_id}/tasks/{id}/status",
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
            Self::Complete | Self::Incomplete | Self::Status => "PATCH,OPTIONS",
            Self::Index | Self::Health | Self::DatabaseHealth | Self::PoolHealth => {
                "GET,HEAD,OPTIONS"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn every_route_is_where_its_template_says() {
        for route in Route::ALL {
            let path = route.template().replace("{user_id}", "ann").replace("{id}", "7");
            let path = path.trim_end_matches('/');
            assert_eq!(Route::of(&format!("{path}/")), Some(route), "{path}/");
            assert_eq!(Route::of(&format!("{path}//")), None, "{path}//");
            let encoded = path.bytes().map(|byte| match byte {
                b'/' => "/".to_owned(),
                _ => format!("%{byte:02x}"),
            });
            let encoded = encoded.collect::<Vec<_>>().concat();
            if !path.is_empty() {
                assert_eq!(Route::of(path), Some(route), "{path}");
                assert_eq!(Route::of(&encoded), Some(route), "{encoded}");
            }
            assert_eq!(Route::of(&format!("{path}/a/b/c/d")), None, "{path}");
        }
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "",
            "*",
            "health",
            "//",
            "/nope",
            "/health/nope",
            "/health%2Fdb",
            "/api",
            "/api/ann",
            "/api/ann/tasks//",
            "/api/ann/tasks//complete",
            "/api/ann/tasks%2F7",
            "/api/ann/t%2561sks",
            "/api/ann/%FFtasks",
            "/%2F",
            "/health/%2F",
            "/api/ann/tasks/7/finish",
            "/api/ann/tasks/7/Status",
            "/api/ann/tasks/7/incomplete/more",
            "/api/ann/tasks/7/complete/more",
        ] {
            assert_eq!(Route::of(path), None, "{path}");
        }
        assert_eq!(Route::of("/api/a%2Fb/tasks"), Some(Route::Tasks));
    }
}
