//! Changes a request from the network into the one that Spin passes to a component.

use std::net::SocketAddr;

use http::header::{CONNECTION, HOST, HeaderName, HeaderValue, InvalidHeaderValue};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri};

use crate::config::Match;

/// The request has no unambiguous authority. The connection ends without a response, as on Spin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAuthority {
    #[error("no 'Host' header present in request")]
    Missing,
    #[error("'Host' header contains an invalid authority")]
    Invalid,
    #[error("authority in 'Host' header does not match authority in URI")]
    Contradictory,
    #[error("invalid URI: {0}")]
    Uri(#[from] http::uri::InvalidUriParts),
}

/// The request's headers cannot be passed on; a 500, as on Spin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadHeaders {
    #[error("the header `{0}` is not UTF-8")]
    NotUtf8(HeaderName),
    #[error("{0}")]
    Value(#[from] InvalidHeaderValue),
}

/// Removes the headers that are for the server only.
pub(crate) fn strip_forbidden_headers(headers: &mut HeaderMap) {
    let is_internal = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name))
        .and_then(|name| name.split_once('.'))
        .is_some_and(|(_, domain)| domain == "spin.internal");
    if is_internal {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

/// The request's URI with scheme and authority; the authority is the `Host` header's or the URI's own.
pub(crate) fn absolute_uri(uri: &Uri, headers: &HeaderMap) -> Result<Uri, BadAuthority> {
    let from_header = headers
        .get(HOST)
        .map(|host| {
            let host = host.to_str().map_err(|_| BadAuthority::Invalid)?;
            host.parse::<Authority>().map_err(|_| BadAuthority::Invalid)
        })
        .transpose()?;
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(match (from_header, parts.authority) {
        (None, None) => return Err(BadAuthority::Missing),
        (Some(header), Some(uri)) if header != uri => return Err(BadAuthority::Contradictory),
        (Some(authority), _) | (None, Some(authority)) => authority,
    });
    parts.scheme = Some(Scheme::HTTP);
    Ok(Uri::from_parts(parts)?)
}

/// Adds Spin's headers. A header of the same name from the client stays before it.
pub(crate) fn add_spin_headers(
    headers: &mut HeaderMap,
    uri: &Uri,
    matched: &Match<'_>,
    client: SocketAddr,
) -> Result<(), BadHeaders> {
    for (name, value) in headers.iter() {
        if std::str::from_utf8(value.as_bytes()).is_err() {
            return Err(BadHeaders::NotUtf8(name.clone()));
        }
    }
    let host = headers
        .get(HOST)
        .map_or("localhost".into(), |host| String::from_utf8_lossy(host.as_bytes()));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let route = matched.route;
    let values = [
        ("spin-path-info", matched.trailing.clone()),
        ("spin-full-url", format!("http://{host}{path}")),
        ("spin-matched-route", route.based()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", route.pattern.clone()),
        ("spin-component-route", route.prefix().to_owned()),
        ("spin-client-addr", client.to_string()),
    ];
    for (name, value) in values {
        let value = HeaderValue::try_from(value)?;
        headers.append(HeaderName::from_static(name), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Route, Router};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_authority_is_that_of_the_header_or_the_uri() {
        let relative: Uri = "/x?y=1".parse().expect("uri");
        let absolute: Uri = "http://a.example/x".parse().expect("uri");
        let host = headers(&[("host", "a.example")]);
        let uri = absolute_uri(&relative, &host).expect("uri");
        assert_eq!(uri.to_string(), "http://a.example/x?y=1");
        assert!(absolute_uri(&absolute, &host).is_ok());
        assert!(absolute_uri(&absolute, &HeaderMap::new()).is_ok());
        let missing = absolute_uri(&relative, &HeaderMap::new());
        assert!(matches!(missing, Err(BadAuthority::Missing)));
        let other = absolute_uri(&absolute, &headers(&[("host", "b.example")]));
        assert!(matches!(other, Err(BadAuthority::Contradictory)));
        let invalid = absolute_uri(&relative, &headers(&[("host", "a b")]));
        assert!(matches!(invalid, Err(BadAuthority::Invalid)));
    }

    #[test]
    fn transport_headers_are_stripped() {
        let mut some = headers(&[("host", "a.spin.internal:80"), ("connection", "close")]);
        strip_forbidden_headers(&mut some);
        assert!(some.is_empty());
        let mut some = headers(&[("host", "a.example"), ("accept", "*/*")]);
        strip_forbidden_headers(&mut some);
        assert_eq!(some.len(), 2);
    }

    #[test]
    fn spin_headers_describe_the_route() {
        let router =
            Router::new(vec![Route { pattern: "/docs/...".into(), component: "docs".into() }]);
        let matched = router.find("/docs/a/b").expect("match");
        let uri = "http://a.example/docs/a/b?c=d".parse().expect("uri");
        let mut all = headers(&[("host", "a.example")]);
        let client = "127.0.0.1:8777".parse().expect("address");
        add_spin_headers(&mut all, &uri, &matched, client).expect("headers");
        let expected = [
            ("spin-path-info", "/a/b"),
            ("spin-full-url", "http://a.example/docs/a/b?c=d"),
            ("spin-matched-route", "/docs/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/docs/..."),
            ("spin-component-route", "/docs"),
            ("spin-client-addr", "127.0.0.1:8777"),
        ];
        for (name, value) in expected {
            assert_eq!(all.get(name).and_then(|v| v.to_str().ok()), Some(value), "{name}");
        }
    }
}
