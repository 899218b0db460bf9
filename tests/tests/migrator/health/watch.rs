//! `migrator health --watch`

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tests::{CliOutput, TestDatabase};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::support::program::{command, run, run_with};

/// An interval shorter than a health check.
const INTERVAL: &str = "100ms";

#[tokio::test]
async fn prints_a_line_for_each_check() {
    let database = TestDatabase::migrated().await;
    let arguments = ["health", "--watch", INTERVAL, "--count", "3"];
    let output = run(&database, &arguments).await.exits(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{output:#?}");
    for line in lines {
        let (time, rest) = line.split_once(' ').expect("a time first");
        assert!(time.ends_with('Z') && time.len() == "2026-11-22T14:03:07Z".len(), "{line}");
        assert!(rest.starts_with("ok: connecting "), "{line}");
        assert!(rest.contains(" ms, round trip ") && rest.contains(" connections"), "{line}");
    }
    assert_eq!(output.stderr, "");
}

#[tokio::test]
async fn prints_a_document_on_each_line() {
    let database = TestDatabase::migrated().await;
    let arguments = ["health", "--json", "--watch", INTERVAL, "--count", "2"];
    let output = run(&database, &arguments).await.exits(0);
    let documents: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(documents.len(), 2);
    for document in documents {
        assert_eq!(document["command"], "health");
        assert_eq!(document["healthy"], true);
        assert!(document["connect_phases_ms"]["cold"]["total"].is_number());
    }
}

#[tokio::test]
async fn goes_on_while_the_database_cannot_be_used() {
    let url = "postgresql://ann:hunter2@127.0.0.1:1/shop";
    let arguments = ["health", "--watch", INTERVAL, "--count", "2"];
    let output = run_with(&[("DATABASE_URL", url)], &arguments).await.exits(1);
    let unusable = " unusable: cannot reach the database at `127.0.0.1:1`: connection refused\n";
    assert_eq!(output.stdout.matches(unusable).count(), 2, "{output:#?}");
    output.does_not_print("hunter2");
}

#[tokio::test]
async fn names_the_limits_that_are_exceeded() {
    let database = TestDatabase::migrated().await;
    let arguments = ["health", "--watch", INTERVAL, "--count", "1", "--max-ping-ms", "0.000001"];
    let output = run(&database, &arguments).await.exits(1);
    assert!(output.stdout.contains("Z exceeded max-ping-ms: connecting "), "{output:#?}");
}

#[tokio::test]
async fn the_last_check_sets_the_exit_code() {
    let database = TestDatabase::migrated().await;
    let role = database.role("watcher").await;
    let read = format!("grant select on refinery_schema_history to {}", role.quoted());
    database.client().await.batch_execute(&read).await.expect("let it read the history");
    let url = database.url_as(&role).to_connection_string();
    let mut command = command(&["health", "--watch", INTERVAL, "--count", "1000"]).await;
    let mut child = command.env("DATABASE_URL", &url).spawn().expect("start the migrator");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next_line().await.expect("read").expect("a line");
    assert!(first.contains(" ok: "), "{first}");

    let lock_out = format!("alter role {} nologin", role.quoted());
    database.admin().await.batch_execute(&lock_out).await.expect("lock it out");
    loop {
        let line = lines.next_line().await.expect("read").expect("a line");
        if line.contains(" unusable: ") {
            break;
        }
    }
    interrupt(&child);
    assert_eq!(child.wait().await.expect("wait").code(), Some(1));
}

#[tokio::test]
async fn ends_with_ctrl_c() {
    let database = TestDatabase::migrated().await;
    let url = database.url().to_connection_string();
    let mut command = command(&["health", "--watch", "60m"]).await;
    let mut child = command.env("DATABASE_URL", &url).spawn().expect("start the migrator");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    lines.next_line().await.expect("read").expect("a line");
    interrupt(&child);
    assert_eq!(child.wait().await.expect("wait").code(), Some(0));
}

fn interrupt(child: &tokio::process::Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).expect("it runs");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("interrupt");
}

#[tokio::test]
async fn draws_the_report_again_on_a_terminal() {
    let database = TestDatabase::migrated().await;
    let screen = on_a_terminal(&database, &["health", "--watch", INTERVAL, "--count", "2"]).await;
    let frames: Vec<&str> = screen.split("\x1b[H").collect();
    let [cleared, first, second] = frames[..] else { panic!("{screen:?}") };
    assert_eq!(cleared, "\x1b[2J");
    for frame in [first, second] {
        assert!(frame.starts_with("every 100 ms, Ctrl-C ends; "), "{frame:?}");
        assert!(frame.contains(" UTC\x1b[K\r\n"), "{frame:?}");
        assert!(frame.contains("\r\nusable       yes\x1b[K\r\n"), "{frame:?}");
        assert!(frame.ends_with("\x1b[J"), "{frame:?}");
    }
}

#[tokio::test]
async fn draws_without_colours_with_no_color() {
    let database = TestDatabase::create().await;
    let arguments = ["health", "--no-color", "--watch", INTERVAL, "--count", "1"];
    let screen = on_a_terminal(&database, &arguments).await;
    assert!(screen.contains("\x1b[H"), "{screen:?}");
    assert!(screen.contains("\r\nwarning: pending migrations: 5\x1b[K\r\n"), "{screen:?}");
}

/// The output of the program on a terminal.
async fn on_a_terminal(database: &TestDatabase, arguments: &[&str]) -> String {
    let terminal = openpty(None, None).expect("open a terminal");
    let mut command = command(arguments).await;
    command.env("DATABASE_URL", database.url().to_connection_string()).env("TERM", "xterm");
    command.env_remove("NO_COLOR");
    command.stdout(Stdio::from(terminal.slave)).stderr(Stdio::piped());
    let child = command.spawn().expect("start the migrator");
    // The command holds the other end of the terminal, which must close to end the output.
    drop(command);
    let screen = tokio::task::spawn_blocking(move || {
        let mut screen = Vec::new();
        // At the end, reading fails on Linux, and returns nothing elsewhere.
        let _ = File::from(terminal.master).read_to_end(&mut screen);
        String::from_utf8(screen).expect("text")
    });
    let output = child.wait_with_output().await.expect("wait");
    CliOutput::new(output).exits(0);
    screen.await.expect("read the terminal")
}

#[tokio::test]
async fn requires_a_valid_interval_and_count() {
    for (label, arguments) in [
        ("too often", vec!["--watch", "0"]),
        ("never again", vec!["--watch", "10000m"]),
        ("no time", vec!["--watch", "soon"]),
        ("a count of 0", vec!["--watch", "1", "--count", "0"]),
        ("a count without --watch", vec!["--count", "2"]),
    ] {
        let arguments: Vec<&str> = ["health"].into_iter().chain(arguments).collect();
        let output =
            run_with(&[("DATABASE_URL", "postgresql://ann@127.0.0.1:1/shop")], &arguments).await;
        output.exits(2).says(if label == "a count without --watch" {
            "--watch"
        } else {
            "error: "
        });
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_ends_it() {
    let database = TestDatabase::migrated().await;
    let arguments = ["health", "--watch", INTERVAL, "--count", "2", "--role", "nobody at all"];
    run(&database, &arguments).await.exits(2).says("error: there is no role `nobody at all`");
}
