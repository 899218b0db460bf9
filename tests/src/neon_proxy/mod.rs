//! A proxy like Neon's, in front of a throwaway server: TLS, the endpoint by its name, a compute that is
//! suspended, wakes up and moves, and Neon's messages where it refuses a connection.
//!
//! As at Neon, the data stay where they are: a compute that wakes up or moves is the same cluster, started
//! again, on another port where it moves.

mod messages;
mod startup;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use neon_url::DatabaseUrl;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub use self::messages::NeonMessage;
use self::startup::{Startup, accept_tls};
use crate::background_runtime;
use crate::database::TestServer;
use crate::tls::{DIRECT_HOST, POOLED_HOST, with_tls};

/// The name of the only endpoint, as it is in [`DIRECT_HOST`].
const ENDPOINT: &str = "ep-taskie";

/// What follows it in the name of the pooled host.
const POOLED: &str = "-pooler";

/// A running proxy; it and its connections end when this value is dropped.
pub struct NeonProxy {
    address: SocketAddr,
    listening: JoinHandle<()>,
    shared: Arc<Shared>,
}

struct Shared {
    server: &'static TestServer,
    compute: Mutex<Compute>,
    /// The number of resets: connections of an earlier one are over. Each open connection listens.
    resets: watch::Sender<usize>,
    /// Answered to this number of connections.
    refusal: Mutex<Option<(NeonMessage, usize)>>,
    /// How often the compute was started.
    starts: AtomicUsize,
}

/// The compute behind the proxy. Whoever starts it has the lock: all others wait.
enum Compute {
    /// On this port.
    Active(u16),
    /// The next connection starts it, on the same port or another one, and has to wait at least so long.
    Suspended { waking: Duration, moves: bool },
}

impl NeonProxy {
    /// A proxy in front of a running server.
    pub async fn before(server: &'static TestServer) -> Self {
        let shared = Arc::new(Shared {
            server,
            compute: Mutex::new(Compute::Active(server.port())),
            resets: watch::Sender::new(0),
            refusal: Mutex::default(),
            starts: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        let (address, listening) = background_runtime::run(async move {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("listen on loopback");
            let address = listener.local_addr().expect("the address of a listener");
            (address, tokio::spawn(serve(listener, serving)))
        })
        .await;
        Self { address, listening, shared }
    }

    /// A connection string through the proxy, which names the endpoint as a parameter: every machine
    /// resolves `localhost`.
    pub fn through(&self, url: &DatabaseUrl) -> DatabaseUrl {
        self.through_endpoint(url, ENDPOINT)
    }

    /// The same with another endpoint.
    pub fn through_endpoint(&self, url: &DatabaseUrl, endpoint: &str) -> DatabaseUrl {
        let text = self.without_endpoint(url).to_connection_string();
        format!("{text}&options=endpoint%3D{endpoint}").parse().expect("a connection string")
    }

    /// The same without an endpoint.
    pub fn without_endpoint(&self, url: &DatabaseUrl) -> DatabaseUrl {
        with_tls(url, "localhost", self.address.port())
    }

    /// The same by the name of the direct host, or of the pooled one, which takes no settings.
    pub fn by_name(&self, url: &DatabaseUrl, is_pooled: bool) -> DatabaseUrl {
        let host = if is_pooled { POOLED_HOST } else { DIRECT_HOST };
        with_tls(url, host, self.address.port())
    }

    /// How often the compute was started.
    pub fn starts(&self) -> usize {
        self.shared.starts.load(Ordering::SeqCst)
    }

    /// Stops the compute. The next connection starts it, and waits at least so long.
    pub async fn suspend(&self, waking: Duration) {
        self.stop_compute(waking, false).await;
    }

    /// Moves the compute to another port: its sessions end, and new ones wait until it is there.
    pub async fn move_compute(&self) {
        self.stop_compute(Duration::ZERO, true).await;
        self.shared.wake().await;
    }

    async fn stop_compute(&self, waking: Duration, moves: bool) {
        let mut compute = self.shared.compute.lock().await;
        *compute = Compute::Suspended { waking, moves };
        self.reset();
        let server = self.shared.server;
        background_runtime::run(async move { server.crash().await }).await;
    }

    /// Answers so many connections with a message, beginning with the next one. Open ones have ended then: a
    /// statement must not meet their end.
    pub async fn refuse(&self, message: NeonMessage, connections: usize) {
        *self.shared.refusal.lock().await = Some((message, connections));
        self.reset();
        self.shared.resets.closed().await;
    }

    /// Passes all connections on to the compute again.
    pub async fn accept(&self) {
        *self.shared.refusal.lock().await = None;
    }

    fn reset(&self) {
        self.shared.resets.send_modify(|resets| *resets += 1);
    }
}

impl Drop for NeonProxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.reset();
    }
}

impl Shared {
    /// The message for the next connection, as long as it is refused.
    async fn next_refusal(&self) -> Option<NeonMessage> {
        let mut refusal = self.refusal.lock().await;
        let (message, left) = refusal.as_mut()?;
        *left = left.checked_sub(1)?;
        Some(*message)
    }

    /// The compute's port, started first if it is suspended.
    async fn wake(&self) -> u16 {
        let mut compute = self.compute.lock().await;
        match *compute {
            Compute::Active(port) => port,
            Compute::Suspended { waking, moves } => {
                let begin = Instant::now();
                let port = if moves {
                    self.server.start_elsewhere().await
                } else {
                    self.server.start_again().await;
                    self.server.port()
                };
                self.starts.fetch_add(1, Ordering::SeqCst);
                sleep(waking.saturating_sub(begin.elapsed())).await;
                *compute = Compute::Active(port);
                port
            }
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut resets = shared.resets.subscribe();
            let begun = *resets.borrow_and_update();
            // Its socket is closed when this is over, and only then it listens no more.
            tokio::select! {
                _ = forward(client, &shared) => {}
                _ = resets.wait_for(|resets| *resets != begun) => {}
            }
        });
    }
}

/// Passes a connection on to the compute, until either side hangs up.
async fn forward(client: TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    // A reset is one on the wire, too.
    client.set_zero_linger()?;
    let mut client = accept_tls(client).await?;
    let startup = Startup::read(&mut client).await?;
    let host = client.get_ref().1.server_name().map(str::to_owned);
    let refusal = match refusal_of(host.as_deref(), &startup) {
        Some(refusal) => Some(refusal),
        None => shared.next_refusal().await,
    };
    if let Some(refusal) = refusal {
        return refuse(&mut client, refusal).await;
    }
    // A connection may come while a compute starts, and a client may give up: the compute starts all the
    // same.
    let waking = Arc::clone(shared);
    let port = tokio::spawn(async move { waking.wake().await }).await;
    let port = port.expect("the compute starts");
    let Ok(mut compute) = TcpStream::connect(("127.0.0.1", port)).await else {
        return refuse(&mut client, NeonMessage::NO_COMPUTE).await;
    };
    compute.write_all(&startup.to_bytes()).await?;
    copy_bidirectional(&mut client, &mut compute).await?;
    Ok(())
}

/// The proxy's objection to a connection by itself, whatever the state of the compute.
fn refusal_of(host: Option<&str>, startup: &Startup) -> Option<NeonMessage> {
    let of_host = host.and_then(|host| host.strip_suffix(".localhost"));
    let (endpoint, of_option) = (of_host.or(startup.endpoint()), startup.endpoint());
    match endpoint {
        None => Some(NeonMessage::NO_ENDPOINT),
        Some(endpoint) if of_option.is_some_and(|option| option != endpoint) => {
            Some(NeonMessage::TWO_ENDPOINTS)
        }
        Some(endpoint) if endpoint.trim_end_matches(POOLED) != ENDPOINT => {
            Some(NeonMessage::NOT_FOUND)
        }
        Some(endpoint) if endpoint.ends_with(POOLED) && startup.has_settings() => {
            Some(NeonMessage::UNSUPPORTED)
        }
        Some(_) => None,
    }
}

async fn refuse(
    client: &mut (impl AsyncRead + AsyncWriteExt + Unpin),
    message: NeonMessage,
) -> std::io::Result<()> {
    client.write_all(&message.to_bytes()).await?;
    client.shutdown().await?;
    // The client hangs up when it has read the message, which a reset would take from it.
    client.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
