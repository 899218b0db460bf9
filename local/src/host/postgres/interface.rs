//! The functions of the interface, blocking and asynchronous.

use std::sync::Arc;

use tokio_postgres::config::Host as PgHost;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use super::pools::{CaPem, Connection, ConnectionBuilder};
use super::statements::{self, RowStream};
use crate::host::bindings::postgres::{
    Column, Error, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore,
    HostConnectionWithStore, ParameterValue, Row, RowSet,
};
use crate::host::context::{ComponentContext, InstanceState};

type Opened = wasmtime::Result<Result<Resource<Connection>, Error>>;

/// Result of `query-async`: the rows and their outcome follow later.
type QueryResult = (Vec<Column>, StreamReader<Row>, FutureReader<Result<(), Error>>);

/// Checks the address against `allowed_outbound_hosts`, then takes a connection from the pool.
async fn open(
    context: &ComponentContext,
    address: &str,
    ca: Option<CaPem>,
) -> Result<Connection, Error> {
    check_allowed(context, address)?;
    let opened = context.pools.open(address, ca).await;
    opened.map_err(|error| Error::ConnectionFailed(format!("{error:?}")))
}

fn check_allowed(context: &ComponentContext, address: &str) -> Result<(), Error> {
    let refused = Error::ConnectionFailed;
    let config: tokio_postgres::Config =
        address.parse().map_err(|error: tokio_postgres::Error| refused(error.to_string()))?;
    if !config.get_hostaddrs().is_empty() {
        return Err(refused("`hostaddr` would bypass allowed_outbound_hosts".into()));
    }
    let ports = config.get_ports();
    for (index, host) in config.get_hosts().iter().enumerate() {
        let PgHost::Tcp(host) = host else {
            return Err(refused("Unix sockets are not supported on WebAssembly".into()));
        };
        let only_port = if ports.len() == 1 { ports.first() } else { None };
        let authority = match ports.get(index).or(only_port) {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        if !context.allowed_hosts.check("postgres", &authority).map_err(Error::Other)? {
            return Err(refused(format!("address postgres://{authority} is not permitted")));
        }
    }
    Ok(())
}

impl InstanceState {
    fn client(
        &self,
        connection: &Resource<Connection>,
    ) -> wasmtime::Result<Arc<deadpool_postgres::Object>> {
        Ok(Arc::clone(&self.table.get(connection)?.client))
    }

    fn options(
        &self,
        builder: &Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<(String, Option<CaPem>)> {
        let builder = self.table.get(builder)?;
        Ok((builder.address.clone(), builder.ca.clone()))
    }

    async fn open(&mut self, address: &str, ca: Option<CaPem>) -> Opened {
        match open(&self.context, address, ca).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl Host for InstanceState {}

impl HostConnection for InstanceState {
    async fn open(&mut self, address: String) -> Opened {
        InstanceState::open(self, &address, None).await
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let client = self.client(&connection)?;
        Ok(statements::query(&client, &statement, &parameters).await)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let client = self.client(&connection)?;
        Ok(statements::execute(&client, &statement, &parameters).await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl HostConnectionBuilder for InstanceState {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder { address, ca: None })?)
    }

    async fn set_ca_root(
        &mut self,
        builder: Resource<ConnectionBuilder>,
        certificate: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let ca = match self.context.pools.check_ca(&certificate) {
            Ok(ca) => ca,
            Err(error) => {
                return Ok(Err(Error::Other(format!("invalid root certificate: {error}"))));
            }
        };
        self.table.get_mut(&builder)?.ca = Some(ca);
        Ok(Ok(()))
    }

    async fn build(&mut self, builder: Resource<ConnectionBuilder>) -> Opened {
        let (address, ca) = self.options(&builder)?;
        InstanceState::open(self, &address, ca).await
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

async fn open_async<T: Send>(
    accessor: &Accessor<T, HasSelf<InstanceState>>,
    address: &str,
    ca: Option<CaPem>,
) -> Opened {
    let context = accessor.with(|mut access| Arc::clone(&access.get().context));
    match open(&context, address, ca).await {
        Ok(connection) => {
            accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?)))
        }
        Err(error) => Ok(Err(error)),
    }
}

impl<T: Send> HostConnectionWithStore<T> for HasSelf<InstanceState> {
    async fn open_async(accessor: &Accessor<T, Self>, address: String) -> Opened {
        open_async(accessor, &address, None).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let client = accessor.with(|mut access| access.get().client(&connection))?;
        let query = match statements::query_async(client, &statement, &parameters).await {
            Ok(query) => query,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, RowStream(query.rows))?;
            let outcome = FutureReader::new(&mut access, query.outcome)?;
            Ok(Ok((query.columns, rows, outcome)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let client = accessor.with(|mut access| access.get().client(&connection))?;
        Ok(statements::execute(&client, &statement, &parameters).await)
    }
}

impl<T: Send> HostConnectionBuilderWithStore<T> for HasSelf<InstanceState> {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Opened {
        let (address, ca) = accessor.with(|mut access| access.get().options(&builder))?;
        open_async(accessor, &address, ca).await
    }
}
