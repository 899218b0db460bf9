//! `spin:variables`: the component's own variables, by name.

use std::sync::Arc;

use wasmtime::component::{Accessor, HasSelf};

use super::bindings::variables::{Error, Host, HostWithStore};
use super::state::State;
use crate::variables::Refusal;

impl Host for State {}

impl<T: Send> HostWithStore<T> for HasSelf<State> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        let links = accessor.with(|mut access| Arc::clone(&access.get().links));
        Ok(links.variables.get(&name).map_err(|refusal| match refusal {
            Refusal::InvalidName(reason) => Error::InvalidName(reason),
            Refusal::Undefined(reason) => Error::Undefined(reason),
            Refusal::Other(reason) => Error::Other(reason),
        }))
    }
}
