//! Clients that close their half of a connection: before, in the middle of, and after a request.

use futures::future::join_all;
use tests::{RawResponse, raw_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use crate::target::Target;

/// Time limit for the service to hang up.
const LIMIT: Duration = Duration::from_secs(20);

/// Clients of each kind, at once.
const CLIENTS: usize = 60;

/// Everything that the service sends after its client has closed its half.
async fn half_close(target: &Target, bytes: &[u8]) -> RawResponse {
    let mut stream = TcpStream::connect(target.app.address()).await.expect("connect");
    stream.write_all(bytes).await.expect("send");
    stream.shutdown().await.expect("close one half");
    let mut received = Vec::new();
    let read = timeout(LIMIT, stream.read_to_end(&mut received)).await;
    // A reset is an end, too.
    let _ = read.expect("the service hangs up");
    RawResponse { text: String::from_utf8_lossy(&received).into_owned() }
}

/// A client that has half closed is taken for one that has gone: the host may answer, or hang up. What it has asked for
/// may have happened.
#[tokio::test]
async fn a_half_closed_connection_ends_whatever_its_client_has_sent() {
    let target = Target::start().await;
    let (token, json) = (target.alice.authorization(), "Content-Type: application/json");
    let tasks = target.alice.path("/tasks");
    let create = raw_request("POST", &tasks, &[&token, json], r#"{"title":"x"}"#);
    let chunked = raw_request("POST", &tasks, &[&token, json, "Transfer-Encoding: chunked"], "");
    let list = raw_request("GET", &tasks, &[&token], "");
    let attack = async {
        for (label, bytes) in [
            ("nothing", Vec::new()),
            ("an empty line", b"\r\n".to_vec()),
            ("half a method", b"GE".to_vec()),
            ("half a head", list[..list.len() - 3].to_vec()),
            ("a whole request", list.clone()),
            ("two requests", list.repeat(2)),
            ("half a body", create[..create.len() - 3].to_vec()),
            ("half a chunk", [&chunked[..], b"d\r\n{\"tit"].concat()),
            ("no last chunk", [&chunked[..], b"d\r\n{\"title\":\"x\"}\r\n"].concat()),
            ("a request and half a request", [&list[..], &list[..20]].concat()),
            ("half the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\n".to_vec()),
            ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
            ("half a frame", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04".to_vec()),
        ] {
            let clients = (0..CLIENTS).map(|_| half_close(&target, &bytes));
            for answer in join_all(clients).await {
                // What follows the preface is not text.
                if label.contains("HTTP/2") || label.contains("frame") {
                    continue;
                }
                for one in answer.responses() {
                    assert!(one.status().is_some_and(|status| status < 500), "{label}: {one:?}");
                }
            }
        }
    };
    target.under(attack).await;
    target.assert_unharmed(0).await;
    target.assert_grown_at_most(0);
}
