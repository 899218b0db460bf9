//! Bodies of HTTP/1: chunks, and two lengths that contradict each other. Behind each body is another request: it is
//! answered where the body ended where its sender says, and nobody else's idea of the end may let it through.

use tests::{RawResponse, raw_request};

use crate::target::Target;

const BODY: &str = r#"{"title":"x"}"#;
const CHUNKED: &str = "Transfer-Encoding: chunked";
const NEXT: &str = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// The expected answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    /// The task is created, and the next request answered.
    Both,
    /// The task is created. The connection may be closed then, or the next request answered.
    First,
    /// One answer of 4xx, and the end of the connection.
    Refused,
    /// No answer to anything: the end of the connection, or 4xx.
    Nothing,
}
use Expected::{Both, First, Nothing, Refused};

/// The body as one chunk, whose line is this.
fn chunk(line: &str) -> String {
    format!("{line}\r\n{BODY}\r\n0\r\n\r\n")
}

/// The body and its trailers.
fn with_trailers(trailers: &str) -> String {
    format!("d\r\n{BODY}\r\n0\r\n{trailers}\r\n")
}

/// Sends each body with these headers and checks the answers.
async fn check(cases: &[(&str, &[&str], String, Expected)]) {
    let target = Target::start().await;
    let created = target.under(send_all(&target, cases)).await;
    target.assert_unharmed(created).await;
    target.assert_grown_at_most(0);
}

/// Returns how many tasks were created.
async fn send_all(target: &Target, cases: &[(&str, &[&str], String, Expected)]) -> usize {
    let authorization = target.alice.authorization();
    let mut created = 0;
    for (label, headers, body, expected) in cases {
        let headers = [&[&authorization, "Content-Type: application/json"][..], headers].concat();
        let mut bytes = raw_request("POST", &target.alice.path("/tasks"), &headers, "");
        bytes.extend(body.as_bytes());
        bytes.extend(NEXT.as_bytes());
        let answer = target.app.send_raw(bytes).await;
        let statuses: Vec<u16> =
            answer.responses().iter().filter_map(RawResponse::status).collect();
        let is_expected = match (expected, statuses.as_slice()) {
            (Both | First, [201, 200]) | (First, [201]) | (Nothing, []) => true,
            (Refused | Nothing, [status]) => (400..500).contains(status),
            _ => false,
        };
        assert!(is_expected, "{label}: {expected:?}, not {statuses:?}");
        created += usize::from(statuses.first() == Some(&201));
    }
    created
}

#[tokio::test]
async fn a_body_in_odd_chunks_is_read_as_it_was_sent_or_refused() {
    let letters = BODY.chars().map(|letter| format!("1;a=b\r\n{letter}\r\n"));
    let letters = letters.chain(["0\r\n\r\n".to_owned()]).collect::<Vec<_>>().concat();
    let of = |line: &str| chunk(line);
    let cases: Vec<(&str, &[&str], String, Expected)> = vec![
        ("plain", &[CHUNKED], of("d"), Both),
        ("upper case", &[CHUNKED], of("D"), Both),
        ("zeros before the size", &[CHUNKED], of("0000d"), Both),
        ("extensions", &[CHUNKED], of("d;a=b;c=\"d\""), Both),
        ("an extension for each letter", &[CHUNKED], letters, Both),
        ("trailers", &[CHUNKED], with_trailers("A: b\r\nContent-Length: 5\r\n"), Both),
        (
            "a trailer that would be a header",
            &[CHUNKED],
            with_trailers("Authorization: x\r\n"),
            Both,
        ),
        ("a long extension", &[CHUNKED], of(&format!("d;{}", "a".repeat(20_000))), Refused),
        (
            "many long extensions",
            &[CHUNKED],
            format!("1;{}\r\n \r\n", "a".repeat(200)).repeat(200),
            Refused,
        ),
        ("not hexadecimal", &[CHUNKED], of("g"), Refused),
        ("no size", &[CHUNKED], of(""), Refused),
        ("a sign", &[CHUNKED], of("+d"), Refused),
        ("negative", &[CHUNKED], of("-1"), Refused),
        ("a prefix", &[CHUNKED], of("0xd"), Refused),
        ("a space before", &[CHUNKED], of(" d"), Refused),
        ("beyond 64 bits", &[CHUNKED], of("1000000000000000d"), Refused),
        ("a line feed only", &[CHUNKED], format!("d\n{BODY}\n0\n\n"), Refused),
        ("a line feed in an extension", &[CHUNKED], of("d;a\nb"), Refused),
        ("longer than it says", &[CHUNKED], of("c"), Refused),
        ("shorter than it says", &[CHUNKED], of("e"), Refused),
        ("no line end after it", &[CHUNKED], format!("d\r\n{BODY}0\r\n\r\n"), Refused),
        ("a trailer without a colon", &[CHUNKED], with_trailers("A b\r\n"), Refused),
        ("many trailers", &[CHUNKED], with_trailers(&"A: b\r\n".repeat(2_000)), Refused),
        (
            "a long trailer",
            &[CHUNKED],
            with_trailers(&format!("A: {}\r\n", "b".repeat(100_000))),
            Refused,
        ),
    ];
    check(&cases).await;
}

#[tokio::test]
async fn a_body_has_one_length() {
    let chunked = chunk("d");
    let plain = BODY.to_owned();
    let cases: Vec<(&str, &[&str], String, Expected)> = vec![
        // `Transfer-Encoding` counts (RFC 9112, section 6.3), and the connection should end.
        ("both, right", &["Content-Length: 13", CHUNKED], chunked.clone(), First),
        ("both, short", &[CHUNKED, "Content-Length: 4"], chunked.clone(), First),
        ("both, as long as all of it", &["Content-Length: 80", CHUNKED], chunked.clone(), First),
        ("both, no number", &["Content-Length: x", CHUNKED], chunked.clone(), Refused),
        ("in upper case", &["TRANSFER-ENCODING: CHUNKED"], chunked.clone(), Both),
        ("a tab before", &["Transfer-Encoding:\tchunked"], chunked.clone(), Both),
        (
            "not the last coding",
            &["Transfer-Encoding: chunked, identity"],
            chunked.clone(),
            Refused,
        ),
        ("another coding", &["Transfer-Encoding: identity"], chunked.clone(), Refused),
        ("like it", &["Transfer-Encoding: xchunked"], chunked.clone(), Refused),
        ("with a parameter", &["Transfer-Encoding: chunked;q=1"], chunked.clone(), Refused),
        ("in quotes", &["Transfer-Encoding: \"chunked\""], chunked.clone(), Refused),
        ("a control character", &["Transfer-Encoding: chunked\u{b}"], chunked.clone(), Refused),
        ("empty", &["Transfer-Encoding:"], chunked.clone(), Refused),
        (
            "twice, the last one another",
            &[CHUNKED, "Transfer-Encoding: identity"],
            chunked.clone(),
            Refused,
        ),
        ("folded", &["Transfer-Encoding:\r\n chunked"], chunked.clone(), Refused),
        ("a space before the colon", &["Transfer-Encoding : chunked"], chunked.clone(), Refused),
        ("a line feed for a line end", &["A: b\nTransfer-Encoding: chunked\n"], chunked, Nothing),
        ("a length", &["Content-Length: 13"], plain.clone(), Both),
        (
            "the same length twice",
            &["Content-Length: 13", "Content-Length: 13"],
            plain.clone(),
            Both,
        ),
        ("two lengths", &["Content-Length: 13", "Content-Length: 14"], plain.clone(), Refused),
        ("a list of lengths", &["Content-Length: 13, 13"], plain.clone(), Refused),
        ("a sign", &["Content-Length: +13"], plain.clone(), Refused),
        ("hexadecimal", &["Content-Length: 0xd"], plain.clone(), Refused),
        ("empty length", &["Content-Length:"], plain.clone(), Refused),
        ("negative", &["Content-Length: -13"], plain.clone(), Refused),
        ("beyond 64 bits", &["Content-Length: 184467440737095516150"], plain.clone(), Refused),
        (
            "the most that 64 bits hold",
            &["Content-Length: 18446744073709551615"],
            plain.clone(),
            Refused,
        ),
        ("more than is read", &["Content-Length: 9999999999"], plain, Refused),
    ];
    check(&cases).await;
}
