//! One pool of connections per connection string, shared by the instances of a component.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Maximum number of connections in a pool.
const POOL_SIZE: usize = 64;

/// Certificate of a certificate authority, in PEM; valid.
pub(super) type CaPem = Arc<str>;

/// The pools of one component.
pub(crate) struct Pools {
    by_address: Mutex<HashMap<(String, Option<CaPem>), Pool>>,
    /// The application's limit on open connections; `None` if only that of the pools counts.
    limit: Option<Arc<Semaphore>>,
    /// The certificate that was checked last. A component passes the same one with every connection.
    checked_ca: Mutex<Option<CaPem>>,
}

/// A connection that a component has opened. Dropping it returns it to its pool.
#[expect(unreachable_pub, reason = "the generated bindings export it")]
pub struct Connection {
    pub(super) client: Arc<Object>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// The options of a connection to open.
#[expect(unreachable_pub, reason = "the generated bindings export it")]
pub struct ConnectionBuilder {
    pub(super) address: String,
    pub(super) ca: Option<CaPem>,
}

impl Pools {
    pub(crate) fn new(limit: Option<Arc<Semaphore>>) -> Pools {
        Pools { by_address: Mutex::default(), limit, checked_ca: Mutex::default() }
    }

    /// Checks the certificate of a certificate authority.
    pub(super) fn check_ca(&self, pem: &str) -> anyhow::Result<CaPem> {
        let mut checked = self.checked_ca.lock().unwrap_or_else(PoisonError::into_inner);
        match &*checked {
            Some(ca) if **ca == *pem => Ok(Arc::clone(ca)),
            _ => {
                tls_config(Some(pem))?;
                Ok(Arc::clone(checked.insert(pem.into())))
            }
        }
    }

    /// Takes a connection. Waits for one without a limit: the component sets its own.
    pub(super) async fn open(
        &self,
        address: &str,
        ca: Option<CaPem>,
    ) -> anyhow::Result<Connection> {
        let permit = match &self.limit {
            Some(limit) => Some(Arc::clone(limit).acquire_owned().await?),
            None => None,
        };
        let pool = self.pool(address, ca)?;
        Ok(Connection { client: Arc::new(pool.get().await?), _permit: permit })
    }

    /// Closes idle connections now and the others when they are returned; nothing can be opened afterwards.
    pub(crate) fn close(&self) {
        let pools = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        pools.values().for_each(Pool::close);
    }

    fn pool(&self, address: &str, ca: Option<CaPem>) -> anyhow::Result<Pool> {
        let mut pools = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        match pools.entry((address.to_owned(), ca)) {
            Entry::Occupied(pool) => Ok(pool.get().clone()),
            Entry::Vacant(place) => {
                let pool = create_pool(address, place.key().1.as_deref())
                    .context("establishing PostgreSQL connection pool")?;
                Ok(place.insert(pool).clone())
            }
        }
    }
}

fn create_pool(address: &str, ca: Option<&str>) -> anyhow::Result<Pool> {
    let config =
        address.parse::<tokio_postgres::Config>().context("parsing Postgres connection string")?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Clean };
    let manager = if config.get_ssl_mode() == SslMode::Disable {
        Manager::from_config(config, NoTls, recycling)
    } else {
        let tls = MakeRustlsConnect::new(tls_config(ca)?);
        Manager::from_config(config, tls, recycling)
    };
    Pool::builder(manager).max_size(POOL_SIZE).build().context("building Postgres connection pool")
}

/// Trusts the system's certificate authorities, and that of the component if it has one.
fn tls_config(ca: Option<&str>) -> anyhow::Result<rustls::ClientConfig> {
    migrator::tls_config(ca).map_err(|error| anyhow::anyhow!("{error}"))
}
