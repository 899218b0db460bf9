//! Which route a path leads to.

/// The template of the route that a path leads to, for the log: what is in its place may be about
/// somebody. Written out, because a layer that asks the router would be 9 KB of the component.
pub(crate) fn template_of(path: &str) -> Option<&'static str> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let first: [Option<&str>; 6] = std::array::from_fn(|_| segments.next());
    match first {
        [Some(""), None, ..] => Some("/"),
        [Some("health"), None, ..] => Some("/health"),
        [Some("health"), Some("db"), None, ..] => Some("/health/db"),
        [Some("health"), Some("pool"), None, ..] => Some("/health/pool"),
        [Some("api"), _, Some("tasks"), None, ..] => Some("/api/{user_id}/tasks"),
        [Some("api"), _, Some("tasks"), Some(_), None, _] => Some("/api/{user_id}/tasks/{id}"),
        [Some("api"), _, Some("tasks"), Some(_), Some("complete"), None] => {
            Some("/api/{user_id}/tasks/{id}/complete")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::template_of;

    /// The router is read as text: it cannot be asked for its routes.
    #[test]
    fn every_route_has_its_template() {
        let routes = include_str!("router.rs").split(".route(").skip(1);
        let routes: Vec<&str> = routes.filter_map(|route| route.split('"').nth(1)).collect();
        assert!(routes.len() >= 7, "{routes:?}");
        for route in routes.into_iter().filter(|route| route.starts_with('/')) {
            let path = route.replace("{user_id}", "ann").replace("{id}", "7");
            assert_eq!(template_of(&path), Some(route), "{path}");
            assert_eq!(template_of(&format!("{path}/a/b/c/d")), None, "{path}");
        }
        for path in ["", "*", "/api", "/api/ann", "/nope", "/health/nope", "health"] {
            assert_eq!(template_of(path), None, "{path}");
        }
    }
}
