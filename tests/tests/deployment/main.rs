//! The scripts of `deploy/` and those that publish a release, as the workflows in `.github/` run them: against the
//! API, real PostgreSQL and the built migrator where these are meant, and against stand-ins for the programs of
//! others. `cargo test --test deployment`, which needs `bash`, `curl`, `git` and `python3`.

mod akamai;
mod host;
mod kubernetes;
mod migrate;
mod preview;
mod programs;
mod publish;
mod smoke;
