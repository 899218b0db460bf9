//! A small native server with the API's routes and statements, which `cargo bench-api` measures the
//! component against. Errors are told to the client as they are: only a measurement ever asks.
//!
//! `native serve` reads one line of JSON ([`Config`]) from standard input, prints its address, and serves
//! until its standard input ends. `native statements` prints the statements, for measurements of the
//! database alone.

mod routes;
mod service;
mod statements;
mod token;

use std::{io, thread};

use anyhow::{Context, bail};
use axum::serve::ListenerExt;
use deadpool_postgres::{Manager, Pool};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_postgres::NoTls;

use crate::service::Service;
use crate::token::Verifier;

/// What the server is to serve.
#[derive(Deserialize)]
struct Config {
    /// A database on this machine: without TLS.
    database_url: String,
    /// The secret that signs tokens.
    jwt_secret: String,
    /// The largest number of connections to PostgreSQL.
    pool_size: usize,
}

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("statements") => {
            print(&statements::to_json());
            Ok(())
        }
        Some("serve") => serve(),
        _ => bail!("expected `serve` or `statements`"),
    }
}

#[tokio::main]
async fn serve() -> anyhow::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("read the configuration")?;
    let config: Config = serde_json::from_str(&line).context("read the configuration")?;
    let database = config.database_url.parse().context("read the connection string")?;
    let pool = Pool::builder(Manager::new(database, NoTls)).max_size(config.pool_size).build()?;
    let service = Service::new(pool, Verifier::new(config.jwt_secret.as_bytes()));
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen")?;
    print(&listener.local_addr()?.to_string());
    let listener = listener.tap_io(|stream| {
        // As the hosts of components do. A connection without it is slower, not wrong.
        let _ = stream.set_nodelay(true);
    });
    tokio::select! {
        served = axum::serve(listener, routes::router(service)) => served.context("serve"),
        () = end_of_input() => Ok(()),
    }
}

/// Completes when the process that started this one has closed its standard input: to stop it, or by
/// ending itself.
async fn end_of_input() {
    let (ended, end) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

#[expect(clippy::print_stdout, reason = "the one place that prints")]
fn print(text: &str) {
    println!("{text}");
}
