//! The other servers answer as the API does, or comparing them would say nothing.

use anyhow::{Context, ensure};
use serde_json::Value;

use super::options::Workload;
use super::requests::request;
use super::services::{Services, Side};
use crate::KeepAlive;

/// Reads, whose responses are the same each time.
const WORKLOADS: [Workload; 4] =
    [Workload::Nothing, Workload::Get, Workload::List, Workload::Filtered];

/// Headers that depend on the body alone.
const HEADERS: [&str; 4] = ["content-type", "content-length", "etag", "cache-control"];

/// Compares the native server's responses byte for byte, and the predecessor's as JSON: it has neither entity tags
/// nor the same order of members. An error names the first that differs.
pub(crate) fn check(services: &Services) -> anyhow::Result<()> {
    for workload in WORKLOADS {
        let api = response(workload, Side::Api, services)?;
        let native = response(workload, Side::Native, services)?;
        let name = workload.name();
        ensure!(api == native, "{name}: the API answers {api:?}, the native server {native:?}");
        if services.address(Side::Predecessor).is_some() {
            let predecessor = response(workload, Side::Predecessor, services)?;
            let is_equal = api.0 == predecessor.0 && json(&api.2)? == json(&predecessor.2)?;
            ensure!(is_equal, "{name}: the API answers {api:?}, the predecessor {predecessor:?}");
        }
    }
    Ok(())
}

fn json(body: &str) -> anyhow::Result<Value> {
    serde_json::from_str(body).with_context(|| format!("not JSON: {body}"))
}

fn response(
    workload: Workload,
    side: Side,
    services: &Services,
) -> anyhow::Result<(u16, Vec<Option<String>>, String)> {
    let address = services.address(side).context("a server has an address")?;
    let mut client = KeepAlive::new(address);
    let exchange = client
        .exchange(&request(workload, side, services))
        .with_context(|| format!("{} of {}", workload.name(), side.name()))?;
    let headers = HEADERS.map(|name| client.header(name).map(str::to_owned)).into();
    Ok((exchange.status, headers, String::from_utf8_lossy(client.body()).into_owned()))
}
