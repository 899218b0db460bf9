//! Databases that do not respond, or reject the connection.

use neon_url::DatabaseUrl;
use tests::{TestDatabase, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::catalog::versions;
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

/// The response of a server that is starting up.
const STARTING_UP: &[u8] = b"E\0\0\0\x30SFATAL\0C57P03\0Mthe database is starting up\0\0";

/// The same database with another password.
fn with_password(url: &DatabaseUrl, password: &str) -> String {
    let (host, port, user) = (url.host(), url.port(), url.user());
    format!("postgresql://{user}:{password}@{host}:{port}/{}", url.database())
}

#[tokio::test]
async fn an_unreachable_database_is_given_up_after_the_time_limit() {
    let url = "postgresql://ann:hunter2@127.0.0.1:1/shop";
    run_with(&[("DATABASE_URL", url)], &["up", "--connect-timeout", "300ms"])
        .await
        .exits(3)
        .says("The database does not answer yet (connection refused); trying for up to 300 ms")
        .says("error: cannot reach the database at `127.0.0.1:1`: connection refused")
        .does_not_print("hunter2");
}

#[tokio::test]
async fn a_database_that_never_speaks_is_given_up_after_the_time_limit() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let port = silent.local_addr().expect("an address").port();
    let url = format!("postgresql://ann@127.0.0.1:{port}/shop");
    run_with(&[("DATABASE_URL", &url)], &["up", "--connect-timeout", "300ms"])
        .await
        .exits(3)
        .says("no answer within");
}

#[tokio::test]
async fn a_database_that_starts_up_is_waited_for() {
    let database = TestServer::throwaway().await.empty_database().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let port = listener.local_addr().expect("an address").port();
    let real = (database.url().host().to_owned(), database.url().port());
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut client, _) = listener.accept().await.expect("accept");
            client.read_u8().await.expect("a request");
            client.write_all(STARTING_UP).await.expect("answer");
            client.shutdown().await.expect("hang up");
        }
        let (mut client, _) = listener.accept().await.expect("accept");
        let mut server = TcpStream::connect(real).await.expect("connect to the real server");
        // Ends when either side hangs up.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    });
    let url = database.url().to_connection_string().replacen(
        &format!(":{}/", database.url().port()),
        &format!(":{port}/"),
        1,
    );
    run_with(&[("DATABASE_URL", &url)], &["up"])
        .await
        .exits(0)
        .says("The database does not answer yet (the database is starting up (57P03))");
    server.await.expect("the server ends");
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_wrong_password_fails_at_once() {
    let database = TestServer::throwaway().await.empty_database().await;
    let url = with_password(database.url(), "hunter2");
    run_with(&[("DATABASE_URL", &url)], &["up"])
        .await
        .exits(3)
        .says("(28P01)")
        .says("hint: check the user name and the password")
        .does_not_print("does not answer yet")
        .does_not_print("hunter2");
}

#[tokio::test]
async fn an_unknown_database_fails_at_once() {
    let database = TestDatabase::create().await;
    let url = database.url().with_database("no_such_database").to_connection_string();
    run_with(&[("DATABASE_URL", &url)], &["up"])
        .await
        .exits(3)
        .says("database \"no_such_database\" does not exist (3D000)")
        .says("hint: check the database's name")
        .does_not_print("does not answer yet");
}

#[tokio::test]
async fn an_unknown_host_fails_without_waiting() {
    let url = "postgresql://ann@no-such-host.invalid/shop";
    run_with(&[("DATABASE_URL", url)], &["status", "--connect-timeout", "1"]).await.exits(3);
}

#[tokio::test]
async fn a_bad_connection_string_is_a_usage_error_that_does_not_repeat_it() {
    let url = "postgresql://ann:hunter2@db.example.com/shop?sslmode=disable";
    run_with(&[("DATABASE_URL", url)], &["up"])
        .await
        .exits(2)
        .says("`sslmode=disable` is too weak for a remote host")
        .does_not_print("hunter2");
}

#[tokio::test]
async fn a_connection_string_in_the_wrong_place_is_not_repeated() {
    run_with(&[], &["up", "postgresql://ann:hunter2@db.example.com/shop"])
        .await
        .exits(2)
        .says("unexpected argument")
        .does_not_print("hunter2");
}

#[tokio::test]
async fn no_connection_string_is_a_usage_error_that_says_where_to_put_it() {
    run_with(&[], &["up"]).await.exits(2).says("hint: set `DATABASE_URL`");
}

#[tokio::test]
async fn the_option_wins_over_the_environment() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let elsewhere = ("DATABASE_URL", "postgresql://ann@127.0.0.1:1/shop");
    run_with(&[elsewhere], &["up", "--database-url", &url]).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn tls_that_the_server_does_not_have_is_an_error() {
    let database = TestDatabase::create().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("accept");
        let mut request = [0; 8];
        client.read_exact(&mut request).await.expect("a request for TLS");
        client.write_all(b"N").await.expect("decline");
    });
    let url = format!("postgresql://ann@127.0.0.1:{port}/{}?sslmode=require", database.name());
    run_with(&[("DATABASE_URL", &url)], &["up"]).await.exits(3).says("offers no TLS");
    server.await.expect("the server ends");
}

#[tokio::test]
async fn sessions_have_the_programs_name() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__name.sql",
        "create table seen as select current_setting('application_name') as name;",
    )]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let row = database.client().await.query_one("select name from seen", &[]).await.expect("a row");
    assert_eq!(row.get::<_, &str>(0), "taskie-migrator");
}
