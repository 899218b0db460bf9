//! Requests to other servers.

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use spin_sdk::wasip3::wit_bindgen::StreamResult;
use spin_sdk::wasip3::wit_future;

/// Size of a read of the response, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The body of a response with status 200 to `GET`. Redirects are not followed. The error is for the log.
///
/// Spoken to the host directly, because the SDK's way through the types of the `http` crate would
/// take 20 KB of the component for this one request.
pub(crate) async fn get(
    url: &Uri,
    headers: &[(&str, &str)],
    max_bytes: usize,
) -> Result<Vec<u8>, String> {
    let failed = |error: ErrorCode| format!("{error:?}");
    let request = request_for(url, headers).ok_or_else(|| "not a URL to ask".to_owned())?;
    let response = client::send(request).await.map_err(failed)?;
    let status = response.get_status_code();
    if status != 200 {
        return Err(format!("status {status}"));
    }
    // Dropped, it has its default: the body was read successfully.
    let (_, taken) = wit_future::new(|| Ok(()));
    let (mut body, end) = Response::consume_body(response, taken);
    let mut bytes = Vec::new();
    loop {
        let (result, read) = body.read(Vec::with_capacity(READ_BYTES)).await;
        bytes.extend(read);
        if bytes.len() > max_bytes {
            return Err(format!("more than {max_bytes} bytes"));
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

fn request_for(url: &Uri, headers: &[(&str, &str)]) -> Option<Request> {
    let headers: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let headers = Fields::from_list(&headers).ok()?;
    // Dropped, it has its default: no trailers.
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, _) = Request::new(headers, None, trailers, None);
    let scheme = if url.scheme_str() == Some("http") { Scheme::Http } else { Scheme::Https };
    request.set_scheme(Some(&scheme)).ok()?;
    request.set_authority(url.authority().map(Authority::as_str)).ok()?;
    request.set_path_with_query(url.path_and_query().map(PathAndQuery::as_str)).ok()?;
    Some(request)
}
