//! Heads of HTTP/1 that are too large, have too much in them, or never end.

use futures::future::join_all;
use tests::{HTTP1_BUFFER_BYTES, RawResponse};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::target::Target;

/// Clients that keep a head open: so many that Spin's default of 400 KB for each would be too much.
const CLIENTS: usize = 1_000;

fn get(rest: &str) -> String {
    format!("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{rest}\r\n")
}

#[tokio::test]
async fn a_head_is_served_or_refused_by_its_size() {
    let target = Target::start().await;
    let long = |count: usize| "b".repeat(count);
    let attack = async {
        for (label, request, statuses) in [
            ("100 headers", get(&"A: b\r\n".repeat(98)), &[200][..]),
            ("101 headers", get(&"A: b\r\n".repeat(99)), &[431]),
            ("10,000 headers", get(&"A: b\r\n".repeat(10_000)), &[431]),
            ("headers without a value", get(&"A:\r\n".repeat(10_000)), &[431]),
            ("a value of 50,000", get(&format!("A: {}\r\n", long(50_000))), &[200]),
            ("a value of a megabyte", get(&format!("A: {}\r\n", long(1 << 20))), &[431]),
            ("50 values of 7,000", get(&format!("A: {}\r\n", long(7_000)).repeat(50)), &[431]),
            ("a name of 50,000", get(&format!("{}: b\r\n", long(50_000))), &[200]),
            ("a name of 100,000", get(&format!("{}: b\r\n", long(100_000))), &[431]),
            ("a path of 50,000", get("").replace("health", &long(50_000)), &[404]),
            ("a path of 100,000", get("").replace("health", &long(100_000)), &[414, 431]),
            (
                "a query of 50,000",
                get("").replace("health", &format!("health?{}", long(50_000))),
                &[200],
            ),
            ("a method of 20,000", get("").replace("GET", &"A".repeat(20_000)), &[405]),
            (
                "a token of 50,000",
                get(&format!("Authorization: Bearer {}\r\n", long(50_000))),
                &[200],
            ),
            (
                "a token of 50,000 that is read",
                get(&format!("Authorization: Bearer {}\r\n", long(50_000)))
                    .replace("health", "api/a/tasks"),
                &[401, 431],
            ),
            (
                "99 lists of tags",
                get(&"If-Match: \"a\"\r\n".repeat(96)).replace("health", "api/a/tasks"),
                &[401],
            ),
        ] {
            let answer = target.app.send_raw(request).await;
            let answers = answer.responses();
            let found = answers.first().and_then(RawResponse::status);
            assert!(
                answers.len() == 1 && found.is_some_and(|one| statuses.contains(&one)),
                "{label}: {answer:?}"
            );
        }
    };
    target.under(attack).await;
    target.assert_unharmed(0).await;
    target.assert_grown_at_most(0);
}

#[tokio::test]
async fn a_head_that_breaks_the_grammar_is_refused() {
    let target = Target::start().await;
    let attack = async {
        for (label, request) in [
            ("a folded header", get("A: a\r\n b\r\n")),
            ("a carriage return in a value", get("A: a\rb\r\n")),
            ("a zero in a value", get("A: a\0b\r\n")),
            ("a space before a header", get(" A: b\r\n")),
            ("a space in a name", get("A b: c\r\n")),
            ("no name", get(": c\r\n")),
            ("no colon", get("A\r\n")),
            ("another protocol", get("").replace("HTTP/1.1", "http/1.1")),
            ("no host", get("").replace("Host: x\r\n", "")),
            ("a bad host", get("").replace("Host: x", "Host: a b")),
            ("an empty host", get("").replace("Host: x", "Host:")),
            ("another host in the line", get("").replace("/health", "http://y/health")),
            ("two spaces in the line", get("").replace(" /health", "  /health")),
        ] {
            let answer = target.app.send_raw(request).await;
            let statuses: Vec<_> =
                answer.responses().iter().filter_map(RawResponse::status).collect();
            // Nothing at all where the host is not clear, as on Spin.
            assert!(matches!(statuses[..], [] | [400..500]), "{label}: {statuses:?}");
        }
    };
    target.under(attack).await;
    target.assert_unharmed(0).await;
}

/// Each connection keeps as much of a head as the host takes.
#[tokio::test]
async fn heads_that_never_end_take_bounded_memory() {
    let target = Target::start().await;
    let endless = "GET /health HTTP/1.1\r\nHost: x\r\nA: ".to_owned() + &"b".repeat(320_000);
    let open = async {
        let opened = (0..CLIENTS).map(async |_| {
            let mut stream = TcpStream::connect(target.app.address()).await.expect("connect");
            // The service may refuse it and hang up before all of it is there.
            let _ = stream.write_all(&endless.as_bytes()[..HTTP1_BUFFER_BYTES - 100]).await;
            stream
        });
        join_all(opened).await
    };
    let streams = target.under(open).await;
    // Twice as much: a buffer grows by doubling.
    target.assert_grown_at_most((2 * CLIENTS * HTTP1_BUFFER_BYTES) as u64);
    // All in all less than 400 KB, which a host with the default would keep.
    let more = streams.into_iter().map(async |mut stream| {
        let _ = stream.write_all(endless.as_bytes()).await;
        stream
    });
    let streams = target.under(join_all(more)).await;
    target.assert_grown_at_most((2 * CLIENTS * HTTP1_BUFFER_BYTES) as u64);
    drop(streams);
    target.assert_unharmed(0).await;
}
