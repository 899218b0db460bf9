//! Requests to other servers.

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use responses::host::until;
use wasi::http::outgoing_handler;
use wasi::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};
use wasi::io::streams::StreamError;

/// Size of a read of the response, in bytes.
const READ_BYTES: u64 = 16 * 1024;

/// The body of a response with status 200 to `GET`. Redirects are not followed. The error is for the log.
pub(crate) async fn get(
    url: &Uri,
    headers: &[(&str, &str)],
    max_bytes: usize,
) -> Result<Vec<u8>, String> {
    let failed = |error: ErrorCode| format!("{error:?}");
    let request = request_for(url, headers).ok_or_else(|| "not a URL to ask".to_owned())?;
    let answer = outgoing_handler::handle(request, None).map_err(failed)?;
    let response = until(|| answer.get(), || answer.subscribe()).await;
    let taken = || "the response was taken".to_owned();
    let response = response.map_err(|()| taken())?.map_err(failed)?;
    let status = response.status();
    if status != 200 {
        return Err(format!("status {status}"));
    }
    let body = response.consume().map_err(|()| taken())?;
    let stream = body.stream().map_err(|()| taken())?;
    let mut bytes = Vec::new();
    loop {
        let read = || match stream.read(READ_BYTES) {
            Ok(bytes) if bytes.is_empty() => None,
            read => Some(read),
        };
        match until(read, || stream.subscribe()).await {
            Ok(read) => bytes.extend(read),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
        if bytes.len() > max_bytes {
            return Err(format!("more than {max_bytes} bytes"));
        }
    }
}

fn request_for(url: &Uri, headers: &[(&str, &str)]) -> Option<OutgoingRequest> {
    let headers: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let request = OutgoingRequest::new(Fields::from_list(&headers).ok()?);
    let scheme = if url.scheme_str() == Some("http") { Scheme::Http } else { Scheme::Https };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(url.authority().map(Authority::as_str)).ok()?;
    request.set_path_with_query(url.path_and_query().map(PathAndQuery::as_str)).ok()?;
    Some(request)
}
