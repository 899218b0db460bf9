//! The floor under the API's figures: a bare component that runs a statement like the API's and
//! answers with what came. No router, no tokens, no checks, no log: what the API costs more than
//! this is its own doing, what both cost is the host's and the database's.
//!
//! Never part of the application: `benches/spin.toml` is its manifest.

mod sql;

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::pg::{Connection, DbValue, ParameterValue};

/// What `/floor/nothing` answers: the body of the API's `/health`.
const NOTHING: &str = r#"{"status":"healthy"}"#;

/// The connection string, read once for each instance.
static DATABASE_URL: OnceLock<String> = OnceLock::new();

/// The reason of a failure, which the client gets: only a measurement ever asks.
type Failure = Box<dyn std::error::Error>;

/// What Spin calls for every request of this instance. The response goes out the way that the SDK
/// has for it.
#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (status, body) = match serve(request).await {
        Ok(Some(json)) => (StatusCode::OK, json),
        Ok(None) => (StatusCode::NOT_FOUND, "no such row or route".to_owned()),
        Err(failure) => (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()),
    };
    let length = HeaderValue::from(body.len());
    let mut response = http::Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

async fn serve(request: Request) -> Result<Option<String>, Failure> {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let user = || ParameterValue::Str(value(query, "user").to_owned());
    let id = || value(query, "id").parse().map(ParameterValue::Int32);
    match head.uri.path() {
        "/floor/nothing" => Ok(Some(NOTHING.to_owned())),
        "/floor/get" => text(sql::GET_TASK, vec![id()?, user()]).await,
        "/floor/list" => text(sql::LIST_TASKS, vec![user()]).await,
        "/floor/create" => {
            let title = String::from_utf8(body.bytes().await?.to_vec())?;
            text(sql::INSERT_TASK, vec![user(), ParameterValue::Str(title)]).await
        }
        "/floor/update" => {
            let title = String::from_utf8(body.bytes().await?.to_vec())?;
            text(sql::UPDATE_TASK, vec![id()?, user(), ParameterValue::Str(title)]).await
        }
        _ => Ok(None),
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

/// The one text that the statement gives, if it gives a row.
async fn text(statement: &str, parameters: Vec<ParameterValue>) -> Result<Option<String>, Failure> {
    let address = if let Some(address) = DATABASE_URL.get() {
        address
    } else {
        let address = spin_sdk::variables::get("database_url").await?;
        DATABASE_URL.get_or_init(|| address)
    };
    let connection = Connection::open(address).await?;
    let mut result = connection.query(statement, parameters).await?;
    let row = result.rows().next().await;
    // Only after the last row does the result tell an error from 'no rows'.
    if row.is_some() {
        while result.rows().next().await.is_some() {}
    }
    result.result().await?;
    match row.and_then(|row| row.into_iter().next()) {
        None => Ok(None),
        Some(DbValue::Str(text)) => Ok(Some(text)),
        Some(_) => Err("the statement gave no text".into()),
    }
}
