//! Tests if prepared statements work through a pooler in transaction mode.
//!
//! Two clients prepare a statement each, then each runs its own in a transaction on another server
//! session than the one in which it was prepared. Further clients hold transactions open to force
//! this, and `pg_backend_pid()` verifies it: if the server session does not change, the result is
//! unknown.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage, Statement};

use crate::connect::{Connection, Connector};
use crate::error::pg_error::describe;

/// Limit of the wait for a server session. A pooler without a free one lets its clients wait for
/// minutes.
const SESSION_LIMIT: Duration = Duration::from_secs(3);

/// For each connection, ...
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// ... for the whole proof: some 50 times there and back, ...
const LIMIT: Duration = Duration::from_secs(20);

/// ... and for cleaning up after it.
const TIDY_LIMIT: Duration = Duration::from_secs(5);

/// Maximum number of clients that hold a transaction, so that another one gets a new server session.
const HOLDERS: usize = 4;

const ADD_ONE: &str =
    "select $1::int4 + 1 as answer, pg_backend_pid() as pid /* taskie-migrator health */";
const TIMES_THREE: &str =
    "select $1::int4 * 3 as answer, pg_backend_pid() as pid /* taskie-migrator health */";

/// Which of the two statements above a pooler without memory has left in this server session. `$1`
/// and `$2` their texts.
const LIST_LEFT_BEHIND: &str = "\
select format('deallocate %I', name)
  from pg_prepared_statements
 where not from_sql and statement in ($1, $2)";

/// Result of the test of prepared statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PreparedStatements {
    /// They ran, and answered rightly, in a server session in which they were not prepared.
    Survive,
    /// They are not there any more when the next transaction has another server session.
    Lost,
    /// It could not be found out.
    Untested,
}

/// Reason why the result is unknown.
pub(super) enum Unproven {
    /// The pooler has forgotten a statement, or mixed up two.
    Lost,
    /// Something else stood in the way.
    Untested(String),
}

/// A missing statement, or one that already exists, is a result; any other error is none.
impl From<tokio_postgres::Error> for Unproven {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT) => {
                Self::Lost
            }
            _ => Self::Untested(describe(&error)),
        }
    }
}

/// A client and the statement that it prepared, with its server session.
///
/// The client is dropped first: a statement that is dropped before it would be closed in the next
/// server session, where its name may belong to another client.
struct Preparer {
    connection: Connection,
    statement: Statement,
    home: i32,
    answer: fn(i32) -> i32,
}

/// Finds out whether they survive, for people an explanation where that remained open.
pub(super) async fn prove(connector: &Connector) -> (PreparedStatements, Option<String>) {
    let proof = timeout(LIMIT, interleave(connector)).await.unwrap_or_else(|_| {
        let seconds = LIMIT.as_secs();
        Err(Unproven::Untested(format!("no result within {seconds} s")))
    });
    if proof.is_err() {
        // After the limit, remaining statements stay in the pooler.
        let _ = timeout(TIDY_LIMIT, tidy(connector)).await;
    }
    match proof {
        Ok(()) => (PreparedStatements::Survive, None),
        Err(Unproven::Lost) => (PreparedStatements::Lost, None),
        Err(Unproven::Untested(reason)) => (PreparedStatements::Untested, Some(reason)),
    }
}

async fn interleave(connector: &Connector) -> Result<(), Unproven> {
    let adding = prepare(connector, ADD_ONE, |number| number + 1).await?;
    let multiplying = prepare(connector, TIMES_THREE, |number| number * 3).await?;
    move_and_run(connector, &adding).await?;
    move_and_run(connector, &multiplying).await?;
    adding.connection.close().await;
    multiplying.connection.close().await;
    Ok(())
}

async fn prepare(
    connector: &Connector,
    text: &str,
    answer: fn(i32) -> i32,
) -> Result<Preparer, Unproven> {
    let connection = open(connector).await?;
    let client = &connection.client;
    begin(client).await?;
    let statement = client.prepare_typed(text, &[Type::INT4]).await?;
    let mut preparer = Preparer { connection, statement, home: 0, answer };
    let client = &preparer.connection.client;
    preparer.home = run(client, &preparer.statement, answer).await?;
    end(client).await?;
    Ok(preparer)
}

/// Runs a statement in another server session than the one in which it was prepared.
async fn move_and_run(connector: &Connector, preparer: &Preparer) -> Result<(), Unproven> {
    let client = &preparer.connection.client;
    // A pooler assigns the most recently returned server session first: a holder gets the one in which
    // the statement was prepared, unless another client has it.
    let mut holders = Vec::with_capacity(HOLDERS);
    let mut moved = false;
    while !moved && holders.len() < HOLDERS {
        let holder = open(connector).await?;
        begin_in_time(&holder.client).await?;
        holders.push(holder);
        begin_in_time(client).await?;
        moved = pid(client).await? != preparer.home;
        if !moved {
            end(client).await?;
        }
    }
    let result = if moved {
        let result = run(client, &preparer.statement, preparer.answer).await;
        // Also of a transaction that failed; there is nothing in it.
        end(client).await.and(result.map(|_| ()))
    } else {
        Err(Unproven::Untested(format!(
            "each client kept its server session beside {HOLDERS} others: this is no pooler, or one that does not share sessions"
        )))
    };
    release(holders).await;
    result
}

/// Removes what a pooler without memory has left in server sessions, where another client could
/// meet it. As many as are likely to have it are held at once. What fails is left to the pooler.
async fn tidy(connector: &Connector) {
    let mut holders = Vec::with_capacity(HOLDERS);
    for _ in 0..HOLDERS {
        let Ok(holder) = open(connector).await else { break };
        let Ok(Ok(())) = timeout(TIDY_LIMIT / 5, begin(&holder.client)).await else { break };
        let texts: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&ADD_ONE, Type::TEXT), (&TIMES_THREE, Type::TEXT)];
        if let Ok(left) = holder.client.query_typed(LIST_LEFT_BEHIND, &texts).await {
            for row in left {
                let _ = holder.client.batch_execute(row.get(0)).await;
            }
        }
        holders.push(holder);
    }
    release(holders).await;
}

/// Ends their transactions first: a pooler throws a server session away whose client leaves in the
/// middle of one.
async fn release(holders: Vec<Connection>) {
    for holder in holders {
        let _ = end(&holder.client).await;
        holder.close().await;
    }
}

/// Returns the server session in which it ran.
async fn run(
    client: &Client,
    statement: &Statement,
    answer: fn(i32) -> i32,
) -> Result<i32, Unproven> {
    let number = rand::random_range(1..1_000_000);
    let row = client.query_one(statement, &[&number]).await?;
    let answered: Result<i32, _> = row.try_get(0);
    if answered.is_ok_and(|answered| answered == answer(number)) {
        row.try_get(1).map_err(Unproven::from)
    } else {
        Err(Unproven::Lost)
    }
}

/// The server session of the transaction, without a prepared statement.
async fn pid(client: &Client) -> Result<i32, Unproven> {
    let messages = client.simple_query("select pg_backend_pid()").await?;
    messages
        .iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        })
        .ok_or_else(|| Unproven::Untested("the server session could not be determined".to_owned()))
}

async fn open(connector: &Connector) -> Result<Connection, Unproven> {
    let opened = connector.connect_once(CONNECT_LIMIT).await;
    opened
        .map(|opened| opened.connection)
        .map_err(|(error, _)| Unproven::Untested(format!("a further connection failed: {error}")))
}

/// With a server session of its own, or not at all.
async fn begin_in_time(client: &Client) -> Result<(), Unproven> {
    timeout(SESSION_LIMIT, begin(client)).await.unwrap_or_else(|_| {
        let seconds = SESSION_LIMIT.as_secs();
        Err(Unproven::Untested(format!("no second server session within {seconds} s")))
    })
}

async fn begin(client: &Client) -> Result<(), Unproven> {
    client.batch_execute("begin").await.map_err(Unproven::from)
}

async fn end(client: &Client) -> Result<(), Unproven> {
    client.batch_execute("rollback").await.map_err(Unproven::from)
}
