//! Runs statements. Each is prepared every time, as on Spin.

use std::mem::size_of;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use deadpool_postgres::Object;
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult};

use super::parameters::to_sql;
use super::values::{columns, row_values, size_in_memory};
use crate::host::bindings::postgres::{
    Column, DbError, Error, ParameterValue, QueryError, Row, RowSet,
};

/// Memory limit of a whole result, or of one row of a stream.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Rows that wait for the component to read them.
const ROWS_IN_FLIGHT: usize = 4;

type Parameter = Box<dyn ToSql + Send + Sync>;

/// A query whose rows arrive while the component reads them.
pub(super) struct Query {
    /// Empty when there are no rows.
    pub(super) columns: Vec<Column>,
    pub(super) rows: mpsc::Receiver<Row>,
    /// `Ok` after the last row, or the error that ended the rows.
    pub(super) outcome: oneshot::Receiver<Result<(), Error>>,
}

/// Runs a statement and returns the number of rows that it changed.
pub(super) async fn execute(
    client: &Object,
    statement: &str,
    parameters: &[ParameterValue],
) -> Result<u64, Error> {
    let parameters = convert(parameters, Error::ValueConversionFailed)?;
    let references: Vec<&(dyn ToSql + Sync)> =
        parameters.iter().map(|parameter| parameter.as_ref() as &(dyn ToSql + Sync)).collect();
    client.execute(statement, &references).await.map_err(|error| query_failed(&error))
}

/// Runs a statement and collects its rows. As on Spin, an error among the rows arrives as text, and a statement
/// without rows never ends.
pub(super) async fn query(
    client: &Object,
    statement: &str,
    parameters: &[ParameterValue],
) -> Result<RowSet, Error> {
    let (columns, mut incoming) = start(client, statement, parameters).await?;
    let mut bytes = size_of::<RowSet>();
    let mut rows = Vec::new();
    while let Some(row) = incoming.next().await {
        let row = row.map_err(|error| text(format!("{:?}", anyhow::Error::new(error))))?;
        bytes += row.iter().map(size_in_memory).sum::<usize>();
        if bytes > MAX_RESULT_BYTES {
            return Err(result_too_large());
        }
        rows.push(row);
    }
    if rows.is_empty() {
        // Spin 4.0 and 4.1 wait for columns that never come: spinframework/spin#3671.
        std::future::pending::<()>().await;
    }
    drop(incoming);
    Ok(RowSet { columns: columns.await.unwrap_or_default(), rows })
}

/// Runs a statement whose rows arrive while the component reads them.
pub(super) async fn query_async(
    client: Arc<Object>,
    statement: &str,
    parameters: &[ParameterValue],
) -> Result<Query, Error> {
    let (columns, incoming) = start(&client, statement, parameters).await?;
    let (row_sender, rows) = mpsc::channel(ROWS_IN_FLIGHT);
    let (outcome_sender, outcome) = oneshot::channel();
    tokio::spawn(async move {
        let _ = outcome_sender.send(forward(incoming, row_sender).await);
    });
    Ok(Query { columns: columns.await.unwrap_or_default(), rows, outcome })
}

/// Sends rows until they end, fail, or the component stops reading.
async fn forward(
    mut incoming: impl Stream<Item = Result<Row, Error>> + Unpin,
    rows: mpsc::Sender<Row>,
) -> Result<(), Error> {
    loop {
        let next = tokio::select! {
            biased;
            () = rows.closed() => return Ok(()),
            next = incoming.next() => next,
        };
        let Some(row) = next.transpose()? else {
            return Ok(());
        };
        if row.iter().map(size_in_memory).sum::<usize>() > MAX_RESULT_BYTES {
            return Err(result_too_large());
        }
        rows.send(row).await.map_err(|error| text(format!("async error: {error}")))?;
    }
}

/// Prepares and executes; the columns are known with the first row.
async fn start(
    client: &Object,
    statement: &str,
    parameters: &[ParameterValue],
) -> Result<
    (oneshot::Receiver<Vec<Column>>, impl Stream<Item = Result<Row, Error>> + Unpin + use<>),
    Error,
> {
    let parameters = convert(parameters, Error::BadParameter)?;
    let incoming =
        client.query_raw(statement, parameters).await.map_err(|error| query_failed(&error))?;
    let (sender, receiver) = oneshot::channel();
    let mut sender = Some(sender);
    let rows = Box::pin(incoming).map(move |row| {
        let row = row.map_err(|error| query_failed(&error))?;
        if let Some(sender) = sender.take() {
            let _ = sender.send(columns(&row));
        }
        row_values(&row).map_err(|error| text(format!("{error:?}")))
    });
    Ok((receiver, rows))
}

fn convert(
    parameters: &[ParameterValue],
    error: fn(String) -> Error,
) -> Result<Vec<Parameter>, Error> {
    parameters
        .iter()
        .map(to_sql)
        .collect::<anyhow::Result<_>>()
        .map_err(|reason| error(format!("{reason:?}")))
}

fn text(message: String) -> Error {
    Error::QueryFailed(QueryError::Text(message))
}

fn result_too_large() -> Error {
    text(format!("query result exceeds limit of {MAX_RESULT_BYTES} bytes"))
}

/// The fields of the server's error; any other error as text.
fn query_failed(error: &tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    let Some(db) = error.as_db_error() else {
        return text(as_text);
    };
    let line = db.line().map(|line| line.to_string());
    let extras = [
        ("column", db.column()),
        ("constraint", db.constraint()),
        ("routine", db.routine()),
        ("hint", db.hint()),
        ("table", db.table()),
        ("datatype", db.datatype()),
        ("schema", db.schema()),
        ("file", db.file()),
        ("line", line.as_deref()),
        ("where_", db.where_()),
    ];
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text,
        severity: db.severity().to_owned(),
        code: db.code().code().to_owned(),
        message: db.message().to_owned(),
        detail: db.detail().map(str::to_owned),
        extras: extras
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect(),
    }))
}

/// Gives the component one row for each read.
pub(super) struct RowStream(pub(super) mpsc::Receiver<Row>);

impl<D> StreamProducer<D> for RowStream {
    type Item = Row;
    type Buffer = Option<Row>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, Option<Row>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.get_mut().0.poll_recv(context) {
            Poll::Ready(Some(row)) => {
                destination.set_buffer(Some(row));
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
