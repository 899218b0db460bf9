//! The service on its host: instances, connections that users share, restarts, and the manifests.

mod instances;
mod interleaving;
mod manifests;
mod restart;
