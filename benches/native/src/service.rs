//! What the routes share: the sender of a request, and a statement.

use api::bench::Task;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use deadpool_postgres::Pool;
use http::{HeaderMap, StatusCode};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::token::{Claims, Verifier};

/// What every request shares.
pub(crate) struct Service {
    pool: Pool,
    verifier: Verifier,
}

/// A failed request: its status, and the reason.
pub(crate) struct Failure(pub(crate) StatusCode, pub(crate) String);

impl Service {
    pub(crate) fn new(pool: Pool, verifier: Verifier) -> Self {
        Self { pool, verifier }
    }

    /// The sender, who must be the user in the path.
    pub(crate) fn caller(&self, headers: &HeaderMap, user: &str) -> Result<Claims, Failure> {
        self.verifier
            .verify(headers)
            .filter(|claims| claims.sub == user)
            .ok_or_else(|| Failure(StatusCode::UNAUTHORIZED, "no valid token".to_owned()))
    }

    /// The one row of a prepared statement; 404 without one.
    pub(crate) async fn row(
        &self,
        statement: &'static str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, Failure> {
        let client = self.pool.get().await.map_err(|err| {
            Failure(StatusCode::SERVICE_UNAVAILABLE, format!("no connection: {err}"))
        })?;
        let statement = client.prepare_cached(statement).await?;
        let row = client.query_opt(&statement, params).await?;
        row.ok_or_else(|| Failure(StatusCode::NOT_FOUND, "no such row".to_owned()))
    }

    /// 200 with the task of a statement that gives its columns; 404 without one.
    pub(crate) async fn task(
        &self,
        statement: &'static str,
        params: &[&(dyn ToSql + Sync)],
        id: i32,
        owner: &str,
    ) -> Result<Response, Failure> {
        let row = self.row(statement, params).await?;
        let task = Task {
            id,
            owner: owner.to_owned(),
            title: row.try_get(0)?,
            description: row.try_get(1)?,
            status: row.try_get(2)?,
            priority: row.try_get(3)?,
            created_at: time(&row, 4)?,
            updated_at: time(&row, 5)?,
        };
        Ok(answer(task.into()))
    }
}

/// A response of the component, as one of this server.
pub(crate) fn answer(response: http::Response<impl Into<Body>>) -> Response {
    response.map(Into::into)
}

/// What `timestamptz_send` gives.
pub(crate) fn time(row: &Row, column: usize) -> Result<i64, Failure> {
    let bytes: &[u8] = row.try_get(column)?;
    let bytes = bytes.try_into().map_err(|_| {
        Failure(StatusCode::INTERNAL_SERVER_ERROR, "a time that has not eight bytes".to_owned())
    })?;
    Ok(i64::from_be_bytes(bytes))
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
