//! A running application: what `cargo up` serves and the tests start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::config::{AllowedHosts, Manifest, Router, RuntimeConfig, Variables};
use crate::error::{Error, ErrorKind};
use crate::host::{ComponentContext, GuestOutput, KeyValueStore, Pools};
use crate::server::{Engine, INSTANCES, InstanceReuse, Instances, Instructions, Linked, Server};

/// Time limit of requests in flight when the application stops.
const GRACE: Duration = Duration::from_secs(5);

/// Options of an application.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// `spin.toml`.
    pub manifest: PathBuf,
    /// Spin's runtime configuration file, if there is one.
    pub runtime_config: Option<PathBuf>,
    /// Values of application variables. They win over `SPIN_VARIABLE_<NAME>` in the environment.
    pub variables: BTreeMap<String, String>,
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Limits of component instances.
    pub reuse: InstanceReuse,
    /// The destination of what components print.
    pub output: GuestOutput,
    /// Where the components' instructions are counted, which makes them slower.
    pub instructions: Option<Arc<Instructions>>,
}

/// A running application. Dropped without [`App::stop`], it ends at once.
pub struct App {
    address: SocketAddr,
    /// Stops accepting and lets requests finish.
    stop: watch::Sender<bool>,
    /// Ends the instances, whatever they are doing.
    end: watch::Sender<bool>,
    contexts: Vec<Arc<ComponentContext>>,
    /// A permit for each instance that may still be created.
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
        let listener = TcpListener::bind(options.listen).await;
        let listener = listener.map_err(|error| Error::listen(options.listen, &error))?;
        let address =
            listener.local_addr().map_err(|error| Error::listen(options.listen, &error))?;
        let connections =
            config.outbound_pg.max_connections.map(|most| Arc::new(Semaphore::new(most.get())));
        let slots = Arc::new(Semaphore::new(INSTANCES));
        let (end, ended) = watch::channel(false);
        let store = Arc::new(KeyValueStore::default());
        let mut contexts = Vec::new();
        let mut components = BTreeMap::new();
        for (id, linked) in load(&manifest, options.instructions.is_some()).await? {
            let component = &manifest.components[&id];
            let context = Arc::new(ComponentContext {
                component: id.clone(),
                variables: variables.for_component(&id, component),
                allowed_hosts: AllowedHosts::new(component, &variables),
                pools: Pools::new(connections.clone()),
                key_value: component.key_value_store.then(|| Arc::clone(&store)),
                output: options.output.clone(),
            });
            contexts.push(Arc::clone(&context));
            let instances = Instances {
                reuse: options.reuse.of(&linked),
                linked,
                context,
                instructions: options.instructions.clone(),
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
        let serving = Some(tokio::spawn(server.run(listener, stopping, GRACE)));
        Ok(App { address, stop, end, contexts, slots, serving })
    }

    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:3000`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of component instances, idle ones included; at most 1,000, as on Spin.
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
        for context in &self.contexts {
            context.pools.close();
        }
    }
}

/// Compiles the components that are not compiled yet, away from the threads that serve.
async fn load(
    manifest: &Manifest,
    counts_instructions: bool,
) -> Result<Vec<(String, Linked)>, Error> {
    let cache_dir = manifest.dir.join("target/wasmtime-cache");
    let components = manifest.components.iter();
    let sources: Vec<_> = components.map(|(id, one)| (id.clone(), one.source.clone())).collect();
    let compile = move || {
        let engine = Engine::shared(&cache_dir, counts_instructions)?;
        sources.into_iter().map(|(id, path)| engine.load(&id, &path).map(|one| (id, one))).collect()
    };
    tokio::task::spawn_blocking(compile)
        .await
        .unwrap_or_else(|panic| Err(Error::new(ErrorKind::Component, panic.to_string())))
}

/// The document under `/.well-known/spin/info`.
fn info(manifest: &Manifest) -> String {
    let mut info = serde_json::Map::new();
    info.insert("name".into(), manifest.name.clone().into());
    if let Some(version) = &manifest.version {
        info.insert("version".into(), version.clone().into());
    }
    format!("{:#}", serde_json::Value::Object(info))
}
