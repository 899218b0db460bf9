//! What is said when the API is served: where, what is there, and a first request to paste.

use std::fmt::Write;
use std::time::Duration;

use local::App;

use crate::console::Console;
use crate::secret;

/// The user that the first request is made as.
const DEMO_USER: &str = "demo";
const DEMO_LIFETIME: Duration = Duration::from_hours(7 * 24);

/// The routes of the task API.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/api/{user_id}/tasks", "create a task"),
    ("GET", "/api/{user_id}/tasks", "list tasks, newest first"),
    ("GET", "/api/{user_id}/tasks/{id}", "read a task"),
    ("PUT, PATCH", "/api/{user_id}/tasks/{id}", "change a task"),
    ("DELETE", "/api/{user_id}/tasks/{id}", "delete a task"),
    ("PATCH", "/api/{user_id}/tasks/{id}/complete", "complete a task"),
    ("GET", "/", "where to look next"),
    ("GET", "/health, /health/db, /health/pool", "is it well?"),
    ("GET", "/docs, /openapi.json", "the API: to read and try, and for tools"),
];

/// Says it.
pub(super) fn show(app: &App, secret: &str, console: Console) {
    let url = app.url();
    console.serving(&url);
    for route in app.routes() {
        console.print(&format!("  {}{} is answered by `{}`", url, route.pattern, route.component));
    }
    let token = secret::mint(secret, DEMO_USER, None, DEMO_LIFETIME);
    console.print(&format!(
        "{}
Try it:

curl -X POST {url}/api/{DEMO_USER}/tasks \\
  -H 'Authorization: Bearer {token}' \\
  -H 'Content-Type: application/json' \\
  -d '{{\"title\": \"Buy groceries\"}}'

The token is user `{DEMO_USER}`'s, for 7 days; `cargo run -q --bin local -- token NAME` makes others.
Ctrl-C stops.",
        routes()
    ));
}

fn routes() -> String {
    let mut text = String::from("\n");
    for (method, path, what) in ROUTES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {method:<11} {path:<36} {what}");
    }
    text
}
