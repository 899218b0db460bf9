//! The task routes, one module each, and the accounts and ids behind them.

mod accounts;
mod concurrency;
mod create;
mod delete;
mod get;
mod ids;
mod list;
mod paging;
mod priority;
mod sort;
mod status;
mod times;
mod update;
