//! The body of a request.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, Method, StatusCode};

use super::BodySource;
use crate::time::{pause, within};

/// Time limit for each part of what the client still sends after the response. Anybody can make an instance wait for it,
/// also without a token, and where instances serve one request each, a host has 1,000 of them: so it is as short as a
/// client near by needs, such as a proxy.
const DISCARD_LIMIT: Duration = Duration::from_millis(200);

/// Bytes of a part. To hold an instance for longer than the limit, a client has to send as many in that time.
const DISCARDED_IN_TIME: usize = 64 * 1024;

/// So much of it is read at most, in bytes. A client that sends more has to wait, and can read the response meanwhile.
const MAX_DISCARDED: usize = 1024 * 1024;

/// A request's body that ended before it was complete.
#[derive(Debug)]
pub struct CutOff;

/// The body of a request, read as it comes.
pub struct RequestBody {
    /// None when all of it was read, or it was given up.
    source: Option<BodySource>,
    /// Bytes that are left of the announced length; none if it was not announced.
    left: Option<u64>,
    /// False if there is none, or the client waits for a sign to send it.
    is_sent: bool,
}

impl RequestBody {
    pub(super) fn new(method: &Method, headers: &HeaderMap, source: BodySource) -> Self {
        let left = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        // The host does not tell whether there is a body of an unknown length, and to ask for it takes time.
        let is_likely = match left {
            Some(bytes) => bytes > 0,
            None => matches!(*method, Method::POST | Method::PUT | Method::PATCH),
        };
        let is_sent = is_likely && !headers.contains_key(EXPECT);
        Self { source: Some(source), left, is_sent }
    }

    /// Bytes that are left of the announced length; none if it was not announced. Not `usize`, which has 32 bits in a
    /// component: a longer announcement would pass for none.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        self.left
    }

    /// The next piece; none after the last one. A wait that is given up gives up the body.
    ///
    /// # Errors
    ///
    /// When the body ended before it was complete.
    pub async fn next(&mut self) -> Option<Result<Bytes, CutOff>> {
        if self.left == Some(0) {
            return None;
        }
        let mut source = self.source.take()?;
        self.is_sent = true;
        let piece = source.next().await?;
        if let Ok(bytes) = &piece {
            self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
            // Nothing follows the announced length. Waiting for the end too would take the host some time.
            if self.left != Some(0) {
                self.source = Some(source);
            }
        }
        Some(piece)
    }

    /// Reads what the client still sends after a response of this status; none if it sends nothing. Otherwise the body has
    /// to be kept until the response is there: without it, the host closes the connection behind the response. What arrives
    /// there afterwards resets the connection, and a client that was still writing, as a proxy is, loses the response.
    pub(super) fn discarded_after(self, status: StatusCode) -> Option<LocalBoxFuture<'static, ()>> {
        let is_refused = status.is_client_error() || status.is_server_error();
        let is_unread =
            self.source.is_some() && self.is_sent && (self.left.is_some() || is_refused);
        is_unread.then(|| self.discard().boxed_local())
    }

    /// Reads it within limits, so that the connection can be used again.
    async fn discard(mut self) {
        for _ in 0..MAX_DISCARDED / DISCARDED_IN_TIME {
            let reading = async {
                let mut bytes = 0;
                while bytes < DISCARDED_IN_TIME {
                    bytes += self.next().await?.ok()?.len();
                }
                Some(())
            };
            if within(DISCARD_LIMIT, reading).await.flatten().is_none() {
                return;
            }
        }
        pause(DISCARD_LIMIT).await;
    }
}
