//! The program behind `cargo up`: its service, its runtimes, its output, and its errors.

mod fake_spin;
mod program;
mod spin;

use serde_json::Value;
use tests::TestDatabase;
use tokio::net::TcpListener;

use self::program::{Served, run};

#[tokio::test]
async fn the_printed_request_creates_a_task_that_survives_a_restart() {
    let database = TestDatabase::create().await;

    let served = Served::start(&database).await;
    let created: Value = served.run_printed_curl().await;
    served.interrupt().await;
    assert_eq!(created["title"], "Buy groceries");
    assert_eq!(created["user_id"], "demo");

    let again = Served::start(&database).await;
    let tasks = again.get("/api/demo/tasks").await;
    again.interrupt().await;
    assert_eq!(tasks, Value::Array(vec![created]));
}

#[tokio::test]
async fn a_minted_token_opens_the_tasks_of_its_user() {
    let database = TestDatabase::create().await;
    let served = Served::start(&database).await;
    let token = run(&["token", "ada", "--expires", "5m"]).await.exits(0).stdout;
    let tasks = served.get_with("/api/ada/tasks", token.trim()).await;
    served.interrupt().await;
    assert_eq!(tasks, Value::Array(Vec::new()));
}

#[tokio::test]
async fn an_address_in_use_is_an_error_with_a_hint() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let address = taken.local_addr().expect("an address").to_string();
    run(&["up", "--listen", &address])
        .await
        .exits(6)
        .says(&format!("error: {address} is already in use"))
        .says("hint: ");
}

#[tokio::test]
async fn a_bad_connection_string_is_refused_without_its_password() {
    let url = "postgres://ann:hunter2@db.example.com/shop?sslmode=disable";
    run(&["up", "--listen", "127.0.0.1:0", "--database-url", url])
        .await
        .exits(2)
        .says("hint: ")
        .does_not_print("hunter2");
}
