//! Starts the server and waits until it serves; stops it.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use neon_url::DatabaseUrl;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use super::Error;
use super::account::Account;
use super::binaries::Binaries;
use super::cluster::{Cluster, SUPERUSER};
use super::watchdog::Watchdog;

/// The database that a kept cluster gets on its first start.
const DATABASE: &str = "taskie";

/// How long the server may take to serve; a crash recovery is the long case.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// How often the server is asked whether it serves.
const READY_POLL: Duration = Duration::from_millis(25);

/// How often a free port may turn out to be taken by somebody faster.
const PORT_TRIES: u32 = 5;

/// How long a log-in may be refused before we believe it: while the server starts on a port that
/// another one has, that other one may be who refuses.
const REFUSAL_LIMIT: Duration = Duration::from_secs(3);

/// For data that outlives the server: PostgreSQL's own, safe, defaults.
const KEPT_SETTINGS: [(&str, &str); 1] = [("max_connections", "100")];

/// For data that does not: nothing is ever flushed, and many small databases are made quickly.
const THROWAWAY_SETTINGS: [(&str, &str); 9] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("shared_buffers", "32MB"),
    ("max_connections", "300"),
    // In the cluster's folder, so that nothing is left in `/dev/shm` after a kill.
    ("dynamic_shared_memory_type", "mmap"),
    // Statistics change when a test says so, not in between.
    ("autovacuum", "off"),
];

/// What becomes of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataDir {
    /// Kept in this folder, made on first use; with safe settings and a database `taskie`. A folder
    /// that the server's account cannot reach is replaced by one in `/var/lib/taskie`, which is said
    /// through `progress`.
    Kept(PathBuf),
    /// Gone with the server; with settings that trade safety for speed.
    Throwaway,
}

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// What becomes of the data.
    pub data: DataDir,
    /// A folder with `initdb` and `postgres`. `None`: the variable `TASKIE_PG_BIN`, then what is
    /// installed, then a download.
    pub bin: Option<PathBuf>,
}

/// A running server. Dropping it begins what [`Server::stop`] waits for.
pub struct Server {
    cluster: Cluster,
    watchdog: Watchdog,
    port: u16,
    version: String,
}

impl Server {
    /// Finds or downloads the programs, makes the cluster where there is none, starts the server and
    /// returns when it serves. `progress` hears about what takes long, in words for the user.
    pub async fn start(options: Options, progress: &(dyn Fn(&str) + Sync)) -> Result<Self, Error> {
        let account = Account::unprivileged()?;
        let (cluster, mut watchdog) = Cluster::open(&options.data, &account, progress).await?;
        let made_by = cluster.made_by();
        let binaries = Binaries::find(options.bin, made_by, &account, progress).await?;
        match made_by {
            Some(made) if made != binaries.major => {
                return Err(Error::OtherVersion {
                    folder: cluster.folder,
                    made,
                    found: binaries.major,
                });
            }
            Some(_) => {}
            None => {
                progress(&format!(
                    "making a PostgreSQL {} cluster in {}",
                    binaries.major,
                    cluster.folder.display()
                ));
                cluster.make(&binaries, &account, &mut watchdog).await?;
            }
        }

        let mut server = Self { cluster, watchdog, port: 0, version: binaries.version.clone() };
        server.serve(&binaries, &account).await?;
        if server.cluster.kept {
            server.create_database().await?;
        }
        Ok(server)
    }

    /// How to connect to `database`, as the superuser.
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
        &self.version
    }

    /// The folder with the cluster in `data`, its password and its log.
    pub fn folder(&self) -> &Path {
        &self.cluster.folder
    }

    /// The server's log since its start.
    pub fn log(&self) -> PathBuf {
        self.cluster.log()
    }

    /// Stops the server: a kept cluster with a checkpoint, a throwaway one at once and with its
    /// folder. Returns when all of it is gone.
    pub async fn stop(self) -> Result<(), Error> {
        let Self { cluster, watchdog, .. } = self;
        watchdog.finish().await.map_err(Error::file("remove", &cluster.folder))
    }

    /// Starts the program on one free port after the other until it serves.
    async fn serve(&mut self, binaries: &Binaries, account: &Account) -> Result<(), Error> {
        for _ in 0..PORT_TRIES {
            self.port = free_port()?;
            // Tells our server from another one which happens to have the port.
            let name = format!("taskie-{:016x}", rand::random::<u64>());
            self.spawn(&name, binaries, account)?;
            match self.wait_until_ready(&name).await? {
                Start::Serves => return Ok(()),
                Start::PortTaken => {}
            }
        }
        Err(self.failure("no free port was left alone long enough".to_owned()))
    }

    fn spawn(&mut self, name: &str, binaries: &Binaries, account: &Account) -> Result<(), Error> {
        let path = self.cluster.log();
        let log = File::create(&path).map_err(Error::file("write", &path))?;
        let log_too = log.try_clone().map_err(Error::file("write", &path))?;
        let settings = if self.cluster.kept {
            KEPT_SETTINGS.as_slice()
        } else {
            THROWAWAY_SETTINGS.as_slice()
        };

        let mut command = binaries.command("postgres", account);
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
        for (setting, value) in always.iter().chain(settings) {
            command.arg("-c").arg(format!("{setting}={value}"));
        }
        command.current_dir(&self.cluster.folder).stdin(Stdio::null()).stdout(log).stderr(log_too);
        self.watchdog
            .run(&mut command)
            .map_err(Error::file("run `postgres` for", &self.cluster.folder))
    }

    async fn wait_until_ready(&mut self, name: &str) -> Result<Start, Error> {
        let begin = Instant::now();
        let mut refused_since = None;
        loop {
            let ended = self
                .watchdog
                .ended()
                .map_err(Error::file("watch the server of", &self.cluster.folder))?;
            if let Some(status) = ended {
                let log = self.cluster.log_tail();
                return if log.contains("could not bind") {
                    Ok(Start::PortTaken)
                } else {
                    Err(self.failure(format!("it ended at once, {status}")))
                };
            }
            match self.cluster_name().await {
                Ok(found) if found == name => return Ok(Start::Serves),
                Err(err) if err.code() == Some(&SqlState::INVALID_PASSWORD) => {
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > REFUSAL_LIMIT {
                        let folder = self.cluster.folder.clone();
                        return Err(Error::Password {
                            folder,
                            reason: "the server refuses the password",
                        });
                    }
                }
                // Another server's answer, or none yet, or 57P03: it is starting.
                Ok(_) | Err(_) => {}
            }
            if begin.elapsed() > READY_LIMIT {
                return Err(
                    self.failure(format!("it did not answer within {} s", READY_LIMIT.as_secs()))
                );
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
        create.await.map_err(|err: tokio_postgres::Error| Error::Program {
            what: "create the database `taskie`",
            reason: err.to_string(),
            log: self.cluster.log_tail(),
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
        // Ends with the client; what goes wrong reaches the client too.
        tokio::spawn(connection);
        Ok(client)
    }

    fn failure(&self, reason: String) -> Error {
        Error::Program { what: "start PostgreSQL", reason, log: self.cluster.log_tail() }
    }
}

enum Start {
    Serves,
    PortTaken,
}

fn free_port() -> Result<u16, Error> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::file("find a free port on", "127.0.0.1"))
}
