//! `migrator up` through a pooler: the lock belongs to a session, and sessions are shared.

use std::fs;

use tempfile::TempDir;
use tests::{Pooler, PoolerSettings, TestServer, until};
use tokio_postgres::Client;

use super::{migrator, through};

const TWO_SESSIONS: PoolerSettings =
    PoolerSettings { max_prepared_statements: 100, pool_size: 2, tls: false };

/// A migration that ends when the test releases it.
const WAITS: &str = "\
create table one (id int);
do $$ begin
  while not pg_try_advisory_xact_lock(4711) loop
    perform pg_sleep(0.01);
  end loop;
end $$;";

async fn pid(client: &Client) -> i32 {
    let row = client.query_typed_one("select pg_backend_pid()", &[]).await;
    row.expect("ask for the server session").get(0)
}

#[tokio::test]
async fn that_is_lost_stops_the_migrator_between_two_migrations() {
    let database = TestServer::throwaway().await.empty_database().await;
    let pooler = Pooler::before(database.url(), TWO_SESSIONS).await;
    let folder = TempDir::new().expect("create a folder");
    fs::write(folder.path().join("V1__one.sql"), WAITS).expect("write a migration");
    let two = "create table two (id int);";
    fs::write(folder.path().join("V2__two.sql"), two).expect("write a migration");

    let direct = database.client().await;
    direct.batch_execute("select pg_advisory_lock(4711)").await.expect("let it wait");
    let url = through(&pooler, &database);
    let directory = folder.path().to_str().expect("a plain path").to_owned();
    let up = tokio::spawn(async move { migrator(&url, &["up", "--dir", &directory]).await });
    let locked = until("the first migration runs", async || {
        let sql = "select pid from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                      and query like '%create table one%' and state = 'active'";
        direct.query_opt(sql, &[]).await.expect("ask").map(|row| row.get::<_, i32>(0))
    })
    .await;

    // One client has the other session, and the next one waits for the session with the lock.
    let (second, third) =
        (pooler.client(database.url()).await, pooler.client(database.url()).await);
    second.batch_execute("begin").await.expect("begin");
    let taken = tokio::spawn(async move {
        third.batch_execute("begin").await.expect("begin");
        (pid(&third).await, third)
    });
    until("the third client waits", async || (pooler.waiting().await == 1).then_some(())).await;
    direct.batch_execute("select pg_advisory_unlock(4711)").await.expect("let it go on");
    let (now, third) = taken.await.expect("the third client is served");
    assert_eq!(now, locked, "it took the session with the lock");
    // Now the migrator gets the other session, which does not have the lock.
    second.batch_execute("rollback").await.expect("free the session");

    let output = up.await.expect("the migrator ends").exits(3);
    output
        .says("error: the migration lock was lost: the connection goes through a pooler")
        .says("hint: use a connection string that leads to PostgreSQL itself");
    let sql = "select array_agg(version::int4) from refinery_schema_history";
    let versions: Vec<i32> = direct.query_one(sql, &[]).await.expect("ask").get(0);
    assert_eq!(versions, [1]);
    let sql = "select to_regclass('one') is not null, to_regclass('two') is not null";
    let tables = direct.query_one(sql, &[]).await.expect("ask");
    assert_eq!((tables.get(0), tables.get(1)), (true, false));
    drop(third);
}

#[tokio::test]
async fn does_not_stay_behind_in_the_poolers_session() {
    let database = TestServer::throwaway().await.empty_database().await;
    let pooler = Pooler::before(database.url(), TWO_SESSIONS).await;
    let folder = TempDir::new().expect("create a folder");
    fs::write(folder.path().join("V1__one.sql"), "create table one ();").expect("write it");
    fs::write(folder.path().join("V1__one.down.sql"), "drop table one;").expect("write it");
    let directory = folder.path().to_str().expect("a plain path");
    migrator(&through(&pooler, &database), &["up", "--dir", directory]).await.exits(0);
    let direct = database.url().to_connection_string();
    migrator(&direct, &["down", "--yes", "--wait", "0s", "--dir", directory]).await.exits(0);
}
