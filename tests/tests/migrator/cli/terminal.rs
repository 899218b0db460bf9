//! Output on a terminal: the progress line, and questions.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use nix::pty::{Winsize, openpty};
use tests::{TestDatabase, until};
use tokio::process::Child;

use crate::support::catalog::{objects, versions};
use crate::support::folder::Folder;
use crate::support::program::{command, run};

/// A program that runs on a pseudoterminal.
struct Terminal {
    program: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    async fn start(database: &TestDatabase, arguments: &[&str]) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).expect("open a terminal");
        let mut command = command(arguments).await;
        let handle = || pty.slave.try_clone().expect("another handle");
        command.env("DATABASE_URL", database.url().to_connection_string()).env("TERM", "xterm");
        command.env_remove("NO_COLOR").stdin(handle()).stdout(handle()).stderr(handle());
        let program = command.spawn().expect("start the migrator");
        // The handles in this process would keep the terminal open after the program has ended.
        drop((command, pty.slave));
        let keyboard = File::from(pty.master);
        let mut output = keyboard.try_clone().expect("another handle");
        let screen = Arc::new(Mutex::new(String::new()));
        let seen = screen.clone();
        tokio::task::spawn_blocking(move || {
            let mut bytes = [0; 4096];
            // On Linux, reading fails after the last writer has closed the terminal.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                seen.lock().expect("the screen").push_str(&text);
            }
        });
        Self { program, keyboard, screen }
    }

    /// All output so far.
    fn screen(&self) -> String {
        self.screen.lock().expect("the screen").clone()
    }

    async fn shows(&self, text: &str) {
        until(text, async || self.screen().contains(text).then_some(())).await;
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("type");
    }

    /// Waits until the program has exited with `code`, and returns all output.
    async fn exits(&mut self, code: i32, last: &str) -> String {
        let status = self.program.wait().await.expect("wait for the migrator");
        assert_eq!(status.code(), Some(code), "{}", self.screen());
        self.shows(last).await;
        self.screen()
    }
}

/// The control sequence that redraws a line.
const ERASED: &str = "\r\u{1b}[K";

#[tokio::test]
async fn a_long_migration_shows_what_it_is_doing_and_for_whom_it_waits() {
    let database = TestDatabase::create().await;
    let holder = database.client().await;
    holder.batch_execute("select pg_advisory_lock(42)").await.expect("lock");
    let folder = Folder::new(&[
        ("V1__waits.sql", "select pg_advisory_lock(42); select pg_advisory_unlock(42);"),
        ("V2__next.sql", "-- migrator: no-transaction\ncreate table a ();\ncreate table b ();"),
    ]);
    let up = ["up", "--lock-timeout", "0", "--dir", folder.path()];
    let mut terminal = Terminal::start(&database, &up).await;
    terminal.shows(&format!("{ERASED}Applying V1__waits ... 1 s")).await;
    terminal.shows("s (waiting for a lock, held up by server process ").await;
    holder.batch_execute("select pg_advisory_unlock(42)").await.expect("unlock");
    let screen = terminal.exits(0, "the database is at V2__next").await;
    assert!(screen.contains(&format!("{ERASED}Applying V1__waits ... \u{1b}[32mdone")), "{screen}");
    assert!(screen.contains("1        waits  applied  "), "{screen}");
}

#[tokio::test]
async fn a_build_shows_what_the_server_says_about_it_and_is_not_held_up_by_that() {
    let database = TestDatabase::create().await;
    let folder = crate::up::no_transaction::with_an_index();
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = crate::up::no_transaction::old_transaction(&database).await;
    let mut terminal = Terminal::start(&database, &["up", "--dir", folder.path()]).await;
    terminal.shows("s (waiting for old snapshots, 0 %, held up by server process ").await;
    other.batch_execute("commit").await.expect("let go");
    terminal.exits(0, "the database is at V2__index").await;
    assert_eq!(versions(&database).await, [1, 2]);
}

#[tokio::test]
async fn a_failure_ends_the_line() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__bad.sql", "select pg_sleep(1.5); select nothing;")]);
    let mut terminal = Terminal::start(&database, &["up", "--dir", folder.path()]).await;
    let screen = terminal.exits(5, "hint").await;
    assert!(screen.contains(&format!("{ERASED}Applying V1__bad ... \u{1b}[31mfailed")), "{screen}");
}

#[tokio::test]
async fn quiet_is_quiet_on_a_terminal_too() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__slow.sql", "select pg_sleep(1.5);")]);
    let up = ["up", "--quiet", "--dir", folder.path()];
    let screen = Terminal::start(&database, &up).await.exits(0, "").await;
    assert_eq!(screen, "");
}

#[tokio::test]
async fn outside_a_terminal_no_line_is_redrawn() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__slow.sql", "select pg_sleep(1.5);")]);
    let output = run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert!(output.stderr.starts_with("Applying V1__slow ... done ("), "{output:?}");
    assert!(!output.stderr.contains(['\r', '\u{1b}']), "{output:?}");
}

#[tokio::test]
async fn undoing_asks_and_accepts_no() {
    let database = TestDatabase::migrated().await;
    let before = objects(&database).await;
    for answer in ["n\n", "\n", "yeah\n"] {
        let mut terminal = Terminal::start(&database, &["down"]).await;
        terminal.shows("Undo V5__insert_task on database ").await;
        terminal.shows("[y/N] ").await;
        terminal.types(answer);
        terminal.exits(1, "Nothing was undone").await;
        assert_eq!(objects(&database).await, before, "{answer}");
    }
    let mut terminal = Terminal::start(&database, &["down"]).await;
    terminal.shows("[y/N] ").await;
    terminal.types("yes\n");
    terminal.exits(0, "1 migration undone").await;
    assert_eq!(versions(&database).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn adopting_asks() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__one.sql", "create table one (id int);")]);
    let create = "create table one (id int)";
    database.client().await.batch_execute(create).await.expect("create the schema");
    let baseline = ["baseline", "1", "--dir", folder.path()];
    for (answer, code, last) in [("n\n", 1, "Nothing was adopted"), ("y\n", 0, "V1__one adopted")] {
        assert_eq!(versions(&database).await, [0; 0]);
        let mut terminal = Terminal::start(&database, &baseline).await;
        terminal.shows("Note V1__one as applied on database ").await;
        terminal.types(answer);
        terminal.exits(code, last).await;
    }
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn giving_up_asks() {
    let database = TestDatabase::create().await;
    let folder = crate::up::no_transaction::with_duplicates(&database).await;
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    let repair = ["repair", "--undo", "--dir", folder.path()];
    for (answer, code, last) in [("n\n", 1, "Nothing was repaired"), ("y\n", 0, "is undone, and")] {
        let mut terminal = Terminal::start(&database, &repair).await;
        terminal.shows("Undo what is done of V2__unique on database ").await;
        terminal.types(answer);
        terminal.exits(code, last).await;
    }
    assert_eq!(versions(&database).await, [1]);
}
