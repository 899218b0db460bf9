//! Routes, with Spin's precedence: an exact route before a wildcard, and among wildcards the longest prefix.

/// Paths that the runtime answers itself.
pub(crate) const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

/// One `[[trigger.http]]` of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// As written in the manifest: `/api/...`.
    pub pattern: String,
    /// The id of the component that it leads to.
    pub component: String,
}

/// A route that matches a path.
pub(crate) struct Match<'r> {
    pub(crate) route: &'r Route,
    /// The part of the path that the wildcard matches, with its slashes; empty for an exact route.
    pub(crate) trailing: String,
}

/// Finds the route of a path.
pub(crate) struct Router {
    routes: Vec<Route>,
}

impl Route {
    /// The pattern with a leading slash and without a trailing one; empty for `/`.
    pub(crate) fn based(&self) -> String {
        let trimmed = self.pattern.trim_start_matches('/');
        let path = format!("/{trimmed}");
        path.strip_suffix('/').unwrap_or(&path).to_owned()
    }

    /// The pattern as written, without its trailing wildcard.
    pub(crate) fn prefix(&self) -> &str {
        self.pattern.strip_suffix("/...").unwrap_or(&self.pattern)
    }

    /// Returns true if it has a parameter or a wildcard before its end. In Spin's router, a dot begins a segment too.
    pub(super) fn has_pattern_segment(&self) -> bool {
        let fixed = self.wildcard_prefix().unwrap_or(&self.pattern);
        fixed.split(['/', '.']).any(|segment| segment.starts_with([':', '*']))
    }

    fn wildcard_prefix(&self) -> Option<&str> {
        let pattern = self.pattern.trim_start_matches('/');
        if pattern == "..." || pattern == "*" {
            return Some("");
        }
        pattern.strip_suffix("/...").or_else(|| pattern.strip_suffix("/*"))
    }
}

impl Router {
    pub(crate) fn new(routes: Vec<Route>) -> Router {
        Router { routes }
    }

    /// The route of a request's path, whose leading and trailing slashes do not matter.
    pub(crate) fn find(&self, path: &str) -> Option<Match<'_>> {
        let wanted = path.trim_matches('/');
        let exact = self.routes.iter().find(|route| {
            route.wildcard_prefix().is_none() && route.pattern.trim_matches('/') == wanted
        });
        if let Some(route) = exact {
            return Some(Match { route, trailing: String::new() });
        }
        let (route, rest) = self
            .routes
            .iter()
            .filter_map(|route| Some((route, rest_after(wanted, route.wildcard_prefix()?)?)))
            .max_by_key(|(route, _)| route.pattern.len())?;
        let trailing = match (rest.is_empty(), path.ends_with('/')) {
            (true, false) => String::new(),
            (true, true) => "/".to_owned(),
            (false, false) => format!("/{rest}"),
            (false, true) => format!("/{rest}/"),
        };
        Some(Match { route, trailing })
    }
}

/// The rest of `path` after `prefix`, if the prefix ends where a segment ends.
fn rest_after<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    if prefix.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(prefix)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(pattern: &str) -> Route {
        Route { pattern: pattern.to_owned(), component: "api".to_owned() }
    }

    fn find(patterns: &[&str], path: &str) -> Option<(String, String)> {
        let router = Router::new(patterns.iter().copied().map(route).collect());
        let found = router.find(path)?;
        Some((found.route.pattern.clone(), found.trailing))
    }

    #[test]
    fn the_most_specific_route_wins() {
        let patterns = ["/...", "/docs", "/docs/...", "/docs/api/...", "/a"];
        let table = [
            ("/", "/...", "/"),
            ("/docs", "/docs", ""),
            ("/docs/", "/docs", ""),
            ("/docs/x", "/docs/...", "/x"),
            ("/docs/api", "/docs/api/...", ""),
            ("/docs/api/x/", "/docs/api/...", "/x/"),
            ("/docsx", "/...", "/docsx"),
            ("/a/b", "/...", "/a/b"),
        ];
        for (path, pattern, trailing) in table {
            let expected = Some((pattern.to_owned(), trailing.to_owned()));
            assert_eq!(find(&patterns, path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_without_a_route_has_none() {
        assert_eq!(find(&["/api/..."], "/other"), None);
        assert_eq!(find(&["/api"], "/api/x"), None);
    }

    #[test]
    fn the_forms_of_a_pattern() {
        let wildcard = route("/docs/...");
        assert_eq!(wildcard.based(), "/docs/...");
        assert_eq!(wildcard.prefix(), "/docs");
        for (pattern, expected) in [
            ("/docs/...", false),
            ("/docs/*", false),
            ("/openapi.json", false),
            (":id", true),
            ("/tasks/:id/...", true),
            ("/tasks/*/x", true),
            ("/file.:extension", true),
        ] {
            assert_eq!(route(pattern).has_pattern_segment(), expected, "{pattern}");
        }
        let root = route("/");
        assert_eq!(root.based(), "");
        assert_eq!(root.prefix(), "/");
    }
}
