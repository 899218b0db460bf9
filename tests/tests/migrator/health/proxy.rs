//! A proxy between the program and the server, with delays.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tests::TestDatabase;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// A running proxy; stops when dropped.
pub(super) struct Proxy {
    url: String,
    opened: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    _folder: Option<TempDir>,
}

/// The connections that are delayed.
#[derive(Clone, Copy)]
pub(super) enum Delay {
    First(Duration),
    Every(Duration),
}

impl Delay {
    /// The delay of the connection with this number, from 0.
    fn delay(self, number: usize) -> Duration {
        match self {
            Self::First(delay) if number == 0 => delay,
            Self::Every(delay) => delay,
            Self::First(_) => Duration::ZERO,
        }
    }
}

impl Proxy {
    /// A proxy to the server of this connection string, over TCP.
    pub(super) async fn to(url: &str, slow: Delay) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let port = listener.local_addr().expect("an address").port();
        let opened = Arc::new(AtomicUsize::new(0));
        let (counter, server) = (Arc::clone(&opened), address(url));
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("accept");
                let delay = slow.delay(counter.fetch_add(1, Ordering::SeqCst));
                tokio::spawn(forward(client, server.clone(), delay));
            }
        });
        let here = url.replacen(&format!(":{}/", port_of(url)), &format!(":{port}/"), 1);
        Self { url: here, opened, task, _folder: None }
    }

    /// A proxy to the server of this connection string, over TCP, that declines TLS.
    pub(super) async fn without_tls(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let port = listener.local_addr().expect("an address").port();
        let opened = Arc::new(AtomicUsize::new(0));
        let (counter, server) = (Arc::clone(&opened), address(url));
        let task = tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.expect("accept");
                counter.fetch_add(1, Ordering::SeqCst);
                client.read_exact(&mut [0; 8]).await.expect("a request for TLS");
                client.write_all(b"N").await.expect("decline");
                tokio::spawn(forward(client, server.clone(), Duration::ZERO));
            }
        });
        let here = url.replacen(&format!(":{}/", port_of(url)), &format!(":{port}/"), 1);
        Self { url: here, opened, task, _folder: None }
    }

    /// A proxy to the server of this database, over a Unix socket.
    pub(super) fn by_socket(database: &TestDatabase) -> Self {
        let folder = TempDir::new().expect("create a folder");
        let socket = folder.path().join(".s.PGSQL.5432");
        let listener = UnixListener::bind(socket).expect("listen");
        let url = database.url().to_connection_string();
        let opened = Arc::new(AtomicUsize::new(0));
        let (counter, server) = (Arc::clone(&opened), address(&url));
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("accept");
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(forward(client, server.clone(), Duration::ZERO));
            }
        });
        Self { url: by_socket(database, folder.path()), opened, task, _folder: Some(folder) }
    }

    /// The connection string through the proxy.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The number of connections so far.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    server: (String, u16),
    delay: Duration,
) {
    sleep(delay).await;
    let mut server = TcpStream::connect(server).await.expect("connect to the real server");
    // Ends when either side hangs up.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

fn address(url: &str) -> (String, u16) {
    let url: neon_url::DatabaseUrl = url.parse().expect("a connection string");
    (url.host().to_owned(), url.port())
}

fn port_of(url: &str) -> u16 {
    address(url).1
}

fn by_socket(database: &TestDatabase, folder: &Path) -> String {
    let url = database.url();
    let (user, password) = (url.user(), url.password().expect("the throwaway server has one"));
    let folder = folder.to_str().expect("a plain path").replace('/', "%2F");
    format!("postgresql://{user}:{password}@{folder}:5432/{}", url.database())
}
