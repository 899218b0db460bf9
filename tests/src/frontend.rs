//! The page in `tests/clients/predecessor`, compiled, and served at an origin of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::{background_runtime, workspace};

/// The page's files, with their types.
const FILES: [(&str, &str, &str); 3] = [
    ("/", "index.html", "text/html"),
    ("/dist/client.js", "dist/client.js", "text/javascript"),
    ("/dist/page.js", "dist/page.js", "text/javascript"),
];

/// A server of the page; stops when this value is dropped.
pub struct Frontend {
    address: SocketAddr,
    /// Stops the server when dropped.
    _stop: watch::Sender<()>,
}

impl Frontend {
    /// Compiles the page, which needs `npm`, and serves it on loopback.
    pub async fn start() -> Self {
        let folder = tokio::task::spawn_blocking(compiled).await.expect("compile the page");
        let (stop, stopped) = watch::channel(());
        let address = background_runtime::run(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("find a free port");
            let address = listener.local_addr().expect("the address of a listener");
            background_runtime::spawn(serve(listener, folder, stopped));
            address
        })
        .await;
        Self { address, _stop: stop }
    }

    /// The page's origin, for `cors_origins`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of the page for the service with this base URL.
    pub fn url(&self, service: &str) -> String {
        let service =
            percent_encoding::utf8_percent_encode(service, percent_encoding::NON_ALPHANUMERIC);
        format!("{}/?api={service}", self.origin())
    }
}

/// The folder of the page, compiled once by this program.
fn compiled() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = workspace().join("tests/clients/predecessor");
        for arguments in
            [&["ci", "--silent", "--no-audit", "--no-fund"][..], &["run", "--silent", "build"]]
        {
            let status = Command::new("npm").args(arguments).current_dir(&folder).status();
            let status = status.expect("run npm: `apt install nodejs npm`");
            assert!(status.success(), "`npm {}` failed", arguments.join(" "));
        }
        folder
    })
}

async fn serve(listener: TcpListener, folder: &'static Path, mut stopped: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let service = service_fn(move |request: Request<Incoming>| async move {
            Ok::<_, std::convert::Infallible>(answer(folder, request.uri().path()))
        });
        background_runtime::spawn(async move {
            // Ends with an error where the browser hangs up.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer(folder: &Path, path: &str) -> Response<Full<Bytes>> {
    let Some((_, file, content_type)) = FILES.iter().find(|(known, ..)| *known == path) else {
        let response = Response::builder().status(StatusCode::NOT_FOUND);
        return response.body(Full::default()).expect("a response");
    };
    let content = std::fs::read(folder.join(file)).expect("read a file of the page");
    let response = Response::builder().header(CONTENT_TYPE, *content_type);
    response.body(Full::from(content)).expect("a response")
}
