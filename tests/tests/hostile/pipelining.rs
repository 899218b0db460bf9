//! Many requests in one write: answered in order, whatever becomes of each, and never read out of a body.

use futures::future::join_all;
use tests::{RawResponse, raw_request};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use crate::target::{MIB, Target};

const END: &[u8] = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

fn statuses(answer: &RawResponse) -> Vec<u16> {
    answer.responses().iter().filter_map(RawResponse::status).collect()
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests() {
    const ROUNDS: usize = 40;
    let target = Target::start().await;
    let (token, json) = (target.alice.authorization(), "Content-Type: application/json");
    let tasks = target.alice.path("/tasks");
    let (bad_id, unknown) = (target.alice.path("/tasks/x"), target.alice.path("/tasks/2147483647"));
    let kinds = [
        (raw_request("POST", &tasks, &[&token, json], r#"{"title":"x"}"#), 201),
        (raw_request("POST", &tasks, &[&token, json], "{"), 400),
        (raw_request("POST", &tasks, &[json], r#"{"title":"not read"}"#), 401),
        (raw_request("GET", "/health", &[], ""), 200),
        (raw_request("GET", &unknown, &[&token], ""), 404),
        (raw_request("GET", "/health", &[], "a body that nobody reads"), 200),
        (raw_request("PUT", &bad_id, &[&token, json], r#"{"title":"not read"}"#), 400),
        (raw_request("OPTIONS", &tasks, &[], ""), 204),
        (raw_request("DELETE", "/health", &[], ""), 405),
        (raw_request("POST", &tasks, &[&token, "Content-Type: text/plain"], "not read"), 415),
    ];
    let mut bytes: Vec<u8> = Vec::new();
    for _ in 0..ROUNDS {
        bytes.extend(kinds.iter().flat_map(|(request, _)| request));
    }
    bytes.extend(END);
    let answer = target.under(target.app.send_raw(bytes)).await;
    let mut expected: Vec<u16> =
        kinds.iter().map(|(_, status)| *status).collect::<Vec<_>>().repeat(ROUNDS);
    expected.push(200);
    assert_eq!(statuses(&answer), expected);
    target.assert_unharmed(ROUNDS).await;
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection_after_the_answers_before_it() {
    let target = Target::start().await;
    let health = raw_request("GET", "/health", &[], "");
    let attack = async {
        for (label, garbage) in [
            ("text", &b"garbage\r\n\r\n"[..]),
            ("bytes", b"\x16\x03\x01\x02\0\x01\0"),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            ("a bad length", b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"),
        ] {
            let bytes = [&health, &health, garbage, &health].concat();
            let answer = target.app.send_raw(bytes).await;
            let statuses = statuses(&answer);
            let is_good = matches!(statuses[..], [200, 200] | [200, 200, 400..500]);
            assert!(is_good, "{label}: {statuses:?}");
        }
    };
    target.under(attack).await;
    target.assert_unharmed(0).await;
}

/// A body of requests, sent to a route that does not read bodies, or not such ones.
#[tokio::test]
async fn a_request_in_the_body_of_another_is_not_one() {
    let target = Target::start().await;
    let (token, json) = (target.alice.authorization(), "Content-Type: application/json");
    let tasks = target.alice.path("/tasks");
    let inner = raw_request("POST", &tasks, &[&token, json], r#"{"title":"smuggled"}"#);
    let attack = async {
        for (label, method, path, headers, first) in [
            ("refused for its token", "POST", &tasks, &[json][..], 401),
            ("refused for its type", "POST", &tasks, &[&token, "Content-Type: text/plain"], 415),
            ("not JSON, or too large", "POST", &tasks, &[&token, json], 400),
            ("a body for GET", "GET", &"/health".to_owned(), &[], 200),
            ("no such route", "POST", &"/nope".to_owned(), &[], 404),
            (
                "a method without a body",
                "DELETE",
                &target.alice.path("/tasks/2147483647"),
                &[&token],
                404,
            ),
        ] {
            for copies in [1, 30, 2_000] {
                let body = String::from_utf8(inner.repeat(copies)).expect("text");
                let request = [raw_request(method, path, headers, &body), END.to_vec()].concat();
                let answer = target.app.send_raw(request).await;
                let statuses = statuses(&answer);
                // A host may give up on the rest of a body that nobody reads: then the connection ends.
                let is_first = statuses.first().is_some_and(|status| [first, 413].contains(status));
                let is_good = is_first
                    && statuses[1..].iter().all(|status| *status == 200)
                    && statuses.len() <= 2;
                assert!(is_good, "{label}, {copies} times: {statuses:?}");
            }
        }
    };
    target.under(attack).await;
    target.assert_unharmed(0).await;
}

/// Clients that ask again and again and read nothing.
#[tokio::test]
async fn requests_whose_answers_nobody_reads_take_bounded_memory() {
    const CLIENTS: usize = 50;
    let target = Target::start().await;
    let requests = raw_request("GET", "/openapi.json", &[], "").repeat(2_000);
    let ask = (0..CLIENTS).map(async |_| {
        let mut stream = TcpStream::connect(target.app.address()).await.expect("connect");
        // It ends when the system's buffers are full: the service has stopped reading.
        let _ = timeout(Duration::from_secs(2), stream.write_all(&requests)).await;
        stream
    });
    let streams = target.under(join_all(ask)).await;
    // One answer, and what the host reads ahead.
    target.assert_grown_at_most(CLIENTS as u64 * MIB);
    drop(streams);
    target.assert_unharmed(0).await;
}
