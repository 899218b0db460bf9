//! Which failures are tried again, and when.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use neon_url::NeonRefusal;
use responses::time::pause;

use super::error::DbError;

/// The first pause between two attempts; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// As long after an attempt that was the last one, nobody waits for the database to come back.
const OUTAGE: Duration = Duration::from_secs(2);

/// Parts of a host's text about a connection that no time will open, beside those of Neon's proxy. There is
/// no SQLSTATE in it. What is not here is tried again: no statement was sent, so nothing is lost but time.
const PERMANENT: [&str; 10] = [
    // `allowed_outbound_hosts`, and a role that may not log in.
    "is not permitted",
    // Of OpenSSL and of rustls: an unknown authority, another host name, an old certificate.
    "certificate",
    "server does not support TLS",
    // 28P01 and 28000; the last two are PgBouncer's.
    "authentication failed",
    "no pg_hba.conf entry",
    "no such user",
    "no such database",
    // 3D000, and a role.
    "does not exist",
    // 55000.
    "not currently accepting connections",
    // 42501.
    "permission denied for database",
];

/// PgBouncer's words to a client whose statement has not found a server session: of its newer versions, of
/// those before 1.20, and after its limit on the wait. Their SQLSTATE, 08P01, says nothing.
const NOT_SENT: [&str; 3] =
    ["server login has been failing", "pgbouncer cannot connect to server", "query_wait_timeout"];

/// Which statements may be sent again.
#[derive(Clone, Copy)]
pub(super) enum Repeats {
    /// None.
    None,
    /// One that certainly did not run.
    OfWrites,
    /// Any: they change nothing.
    OfReads,
}

impl Repeats {
    /// True if the statement may be sent again, and there is hope that it then succeeds.
    pub(super) fn allow(self, error: &DbError) -> bool {
        let is_read = matches!(self, Self::OfReads);
        !matches!(self, Self::None)
            && match error {
                DbError::Unavailable(text) => !is_permanent(text),
                // It may have run, and only its answer be lost.
                DbError::Broken(_) => is_read,
                DbError::Refused { code, message, .. } => match code.as_str() {
                    // Starting up, out of connections, and changes at once: it was not begun, or undone.
                    "57P03" | "53300" | "40001" | "40P01" => true,
                    // The end of a session: its last answer may be lost.
                    "57P01" | "57P02" | "57P05" => is_read,
                    code if code.starts_with("08") => {
                        is_read || NOT_SENT.iter().any(|text| message.starts_with(text))
                    }
                    _ => false,
                },
                DbError::TimedOut(_) | DbError::Unexpected(_) => false,
            }
    }
}

/// True if a host's text is about a connection that no time will open.
fn is_permanent(text: &str) -> bool {
    PERMANENT.iter().any(|part| text.contains(part))
        || NeonRefusal::of(text).is_some_and(NeonRefusal::is_permanent)
}

/// Pauses between attempts.
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST_PAUSE }
    }

    /// Waits until the next attempt; false where the deadline comes first.
    pub(super) async fn wait(&mut self, deadline: Instant) -> bool {
        // From a half to all of it: those who failed together do not come back together.
        let mut random = [u8::MAX];
        let _ = getrandom::fill(&mut random);
        let time = self.next.mul_f32(0.5 + f32::from(random[0]) / 510.0);
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        let in_time = Instant::now() + time < deadline;
        if in_time {
            pause(time).await;
        }
        in_time
    }
}

/// A database that is away for longer than a request waits. While that is known, requests fail at their
/// first attempt: each one that waits keeps its place among those that the host can serve at once.
pub(super) struct Outage;

/// The last time that an attempt was not followed by another one.
static GAVE_UP: Mutex<Option<Instant>> = Mutex::new(None);

impl Outage {
    pub(super) fn is_known() -> bool {
        let gave_up = *GAVE_UP.lock().unwrap_or_else(PoisonError::into_inner);
        gave_up.is_some_and(|at| at.elapsed() < OUTAGE)
    }

    pub(super) fn begins() {
        *GAVE_UP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) fn ends() {
        *GAVE_UP.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DbError, Repeats};

    fn refused(code: &str) -> DbError {
        refused_with(code, "")
    }

    fn refused_with(code: &str, message: &str) -> DbError {
        let (code, message) = (code.to_owned(), message.to_owned());
        DbError::Refused { code, constraint: None, message }
    }

    fn not_opened(text: &str) -> DbError {
        DbError::Unavailable(format!("Error occurred while creating a new object: {text}"))
    }

    #[test]
    fn only_what_certainly_did_not_run_is_tried_again() {
        for (label, error, write, read) in [
            ("refused", not_opened("error connecting to server"), true, true),
            ("starting", not_opened("FATAL: the database system is starting up"), true, true),
            ("starting, in another language", not_opened("FATAL: startet gerade"), true, true),
            ("too many", not_opened("FATAL: sorry, too many clients already"), true, true),
            ("Neon is busy", not_opened("ERROR: Control plane request failed"), true, true),
            ("starting up", refused("57P03"), true, true),
            ("too many connections", refused("53300"), true, true),
            ("deadlock", refused("40P01"), true, true),
            ("outcome unknown", refused("40003"), false, false),
            ("broken", DbError::Broken("connection closed".to_owned()), false, true),
            ("shut down", refused("57P01"), false, true),
            ("crash of another session", refused("57P02"), false, true),
            ("a pooler lost its server", refused("08P01"), false, true),
            (
                "a pooler without a server",
                refused_with(
                    "08P01",
                    "server login has been failing, cached error: connect failed",
                ),
                true,
                true,
            ),
            ("read-only", refused("25006"), false, false),
            ("disk full", refused("53100"), false, false),
            ("out of memory", refused("53200"), false, false),
            ("cancelled", refused("57014"), false, false),
            ("a fault of ours", refused("42P01"), false, false),
            ("no code", refused(""), false, false),
            ("no answer", DbError::TimedOut(Duration::from_secs(5)), false, false),
        ] {
            assert_eq!(Repeats::OfWrites.allow(&error), write, "{label}");
            assert_eq!(Repeats::OfReads.allow(&error), read, "{label}");
            assert!(!Repeats::None.allow(&error), "{label}");
        }
    }

    #[test]
    fn a_connection_that_no_time_will_open_is_not_waited_for() {
        for text in [
            "address postgres://db.example.com:5432 is not permitted",
            "error performing TLS handshake: invalid peer certificate: UnknownIssuer",
            "error performing TLS handshake: certificate verify failed",
            "error performing TLS handshake: server does not support TLS",
            "db error: FATAL: password authentication failed for user \"a\"",
            "db error: FATAL: database \"a\" does not exist",
            "db error: FATAL: role \"a\" is not permitted to log in",
            "db error: ERROR: The endpoint has been disabled. Enable it using the API and retry.",
        ] {
            assert!(!Repeats::OfReads.allow(&not_opened(text)), "{text}");
        }
    }
}
