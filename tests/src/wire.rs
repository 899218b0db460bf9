//! What a client sends to PostgreSQL, read from its bytes: the messages of the frontend/backend protocol 3, in
//! groups as they are answered (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// Code of a request for TLS in the place of the protocol's version; the request is answered with one byte.
const TLS_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// Messages that are answered together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The number of the connection, from 0.
    pub connection: usize,
    /// The messages' type bytes in their order: `PDS` prepares (Parse, Describe, Sync), `BES` executes (Bind,
    /// Execute, Sync), `CS` closes a statement, `Q` is a simple query, `p` a part of the authentication. The
    /// connection's first message, which has no type, is `^`, and a request for TLS `~`.
    pub messages: String,
    /// The SQL that is prepared, executed or queried.
    pub sql: Option<String>,
}

/// The messages of all connections in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<Sent>>);

/// Reads the messages of one connection.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: usize,
    /// What came of a message that is not complete.
    pending: Vec<u8>,
    has_started: bool,
    messages: String,
    sql: Option<String>,
    /// The SQL of prepared statements by name.
    prepared: BTreeMap<Vec<u8>, String>,
}

impl Recorder {
    /// Takes out what was sent so far.
    pub(crate) fn take(&self) -> Vec<Sent> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of groups with these messages.
    pub(crate) fn count(&self, messages: &str) -> usize {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.iter().filter(|one| one.messages == messages).count()
    }

    /// Records the next bytes of a connection.
    pub(crate) fn record(&self, reader: &mut Reader, bytes: &[u8]) {
        let sent = reader.read(bytes);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(sent);
    }
}

impl Reader {
    pub(crate) fn new(connection: usize) -> Self {
        Self {
            connection,
            pending: Vec::new(),
            has_started: false,
            messages: String::new(),
            sql: None,
            prepared: BTreeMap::new(),
        }
    }

    /// The groups that these bytes complete.
    fn read(&mut self, bytes: &[u8]) -> Vec<Sent> {
        self.pending.extend_from_slice(bytes);
        let mut groups = Vec::new();
        while let Some(length) = self.message_length() {
            let message: Vec<u8> = self.pending.drain(..length).collect();
            groups.extend(self.message(&message));
        }
        groups
    }

    /// `None` until a message is complete. The length counts itself, but not the type before it.
    fn message_length(&self) -> Option<usize> {
        let start = usize::from(self.has_started);
        let length = self.pending.get(start..start + 4)?;
        let length = u32::from_be_bytes(length.try_into().expect("four bytes"));
        let length = start + usize::try_from(length).expect("the length of a message");
        (self.pending.len() >= length).then_some(length)
    }

    fn message(&mut self, message: &[u8]) -> Option<Sent> {
        if !self.has_started {
            self.has_started = message.get(4..8) != Some(&TLS_REQUEST[..]);
            self.messages.push(if self.has_started { '^' } else { '~' });
            return Some(self.group());
        }
        let kind = char::from(message[0]);
        self.messages.push(kind);
        let mut strings = message[5..].split(|byte| *byte == 0);
        let mut next = || strings.next().unwrap_or_default().to_vec();
        match kind {
            'P' => {
                let (name, sql) = (next(), String::from_utf8_lossy(&next()).into_owned());
                self.sql = Some(sql.clone());
                self.prepared.insert(name, sql);
            }
            'B' => {
                let (_portal, name) = (next(), next());
                self.sql = self.prepared.get(&name).cloned();
            }
            'Q' => self.sql = Some(String::from_utf8_lossy(&next()).into_owned()),
            _ => {}
        }
        // Sync and Flush end a group; the end of the session (X) has no answer.
        matches!(kind, 'S' | 'H' | 'Q' | 'p' | 'X').then(|| self.group())
    }

    fn group(&mut self) -> Sent {
        let (messages, sql) = (mem::take(&mut self.messages), self.sql.take());
        Sent { connection: self.connection, messages, sql }
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    fn message(kind: &str, rest: &[u8]) -> Vec<u8> {
        let length = u32::try_from(rest.len() + 4).expect("a short message").to_be_bytes();
        [kind.as_bytes(), &length, rest].concat()
    }

    #[test]
    fn messages_are_grouped_wherever_the_bytes_are_cut() {
        let bytes = [
            message("", &80_877_103_u32.to_be_bytes()),
            message("", b"\0\x03\0\0user\0taskie\0\0"),
            message("p", b"secret\0"),
            message("P", b"s1\0select 1\0\0\0"),
            message("D", b"Ss1\0"),
            message("S", b""),
            message("B", b"\0s1\0\0\0\0\0\0\0"),
            message("E", b"\0\0\0\0\0"),
            message("S", b""),
            message("C", b"Ss1\0"),
            message("S", b""),
            message("Q", b"reset all\0"),
            message("X", b""),
        ]
        .concat();
        for piece in [1, 7, bytes.len()] {
            let mut reader = Reader::new(3);
            let groups: Vec<_> = bytes.chunks(piece).flat_map(|part| reader.read(part)).collect();
            let seen: Vec<_> =
                groups.iter().map(|one| (one.messages.as_str(), one.sql.as_deref())).collect();
            let expected = [
                ("~", None),
                ("^", None),
                ("p", None),
                ("PDS", Some("select 1")),
                ("BES", Some("select 1")),
                ("CS", None),
                ("Q", Some("reset all")),
                ("X", None),
            ];
            assert_eq!(seen, expected, "in pieces of {piece}");
            assert!(groups.iter().all(|one| one.connection == 3));
        }
    }
}
