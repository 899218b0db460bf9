//! A proxy on loopback that serves an application under a path prefix, as gateways do, and changes
//! nothing in its responses.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::{App, http_client};
use crate::background_runtime;

/// A running proxy; stops when this value is dropped.
pub struct PrefixProxy {
    address: SocketAddr,
    prefix: &'static str,
    /// Stops the proxy when dropped.
    _stop: watch::Sender<()>,
}

impl PrefixProxy {
    /// Serves the application under `prefix`, which begins with a slash and does not end with one.
    pub async fn start(app: &App, prefix: &'static str) -> Self {
        let (stop, stopped) = watch::channel(());
        let target = app.url();
        let address = background_runtime::run(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("find a free port");
            let address = listener.local_addr().expect("the address of a listener");
            background_runtime::spawn(serve(listener, prefix, target, stopped));
            address
        })
        .await;
        Self { address, prefix, _stop: stop }
    }

    /// The address of the application, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.prefix)
    }
}

async fn serve(
    listener: TcpListener,
    prefix: &'static str,
    target: String,
    mut stopped: watch::Receiver<()>,
) {
    let client = http_client();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (client, target, mut stopped) = (client.clone(), target.clone(), stopped.clone());
        background_runtime::spawn(async move {
            let service = service_fn(|request| forward(&client, prefix, &target, request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // A connection that breaks is the client's business.
                _ = connection => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

/// Sends the request to the application without the prefix. An error closes the connection.
async fn forward(
    client: &Client,
    prefix: &str,
    target: &str,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Some(path) = path.strip_prefix(prefix) else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    parts.headers.remove(HOST);
    let body = body.collect().await?.to_bytes();
    let url = format!("{target}{path}");
    let answer = client.request(parts.method, url).headers(parts.headers).body(body).send().await?;
    let mut response = Response::builder().status(answer.status()).body(Full::default())?;
    *response.headers_mut() = answer.headers().clone();
    response.headers_mut().remove(CONNECTION);
    response.headers_mut().remove(TRANSFER_ENCODING);
    *response.body_mut() = Full::from(answer.bytes().await?);
    Ok(response)
}
