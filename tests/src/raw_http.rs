//! Raw HTTP: requests that no HTTP library would send.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::response::Response;

/// Time limit for the service to respond or to hang up.
const LIMIT: Duration = Duration::from_secs(20);

/// The bytes of a request. Each header is a whole line without its end.
pub fn raw_request(method: &str, path: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: taskie.example\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if !body.is_empty() {
        let _ = write!(text, "Content-Length: {}\r\n", body.len());
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// A body as one chunk, for a request with `Transfer-Encoding: chunked` (RFC 9112, section 7.1).
pub fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// Everything that the service sent until it closed the connection.
#[derive(Debug)]
pub struct RawResponse {
    /// The bytes as text, with replacement characters where they are not UTF-8.
    pub text: String,
}

impl RawResponse {
    /// The status code; `None` if the service closed the connection without a response.
    pub fn status(&self) -> Option<u16> {
        self.text.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?.parse().ok()
    }

    /// The value of a header of the first response.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Everything after the head of the first response.
    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// The responses, one after the other, each of which must be whole: a status of 1xx, 204 or 304 has no body,
    /// any other one says how long it is. Not for responses to `HEAD`.
    #[track_caller]
    pub fn responses(&self) -> Vec<RawResponse> {
        let mut responses = Vec::new();
        let mut rest = self.text.as_str();
        while !rest.is_empty() {
            let one = RawResponse { text: rest.to_owned() };
            let status = one.status().unwrap_or_else(|| panic!("not a response: {rest}"));
            let head = rest.find("\r\n\r\n").unwrap_or_else(|| panic!("half a head: {rest}")) + 4;
            let length = match status {
                100..=199 | 204 | 304 => 0,
                _ => one
                    .header("content-length")
                    .and_then(|length| length.parse().ok())
                    .unwrap_or_else(|| panic!("a response without its length: {rest}")),
            };
            let whole = rest.get(..head + length).unwrap_or_else(|| panic!("half a body: {rest}"));
            responses.push(RawResponse { text: whole.to_owned() });
            rest = &rest[head + length..];
        }
        responses
    }

    /// The one response, parsed.
    #[track_caller]
    pub fn to_response(&self) -> Response {
        let status = self.status().unwrap_or_else(|| panic!("no response: {self:?}"));
        let (head, _) = self.text.split_once("\r\n\r\n").expect("a response has a head");
        let mut headers = HeaderMap::new();
        for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("the name of a header");
            let value = HeaderValue::from_str(value.trim()).expect("the value of a header");
            headers.append(name, value);
        }
        Response { label: "raw request".to_owned(), status, headers, body: self.body().into() }
    }
}

/// Sends `bytes`, then reads until the service hangs up. A request should say `Connection: close`.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> RawResponse {
    let mut received = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.expect("connect to the service");
        // The service may reject and hang up before it has read everything: the response counts.
        let _ = stream.write_all(bytes).await;
        let mut buffer = vec![0; 8_192];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            received.extend_from_slice(&buffer[..count]);
        }
    };
    let in_time = timeout(LIMIT, exchange).await;
    let text = String::from_utf8_lossy(&received).into_owned();
    assert!(
        in_time.is_ok(),
        "the service neither answered nor hung up within {LIMIT:?}; so far: {text}"
    );
    RawResponse { text }
}

/// Sends `bytes` and hangs up without reading a response.
pub(crate) async fn send_and_hang_up(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).await.expect("connect to the service");
    stream.write_all(bytes).await.expect("send to the service");
    stream.shutdown().await.expect("hang up");
}
