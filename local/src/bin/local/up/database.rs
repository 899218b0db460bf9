//! The database: the one that was named, or a server of our own. And the schema in it.

use std::time::Duration;

use local::postgres::{DataDir, Options, Server};
use migrator::{ConnectOptions, Event, Migrations};
use neon_url::DatabaseUrl;

use crate::args::UpOptions;
use crate::console::{self, Console};
use crate::failure::Failure;
use crate::paths::ProjectPaths;
use crate::secret;

/// The name of the database on a server of our own.
const DATABASE: &str = "taskie";

/// A server on this machine runs or does not; only one elsewhere may have to wake up.
const LOCAL_WAIT: Duration = Duration::from_secs(3);

/// Which database to use.
pub(super) enum Choice {
    Given(DatabaseUrl),
    Kept,
    Throwaway,
}

/// A database that can be used.
pub(super) struct Database {
    url: DatabaseUrl,
    /// Our own server, when the database is on one.
    server: Option<Server>,
}

/// The option wins over `DATABASE_URL`, and that over `SPIN_VARIABLE_DATABASE_URL`.
pub(super) fn choose(options: &UpOptions) -> Result<Choice, Failure> {
    if options.ephemeral {
        return Ok(Choice::Throwaway);
    }
    let environment = || std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    let Some(url) = options
        .database_url
        .clone()
        .or_else(environment)
        .or_else(|| secret::variable("database_url"))
    else {
        return Ok(Choice::Kept);
    };
    let url: DatabaseUrl = url.parse()?;
    if url.is_unix_socket() { Err(Failure::UnixSocket) } else { Ok(Choice::Given(url)) }
}

impl Database {
    /// Starts a server where one is needed.
    pub(super) async fn provide(
        choice: Choice,
        paths: &ProjectPaths,
        console: Console,
    ) -> Result<Database, Failure> {
        let data = match choice {
            Choice::Given(url) => {
                console.report(&format!("using {url}"));
                return Ok(Database { url, server: None });
            }
            Choice::Kept => DataDir::Kept(paths.kept().join("postgres")),
            Choice::Throwaway => DataDir::Throwaway,
        };
        console.report("starting PostgreSQL");
        let throwaway = matches!(data, DataDir::Throwaway);
        let server =
            Server::start(Options { data, bin: None }, &|text| console.report(text)).await?;
        if throwaway {
            console.report(&format!(
                "PostgreSQL {} on port {}; its data will be gone",
                server.version(),
                server.port()
            ));
        } else {
            let folder = server.folder().display();
            console.report(&format!(
                "PostgreSQL {} on port {}, data in {folder}",
                server.version(),
                server.port()
            ));
        }
        let url = server.url(if throwaway { "postgres" } else { DATABASE });
        Ok(Database { url, server: Some(server) })
    }

    pub(super) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Applies what is missing. A database elsewhere is not touched unless that was asked for.
    pub(super) async fn migrate(&self, asked: bool, console: Console) -> Result<(), Failure> {
        let migrations = Migrations::embedded();
        let ours = self.server.is_some() || self.url.is_loopback();
        let mut options =
            ConnectOptions { ca_pem: secret::variable("database_ca"), ..ConnectOptions::default() };
        if ours {
            options.wait = LOCAL_WAIT;
        }
        if !ours && !asked {
            let pending = migrator::pending(&self.url, &options, &migrations).await?;
            return if pending.is_empty() { Ok(()) } else { Err(Failure::Pending(pending)) };
        }
        let mut on_event = |event: Event| report(&event, console);
        let applied = migrator::up(&self.url, &options, &migrations, None, &mut on_event).await?;
        if applied.is_empty() {
            console.report("the schema is up to date");
        }
        Ok(())
    }

    /// Stops our own server.
    pub(super) async fn stop(self) {
        if let Some(server) = self.server
            && let Err(error) = server.stop().await
        {
            console::warning(&error.to_string());
        }
    }
}

fn report(event: &Event, console: Console) {
    match event {
        Event::Applied { name, elapsed, .. } => {
            console.report(&format!("applied {name} ({} ms)", elapsed.as_millis()));
        }
        Event::Retrying { reason, wait } => {
            console.report(&format!(
                "the database does not answer yet ({reason}); trying for {} s",
                wait.as_secs()
            ));
        }
        Event::WaitingForLock { holder, .. } => {
            let holder =
                holder.as_ref().map_or_else(|| "another migrator".to_owned(), ToString::to_string);
            console.report(&format!("waiting for the migration lock, held by {holder}"));
        }
        Event::LockRetry { name, reason, pause, .. } => {
            console
                .report(&format!("{name} {reason}; trying again in {:.1} s", pause.as_secs_f64()));
        }
        Event::Notice(notice) => console.report(&format!("PostgreSQL: {notice}")),
        _ => {}
    }
}
