//! The API through the pooler.

use neon_url::DatabaseUrl;
use tests::{App, InstanceReuse, TestServer};

use super::bouncer::{Bouncer, Settings};

const REMEMBERS: Settings = Settings { max_prepared_statements: 100, pool_size: 10 };

/// PgBouncer rejects a connection with the time limit as a parameter; every instance has to detect that.
#[tokio::test]
async fn the_api_works_without_its_statement_timeout_where_the_pooler_rejects_it() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let bouncer = Bouncer::before(&database, REMEMBERS).await;
    let url: DatabaseUrl = bouncer.url().parse().expect("a connection string");
    let app = App::start_on(database, |options| {
        options.database(&url);
        options.reuse = InstanceReuse { max_reuse: 2, ..InstanceReuse::default() };
    })
    .await;
    let alice = app.user("alice").await;
    let mut tasks = Vec::new();
    for title in ["one", "two", "three", "four"] {
        tasks.insert(0, alice.task(title).await);
    }
    assert_eq!(alice.tasks().await, tasks);
}
