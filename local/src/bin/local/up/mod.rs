//! `cargo up`: from nothing to a served API, and back to nothing on Ctrl-C.

mod database;
mod signals;
mod welcome;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use local::{App, AppOptions, Error, GuestOutput, build_component};
use neon_url::DatabaseUrl;

use self::database::Database;
use self::signals::Signals;
use crate::args::UpOptions;
use crate::console::{self, Console};
use crate::failure::Failure;
use crate::paths::ProjectPaths;
use crate::secret;

/// Serves until Ctrl-C or SIGTERM; a second one does not wait.
pub(crate) async fn run(
    options: &UpOptions,
    paths: &ProjectPaths,
    console: &Console,
) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let (app, database) = tokio::select! {
        started = start(options, paths, *console) => started?,
        // What had started ends as its owner is dropped.
        () = signals.next() => return Err(Failure::Interrupted),
    };
    signals.next().await;
    console.print("\nStopping; Ctrl-C again does not wait for requests in flight");
    tokio::select! {
        () = app.stop() => {}
        () = signals.next() => {}
    }
    database.stop().await;
    Ok(())
}

async fn start(
    options: &UpOptions,
    paths: &ProjectPaths,
    console: Console,
) -> Result<(App, Database), Failure> {
    check_address(options.listen)?;
    let choice = database::choose(options)?;
    console.report("building the component");
    build(paths.manifest()).await?;
    let database = Database::provide(choice, paths, console).await?;
    database.migrate(options.migrate, console).await?;
    let secret = secret::load_or_create(paths)?;
    let app = App::start(AppOptions {
        manifest: paths.manifest(),
        runtime_config: paths.runtime_config(),
        variables: variables(database.url(), &secret),
        listen: options.listen,
        reuse: options.instances.reuse(),
        output: GuestOutput::Inherit,
    })
    .await?;
    welcome::show(&app, &secret, console);
    Ok((app, database))
}

/// Before anything that takes long: an address that is taken, or seen from elsewhere.
fn check_address(address: SocketAddr) -> Result<(), Error> {
    if let Err(source) = TcpListener::bind(address) {
        return Err(match source.kind() {
            std::io::ErrorKind::AddrInUse => Error::AddressInUse(address),
            _ => Error::Listen { address, source },
        });
    }
    if !address.ip().is_loopback() {
        console::warning(&format!("{address} can be reached from other machines"));
    }
    Ok(())
}

async fn build(manifest: PathBuf) -> Result<(), Failure> {
    let built = tokio::task::spawn_blocking(move || build_component(&manifest)).await;
    Ok(built.map_err(|panic| Failure::Runtime(panic.into()))??)
}

/// What the component needs to know. Everything else comes from the environment or from `spin.toml`.
fn variables(url: &DatabaseUrl, secret: &str) -> BTreeMap<String, String> {
    let url = url.pooled();
    BTreeMap::from([
        ("database_url".to_owned(), url.to_connection_string()),
        ("database_host".to_owned(), url.host().to_owned()),
        ("database_port".to_owned(), url.port().to_string()),
        ("jwt_secret".to_owned(), secret.to_owned()),
    ])
}
