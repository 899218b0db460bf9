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

/// Connections that a pool holds at most.
const POOL_SIZE: usize = 64;

/// A certificate authority of the component's own, in PEM; checked when it was set.
pub(super) type CaPem = Arc<str>;

/// The pools of one component.
pub(crate) struct Pools {
    pools: Mutex<HashMap<(String, Option<CaPem>), Pool>>,
    /// The application's limit on connections held at once; `None` leaves it to the pools.
    limit: Option<Arc<Semaphore>>,
}

/// A connection out of a pool. Dropping it gives it back.
pub(super) struct Pooled {
    pub(super) client: Arc<Object>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Pools {
    pub(crate) fn new(limit: Option<Arc<Semaphore>>) -> Pools {
        Pools { pools: Mutex::default(), limit }
    }

    /// Takes a connection, and waits for as long as there is none: the deadline is the component's business.
    pub(super) async fn open(&self, address: &str, ca: Option<CaPem>) -> anyhow::Result<Pooled> {
        let permit = match &self.limit {
            Some(limit) => Some(Arc::clone(limit).acquire_owned().await?),
            None => None,
        };
        let pool = self.pool(address, ca)?;
        Ok(Pooled { client: Arc::new(pool.get().await?), _permit: permit })
    }

    /// Ends idle connections now and those in use when they come back; nothing can be opened afterwards.
    pub(crate) fn close(&self) {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.values().for_each(Pool::close);
    }

    fn pool(&self, address: &str, ca: Option<CaPem>) -> anyhow::Result<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The system's certificate authorities, and the component's own when it has one.
pub(super) fn tls_config(ca: Option<&str>) -> anyhow::Result<rustls::ClientConfig> {
    migrator::tls_config(ca).map_err(|error| anyhow::anyhow!("{error}"))
}
