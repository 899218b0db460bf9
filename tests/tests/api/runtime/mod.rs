//! The service on its host: instances, connections that users share, restarts, and the manifests.

mod instances;
mod interleaving;
mod last_release;
mod manifests;
mod restart;
