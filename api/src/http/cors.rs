//! Cross-origin requests (the Fetch standard): which pages of other origins may use the API.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::{self, CorsOrigins};

/// Request headers that every page may send, besides those that its preflight asks for.
const REQUEST_HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, if-none-match, x-request-id";

/// Headers of a response that a page may read, besides those that it always may.
const RESPONSE_HEADERS: &str = "accept, accept-encoding, accept-patch, allow, etag, \
                                idempotency-replayed, link, location, retry-after, server-timing, \
                                www-authenticate, x-request-id";

/// The longest list that a preflight may ask for, in bytes.
const MAX_ASKED_BYTES: usize = 1_024;

/// For how long a browser may keep the answer to a preflight, in seconds; browsers take less.
const MAX_AGE: &str = "86400";

/// The page that a request comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrossOrigin {
    /// The page's origin, if it is one of the configured ones.
    origin: Option<HeaderValue>,
    preflight: Option<Preflight>,
}

/// The method and the headers that a page asks for.
#[derive(Clone, Debug)]
struct Preflight {
    method: Option<HeaderValue>,
    headers: Option<HeaderValue>,
}

/// True for a browser's question, on behalf of a page, before another request.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl CrossOrigin {
    /// Reads the headers, and the configuration only for a request that has an origin.
    pub(crate) async fn of(method: &Method, headers: &HeaderMap) -> Self {
        let Some(origin) = headers.get(ORIGIN) else { return Self::default() };
        let Ok(CorsOrigins(allowed)) = config::cors_origins().await else { return Self::default() };
        let is_allowed = allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
        Self {
            origin: is_allowed.then(|| origin.clone()),
            preflight: is_preflight(method, headers).then(|| Preflight {
                method: headers.get(ACCESS_CONTROL_REQUEST_METHOD).cloned(),
                headers: headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
            }),
        }
    }

    /// Adds to an answer what lets a page of one of the configured origins have it. Pages of other
    /// origins get the answer without, and their browsers keep it from them.
    pub(crate) fn complete(&self, headers: &mut HeaderMap) {
        let Some(origin) = &self.origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        // Nothing here uses cookies; the pages of the predecessor say `credentials: "include"`.
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if let Some(preflight) = &self.preflight {
            preflight.answer(headers);
        } else {
            let response_headers = HeaderValue::from_static(RESPONSE_HEADERS);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, response_headers);
        }
    }
}

impl Preflight {
    /// Allows the method and the headers that are asked for. The page is trusted: where the API has no
    /// such path or method, the page has to see the 404 or the 405, and headers that the API does not
    /// know, such as a tracing library's, are ignored.
    fn answer(&self, headers: &mut HeaderMap) {
        let known = headers.get(ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or_default();
        // A page may send the three methods without being allowed to.
        let needs_permission =
            |method: &&HeaderValue| *method != "GET" && *method != "HEAD" && *method != "POST";
        let asked =
            self.method.as_ref().filter(|method| known.is_empty() || needs_permission(method));
        if let Some(methods) = extended(known, asked) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        if let Some(names) = extended(REQUEST_HEADERS, self.headers.as_ref()) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        headers.append(
            VARY,
            HeaderValue::from_static(
                "access-control-request-method, access-control-request-headers",
            ),
        );
    }
}

/// The list, with the names of the `asked` one that are not in it yet.
fn extended(list: &str, asked: Option<&HeaderValue>) -> Option<HeaderValue> {
    let mut list = list.to_owned();
    let asked = asked.and_then(|asked| asked.to_str().ok());
    let asked = asked.filter(|asked| asked.len() <= MAX_ASKED_BYTES).unwrap_or_default();
    for name in asked.split(',').map(str::trim) {
        // Methods are tokens, too.
        let is_token = HeaderName::from_bytes(name.as_bytes()).is_ok();
        if is_token && !list.split(',').any(|known| known.trim() == name) {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(name);
        }
    }
    HeaderValue::try_from(list).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::{MAX_ASKED_BYTES, extended};

    #[test]
    fn a_list_is_extended_by_names_only() {
        let longest = "x".repeat(MAX_ASKED_BYTES);
        let too_long = format!("y,{}", &longest[1..]);
        for (label, asked, expected) in [
            ("nothing", None, "a, b"),
            ("an empty list", Some(""), "a, b"),
            ("known names", Some("b,a"), "a, b"),
            ("new names", Some("traceparent, c"), "a, b,traceparent,c"),
            ("the same twice", Some("c,c"), "a, b,c"),
            ("a part of a known name", Some(" , ,"), "a, b"),
            ("no name", Some("c d, e:f, \"g\", h"), "a, b,h"),
            ("the longest", Some(longest.as_str()), &format!("a, b,{longest}")),
            ("too long", Some(&too_long), "a, b"),
        ] {
            let asked = asked.map(|asked| HeaderValue::from_str(asked).expect("a header"));
            let list = extended("a, b", asked.as_ref()).expect("a header");
            assert_eq!(list, expected, "{label}");
        }
        assert_eq!(extended("", Some(&HeaderValue::from_static("PUT"))).expect("a header"), "PUT");
    }
}
