//! The API through the pooler.

use tests::{App, InstanceReuse, Pooler, PoolerSettings, TestServer};

const REMEMBERS: PoolerSettings =
    PoolerSettings { max_prepared_statements: 100, pool_size: 10, tls: false };

/// PgBouncer rejects a connection with the time limit as a parameter; every instance has to detect that.
#[tokio::test]
async fn the_api_works_without_its_statement_timeout_where_the_pooler_rejects_it() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let pooler = Pooler::before(database.url(), REMEMBERS).await;
    let url = pooler.through(database.url());
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
