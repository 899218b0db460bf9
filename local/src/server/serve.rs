//! The HTTP server: accepts connections and passes requests to components.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{ProxyHandler, TrapOrPanicError};

use super::instances::Instances;
use super::request::{BadAuthority, absolute_uri, add_spin_headers, strip_forbidden_headers};
use crate::config::{Match, Router, WELL_KNOWN_PREFIX};
use crate::host::GuestOutput;

/// Limit of what a connection of HTTP/1 keeps in memory, wherever this project starts a host
/// (`--http1-max-buf-size`): a request's head that is longer is refused with 431. A token and the longest URL that
/// means something here take a tenth of it.
///
/// Spin's default is 400 KB, which each client can fill by never ending a head: 4 GB for 10,000 connections.
pub const HTTP1_BUFFER_BYTES: usize = 65_536;

/// State that all connections share.
pub(crate) struct Server {
    pub(crate) router: Router,
    /// Has all components of the routes.
    pub(crate) components: BTreeMap<String, ProxyHandler<Instances>>,
    /// The document under `/.well-known/spin/info`.
    pub(crate) info: String,
    pub(crate) output: GuestOutput,
}

impl Server {
    /// Serves until `stop` turns true, then lets requests in flight finish for as long as `grace`.
    pub(crate) async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        mut stop: watch::Receiver<bool>,
        grace: Duration,
    ) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, client)) => {
                    let server = Arc::clone(&self);
                    connections.spawn(server.serve_connection(stream, client, stop.clone()));
                }
                // Most likely there are no file descriptors left; connections that end free some.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        drop(listener);
        let finish = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(grace, finish).await;
    }

    /// HTTP/1.1, or HTTP/2 for a client that begins with it. Nagle's algorithm stays on, as on Spin.
    async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        client: SocketAddr,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(HTTP1_BUFFER_BYTES);
        let service = service_fn(|request| Arc::clone(&self).answer(request, client));
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            // The client closed the connection, or sent something that is not HTTP.
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    /// An error here ends the connection without a response.
    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>, BadAuthority> {
        strip_forbidden_headers(request.headers_mut());
        let path = request.uri().path().to_owned();
        if let Some(name) = path.strip_prefix(WELL_KNOWN_PREFIX) {
            return Ok(self.well_known(name));
        }
        let Some(matched) = self.router.find(&path) else {
            return Ok(empty(StatusCode::NOT_FOUND));
        };
        *request.uri_mut() = absolute_uri(request.uri(), request.headers())?;
        Ok(self.run_component(request, &matched, client).await)
    }

    async fn run_component(
        &self,
        mut request: Request<Incoming>,
        matched: &Match<'_>,
        client: SocketAddr,
    ) -> Response<WasiBody> {
        let uri = request.uri().clone();
        let component = &matched.route.component;
        let failed = |reason: &dyn std::fmt::Display| {
            self.output.line(&format!("component `{component}`: request failed: {reason}"));
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        };
        if let Err(error) = add_spin_headers(request.headers_mut(), &uri, matched, client) {
            return failed(&error);
        }
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        match self.components[component].handle((), request).await {
            Ok(response) => response,
            // The instance has reported why it ended.
            Err(error) if error.is::<TrapOrPanicError>() => {
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Err(error) => failed(&error.root_cause()),
        }
    }

    fn well_known(&self, name: &str) -> Response<WasiBody> {
        match name {
            "health" => Response::new(full("OK")),
            "info" => {
                let mut response = Response::new(full(&self.info));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(Into::into).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn full(text: &str) -> WasiBody {
    Full::from(text.to_owned()).map_err(Into::into).boxed_unsync()
}
