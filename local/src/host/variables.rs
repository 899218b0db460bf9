//! `spin:variables@3.0.0` and `fermyon:spin/variables@2.0.0`: the component's own variables.

use std::sync::Arc;

use wasmtime::component::{Accessor, HasSelf};

use super::bindings::variables::{Error, Host, HostWithStore};
use super::bindings::variables_v2;
use super::context::InstanceState;
use crate::config::VariableError;

impl Host for InstanceState {}

impl<T: Send> HostWithStore<T> for HasSelf<InstanceState> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        let context = accessor.with(|mut access| Arc::clone(&access.get().context));
        Ok(context.variables.get(&name).map_err(|error| match error {
            VariableError::InvalidName(reason) => Error::InvalidName(reason),
            VariableError::Undefined(reason) => Error::Undefined(reason),
            VariableError::Other(reason) => Error::Other(reason),
        }))
    }
}

impl variables_v2::Host for InstanceState {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables_v2::Error>> {
        Ok(self.context.variables.get(&name).map_err(|error| match error {
            VariableError::InvalidName(reason) => variables_v2::Error::InvalidName(reason),
            VariableError::Undefined(reason) => variables_v2::Error::Undefined(reason),
            VariableError::Other(reason) => variables_v2::Error::Other(reason),
        }))
    }
}
