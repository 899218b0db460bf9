//! Connections on which nothing happens, and some on which next to nothing does.

use futures::StreamExt;
use futures::stream;
use tests::raise_open_files;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::target::Target;

/// Connections in the gate, and in the long form.
const FEW: usize = 2_000;
const MANY: usize = 10_000;

/// Bytes of memory for a connection on which nothing has been sent, or a little.
const CONNECTION_BYTES: u64 = 48 << 10;

/// Files that the service, its database and the test need besides.
const OTHER_FILES: u64 = 1_000;

/// Opens so many at once: a listener's queue has an end.
const AT_ONCE: usize = 100;

/// How many to open: where the service runs in this process, it has both ends of each.
fn count(target: &Target) -> usize {
    let wanted = if std::env::var_os("TASKIE_LONG").is_some() { MANY } else { FEW };
    let ends = if target.app.process_group().is_some() { 1 } else { 2 };
    let files = raise_open_files().saturating_sub(OTHER_FILES) / ends;
    let possible = usize::try_from(files).unwrap_or(MANY);
    assert!(
        possible >= FEW,
        "only {possible} connections: raise the limit of open files (`ulimit -Hn`)"
    );
    wanted.min(possible)
}

/// Connections on which the service was sent some of these beginnings.
async fn open(target: &Target, count: usize, beginnings: &[&[u8]]) -> Vec<TcpStream> {
    let address = target.app.address();
    let opened = stream::iter(0..count).map(async |number| {
        let mut stream = TcpStream::connect(address).await.expect("connect to the service");
        let beginning = beginnings[number % beginnings.len()];
        stream.write_all(beginning).await.expect("send a beginning");
        stream
    });
    opened.buffer_unordered(AT_ONCE).collect().await
}

#[tokio::test]
async fn thousands_of_connections_that_do_nothing_stop_nobody() {
    let target = Target::start().await;
    let count = count(&target);
    let beginnings: [&[u8]; 6] = [
        b"",
        b"GET /health HTTP/1.1\r\nHost: x\r\nA",
        b"GET",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    let streams = target.under(open(&target, count, &beginnings)).await;
    target.assert_grown_at_most(count as u64 * CONNECTION_BYTES);
    target.assert_unharmed(0).await;
    drop(streams);
    // Again: what the first ones took is free.
    let streams = target.under(open(&target, count, &beginnings)).await;
    target.assert_grown_at_most(count as u64 * CONNECTION_BYTES);
    drop(streams);
    target.assert_unharmed(0).await;
}
