//! `cargo up`: builds, starts and serves until Ctrl-C.

mod database;
mod request_timeout;
mod runtime;
mod service;
mod welcome;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use local::{Error, ErrorKind, build_component, public_routes, raise_open_files};
use neon_url::DatabaseUrl;
use tokio::signal::unix::{SignalKind, signal};

use self::database::{Choice, Database};
use self::runtime::Runtime;
use self::service::Service;
use crate::args::UpOptions;
use crate::console::{self, Console};
use crate::paths::ProjectPaths;
use crate::secret;

/// Serves until Ctrl-C or SIGTERM, or until Spin ends by itself. A second signal does not wait for anything.
pub(crate) async fn run(
    options: &UpOptions,
    paths: &ProjectPaths,
    console: Console,
) -> Result<(), Error> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| cannot_start(&error))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| cannot_start(&error))?;
    let mut stop_signal = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let (mut service, database) = tokio::select! {
        started = start(options, paths, console) => started?,
        // Everything that was started ends when it is dropped.
        () = stop_signal() => return Err(Error::new(ErrorKind::Interrupted, "interrupted")),
    };
    let result = tokio::select! {
        () = stop_signal() => Ok(()),
        error = service.ended() => Err(error),
    };
    if result.is_ok() {
        console.print(&format!("\n{}", service.stopping()));
        tokio::select! {
            () = service.stop() => {}
            () = stop_signal() => {}
        }
    }
    database.stop().await;
    result
}

/// The process has too few resources.
pub(crate) fn cannot_start(error: &io::Error) -> Error {
    Error::new(ErrorKind::Listen, format!("cannot start: {error}"))
        .with_hint("close other programs, or raise the limits of this shell (`ulimit -a`)")
}

async fn start(
    options: &UpOptions,
    paths: &ProjectPaths,
    console: Console,
) -> Result<(Service, Database), Error> {
    check_address(options.listen)?;
    raise_open_files();
    let choice = Choice::new(options)?;
    let runtime = Runtime::choose(options, console).await?;
    let manifest = runtime.manifest(paths);
    console.report("building the component");
    build(manifest.clone()).await?;
    let database = Database::start(choice, paths, console).await?;
    database.migrate(options.migrate, console).await?;
    let secret = secret::load_or_create(paths)?;
    let variables = variables(database.url(), &secret);
    let timeout = request_timeout::default_for(&database.url().pooled());
    let service = Service::start(&runtime, options, paths, variables, timeout).await?;
    welcome::print(&service.url(), &public_routes(&manifest)?, &secret, console);
    Ok((service, database))
}

/// Checks the address before anything that takes long.
fn check_address(address: SocketAddr) -> Result<(), Error> {
    TcpListener::bind(address).map_err(|error| Error::listen(address, &error))?;
    if !address.ip().is_loopback() {
        console::warning(&format!("other machines can connect to {address}"));
    }
    Ok(())
}

async fn build(manifest: PathBuf) -> Result<(), Error> {
    let built = tokio::task::spawn_blocking(move || build_component(&manifest)).await;
    built.unwrap_or_else(|panic| Err(Error::new(ErrorKind::Component, panic.to_string())))
}

/// The variables that depend on the database and the secret. The environment and `spin.toml` have the others.
fn variables(url: &DatabaseUrl, secret: &str) -> BTreeMap<String, String> {
    let url = url.pooled();
    BTreeMap::from([
        ("database_url".to_owned(), url.to_connection_string()),
        ("database_host".to_owned(), url.host().to_owned()),
        ("database_port".to_owned(), url.port().to_string()),
        ("jwt_secret".to_owned(), secret.to_owned()),
    ])
}
