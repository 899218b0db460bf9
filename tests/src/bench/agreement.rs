//! The other servers answer as the API does, or comparing them would say nothing.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::options::Workload;
use super::requests::first_requests;
use super::services::{Services, Side};
use crate::KeepAlive;

/// Reads, whose responses are the same each time.
const READS: [Workload; 4] = [Workload::Nothing, Workload::Get, Workload::List, Workload::Filtered];

/// Writes, with as many requests as leave the task as it was.
const WRITES: [(Workload, usize); 3] =
    [(Workload::Create, 1), (Workload::Update, 1), (Workload::Complete, 2)];

/// Headers that depend on the body alone.
const HEADERS: [&str; 4] = ["content-type", "content-length", "etag", "cache-control"];

/// Those of a written task that are the same each time.
const HEADERS_OF_WRITES: [&str; 2] = ["content-type", "cache-control"];

/// Members of a task that each write sets to something else.
const SET_BY_DATABASE: [&str; 3] = ["id", "created_at", "updated_at"];

/// A response, with the values of the headers that are compared.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<Option<String>>,
    body: String,
}

/// An error names the first response that differs.
pub(crate) fn check(services: &Services) -> anyhow::Result<()> {
    let sides = [Side::Native, Side::Floor, Side::Predecessor];
    let others = || sides.into_iter().filter(|side| services.address(*side).is_some());
    for workload in READS {
        let api = answers(workload, 1, Side::Api, &HEADERS, services)?;
        for side in others() {
            let other = answers(workload, 1, side, &HEADERS, services)?;
            compare(workload, side, &api, &other, |body| body)?;
        }
    }
    for (workload, requests) in WRITES {
        let api = answers(workload, requests, Side::Api, &HEADERS_OF_WRITES, services)?;
        for side in others() {
            let other = answers(workload, requests, side, &HEADERS_OF_WRITES, services)?;
            compare(workload, side, &api, &other, without_chance)?;
        }
    }
    Ok(())
}

/// The bodies as JSON, the predecessor's status too, and everything of the native server: the others have neither
/// entity tags nor the same order of members, and the bare component has one status for all.
fn compare(
    workload: Workload,
    side: Side,
    api: &[Answer],
    other: &[Answer],
    comparable: fn(Value) -> Value,
) -> anyhow::Result<()> {
    for (api, other) in api.iter().zip(other) {
        let is_equal = comparable(api.json()?) == comparable(other.json()?)
            && (side == Side::Floor || api.status == other.status)
            && (side != Side::Native || api.headers == other.headers);
        ensure!(
            is_equal,
            "{}: the API answers {api:?}, but `{}` {other:?}",
            workload.name(),
            side.name()
        );
    }
    Ok(())
}

/// A task with the form of what no two writes have in common in place of its value.
fn without_chance(mut task: Value) -> Value {
    for name in SET_BY_DATABASE {
        if let Some(value) = task.get_mut(name) {
            *value = match value.as_str() {
                Some(text) => text.replace(|char: char| char.is_ascii_digit(), "0").into(),
                None => json!({ "is_number": value.is_number() }),
            };
        }
    }
    task
}

fn answers(
    workload: Workload,
    requests: usize,
    side: Side,
    headers: &[&str],
    services: &Services,
) -> anyhow::Result<Vec<Answer>> {
    let address = services.address(side).context("a server has an address")?;
    let mut client = KeepAlive::new(address);
    let mut answers = Vec::new();
    for request in first_requests(workload, side, services, requests) {
        let exchange = client
            .exchange(&request)
            .with_context(|| format!("{} of {}", workload.name(), side.name()))?;
        let value = |name: &&str| client.header(name).map(str::to_owned);
        answers.push(Answer {
            status: exchange.status,
            headers: headers.iter().map(value).collect(),
            body: String::from_utf8_lossy(client.body()).into_owned(),
        });
    }
    Ok(answers)
}

impl Answer {
    fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("not JSON: {self:?}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Answer, compare, without_chance};
    use crate::bench::options::Workload::{Create, Get};
    use crate::bench::services::Side;

    fn answer(status: u16, etag: &str, body: &Value) -> Vec<Answer> {
        vec![Answer { status, headers: vec![Some(etag.to_owned())], body: body.to_string() }]
    }

    #[test]
    fn each_server_is_compared_by_what_it_has() {
        let api = answer(201, "a", &json!({ "id": 1, "title": "x" }));
        let same = |side, other: &[Answer]| compare(Get, side, &api, other, |body| body).is_ok();
        let other_headers = answer(201, "b", &json!({ "title": "x", "id": 1 }));
        assert!(!same(Side::Native, &other_headers));
        assert!(same(Side::Predecessor, &other_headers) && same(Side::Floor, &other_headers));
        let other_status = answer(200, "a", &json!({ "id": 1, "title": "x" }));
        assert!(!same(Side::Predecessor, &other_status));
        assert!(same(Side::Floor, &other_status));
        let other_body = answer(201, "a", &json!({ "id": 1, "title": "y" }));
        for side in [Side::Native, Side::Predecessor, Side::Floor] {
            assert!(!same(side, &other_body), "{side:?}");
        }
    }

    #[test]
    fn written_tasks_have_the_same_form() {
        let same = |one: Value, other: Value| {
            compare(
                Create,
                Side::Floor,
                &answer(1, "", &one),
                &answer(1, "", &other),
                without_chance,
            )
            .is_ok()
        };
        let task =
            |id: Value, moment: &str| json!({ "id": id, "title": "x", "updated_at": moment });
        let one = || task(json!(1), "2026-11-29T01:02:03.000004Z");
        assert!(same(one(), task(json!(22), "2026-11-30T11:12:13.141516Z")));
        assert!(!same(one(), task(json!(1), "2026-11-29T01:02:03.000004+00:00")));
        assert!(!same(one(), task(json!("1"), "2026-11-29T01:02:03.000004Z")));
        assert!(!same(one(), json!({ "id": 1, "title": "x" })));
    }
}
