//! The entry point by WASI 0.3. The response goes out the way that the SDK has for it.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::pg::{Connection, DbValue, ParameterValue};

use crate::{Answer, DATABASE_URL, Failure, Param};

/// What Spin calls for every request of this instance.
#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (status, body) = crate::response(serve(request).await);
    let length = HeaderValue::from(body.len());
    let mut response = http::Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

async fn serve(request: Request) -> Result<Option<String>, Failure> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let title = if crate::has_body(path) {
        String::from_utf8(body.bytes().await?.to_vec())?
    } else {
        String::new()
    };
    match crate::answer(path, head.uri.query().unwrap_or_default(), &title)? {
        Answer::Text(text) => Ok(Some(text.to_owned())),
        Answer::Query(statement, params) => {
            text(statement, params.into_iter().map(Into::into).collect()).await
        }
        Answer::NotFound => Ok(None),
    }
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

impl From<Param<'_>> for ParameterValue {
    fn from(param: Param<'_>) -> Self {
        match param {
            Param::Text(text) => Self::Str(text.to_owned()),
            Param::Int4(number) => Self::Int32(number),
        }
    }
}
