//! A proxy on loopback between a component and its database that brings about what a network and a server
//! can do to a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use neon_url::DatabaseUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::background_runtime;
use crate::wire::{Reader, Recorder, Sent};

/// A running proxy; it and its connections end when this value is dropped.
pub struct FaultProxy {
    address: SocketAddr,
    target: String,
    /// Accepts connections; none while they are refused.
    listening: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

struct Shared {
    faults: watch::Sender<Faults>,
    /// Bytes that still pass before the connection is cut that passes the last one; negative for no end.
    bytes: [AtomicI64; 2],
    accepted: AtomicUsize,
    /// Reads what clients send, if they send it without TLS.
    recorder: Recorder,
}

/// What is done to connections.
#[derive(Clone, Copy, Default)]
struct Faults {
    /// Before each piece is passed on, in both directions.
    latency: Duration,
    /// Nothing is passed on to the client. A connection that was silent once stays so for good.
    silent: bool,
    /// The same once a client has sent these messages.
    silent_after: Option<&'static str>,
    /// A client's request for TLS is declined.
    declines_tls: bool,
    /// Connections of a lower number are cut.
    cut_before: usize,
}

/// Direction of the bytes on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the component to the database.
    Request,
    /// From the database to the component.
    Answer,
}

impl FaultProxy {
    /// A proxy without faults to the server of a connection string.
    pub async fn to(url: &DatabaseUrl) -> Self {
        let shared = Arc::new(Shared {
            faults: watch::Sender::new(Faults::default()),
            bytes: [AtomicI64::new(-1), AtomicI64::new(-1)],
            accepted: AtomicUsize::new(0),
            recorder: Recorder::default(),
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let target = format!("{}:{}", url.host(), url.port());
        let mut proxy = Self { address, target, listening: Mutex::new(None), shared };
        proxy.address = proxy.accept_at(address).await;
        proxy
    }

    /// A connection string through the proxy.
    pub fn through(&self, url: &DatabaseUrl) -> DatabaseUrl {
        let (here, there) = (format!("127.0.0.1:{}/", self.address.port()), &self.target);
        let text = url.to_connection_string().replacen(&format!("{there}/"), &here, 1);
        text.parse().expect("a connection string")
    }

    /// The number of connections so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Takes out what clients have sent since the last call, of connections without TLS.
    pub fn take_sent(&self) -> Vec<Sent> {
        self.shared.recorder.take()
    }

    /// How many groups with these messages ([`Sent`]) clients have sent since then.
    pub fn count_sent(&self, messages: &str) -> usize {
        self.shared.recorder.count(messages)
    }

    /// Refuses connections from now on. Those that are open stay so.
    pub async fn refuse(&self) {
        let listening = self.listening.lock().await.take();
        if let Some(task) = listening {
            task.abort();
            // The socket is closed when the task is gone.
            let _ = task.await;
        }
    }

    /// Accepts connections again.
    pub async fn accept(&self) {
        self.accept_at(self.address).await;
    }

    /// Cuts all open connections.
    pub fn cut(&self) {
        let next = self.accepted();
        self.shared.faults.send_modify(|faults| faults.cut_before = next);
    }

    /// Cuts one connection, once: the one on which the last of so many bytes passes, from now on.
    pub fn cut_after(&self, direction: Direction, bytes: u32) {
        self.shared.bytes[direction as usize].store(bytes.into(), Ordering::SeqCst);
    }

    /// Delays everything that passes.
    pub fn delay(&self, latency: Duration) {
        self.shared.faults.send_modify(|faults| faults.latency = latency);
    }

    /// Accepts connections and answers nothing; no longer on open ones either.
    pub fn silence(&self) {
        self.shared.faults.send_modify(|faults| faults.silent = true);
    }

    /// Passes nothing on to clients any more once one of them has sent a group of these messages ([`Sent`]).
    pub fn silence_after(&self, messages: &'static str) {
        self.shared.faults.send_modify(|faults| faults.silent_after = Some(messages));
    }

    /// Answers on new connections again. The silent ones stay silent.
    pub fn speak(&self) {
        self.shared.faults.send_modify(|faults| faults.silent = false);
    }

    /// Answers a client's request for TLS like a server without it.
    pub fn decline_tls(&self) {
        self.shared.faults.send_modify(|faults| faults.declines_tls = true);
    }

    async fn accept_at(&self, address: SocketAddr) -> SocketAddr {
        let (target, shared) = (self.target.clone(), Arc::clone(&self.shared));
        let (address, task) = background_runtime::run(async move {
            let listener = listen(address).expect("listen on loopback");
            let address = listener.local_addr().expect("the address of a listener");
            (address, tokio::spawn(serve(listener, target, shared)))
        })
        .await;
        *self.listening.lock().await = Some(task);
        address
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(task) = self.listening.get_mut().take() {
            task.abort();
        }
        self.shared.faults.send_modify(|faults| faults.cut_before = usize::MAX);
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // The port still has connections that were closed a moment ago.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn serve(listener: TcpListener, target: String, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(forward(client, target.clone(), number, Arc::clone(&shared)));
    }
}

/// Passes bytes on until either side hangs up, or the connection is cut.
async fn forward(mut client: TcpStream, target: String, number: usize, shared: Arc<Shared>) {
    let mut faults = shared.faults.subscribe();
    let is_cut = async { drop(faults.wait_for(|faults| number < faults.cut_before).await) };
    let pass = async {
        let Faults { latency, declines_tls, .. } = *shared.faults.borrow();
        sleep(latency).await;
        // The request for TLS is the first 8 bytes.
        if declines_tls
            && (client.read_exact(&mut [0; 8]).await.is_err()
                || client.write_all(b"N").await.is_err())
        {
            return;
        }
        let Ok(server) = TcpStream::connect(target).await else { return };
        let (client, server) = (client.into_split(), server.into_split());
        tokio::select! {
            () = pump(client.0, server.1, Direction::Request, number, &shared) => {}
            () = pump(server.0, client.1, Direction::Answer, number, &shared) => {}
        }
    };
    tokio::select! { () = pass => {}, () = is_cut => {} }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    number: usize,
    shared: &Shared,
) {
    let mut reader = Reader::new(number);
    let mut buffer = [0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let latency = shared.faults.borrow().latency;
        sleep(latency).await;
        let Faults { silent, silent_after, .. } = *shared.faults.borrow();
        let is_silent =
            silent || silent_after.is_some_and(|messages| shared.recorder.count(messages) > 0);
        if direction == Direction::Answer && is_silent {
            std::future::pending::<()>().await;
        }
        let left = shared.take(direction, length);
        let passed = left.unwrap_or(length);
        if direction == Direction::Request {
            shared.recorder.record(&mut reader, &buffer[..passed]);
        }
        if to.write_all(&buffer[..passed]).await.is_err() || left.is_some() {
            return;
        }
    }
}

impl Shared {
    /// Counts bytes that are about to pass. If the last one before a cut is among them, the number up to it.
    fn take(&self, direction: Direction, length: usize) -> Option<usize> {
        let counter = &self.bytes[direction as usize];
        let length = i64::try_from(length).expect("the length of a buffer");
        let left = counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            (left >= 0).then(|| if left <= length { -1 } else { left - length })
        });
        left.ok().filter(|left| *left <= length).and_then(|left| usize::try_from(left).ok())
    }
}
