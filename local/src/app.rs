//! A running application: what `cargo up` serves and what the tests start.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::config::{
    AllowedHosts, DEFAULT_STORE, Manifest, Route, Router, RuntimeConfig, Variables,
};
use crate::error::Error;
use crate::host::postgres::Pools;
use crate::host::{ComponentContext, GuestOutput, KeyValueStore};
use crate::server::{Engine, INSTANCES, InstanceReuse, Instances, Server};

/// How long requests in flight may take to finish when the application stops.
const GRACE: Duration = Duration::from_secs(5);

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// `spin.toml`.
    pub manifest: PathBuf,
    /// Spin's runtime configuration file, when there is one.
    pub runtime_config: Option<PathBuf>,
    /// Values of application variables. They win over `SPIN_VARIABLE_<NAME>` in the environment.
    pub variables: BTreeMap<String, String>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How long instances live and how much they do.
    pub reuse: InstanceReuse,
    /// Where what the components print goes.
    pub output: GuestOutput,
}

/// A running application. Dropped without [`App::stop`], it ends at once.
pub struct App {
    address: SocketAddr,
    routes: Vec<Route>,
    /// Stops accepting and lets requests finish.
    stop: watch::Sender<bool>,
    /// Ends the instances, whatever they are doing.
    end: watch::Sender<bool>,
    pools: Vec<Arc<ComponentContext>>,
    /// A permit for each instance that may still be made.
    slots: Arc<Semaphore>,
    serving: Option<JoinHandle<()>>,
}

impl App {
    /// Starts the components of the manifest, which must be built, and listens when this returns.
    pub async fn start(options: AppOptions) -> Result<App, Error> {
        let manifest = Manifest::load(&options.manifest)?;
        let config = match &options.runtime_config {
            Some(path) => RuntimeConfig::load(path)?,
            None => RuntimeConfig::default(),
        };
        let variables =
            Variables::resolve(&manifest, &options.variables, |name| std::env::var(name).ok())?;
        let listener = listen(options.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|source| Error::Listen { address: options.listen, source })?;
        let limit = config.max_connections.map(|most| Arc::new(Semaphore::new(most)));
        let slots = Arc::new(Semaphore::new(INSTANCES));
        let (end, ended) = watch::channel(false);
        let store = Arc::new(KeyValueStore::default());
        let mut pools = Vec::new();
        let mut components = BTreeMap::new();
        for (id, service) in load(&manifest).await? {
            let component = &manifest.components[&id];
            let allowed_hosts = AllowedHosts::of(component, &variables)
                .map_err(|reason| Error::AllowedHosts { component: id.clone(), reason })?;
            let context = Arc::new(ComponentContext {
                component: id.clone(),
                variables: variables.for_component(&id, component),
                allowed_hosts,
                pools: Pools::new(limit.clone()),
                key_value: component
                    .key_value_stores
                    .iter()
                    .any(|label| label == DEFAULT_STORE)
                    .then(|| Arc::clone(&store)),
                output: options.output.clone(),
            });
            pools.push(Arc::clone(&context));
            let instances = Instances {
                engine: service.0,
                service: service.1,
                context,
                reuse: options.reuse,
                slots: Arc::clone(&slots),
                stopped: ended.clone(),
            };
            components.insert(id, ProxyHandler::new(instances));
        }
        let server = Arc::new(Server {
            router: Router::new(manifest.routes.clone()),
            components,
            info: info(&manifest),
            output: options.output,
        });
        let (stop, stopping) = watch::channel(false);
        Ok(App {
            address,
            routes: manifest.routes,
            stop,
            end,
            pools,
            slots,
            serving: Some(tokio::spawn(server.run(listener, stopping, GRACE))),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:3000`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The public routes, in the manifest's order.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// How many component instances there are, idle ones included. There can be 1,000, as on Spin.
    pub fn instances(&self) -> usize {
        INSTANCES - self.slots.available_permits()
    }

    /// Stops accepting, lets requests in flight finish for up to five seconds, and closes the connections to
    /// PostgreSQL.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take() {
            let _ = serving.await;
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
        self.end.send_replace(true);
        for context in &self.pools {
            context.pools.close();
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => Error::AddressInUse(address),
        _ => Error::Listen { address, source },
    })
}

type Loaded = (
    String,
    (&'static Engine, wasmtime_wasi_http::p3::bindings::ServicePre<crate::host::InstanceState>),
);

/// Compiles what is not compiled yet, away from the threads that serve.
async fn load(manifest: &Manifest) -> Result<Vec<Loaded>, Error> {
    let cache_dir = manifest.dir.join("target/wasmtime-cache");
    let sources: Vec<_> = manifest
        .components
        .iter()
        .map(|(id, component)| (id.clone(), component.source.clone()))
        .collect();
    let compile = move || {
        let engine = Engine::shared(&cache_dir)?;
        sources
            .into_iter()
            .map(|(id, source)| {
                let service = engine.load(&id, &source)?;
                Ok((id, (engine, service)))
            })
            .collect()
    };
    tokio::task::spawn_blocking(compile)
        .await
        .unwrap_or_else(|panic| Err(Error::Engine(panic.to_string())))
}

fn info(manifest: &Manifest) -> String {
    let mut info = serde_json::Map::new();
    info.insert("name".into(), manifest.name.clone().into());
    if let Some(version) = &manifest.version {
        info.insert("version".into(), version.clone().into());
    }
    format!("{:#}", serde_json::Value::Object(info))
}
