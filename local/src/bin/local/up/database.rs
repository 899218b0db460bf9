//! The database, given or on a server that is started here, and its schema.

use std::time::Duration;

use local::postgres::{DataDir, Options, Server};
use local::{Error, ErrorKind};
use migrator::{ConnectOptions, Event, Migrations, Migrator, Target};
use neon_url::DatabaseUrl;

use crate::args::UpOptions;
use crate::console::{self, Console};
use crate::paths::ProjectPaths;
use crate::secret;

/// The name of the database of a kept cluster.
const DATABASE: &str = "taskie";

/// Time to wait for a database on this machine. Only one elsewhere may have to start.
const LOCAL_WAIT: Duration = Duration::from_secs(3);

/// Which database to use.
pub(super) enum Choice {
    Given(DatabaseUrl),
    Kept,
    Throwaway,
}

/// A database that accepts connections.
pub(super) struct Database {
    url: DatabaseUrl,
    /// The server, if it was started here.
    server: Option<Server>,
}

impl Choice {
    /// The option wins over `DATABASE_URL`, and that over `SPIN_VARIABLE_DATABASE_URL`.
    pub(super) fn new(options: &UpOptions) -> Result<Choice, Error> {
        if options.ephemeral {
            return Ok(Choice::Throwaway);
        }
        let environment = || std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        let given = options.database_url.clone().or_else(environment);
        let Some(url) = given.or_else(|| secret::variable("database_url")) else {
            return Ok(Choice::Kept);
        };
        let url: DatabaseUrl = url.parse().map_err(|error: neon_url::ParseError| {
            Error::new(ErrorKind::Config, format!("cannot use the database URL: {error}"))
                .with_hint("expected `postgresql://user:password@host:port/database`")
        })?;
        if url.is_unix_socket() {
            let message = "the database URL names a Unix socket, which a component cannot reach";
            return Err(Error::new(ErrorKind::Config, message)
                .with_hint("name a host instead, such as `127.0.0.1`"));
        }
        Ok(Choice::Given(url))
    }
}

impl Database {
    /// Starts a server, unless a database is given.
    pub(super) async fn start(
        choice: Choice,
        paths: &ProjectPaths,
        console: Console,
    ) -> Result<Database, Error> {
        let (data, database) = match choice {
            Choice::Given(url) => {
                console.report(&format!("using {url}"));
                return Ok(Database { url, server: None });
            }
            Choice::Kept => (DataDir::Kept(paths.kept().join("postgres")), DATABASE),
            Choice::Throwaway => (DataDir::Throwaway, "postgres"),
        };
        console.report("starting PostgreSQL");
        let temporary = if data == DataDir::Throwaway { "temporary " } else { "" };
        let options = Options::new(data);
        let server = Server::start(options, &|text| console.report(text)).await?;
        console.report(&format!(
            "PostgreSQL {} on port {}, {temporary}data in {}",
            server.version(),
            server.port(),
            server.folder().display()
        ));
        Ok(Database { url: server.url(database), server: Some(server) })
    }

    pub(super) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Applies pending migrations. On another machine, only if that was `asked` for.
    pub(super) async fn migrate(&self, asked: bool, console: Console) -> Result<(), Error> {
        let migrations = Migrations::embedded();
        let mut options =
            ConnectOptions { ca_pem: secret::variable("database_ca"), ..ConnectOptions::default() };
        let is_local = self.server.is_some() || self.url.is_loopback();
        if is_local {
            options.wait = LOCAL_WAIT;
        }
        let mut on_event = |event: Event| report(&event, console);
        let database = migrator::Database { url: self.url.clone(), options };
        let mut migrator = Migrator::new(database, &migrations, &mut on_event);
        if !is_local && !asked {
            let pending = migrator.pending().await.map_err(|error| migration_error(&error))?;
            if pending.is_empty() {
                return Ok(());
            }
            let names: Vec<_> = pending.iter().map(ToString::to_string).collect();
            let message = format!("the database lacks migrations: {}", names.join(", "));
            return Err(Error::new(ErrorKind::Pending, message)
                .with_hint("apply them with `cargo up --migrate`, or `migrator up`"));
        }
        let applied = migrator.run(Target::Up(None)).await;
        if applied.map_err(|error| migration_error(&error))?.is_empty() {
            console.report("the schema is up to date");
        }
        Ok(())
    }

    /// Stops the server, if it was started here.
    pub(super) async fn stop(self) {
        if let Some(server) = self.server
            && let Err(error) = server.stop().await
        {
            console::warning(&error.to_string());
        }
    }
}

fn migration_error(error: &migrator::Error) -> Error {
    let converted = Error::new(ErrorKind::Migration, error.to_string()).with_details(
        error.details().iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"),
    );
    // The migrator's hints name options that this program does not have.
    let hint = match error {
        migrator::Error::Unreachable { .. } => {
            Some("check that it runs, and the host and port of its URL".to_owned())
        }
        migrator::Error::Tls { .. } | migrator::Error::CertificateAuthority { .. } => Some(
            "for a private certificate authority, set `SPIN_VARIABLE_DATABASE_CA` to its PEM certificate"
                .to_owned(),
        ),
        error => error.hint(),
    };
    match hint {
        Some(hint) => converted.with_hint(hint),
        None => converted,
    }
}

fn report(event: &Event, console: Console) {
    console.report(&match event {
        Event::Applied { name, elapsed, .. } => {
            format!("applied {name} ({} ms)", elapsed.as_millis())
        }
        Event::Retrying { reason, wait } => {
            format!("cannot connect yet ({reason}); trying for {} s", wait.as_secs())
        }
        Event::WaitingForLock { holder, .. } => {
            let holder =
                holder.as_ref().map_or_else(|| "another migrator".to_owned(), ToString::to_string);
            format!("waiting for the migration lock, held by {holder}")
        }
        Event::LockRetry { name, reason, pause, .. } => {
            format!("{name} {reason}; retrying in {:.1} s", pause.as_secs_f64())
        }
        Event::Notice(notice) => format!("PostgreSQL: {}: {}", notice.severity, notice.message),
        _ => return,
    });
}
