//! HTTP/2 with much of what costs its client nothing: resets (CVE-2023-44487), fields without an end (CVE-2024-27316),
//! frames that must be acknowledged.

use std::time::Duration;

use tests::{Flags, Frame, FrameKind, Http2, field_block};
use tokio::time::sleep;

use crate::target::{MIB, Target};

/// Streams that a server allows at once: the default of the library that Spin and `local` use.
const STREAMS: u32 = 200;

fn request(stream: u32, target: &Target, path: &str) -> Frame {
    let token = format!("Bearer {}", target.alice.token);
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "x"),
        (":path", path),
        ("authorization", &token),
    ];
    Frame::request(stream, &field_block(&fields))
}

/// The client's streams, which are odd.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

/// Sends frames in pieces, until the service hangs up. The code of its `GOAWAY`, if it does.
async fn flood(target: &Target, frames: &[Frame], rounds: usize) -> Option<u32> {
    let mut connection = Http2::connect(target.app.address()).await;
    for _ in 0..rounds {
        if connection.send(frames).await.is_err() {
            let goodbye = connection.next_that(|frame| frame.kind == FrameKind::GoAway).await;
            return Some(goodbye.and_then(|frame| frame.error_code()).unwrap_or_default());
        }
    }
    None
}

#[tokio::test]
async fn requests_that_are_reset_at_once_end_their_connection() {
    let target = Target::start().await;
    for path in ["/health", &target.alice.path("/tasks")] {
        let frames: Vec<Frame> = streams(20_000)
            .flat_map(|stream| [request(stream, &target, path), Frame::reset(stream)])
            .collect();
        let attack = async {
            let mut connection = Http2::connect(target.app.address()).await;
            for piece in frames.chunks(400) {
                if connection.send(piece).await.is_err() {
                    return true;
                }
            }
            false
        };
        assert!(target.under(attack).await, "{path}: 20,000 resets on one connection");
    }
    target.assert_unharmed(0).await;
    target.assert_grown_at_most(0);
}

/// Each request is accepted before it is reset; the next connection follows when the last one is closed.
#[tokio::test]
async fn requests_that_are_reset_after_a_moment_stop_nobody() {
    const AT_ONCE: u32 = 20;
    let target = Target::start().await;
    let path = target.alice.path("/tasks");
    let attack = async {
        let mut connections = 0;
        let mut resets = 0;
        while resets < 2_000 && connections < 200 {
            let mut connection = Http2::connect(target.app.address()).await;
            connections += 1;
            for first in (1..).step_by(2 * AT_ONCE as usize) {
                let some = || (first..).step_by(2).take(AT_ONCE as usize);
                let requests: Vec<Frame> = some().map(|one| request(one, &target, &path)).collect();
                let ends: Vec<Frame> = some().map(Frame::reset).collect();
                let is_open = connection.send(&requests).await.is_ok();
                // Time to be accepted: this is what the attack is about.
                sleep(Duration::from_millis(2)).await;
                if !is_open || connection.send(&ends).await.is_err() || resets >= 2_000 {
                    break;
                }
                resets += AT_ONCE;
            }
        }
    };
    target.under(attack).await;
    target.assert_unharmed(0).await;
    target.assert_grown_at_most(0);
}

#[tokio::test]
async fn fields_that_never_end_end_their_connection() {
    let target = Target::start().await;
    let block = field_block(&[(":method", "GET"), (":path", "/health"), (":scheme", "http")]);
    let head = Frame::new(FrameKind::Headers, Flags::END_STREAM, 1, block);
    let long = field_block(&[("a", &"b".repeat(16_000))]);
    for (label, payload) in [("long", long), ("empty", Vec::new()), ("a byte", vec![0])] {
        let attack = async {
            let mut connection = Http2::connect(target.app.address()).await;
            connection.send(std::slice::from_ref(&head)).await.expect("the beginning");
            let more = vec![Frame::new(FrameKind::Continuation, Flags::NONE, 1, payload); 100];
            for _ in 0..100 {
                if connection.send(&more).await.is_err() {
                    return true;
                }
            }
            false
        };
        assert!(target.under(attack).await, "{label}: 10,000 continuations");
    }
    target.assert_unharmed(0).await;
    target.assert_grown_at_most(0);
}

#[tokio::test]
async fn floods_of_frames_stop_nobody() {
    const FRAMES: usize = 500;
    let target = Target::start().await;
    let post = field_block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "x"),
        (":path", &target.alice.path("/tasks")),
        ("authorization", &format!("Bearer {}", target.alice.token)),
        ("content-type", "application/json"),
    ]);
    let many = |frame: Frame| vec![frame; FRAMES];
    let body = |frame: Frame| [vec![Frame::head(1, &post)], many(frame)].concat();
    for (label, frames, rounds) in [
        ("settings", many(Frame::setting(3, 100)), 40),
        ("settings of the table", many(Frame::setting(1, 0)), 40),
        ("settings of the window", many(Frame::setting(4, 1)), 40),
        ("pings", many(Frame::new(FrameKind::Ping, 0, 0, *b"12345678")), 40),
        ("acknowledged pings", many(Frame::new(FrameKind::Ping, Flags::ACK, 0, *b"12345678")), 100),
        ("windows", many(Frame::new(FrameKind::WindowUpdate, 0, 0, [0, 0, 0, 1])), 100),
        ("priorities", many(Frame::new(FrameKind::Priority, 0, 1, [0, 0, 0, 0, 1])), 100),
        ("unknown frames", many(Frame::new(FrameKind::Unknown, 0, 0, vec![0; 1_000])), 40),
        ("empty data", body(Frame::new(FrameKind::Data, 0, 1, [])), 1),
        (
            "padding",
            body(Frame::new(FrameKind::Data, Flags::PADDED, 1, [&[255][..], &[0; 255]].concat())),
            1,
        ),
        ("nothing but goodbyes", many(Frame::new(FrameKind::GoAway, 0, 0, [0; 8])), 40),
    ] {
        // Taken, or the end of this connection.
        let _code = target.under(flood(&target, &frames, rounds)).await;
        target.assert_grown_at_most(0);
        assert!(!target.app.log().contains("panicked"), "{label}");
    }
    target.assert_unharmed(0).await;
}

/// A client that sends frames that must be acknowledged, and reads no acknowledgement.
#[tokio::test]
async fn acknowledgements_that_nobody_reads_take_bounded_memory() {
    let target = Target::start().await;
    for frame in [Frame::setting(3, 100), Frame::new(FrameKind::Ping, 0, 0, *b"12345678")] {
        let frames = vec![frame; 300_000];
        let attack = async {
            let mut connection = Http2::connect(target.app.address()).await;
            connection.send_without_reading(&frames, Duration::from_secs(1)).await;
            connection
        };
        let _connection = target.under(attack).await;
        target.assert_grown_at_most(100 * MIB);
    }
    target.assert_unharmed(0).await;
}

#[tokio::test]
async fn more_streams_than_are_allowed_are_refused_one_by_one() {
    let target = Target::start().await;
    let attack = async {
        let mut connection = Http2::connect(target.app.address()).await;
        let frames: Vec<Frame> =
            streams(1_000).map(|stream| request(stream, &target, "/health")).collect();
        connection.send(&frames).await.expect("1,000 requests");
        let (mut answers, mut refused) = (0, 0);
        while answers + refused < 1_000 {
            let ends = [FrameKind::Headers, FrameKind::RstStream];
            let frame = connection.next_that(|frame| ends.contains(&frame.kind)).await;
            match frame.expect("all streams end").kind {
                FrameKind::Headers => answers += 1,
                _ => refused += 1,
            }
        }
        answers
    };
    let answers = target.under(attack).await;
    assert!(answers >= STREAMS, "{answers} of at least {STREAMS}");
    target.assert_unharmed(0).await;
    target.assert_grown_at_most(0);
}
