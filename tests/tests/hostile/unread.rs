//! Responses that their clients do not read: the service gives them up, and has their memory for others again.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use tests::{App, Flags, Frame, FrameKind, Http2, User, field_block, raw_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::target::{MIB, Target};

/// Pages that are not read, of one megabyte each.
const PAGES: u32 = 150;

/// More tasks than a page of one megabyte has.
const LIMIT: usize = 1_000;

/// Pages that are asked for on one connection of HTTP/1: more than the buffers of its two sockets can take.
const PIPELINED: usize = 16;

/// Tasks that are asked for before them, one connection for each: a third of a page more. The sockets are full at the
/// same byte, and on one connection at most the host's buffers can have the rest of a page then: no instance waits for
/// that client.
const BEFORE: [usize; 3] = [1, 67, 133];

/// The window of HTTP/2, without a setting: of a stream, and of a connection.
const WINDOW: u32 = 65_535;

/// Time between two windows. With it, a page takes longer than the service waits for a client that does not read,
/// and less than the host's limit of a request.
const PAUSE: Duration = Duration::from_millis(2_500);

const INITIAL_WINDOW_SIZE: u16 = 4;

/// A page of one megabyte.
struct Page {
    user: User,
    length: usize,
}

impl Page {
    async fn create(app: &App) -> Self {
        let user = app.user("lister").await;
        let statement = "
            insert into tasks (user_id, title, description)
            select $1, 'long', repeat('x', 5000) from generate_series(1, 300)";
        app.client().await.execute(statement, &[&user.id]).await.expect("add tasks");
        let page = user.get(&format!("/tasks?limit={LIMIT}")).await;
        page.good(200);
        Self { user, length: page.body.len() }
    }

    fn path(&self, limit: usize) -> String {
        self.user.path(&format!("/tasks?limit={limit}"))
    }

    /// Requests over HTTP/1: for so many tasks, and then for the page, again and again.
    fn requests(&self, before: usize) -> Vec<u8> {
        let request = |limit, connection| {
            raw_request("GET", &self.path(limit), &[&self.user.authorization(), connection], "")
        };
        let mut requests = vec![request(before, "Connection: keep-alive")];
        requests.resize(PIPELINED, request(LIMIT, "Connection: keep-alive"));
        requests.push(request(LIMIT, "Connection: close"));
        requests.concat()
    }

    /// A request for it over HTTP/2.
    fn fields(&self) -> Vec<u8> {
        field_block(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "x"),
            (":path", &self.path(LIMIT)),
            ("authorization", &format!("Bearer {}", self.user.token)),
        ])
    }
}

/// Requests the page on so many streams of a connection with a window of nothing. All are answered, as far as their
/// heads.
async fn ask_and_do_not_read(app: &App, page: &Page, pages: u32) -> Http2 {
    let fields = page.fields();
    let mut connection = Http2::connect(app.address()).await;
    let mut frames = vec![Frame::setting(INITIAL_WINDOW_SIZE, 0)];
    frames.extend(streams(pages).map(|stream| Frame::request(stream, &fields)));
    connection.send(&frames).await.expect("the requests");
    for _ in 0..pages {
        let head = connection.next_that(|frame| frame.kind == FrameKind::Headers).await;
        assert!(head.is_some(), "the connection ended");
    }
    connection
}

fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

/// Asks for pages over HTTP/1, and does not read them.
async fn pipeline(app: &App, page: &Page, before: usize) -> TcpStream {
    let mut connection = TcpStream::connect(app.address()).await.expect("connect");
    connection.write_all(&page.requests(before)).await.expect("ask for pages");
    connection
}

/// True if the service ends the connection in the middle of a page.
async fn is_given_up(mut connection: TcpStream, page: &Page) -> bool {
    let mut received = Vec::new();
    // A reset is an end, too.
    let _ = connection.read_to_end(&mut received).await;
    received.len() < PIPELINED * page.length
}

/// Lets the service send so many more bytes on the stream.
async fn open_window(connection: &mut Http2, stream: u32, bytes: u32) {
    let update =
        |stream| Frame::new(FrameKind::WindowUpdate, Flags::NONE, stream, bytes.to_be_bytes());
    connection.send(&[update(stream), update(0)]).await.expect("open the windows");
}

/// Reads all streams, one after the other: with a pause before each until one is given up, and then to their ends.
async fn read_after_one_is_given_up(connection: &mut Http2) {
    let mut ended = HashSet::new();
    let mut is_given_up = false;
    for stream in streams(PAGES) {
        if !is_given_up {
            sleep(PAUSE).await;
        }
        open_window(connection, stream, 2 * (1 << 20)).await;
        while !ended.contains(&stream) {
            let frame = connection.next().await.expect("the connection goes on");
            let is_reset = frame.kind == FrameKind::RstStream;
            if is_reset || (frame.kind == FrameKind::Data && frame.flags & Flags::END_STREAM != 0) {
                ended.insert(frame.stream);
                is_given_up |= is_reset;
            }
        }
    }
    assert!(is_given_up, "all {PAGES} pages are complete");
}

/// Reads a page in small parts, each within the service's limit, but not the whole page. It is complete.
async fn read_slowly(app: &App, page: &Page) {
    let mut connection = Http2::connect(app.address()).await;
    connection.send(&[Frame::request(1, &page.fields())]).await.expect("the request");
    let (mut length, mut window) = (0, WINDOW as usize);
    loop {
        let frame = connection.next_that(|frame| frame.stream == 1).await;
        let frame = frame.expect("the connection goes on");
        assert_ne!(frame.kind, FrameKind::RstStream, "given up after {length} bytes");
        if frame.kind == FrameKind::Data {
            length += frame.payload.len();
            if frame.flags & Flags::END_STREAM != 0 {
                break;
            }
        }
        if length == window {
            sleep(PAUSE).await;
            open_window(&mut connection, 1, WINDOW).await;
            window += WINDOW as usize;
        }
    }
    assert_eq!(length, page.length);
}

#[tokio::test]
async fn pages_that_nobody_reads_are_given_up() {
    let target = Target::start().await;
    let app = &target.app;
    let page = Page::create(app).await;
    let over_http1 = join_all(BEFORE.map(|before| pipeline(app, &page, before))).await;

    let idle_bytes = app.resident_bytes();
    let attack = async {
        let mut first = ask_and_do_not_read(app, &page, PAGES).await;
        let first_bytes = app.resident_bytes();
        tokio::join!(read_after_one_is_given_up(&mut first), read_slowly(app, &page));
        let second = ask_and_do_not_read(app, &page, PAGES).await;
        (first, second, first_bytes, app.resident_bytes())
    };
    let (_first, _second, first_bytes, second_bytes) = target.under(attack).await;
    let taken = first_bytes.saturating_sub(idle_bytes) / MIB;
    let grown = second_bytes.saturating_sub(first_bytes) / MIB;
    assert!(grown < taken / 3, "{grown} MiB for as many pages again, the first ones took {taken}");

    let read = over_http1.into_iter().map(|connection| is_given_up(connection, &page));
    let given_up = target.under(join_all(read)).await;
    let whole = given_up.iter().filter(|given_up| !**given_up).count();
    assert!(whole <= 1, "given up: {given_up:?}");
    target.assert_unharmed(0).await;
}

#[tokio::test]
async fn pages_that_nobody_reads_take_memory_in_proportion() {
    /// In the instance and on its way.
    const PAGE: u64 = 4 * MIB;
    let target = Target::start().await;
    let page = Page::create(&target.app).await;
    let connection = target.under(ask_and_do_not_read(&target.app, &page, PAGES)).await;
    target.assert_grown_at_most(u64::from(PAGES) * PAGE);
    // Each instance has its share of them: on the smallest host it has 128 MiB.
    if let Some(instances) = target.app.instances() {
        assert!(instances >= 4, "{instances} instances");
    }
    target.assert_unharmed(0).await;
    drop(connection);
}
