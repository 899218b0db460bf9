//! Neon's proxy, which knows an endpoint by the host name that TLS shows it.

use tests::{AUTHORITY, App, NeonProxy, TestServer};

/// The pooled host takes no settings of the session; the direct one does.
#[tokio::test]
async fn the_api_reaches_both_hosts_of_an_endpoint_by_their_names() {
    let server = TestServer::throwaway().await;
    let proxy = NeonProxy::before(server).await;
    for is_pooled in [true, false] {
        let database = server.migrated_database().await;
        let url = proxy.by_name(&database.api_url(), is_pooled);
        let app = App::start_on(database, |options| {
            options.database(&url).set("database_ca", AUTHORITY);
        })
        .await;
        let alice = app.user("alice").await;
        let task = alice.task("x").await;
        assert_eq!(alice.tasks().await, [task]);
        app.get("/health/db").await.good(200);
    }
}
