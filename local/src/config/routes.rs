//! Which component answers which path, with Spin's precedence: an exact route before a wildcard, and among
//! wildcards the longest prefix.

/// The prefix that the runtime keeps for itself.
pub(crate) const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

/// One `[[trigger.http]]` of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// As written in the manifest: `/api/...`.
    pub pattern: String,
    /// The component that answers.
    pub component: String,
}

/// A route that fits a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match<'r> {
    /// The route that won.
    pub(crate) route: &'r Route,
    /// What the wildcard stands for, with its leading and trailing slash; empty for an exact route.
    pub(crate) trailing: String,
}

/// Finds the route for a path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Router {
    routes: Vec<Route>,
}

impl Route {
    /// The pattern with a leading slash and without a trailing one; `/` alone becomes empty.
    pub(crate) fn based(&self) -> String {
        let trimmed = self.pattern.trim_start_matches('/');
        let path = format!("/{trimmed}");
        path.strip_suffix('/').unwrap_or(&path).to_owned()
    }

    /// The pattern as written, without its trailing wildcard.
    pub(crate) fn prefix(&self) -> &str {
        self.pattern.strip_suffix("/...").unwrap_or(&self.pattern)
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
    /// A router over these routes, in the order of the manifest.
    pub(crate) fn new(routes: Vec<Route>) -> Router {
        Router { routes }
    }

    /// The route for a request's path. Slashes at either end of the path do not matter.
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

/// What follows `prefix` in `path` when the prefix ends at a segment's end.
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

    fn router(patterns: &[&str]) -> Router {
        Router::new(
            patterns
                .iter()
                .map(|pattern| Route {
                    pattern: (*pattern).to_owned(),
                    component: format!("c:{pattern}"),
                })
                .collect(),
        )
    }

    fn winner(patterns: &[&str], path: &str) -> Option<(String, String)> {
        let router = router(patterns);
        let found = router.find(path)?;
        Some((found.route.pattern.clone(), found.trailing))
    }

    #[test]
    fn the_most_specific_route_wins() {
        let patterns = ["/...", "/docs", "/docs/...", "/docs/api/...", "/a"];
        let table = [
            ("/", "/...", ""),
            ("/docs", "/docs", ""),
            ("/docs/", "/docs", ""),
            ("/docs/x", "/docs/...", "/x"),
            ("/docs/api", "/docs/api/...", ""),
            ("/docs/api/x/", "/docs/api/...", "/x/"),
            ("/docsx", "/...", "/docsx"),
            ("/a/b", "/...", "/a/b"),
        ];
        for (path, pattern, trailing) in table {
            let expected = if path == "/" { "/" } else { trailing };
            assert_eq!(
                winner(&patterns, path),
                Some((pattern.to_owned(), expected.to_owned())),
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_without_a_route_has_none() {
        assert_eq!(winner(&["/api/..."], "/other"), None);
        assert_eq!(winner(&["/api"], "/api/x"), None);
    }

    #[test]
    fn the_forms_of_a_pattern() {
        let wildcard = Route { pattern: "/docs/...".into(), component: "docs".into() };
        assert_eq!(wildcard.based(), "/docs/...");
        assert_eq!(wildcard.prefix(), "/docs");
        let root = Route { pattern: "/".into(), component: "root".into() };
        assert_eq!(root.based(), "");
        assert_eq!(root.prefix(), "/");
    }
}
