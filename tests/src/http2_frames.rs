//! HTTP/2 as frames (RFC 9113): what no HTTP library would send.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Time limit for a frame, or for the service to take what was sent.
const LIMIT: Duration = Duration::from_secs(20);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame before its payload.
const HEAD_BYTES: usize = 9;

/// The types of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names of RFC 9113, section 6")]
pub enum FrameKind {
    Data = 0,
    Headers = 1,
    Priority = 2,
    RstStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
    Unknown = 10,
}

/// Flags of frames.
#[derive(Clone, Copy, Debug)]
pub struct Flags;

impl Flags {
    /// No flag.
    pub const NONE: u8 = 0;
    /// Acknowledges `SETTINGS` or `PING`.
    pub const ACK: u8 = 1;
    /// The last frame of its stream.
    pub const END_STREAM: u8 = 1;
    /// The last frame of a block of fields.
    pub const END_HEADERS: u8 = 4;
    /// The payload is padded.
    pub const PADDED: u8 = 8;
}

/// A frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its type.
    pub kind: FrameKind,
    /// Its flags: see [`Flags`].
    pub flags: u8,
    /// The stream; 0 is the connection.
    pub stream: u32,
    /// Its content.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Any frame.
    pub fn new(kind: FrameKind, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// A whole request without a body.
    pub fn request(stream: u32, fields: &[u8]) -> Self {
        Self::new(FrameKind::Headers, Flags::END_HEADERS | Flags::END_STREAM, stream, fields)
    }

    /// The head of a request whose body follows.
    pub fn head(stream: u32, fields: &[u8]) -> Self {
        Self::new(FrameKind::Headers, Flags::END_HEADERS, stream, fields)
    }

    /// The end of a stream by its client: `CANCEL`.
    pub fn reset(stream: u32) -> Self {
        Self::new(FrameKind::RstStream, Flags::NONE, stream, 8_u32.to_be_bytes())
    }

    /// One setting (section 6.5.2).
    pub fn setting(name: u16, value: u32) -> Self {
        let payload = [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
        Self::new(FrameKind::Settings, Flags::NONE, 0, payload)
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a length of 24 bits").to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([self.kind as u8, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// The error code of `RST_STREAM` or `GOAWAY`.
    pub fn error_code(&self) -> Option<u32> {
        let at = match self.kind {
            FrameKind::RstStream => 0,
            FrameKind::GoAway => 4,
            _ => return None,
        };
        let code = self.payload.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(code))
    }

    /// The status at the beginning of a response's fields, if it refers to no earlier response.
    pub fn status(&self) -> Option<u16> {
        let mut fields = self.payload.as_slice();
        // A new size of the table of fields.
        if fields.first().is_some_and(|byte| byte >> 5 == 1) {
            let more = usize::from(fields[0] & 31 == 31);
            let length = fields[1..].iter().take_while(|byte| *byte & 128 != 0).count() + 1;
            fields = &fields[1 + more * length..];
        }
        match *fields.first()? {
            indexed @ 0x88..=0x8e => {
                Some([200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)])
            }
            0x08 | 0x18 | 0x48 => {
                let length = usize::from(fields.get(1)? & 127);
                let text = fields.get(2..2 + length)?;
                match fields[1] & 128 {
                    0 => std::str::from_utf8(text).ok()?.parse().ok(),
                    _ => huffman_number(text),
                }
            }
            _ => None,
        }
    }
}

/// Digits in the code of RFC 7541, appendix B: five bits for 0 to 2, six for the others.
fn huffman_number(bytes: &[u8]) -> Option<u16> {
    let bits: Vec<u16> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)))
        .collect();
    let value = |bits: &[u16]| bits.iter().fold(0, |value, bit| value * 2 + bit);
    let mut number = 0;
    let mut rest = bits.as_slice();
    while rest.len() >= 5 {
        let (digit, used) = match value(&rest[..5]) {
            short @ 0..=2 => (short, 5),
            _ => match rest.get(..6).map(value) {
                Some(long @ 25..=31) => (long - 22, 6),
                _ => break,
            },
        };
        number = number * 10 + digit;
        rest = &rest[used..];
    }
    (number > 99).then_some(number)
}

/// A block of fields, each as a literal that enters no table (RFC 7541, section 6.2.2).
pub fn field_block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            push_length(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn push_length(block: &mut Vec<u8>, length: usize) {
    let low = |number: usize| u8::try_from(number & 127).expect("seven bits");
    if length < 127 {
        block.push(low(length));
        return;
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(low(rest) | 128);
        rest >>= 7;
    }
    block.push(low(rest));
}

/// A connection.
pub struct Http2 {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Http2 {
    /// Connects and sends the preface with the default settings.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("connect to the service");
        let settings = Frame::new(FrameKind::Settings, Flags::NONE, 0, []).bytes();
        stream.write_all(&[PREFACE, &settings].concat()).await.expect("send the preface");
        Self { stream, received: Vec::new() }
    }

    /// Sends frames in one write, and reads what comes meanwhile, so that neither side waits for the other. Fails when
    /// the service has closed the connection.
    pub async fn send(&mut self, frames: &[Frame]) -> io::Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        let (mut reader, mut writer) = self.stream.split();
        let received = &mut self.received;
        let mut sending = std::pin::pin!(writer.write_all(&bytes));
        let mut buffer = vec![0; 16_384];
        let exchange = async {
            loop {
                tokio::select! {
                    sent = &mut sending => return sent,
                    read = reader.read(&mut buffer) => match read? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        count => received.extend_from_slice(&buffer[..count]),
                    },
                }
            }
        };
        timeout(LIMIT, exchange).await.expect("the service takes what is sent, or hangs up")
    }

    /// Sends frames and reads nothing; `false` if the service has closed the connection, or does not take them all
    /// before `limit`.
    pub async fn send_without_reading(&mut self, frames: &[Frame], limit: Duration) -> bool {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        matches!(timeout(limit, self.stream.write_all(&bytes)).await, Ok(Ok(())))
    }

    /// The next frame; `None` when the service has closed the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take_frame() {
                return Some(frame);
            }
            let mut buffer = vec![0; 16_384];
            let read = timeout(LIMIT, self.stream.read(&mut buffer)).await;
            match read.expect("a frame, or the end of the connection") {
                Ok(count @ 1..) => self.received.extend_from_slice(&buffer[..count]),
                _ => return None,
            }
        }
    }

    /// The next frame for which `is_it` is true.
    pub async fn next_that(&mut self, is_it: impl Fn(&Frame) -> bool) -> Option<Frame> {
        while let Some(frame) = self.next().await {
            if is_it(&frame) {
                return Some(frame);
            }
        }
        None
    }

    fn take_frame(&mut self) -> Option<Frame> {
        const KINDS: [FrameKind; 10] = [
            FrameKind::Data,
            FrameKind::Headers,
            FrameKind::Priority,
            FrameKind::RstStream,
            FrameKind::Settings,
            FrameKind::PushPromise,
            FrameKind::Ping,
            FrameKind::GoAway,
            FrameKind::WindowUpdate,
            FrameKind::Continuation,
        ];
        let head = self.received.get(..HEAD_BYTES)?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let kind = KINDS.get(usize::from(head[3])).copied().unwrap_or(FrameKind::Unknown);
        let flags = head[4];
        let stream =
            u32::from_be_bytes(head[5..].try_into().expect("four bytes")) & (u32::MAX >> 1);
        let payload = self.received.get(HEAD_BYTES..HEAD_BYTES + length)?.to_vec();
        self.received.drain(..HEAD_BYTES + length);
        Some(Frame { kind, flags, stream, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::{Flags, Frame, FrameKind};

    #[test]
    fn a_status_is_read_in_each_of_its_forms() {
        for (label, fields, status) in [
            ("in the table", &[0x88][..], 200),
            ("after a new size of the table", &[0x3f, 0xe1, 0x1f, 0x8d], 404),
            ("text", &[0x08, 3, b'4', b'0', b'8'], 408),
            ("Huffman", &[0x48, 0x82, 0x10, 0x03], 201),
            ("Huffman, long digits", &[0x48, 0x83, 0x69, 0x90, 0xff], 431),
        ] {
            let frame = Frame::new(FrameKind::Headers, Flags::END_HEADERS, 1, fields);
            assert_eq!(frame.status(), Some(status), "{label}");
        }
    }
}
