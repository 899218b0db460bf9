//! A client with one keep-alive connection that sees in how many reads a response arrives. It uses
//! little CPU, because it shares the machine with the service that it measures.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Time limit of a response.
const LIMIT: Duration = Duration::from_secs(20);

/// Size of one read. A response that fits and was sent in one write arrives in one read.
const READ_BYTES: usize = 65_536;

/// A connection to the service, opened on first use, and again after a failure or a response that
/// closes it.
pub struct KeepAlive {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// The whole last response.
    buffer: Vec<u8>,
    /// Start of its body.
    body_start: usize,
    /// End of its body.
    end: usize,
}

/// The measurement of one request and its response.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The status code of the response.
    pub status: u16,
    /// From the first byte sent to the last one received.
    pub duration: Duration,
    /// From the first byte sent to the first one received.
    pub first_byte: Duration,
    /// True if the head arrived without its body.
    pub is_split: bool,
}

/// The head of a response.
struct Head {
    status: u16,
    /// Length in bytes, with the empty line.
    len: usize,
    content_length: Option<usize>,
    closes: bool,
}

impl KeepAlive {
    /// A client of the service at this address.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: vec![0; READ_BYTES], body_start: 0, end: 0 }
    }

    /// True if the next request uses the connection of the last one.
    pub fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Sends the beginning of a request; [`KeepAlive::exchange`] sends its end.
    pub fn begin(&mut self, request: &[u8]) -> io::Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        stream.write_all(request)?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Sends a request, or the end of one, in one write and reads its response.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Exchange> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        let started = Instant::now();
        // The service may reject a request before it has read all of it: the response counts.
        let sent = stream.write_all(request);
        let is_head = request.starts_with(b"HEAD ");
        let (head, first_byte, is_split) = match self.receive(&mut stream, is_head, started) {
            Ok(received) => received,
            Err(err) => return Err(sent.err().unwrap_or(err)),
        };
        let duration = started.elapsed();
        if !head.closes && sent.is_ok() {
            self.stream = Some(stream);
        }
        Ok(Exchange { status: head.status, duration, first_byte, is_split })
    }

    /// A header of the last response.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(&self.buffer[..self.body_start]).ok()?;
        header(head, name)
    }

    /// The body of the last response.
    pub fn body(&self) -> &[u8] {
        &self.buffer[self.body_start..self.end]
    }

    /// The head, the time from `started` to its first byte, and whether it came without its body.
    fn receive(
        &mut self,
        stream: &mut TcpStream,
        is_head: bool,
        started: Instant,
    ) -> io::Result<(Head, Duration, bool)> {
        let mut filled = 0;
        let mut reads = 0_u32;
        let mut head_came_alone = false;
        let mut first_byte = None;
        let (head, first_byte) = loop {
            filled += self.read(stream, filled)?;
            let first_byte = *first_byte.get_or_insert_with(|| started.elapsed());
            reads += 1;
            if let Some(head) = Head::parse(&self.buffer[..filled])? {
                break (head, first_byte);
            }
        };
        let body_len = head.body_len(is_head)?;
        let end = head.len + body_len;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        if body_len > 0 && filled == head.len {
            head_came_alone = true;
        }
        while filled < end {
            filled += self.read(stream, filled)?;
            reads += 1;
        }
        if filled > end {
            return Err(invalid("more bytes than the answer should have"));
        }
        (self.body_start, self.end) = (head.len, end);
        Ok((head, first_byte, head_came_alone || (reads > 1 && end <= READ_BYTES / 2)))
    }

    fn read(&mut self, stream: &mut TcpStream, filled: usize) -> io::Result<usize> {
        if filled == self.buffer.len() {
            return Err(invalid("the head does not end"));
        }
        match stream.read(&mut self.buffer[filled..])? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

impl Head {
    /// `None` until its end has arrived.
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes[..end + 4]).map_err(|_| invalid("odd head"))?;
        let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        Ok(Some(Self {
            status: status.ok_or_else(|| invalid("not an answer of HTTP/1.1"))?,
            len: end + 4,
            content_length: header(text, "content-length").and_then(|value| value.parse().ok()),
            closes: header(text, "connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close")),
        }))
    }

    fn body_len(&self, is_head: bool) -> io::Result<usize> {
        if is_head || matches!(self.status, 204 | 304) {
            return Ok(0);
        }
        self.content_length.ok_or_else(|| invalid("no Content-Length"))
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::KeepAlive;

    /// A client of a server that answers one request with these writes, some time apart.
    fn client_of(writes: &'static [&'static str]) -> KeepAlive {
        let listener = TcpListener::bind("127.0.0.1:0").expect("find a free port");
        let address = listener.local_addr().expect("the address of a listener");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accept the client");
            stream.set_nodelay(true).expect("set an option");
            let _ = stream.read(&mut [0; 1_024]).expect("read the request");
            for part in writes {
                stream.write_all(part.as_bytes()).expect("write a part");
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        KeepAlive::new(address)
    }

    #[test]
    fn an_answer_is_split_when_its_body_comes_after_its_head() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        let cases: [(&str, &'static [&'static str], bool); 4] = [
            ("whole", &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"], false),
            ("split", &[HEAD, "ok"], true),
            ("last byte late", &["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", "k"], true),
            ("without a body", &["HTTP/1.1 204 No Content\r\n\r\n"], false),
        ];
        for (label, writes, is_split) in cases {
            let mut client = client_of(writes);
            let exchange = client.exchange(b"GET / HTTP/1.1\r\n\r\n").expect(label);
            assert_eq!(exchange.is_split, is_split, "{label}");
            assert!(client.is_connected(), "{label}");
        }
    }

    #[test]
    fn head_has_no_body_and_close_ends_the_connection() {
        let mut client = client_of(&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]);
        client.exchange(b"HEAD / HTTP/1.1\r\n\r\n").expect("an answer");
        assert_eq!((client.body(), client.header("content-length")), (&b""[..], Some("2")));

        let answer: &'static [&'static str] =
            &["HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"];
        let mut client = client_of(answer);
        let exchange = client.exchange(b"GET / HTTP/1.1\r\n\r\n").expect("an answer");
        assert_eq!(exchange.status, 408);
        assert!(!client.is_connected());
    }
}
