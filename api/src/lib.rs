//! The task API: a WebAssembly component that answers HTTP and keeps its tasks in PostgreSQL.
//!
//! Start reading at `http/router.rs`, where all routes stand on one screen; `tasks/` has a file for each
//! of them, with its SQL. This file is the entry point that Spin calls and nothing more.
//!
//! A request runs one SQL statement; only where PostgreSQL refused to create or update an account, which
//! changed nothing, another one follows (`tasks/account.rs`). The component never begins a transaction,
//! never builds SQL at run time, never responds without `Content-Length`, and no client can cause a panic
//! (it would end every request that the instance is serving).

mod auth;
mod config;
mod db;
mod error;
mod health;
mod http;
mod log;
#[cfg(test)]
mod openapi;
mod single_flight;
mod tasks;

use axum::body::Body;
use responses::wasi;
use spin_sdk::http::Request;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

/// Entry point that Spin calls for every request of this instance, many of them at the same time.
#[spin_sdk::http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let method = request.method().clone();
    let (response, log_line) = http::app::serve(request.map(Body::new)).await;
    wasi::respond(&method, response, async {
        if let Some(log_line) = log_line {
            log_line.write().await;
        }
        auth::refresh_keys().await;
    })
}
