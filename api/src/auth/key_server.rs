//! Fetches a key set over HTTP: the one place where the component speaks to anything but its
//! database.

use std::time::{Duration, Instant};

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use spin_sdk::wasip3::wit_bindgen::StreamResult;
use spin_sdk::wasip3::wit_future;

use super::key_set::KeySet;
use super::published::{Source, Unavailable};
use crate::log_text::one_line;
use crate::time::{pause, within};

/// How long a fetch may take, from the first packet to the last.
const FETCH_LIMIT: Duration = Duration::from_secs(5);

/// How often those who wait for somebody else's fetch look whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// How much of an answer is read at a time, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The largest answer, in bytes: those of large providers have some 20 KB.
const MAX_SET_BYTES: usize = 128 * 1024;

/// The issuer's server, at one URL.
pub(super) struct KeyServer(pub(super) Uri);

impl Source for KeyServer {
    async fn fetch(&self) -> Result<KeySet, Unavailable> {
        let document = within(FETCH_LIMIT, get(&self.0))
            .await
            .ok_or_else(|| Unavailable(format!("no answer within {FETCH_LIMIT:?}")))??;
        KeySet::parse(&document).map_err(|error| Unavailable(format!("the answer {error}")))
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn pause(&self) {
        pause(PAUSE).await;
    }
}

/// One GET. Redirects are not followed: `allowed_outbound_hosts` knows one origin only.
///
/// Spoken to the host directly, because the SDK's way through the types of the `http` crate would
/// take 20 KB of the component for this one request.
async fn get(url: &Uri) -> Result<Vec<u8>, Unavailable> {
    let failed = |error: ErrorCode| Unavailable(one_line(&format!("{error:?}")));
    let request = request_for(url).ok_or_else(|| Unavailable("not a URL to ask".to_owned()))?;
    let response = client::send(request).await.map_err(failed)?;
    let status = response.get_status_code();
    if status != 200 {
        return Err(Unavailable(format!("status {status}")));
    }
    // The dropped end stands for its default: that the body was taken well.
    let (_, taken) = wit_future::new(|| Ok(()));
    let (mut body, end) = Response::consume_body(response, taken);
    let mut bytes = Vec::new();
    loop {
        let (result, read) = body.read(Vec::with_capacity(READ_BYTES)).await;
        bytes.extend(read);
        if bytes.len() > MAX_SET_BYTES {
            return Err(Unavailable(format!("more than {MAX_SET_BYTES} bytes")));
        }
        // After the end, another read would be a trap.
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
    }
    // Tells a body that was cut off from one that is complete.
    end.await.map_err(failed)?;
    Ok(bytes)
}

fn request_for(url: &Uri) -> Option<Request> {
    let headers = Fields::from_list(&[
        ("accept".to_owned(), b"application/jwk-set+json, application/json".to_vec()),
        ("user-agent".to_owned(), concat!("taskie/", env!("CARGO_PKG_VERSION")).into()),
    ])
    .ok()?;
    // The dropped end stands for its default: no trailers.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, _) = Request::new(headers, None, trailers, None);
    let scheme = if url.scheme_str() == Some("http") { Scheme::Http } else { Scheme::Https };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(url.authority().map(Authority::as_str)).ok()?;
    request.set_path_with_query(url.path_and_query().map(PathAndQuery::as_str)).ok()?;
    Some(request)
}
