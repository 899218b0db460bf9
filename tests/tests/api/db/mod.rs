//! The database: its constraints, its role, its query plans, and its outages.

mod constraints;
mod exhaustion;
mod full_disk;
mod neon;
mod outages;
mod partitions;
mod query_plans;
mod retries;
mod role;
mod round_trips;
mod server_states;
mod silence;
mod standby;
mod tls;

use std::time::Duration;

use tests::{App, FaultProxy, Options, Response, TestDatabase};

/// A service with a proxy between it and its database, which it has this long to connect to.
pub(crate) async fn behind_proxy(
    connect_timeout: Duration,
    change: impl FnOnce(&mut Options),
) -> (App, FaultProxy) {
    let database = TestDatabase::migrated().await;
    let url = database.api_url().with_connect_timeout(connect_timeout);
    let proxy = FaultProxy::to(&url).await;
    let app = App::start_on(database, |options| {
        options.database(&proxy.through(&url));
        change(options);
    })
    .await;
    (app, proxy)
}

/// The cause in the log's line about a response.
async fn cause(app: &App, response: &Response) -> String {
    let line = app.log_line(response.header("x-request-id")).await;
    assert_eq!(line["status"], response.status, "{line}");
    line["cause"].as_str().expect("a cause").to_owned()
}
