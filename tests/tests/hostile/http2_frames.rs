//! Frames that break a rule of RFC 9113: each ends its stream or its connection with the error that the RFC names, or
//! is answered, and no other client notices.

use tests::{Flags, Frame, FrameKind, Http2, field_block};

use crate::target::Target;

/// What becomes of a case's first stream.
#[derive(Debug, PartialEq)]
enum Outcome {
    Answer(Option<u16>),
    /// With its code.
    StreamError(u32),
    /// With its code; or none, where the connection just ended.
    ConnectionError(Option<u32>),
}

async fn outcome(target: &Target, frames: &[Frame]) -> Outcome {
    let mut connection = Http2::connect(target.app.address()).await;
    // It fails where the service hangs up before it has read everything.
    let _ = connection.send(frames).await;
    let telling = [FrameKind::Headers, FrameKind::RstStream, FrameKind::GoAway];
    match connection.next_that(|frame| telling.contains(&frame.kind)).await {
        Some(frame) if frame.kind == FrameKind::Headers => Outcome::Answer(frame.status()),
        Some(frame) if frame.kind == FrameKind::RstStream => {
            Outcome::StreamError(frame.error_code().expect("a code"))
        }
        Some(frame) => Outcome::ConnectionError(frame.error_code()),
        None => Outcome::ConnectionError(None),
    }
}

/// A request with some fields besides.
fn fields(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let usual = [(":method", method), (":scheme", "http"), (":authority", "x"), (":path", path)];
    field_block(&[&usual[..], more].concat())
}

/// A table of frames, each of which breaks a rule.
fn broken_rules(target: &Target) -> Vec<(&'static str, Vec<Frame>)> {
    let get = || fields("GET", "/health", &[]);
    let with = |more: &[(&str, &str)]| vec![Frame::request(1, &fields("GET", "/health", more))];
    let create = |length: &str| {
        let token = format!("Bearer {}", target.alice.token);
        let more = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
            ("content-length", length),
        ];
        Frame::head(1, &fields("POST", &target.alice.path("/tasks"), &more))
    };
    let data = |stream, bytes: &[u8]| Frame::new(FrameKind::Data, Flags::END_STREAM, stream, bytes);
    let long = "b".repeat(9_000);
    vec![
        ("a name in upper case", with(&[("Abc", "b")])),
        ("a transfer coding", with(&[("transfer-encoding", "chunked")])),
        ("a header of connections", with(&[("connection", "close")])),
        ("an upgrade", with(&[("upgrade", "websocket")])),
        ("a line break in a value", with(&[("a", "b\r\nc: d")])),
        ("a line break in a name", with(&[("a\r\nb", "c")])),
        ("a zero in a value", with(&[("a", "b\0c")])),
        ("a second path", with(&[(":path", "/x")])),
        ("an unknown pseudo header", with(&[(":foo", "x")])),
        ("another host", with(&[("host", "other")])),
        (
            "more fields than are taken",
            vec![
                Frame::new(
                    FrameKind::Headers,
                    Flags::END_STREAM,
                    1,
                    fields("GET", "/health", &[("a", &long)]),
                ),
                Frame::new(
                    FrameKind::Continuation,
                    Flags::END_HEADERS,
                    1,
                    field_block(&[("b", &long)]),
                ),
            ],
        ),
        (
            "no path",
            vec![Frame::request(1, &field_block(&[(":method", "GET"), (":scheme", "http")]))],
        ),
        ("a path without a slash", vec![Frame::request(1, &fields("GET", "health", &[]))]),
        ("a line break in the path", vec![Frame::request(1, &fields("GET", "/a\r\nb", &[]))]),
        ("a space in the method", vec![Frame::request(1, &fields("GET /x", "/health", &[]))]),
        ("a body shorter than it says", vec![create("50"), data(1, b"{\"title\":\"x\"}")]),
        ("a body longer than it says", vec![create("5"), data(1, b"{\"title\":\"x\"}")]),
        ("a length that is none", vec![create("x"), data(1, b"{\"title\":\"x\"}")]),
        ("data before a request", vec![data(5, b"x")]),
        ("a stream of the server", vec![Frame::request(2, &get())]),
        ("a frame of 20,000 bytes", vec![Frame::new(FrameKind::Data, 0, 1, vec![0; 20_000])]),
        ("a promise", vec![Frame::new(FrameKind::PushPromise, 4, 1, get())]),
        ("no setting at all", vec![Frame::new(FrameKind::Settings, 0, 0, *b"123")]),
        ("settings of a stream", vec![Frame::new(FrameKind::Settings, 0, 1, [])]),
        ("a window beyond 31 bits", vec![Frame::setting(4, u32::MAX)]),
        ("frames of one byte", vec![Frame::setting(5, 1)]),
        ("a window that grows by nothing", vec![Frame::new(FrameKind::WindowUpdate, 0, 0, [0; 4])]),
        (
            "a window that overflows",
            vec![Frame::new(FrameKind::WindowUpdate, 0, 0, [0x7f, 255, 255, 255])],
        ),
        ("a ping of three bytes", vec![Frame::new(FrameKind::Ping, 0, 0, *b"abc")]),
        ("a reset of nothing", vec![Frame::reset(7)]),
        ("fields that continue nothing", vec![Frame::new(FrameKind::Continuation, 4, 1, get())]),
        (
            "another frame within fields",
            vec![
                Frame::new(FrameKind::Headers, Flags::NONE, 1, get()),
                Frame::new(FrameKind::Ping, 0, 0, [0; 8]),
            ],
        ),
        (
            "more padding than payload",
            vec![Frame::new(FrameKind::Data, Flags::PADDED, 1, [200, 0])],
        ),
        ("no valid table of fields", vec![Frame::request(1, &[0xff; 40])]),
        ("a field out of no table", vec![Frame::request(1, &[0xbe])]),
        ("fields that grow", vec![Frame::request(1, &bomb(&get()))]),
        ("streams backwards", vec![Frame::reset(5), Frame::request(3, &get())]),
    ]
}

#[tokio::test]
async fn a_broken_rule_ends_a_stream_or_a_connection() {
    const REFUSED: [u16; 2] = [400, 431];
    let target = Target::start().await;
    let attack = async {
        for (label, frames) in broken_rules(&target) {
            let outcome = outcome(&target, &frames).await;
            let is_refused = match outcome {
                Outcome::Answer(Some(status)) => REFUSED.contains(&status),
                Outcome::Answer(None) => false,
                // Not an internal error (2): but for requests that Spin itself refuses without an answer.
                Outcome::StreamError(2) => ["another host", "no path"].contains(&label),
                Outcome::StreamError(_) | Outcome::ConnectionError(_) => true,
            };
            assert!(is_refused, "{label}: {outcome:?}");
        }
    };
    target.under(attack).await;
    target.assert_unharmed(0).await;
    target.assert_grown_at_most(0);
}

/// One long field in the table, named ten thousand times.
fn bomb(fields: &[u8]) -> Vec<u8> {
    let mut block = fields.to_vec();
    block.extend([0x40, 1, b'a', 127, 0xa1, 0x1e]);
    block.extend([b'b'; 4_000]);
    block.extend([0xbe; 10_000]);
    block
}

#[tokio::test]
async fn unusual_but_good_frames_are_served() {
    let target = Target::start().await;
    let token = format!("Bearer {}", target.alice.token);
    let more = [("authorization", token.as_str()), ("content-type", "application/json")];
    let block = fields("POST", &target.alice.path("/tasks"), &more);
    let (body, end) = (br#"{"title":"x"}"#, Flags::END_STREAM);
    let padded = [&[9][..], body, &[0; 9]].concat();
    let pieces = |bytes: &[u8]| -> Vec<Frame> {
        bytes.iter().map(|byte| Frame::new(FrameKind::Data, 0, 1, [*byte])).collect()
    };
    let cases = [
        (
            "padded",
            vec![
                Frame::head(1, &block),
                Frame::new(FrameKind::Data, end | Flags::PADDED, 1, padded),
            ],
        ),
        (
            "one byte at a time",
            [
                vec![Frame::head(1, &block)],
                pieces(body),
                vec![Frame::new(FrameKind::Data, end, 1, [])],
            ]
            .concat(),
        ),
        (
            "trailers",
            vec![
                Frame::head(1, &block),
                Frame::new(FrameKind::Data, 0, 1, *body),
                Frame::new(
                    FrameKind::Headers,
                    Flags::END_HEADERS | end,
                    1,
                    field_block(&[("a", "b")]),
                ),
            ],
        ),
        (
            "fields in two frames",
            vec![
                Frame::new(FrameKind::Headers, Flags::NONE, 1, &block[..20]),
                Frame::new(FrameKind::Continuation, Flags::END_HEADERS, 1, &block[20..]),
                Frame::new(FrameKind::Data, end, 1, *body),
            ],
        ),
        (
            "an unknown frame before",
            vec![
                Frame::new(FrameKind::Unknown, 0, 0, *b"what"),
                Frame::head(1, &block),
                Frame::new(FrameKind::Data, end, 1, *body),
            ],
        ),
        (
            "the largest table",
            vec![
                Frame::setting(1, u32::MAX),
                Frame::head(1, &block),
                Frame::new(FrameKind::Data, end, 1, *body),
            ],
        ),
    ];
    let created = cases.len();
    let attack = async {
        for (label, frames) in cases {
            let outcome = outcome(&target, &frames).await;
            assert_eq!(outcome, Outcome::Answer(Some(201)), "{label}");
        }
    };
    target.under(attack).await;
    target.assert_unharmed(created).await;
}
