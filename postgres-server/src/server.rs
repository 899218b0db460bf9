//! Starts and stops the server.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use neon_url::DatabaseUrl;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::cluster::{Cluster, DataDir, SUPERUSER, file_error, password_error};
use crate::error::{Error, ErrorKind};
use crate::watchdog::Watchdog;

/// The database of a kept cluster.
const DATABASE: &str = "taskie";

/// Time limit for the server to accept connections; recovery after a crash takes longest.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// Interval between attempts to connect.
const READY_POLL: Duration = Duration::from_millis(25);

/// Attempts with a free port, which another process can take first.
const PORT_TRIES: u32 = 5;

/// Time after which a refused login is an error. Before that, another server may have refused it, which
/// has the port that this one tries to get.
const REFUSAL_LIMIT: Duration = Duration::from_secs(3);

/// For data that is kept: PostgreSQL's safe defaults.
const KEPT_SETTINGS: [(&str, &str); 1] = [("max_connections", "100")];

/// For data that is not: nothing is flushed, and small databases are created quickly.
const THROWAWAY_SETTINGS: [(&str, &str); 9] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("shared_buffers", "32MB"),
    ("max_connections", "300"),
    // In the cluster's folder, so that a kill leaves nothing in `/dev/shm`.
    ("dynamic_shared_memory_type", "mmap"),
    // Statistics change only when a test analyzes a table.
    ("autovacuum", "off"),
];

/// Options of a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Location of the data.
    pub data: DataDir,
    /// A folder with `initdb` and `postgres`. By default `TASKIE_PG_BIN`, then an installed
    /// PostgreSQL, then what `source` says.
    pub bin: Option<PathBuf>,
    /// Where the programs may come from.
    pub source: Source,
    /// Settings of the server, as names and values.
    pub settings: &'static [(&'static str, &'static str)],
}

/// Where the programs of a server may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Only an installed PostgreSQL; of this major version, if there is one.
    Installed {
        /// Such as 17.
        preferred: Option<u32>,
    },
    /// If none is installed, it is downloaded.
    #[cfg(feature = "download")]
    InstalledOrDownloaded,
}

impl Options {
    /// The usual options for data at this location.
    pub fn new(data: DataDir) -> Self {
        #[cfg(feature = "download")]
        let source = Source::InstalledOrDownloaded;
        #[cfg(not(feature = "download"))]
        let source = Source::Installed { preferred: None };
        Self { data, bin: None, source, settings: &[] }
    }
}

/// A running server. Dropping it starts what [`Server::stop`] waits for.
pub struct Server {
    cluster: Cluster,
    watchdog: Watchdog,
    port: u16,
    settings: &'static [(&'static str, &'static str)],
    // In boxes: a server is part of many futures.
    binaries: Box<Binaries>,
    account: Box<Account>,
}

impl Server {
    /// Finds or downloads the programs, creates the cluster if there is none, and starts the server.
    /// Returns when it accepts connections. `progress` gets messages for the user about slow steps.
    pub async fn start(options: Options, progress: &(dyn Fn(&str) + Sync)) -> Result<Self, Error> {
        let account = Account::unprivileged()?;
        let (cluster, mut watchdog) = Cluster::open(&options.data, &account, progress).await?;
        let created_by = cluster.created_by();
        let binaries =
            Binaries::find(options.bin, options.source, created_by, &account, progress).await?;
        match created_by {
            Some(major) if major != binaries.major => {
                let folder = cluster.folder.display();
                let message = format!(
                    "the cluster in `{folder}` is of PostgreSQL {major}, and only {} was found",
                    binaries.major
                );
                return Err(Error::new(ErrorKind::Postgres, message).with_hint(format!(
                    "install PostgreSQL {major}, or set TASKIE_PG_BIN to its folder; \
                     or move `{folder}` away to start with an empty cluster"
                )));
            }
            Some(_) => {}
            None => {
                progress(&format!(
                    "creating a PostgreSQL {} cluster in {}",
                    binaries.major,
                    cluster.folder.display()
                ));
                cluster.create(&binaries, &account, &mut watchdog).await?;
            }
        }

        let settings = options.settings;
        let (binaries, account) = (Box::new(binaries), Box::new(account));
        let mut server = Self { cluster, watchdog, port: 0, settings, binaries, account };
        server.serve().await?;
        if server.cluster.kept {
            server.create_database().await?;
        }
        Ok(server)
    }

    /// The URL of `database`, for the superuser.
    pub fn url(&self, database: &str) -> DatabaseUrl {
        let database: String = url::form_urlencoded::byte_serialize(database.as_bytes())
            .collect::<String>()
            .replace('+', "%20");
        format!(
            "postgresql://{SUPERUSER}:{}@127.0.0.1:{}/{database}",
            self.cluster.password, self.port
        )
        .parse()
        .expect("a loopback address with an encoded database name is a connection string")
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The programs' version, such as `15.13`.
    pub fn version(&self) -> &str {
        &self.binaries.version
    }

    /// The major version, such as 15.
    pub fn major(&self) -> u32 {
        self.binaries.major
    }

    /// The folder with the cluster in `data`, its password and its log.
    pub fn folder(&self) -> &Path {
        &self.cluster.folder
    }

    /// The server's log since its start.
    pub fn log(&self) -> PathBuf {
        self.cluster.log()
    }

    /// Stops the server: a kept cluster with a checkpoint, a throwaway one at once, and removes its
    /// folder.
    pub async fn stop(self) -> Result<(), Error> {
        let Self { cluster, watchdog, .. } = self;
        watchdog.finish().await.map_err(file_error("remove", &cluster.folder))
    }

    /// Kills the server as a crash does: it writes nothing more, and its sessions end.
    pub async fn crash(&mut self) -> Result<(), Error> {
        let folder = self.cluster.folder.clone();
        self.watchdog.kill().await.map_err(file_error("kill the server in", &folder))
    }

    /// Starts a server that has crashed, on the same port. Returns when it has recovered.
    pub async fn start_again(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            let name = format!("taskie-{:016x}", rand::random::<u64>());
            self.spawn(&name)?;
            match self.wait_until_ready(&name).await {
                Ok(Start::Ready) => return Ok(()),
                _ if Instant::now() > deadline => {
                    return Err(self.failure("its port or its memory is still in use"));
                }
                // A client's connection has the port for a moment.
                Ok(Start::PortTaken) => {}
                // The processes of the sessions end a moment after the server.
                Err(_) if self.cluster.log_tail().contains("still in use") => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(READY_POLL).await;
        }
    }

    /// The same on another port.
    pub async fn start_elsewhere(&mut self) -> Result<(), Error> {
        self.port = free_port()?;
        self.start_again().await
    }

    /// Starts the program, on another free port each time one turns out to be taken.
    async fn serve(&mut self) -> Result<(), Error> {
        for _ in 0..PORT_TRIES {
            self.port = free_port()?;
            // Distinguishes this server from another one on the same port.
            let name = format!("taskie-{:016x}", rand::random::<u64>());
            self.spawn(&name)?;
            match self.wait_until_ready(&name).await? {
                Start::Ready => return Ok(()),
                Start::PortTaken => {}
            }
        }
        Err(self.failure("every free port was taken by another process"))
    }

    fn spawn(&mut self, name: &str) -> Result<(), Error> {
        let path = self.cluster.log();
        let log = File::create(&path).map_err(file_error("write", &path))?;
        let log_too = log.try_clone().map_err(file_error("write", &path))?;
        let settings = if self.cluster.kept {
            KEPT_SETTINGS.as_slice()
        } else {
            THROWAWAY_SETTINGS.as_slice()
        };

        let mut command = self.binaries.command("postgres", &self.account);
        command.arg("-D").arg(self.cluster.data());
        let port = self.port.to_string();
        let always = [
            ("listen_addresses", "127.0.0.1"),
            ("port", port.as_str()),
            ("unix_socket_directories", ""),
            ("cluster_name", name),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_destination", "stderr"),
            ("logging_collector", "off"),
        ];
        for (setting, value) in always.iter().chain(settings).chain(self.settings) {
            command.arg("-c").arg(format!("{setting}={value}"));
        }
        command.current_dir(&self.cluster.folder).stdin(Stdio::null()).stdout(log).stderr(log_too);
        self.watchdog
            .run(&mut command)
            .map_err(file_error("run `postgres` in", &self.cluster.folder))
    }

    async fn wait_until_ready(&mut self, name: &str) -> Result<Start, Error> {
        let begin = Instant::now();
        let mut refused_since = None;
        loop {
            let ended = self
                .watchdog
                .ended()
                .map_err(file_error("watch the server in", &self.cluster.folder))?;
            if let Some(status) = ended {
                let log = self.cluster.log_tail();
                return if log.contains("could not bind") {
                    Ok(Start::PortTaken)
                } else {
                    Err(self.failure(&format!("it ended, {status}")))
                };
            }
            match self.cluster_name().await {
                Ok(found) if found == name => return Ok(Start::Ready),
                Err(err) if err.code() == Some(&SqlState::INVALID_PASSWORD) => {
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > REFUSAL_LIMIT {
                        let reason = "the server refuses its password";
                        return Err(password_error(&self.cluster.folder, reason));
                    }
                }
                // Another server, or none yet, or 57P03: it is starting.
                Ok(_) | Err(_) => {}
            }
            if begin.elapsed() > READY_LIMIT {
                let reason = format!("it did not answer within {} s", READY_LIMIT.as_secs());
                return Err(self.failure(&reason));
            }
            tokio::time::sleep(READY_POLL).await;
        }
    }

    async fn cluster_name(&self) -> Result<String, tokio_postgres::Error> {
        let client = self.connect().await?;
        let row = client.query_one("select current_setting('cluster_name')", &[]).await?;
        Ok(row.get(0))
    }

    async fn create_database(&self) -> Result<(), Error> {
        let create = async {
            let client = self.connect().await?;
            let exists = client
                .query_opt("select from pg_database where datname = $1", &[&DATABASE])
                .await?;
            if exists.is_none() {
                client.batch_execute("create database taskie").await?;
            }
            Ok(())
        };
        create.await.map_err(|err: tokio_postgres::Error| {
            self.failure(&format!("cannot create the database `{DATABASE}`: {err}"))
        })
    }

    async fn connect(&self) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::Config::new()
            .host("127.0.0.1")
            .port(self.port)
            .user(SUPERUSER)
            .password(&self.cluster.password)
            .dbname("postgres")
            .connect_timeout(Duration::from_secs(5))
            .connect(NoTls)
            .await?;
        // Ends with the client, which also gets the errors.
        tokio::spawn(connection);
        Ok(client)
    }

    fn failure(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Postgres, format!("cannot start PostgreSQL: {reason}"))
            .with_details(self.cluster.log_tail())
            .with_hint(format!("the whole log: {}", self.cluster.log().display()))
    }
}

enum Start {
    Ready,
    PortTaken,
}

fn free_port() -> Result<u16, Error> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(file_error("find a free port on", Path::new("127.0.0.1")))
}
