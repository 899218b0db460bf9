//! The messages when the API is served: its URL, its routes, and a first request.

use std::time::Duration;

use local::Route;

use crate::console::Console;
use crate::token;

/// The user of the first request.
const DEMO_USER: &str = "demo";
const DEMO_LIFETIME: Duration = Duration::from_hours(7 * 24);

const ROUTES: &str = "
  POST        /api/{user_id}/tasks                 create a task
  GET         /api/{user_id}/tasks                 list tasks, newest first
  GET         /api/{user_id}/tasks/{id}            get a task
  PUT, PATCH  /api/{user_id}/tasks/{id}            change a task
  DELETE      /api/{user_id}/tasks/{id}            delete a task
  PATCH       /api/{user_id}/tasks/{id}/complete   complete a task
  GET         /                                    links to the documentation
  GET         /health, /health/db, /health/pool    health checks
  GET         /docs, /openapi.json                 documentation
";

pub(super) fn print(url: &str, routes: &[Route], secret: &str, console: Console) {
    console.serving(url);
    for route in routes {
        console.print(&format!("  {url}{} → {}", route.pattern, route.component));
    }
    let token = token::create(secret, DEMO_USER, None, DEMO_LIFETIME);
    console.print(&format!(
        "{ROUTES}
Try it:

curl -X POST {url}/api/{DEMO_USER}/tasks \\
  -H 'Authorization: Bearer {token}' \\
  -H 'Content-Type: application/json' \\
  -d '{{\"title\": \"Buy groceries\"}}'

The token is for user `{DEMO_USER}`, for 7 days; `cargo run -q --bin local -- token USER` prints others.
Ctrl-C stops."
    ));
}
