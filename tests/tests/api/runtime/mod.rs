//! The service on its host: instances, connections that users share, and restarts.

mod instances;
mod interleaving;
mod restart;
