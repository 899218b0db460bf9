//! The floor under the API's figures: a bare component that runs a statement like the API's and
//! answers with what came. No router, no tokens, no checks, no log: what the API costs more than
//! this is its own doing, what both cost is the host's and the database's.
//!
//! Never part of the application: `benches/spin.toml` is its manifest, `benches/spin-wasip2.toml` that of its
//! other build. `host/` has the entry points.

mod host;
mod sql;

use std::sync::OnceLock;

/// What `/floor/nothing` answers: the body of the API's `/health`.
const NOTHING: &str = r#"{"status":"healthy"}"#;

/// The connection string, read once for each instance.
static DATABASE_URL: OnceLock<String> = OnceLock::new();

/// The reason of a failure, which the client gets: only a measurement ever asks.
type Failure = Box<dyn std::error::Error>;

/// A value for a statement.
enum Param<'a> {
    Text(&'a str),
    Int4(i32),
}

/// How a request is answered.
enum Answer<'a> {
    /// With this text.
    Text(&'static str),
    /// With the text of a statement's first row.
    Query(&'static str, Vec<Param<'a>>),
    /// Not at all.
    NotFound,
}

/// True if the request's body is a title.
fn has_body(path: &str) -> bool {
    matches!(path, "/floor/create" | "/floor/update")
}

fn answer<'a>(path: &str, query: &'a str, title: &'a str) -> Result<Answer<'a>, Failure> {
    let user = Param::Text(value(query, "user"));
    let id = || value(query, "id").parse().map(Param::Int4);
    Ok(match path {
        "/floor/nothing" => Answer::Text(NOTHING),
        "/floor/get" => Answer::Query(sql::GET_TASK, vec![id()?, user]),
        "/floor/filtered" => Answer::Query(sql::LIST_BY_PRIORITY, vec![user]),
        "/floor/list" => Answer::Query(sql::LIST_TASKS, vec![user]),
        "/floor/status" => {
            let status = Param::Text(value(query, "status"));
            Answer::Query(sql::SET_STATUS, vec![id()?, user, status])
        }
        "/floor/create" => Answer::Query(sql::INSERT_TASK, vec![user, Param::Text(title)]),
        "/floor/update" => Answer::Query(sql::UPDATE_TASK, vec![id()?, user, Param::Text(title)]),
        _ => Answer::NotFound,
    })
}

/// Status and body of a response.
fn response(result: Result<Option<String>, Failure>) -> (u16, String) {
    match result {
        Ok(Some(json)) => (200, json),
        Ok(None) => (404, "no such row or route".to_owned()),
        Err(failure) => (500, failure.to_string()),
    }
}

/// The value of a query parameter, as it stands there.
fn value<'a>(query: &'a str, name: &str) -> &'a str {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(found, _)| *found == name)
        .map_or("", |(_, value)| value)
}
