//! A token issuer's key server on loopback: counts its requests, and answers as the test sets it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::background_runtime;
use crate::keys::{SigningKey, key_set};

/// The server's answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with these bytes.
    Document(Vec<u8>),
    /// Another status, without a body.
    Status(u16),
    /// 302 to this URL.
    Redirect(String),
    /// No response: the connection is closed.
    HangUp,
}

/// A running key server; stops when this value is dropped.
pub struct KeyServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Stops the server when dropped.
    _stop: watch::Sender<()>,
}

struct Shared {
    answer: Mutex<Answer>,
    hits: Mutex<Vec<String>>,
    /// No request is answered while this is true.
    held: watch::Sender<bool>,
}

impl KeyServer {
    /// A server that publishes these keys.
    pub async fn start(keys: &[&SigningKey]) -> Self {
        let shared = Arc::new(Shared {
            answer: Mutex::new(Answer::Status(404)),
            hits: Mutex::default(),
            held: watch::channel(false).0,
        });
        let (stop, stopped) = watch::channel(());
        let for_server = Arc::clone(&shared);
        let address = background_runtime::run(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("find a free port");
            let address = listener.local_addr().expect("the address of a listener");
            background_runtime::spawn(serve(listener, for_server, stopped));
            address
        })
        .await;
        let server = Self { address, shared, _stop: stop };
        server.publish(keys);
        server
    }

    /// The origin that the component must be allowed to connect to.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of the key set.
    pub fn url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.origin())
    }

    /// Publishes exactly these keys from now on.
    pub fn publish(&self, keys: &[&SigningKey]) {
        let document = key_set(keys.iter().copied()).to_string();
        self.answer(Answer::Document(document.into_bytes()));
    }

    /// Sets the answer from now on.
    pub fn answer(&self, answer: Answer) {
        *lock(&self.shared.answer) = answer;
    }

    /// The number of requests so far.
    pub fn hits(&self) -> usize {
        lock(&self.shared.hits).len()
    }

    /// The requested paths.
    pub fn paths(&self) -> Vec<String> {
        lock(&self.shared.hits).clone()
    }

    /// Holds all requests until [`KeyServer::release`].
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// Answers the held requests, and all later ones.
    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (shared, mut stopped) = (Arc::clone(&shared), stopped.clone());
        background_runtime::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            let server = auto::Builder::new(TokioExecutor::new());
            let connection = server.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // An error of a connection is the client's problem.
                _ = connection => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

/// An error closes the connection without an answer.
async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, HangUp> {
    lock(&shared.hits).push(request.uri().path().to_owned());
    let mut held = shared.held.subscribe();
    // Fails only when the sender is gone.
    let _ = held.wait_for(|held| !held).await;
    let response = Response::builder();
    let response = match lock(&shared.answer).clone() {
        Answer::Document(bytes) => {
            response.header("Content-Type", "application/json").body(Full::from(bytes))
        }
        Answer::Status(status) => response.status(status).body(Full::default()),
        Answer::Redirect(url) => response.status(302).header("Location", url).body(Full::default()),
        Answer::HangUp => return Err(HangUp),
    };
    Ok(response.expect("a valid response"))
}

#[derive(Debug)]
struct HangUp;

impl std::fmt::Display for HangUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up")
    }
}

impl std::error::Error for HangUp {}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
