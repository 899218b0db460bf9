//! The media types and codings of request bodies that are read, and the refusal of others.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderMap, Method};

/// The header that lists the types of `PATCH` (RFC 5789, section 3.1).
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The types that are read, as `Accept` and `Accept-Patch` list them.
pub(crate) const JSON_TYPES: &str = "application/merge-patch+json, application/json";

const NOT_JSON: &str = "The request body must be JSON in UTF-8, with the Content-Type \
                        application/json or application/merge-patch+json";
const ENCODED: &str = "The request body must not be compressed, nor have another Content-Encoding";

/// A body that is not read.
#[derive(Clone, Debug)]
pub(crate) struct Unsupported {
    /// The message for a person.
    pub(crate) detail: &'static str,
    /// The header of the answer that lists what is read.
    pub(crate) header: HeaderName,
    /// Its value.
    pub(crate) accepted: &'static str,
}

/// Refuses a body that is not plain JSON.
pub(crate) fn check(parts: &Parts) -> Result<(), Unsupported> {
    if !is_json(&parts.headers) {
        let header = if parts.method == Method::PATCH { ACCEPT_PATCH } else { ACCEPT };
        return Err(Unsupported { detail: NOT_JSON, header, accepted: JSON_TYPES });
    }
    if !is_plain(&parts.headers) {
        // RFC 7694, section 3.
        let (header, accepted) = (ACCEPT_ENCODING, "identity");
        return Err(Unsupported { detail: ENCODED, header, accepted });
    }
    Ok(())
}

/// `application/json` or a `+json` type, in UTF-8 if it names a charset at all (RFC 8259 knows no
/// other). Not a patch format other than RFC 7396: its body is no object to merge.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = match media_type.strip_prefix("application/") {
        Some("json" | "merge-patch+json") => true,
        Some(other) => {
            other.ends_with("+json") && !other.contains("-patch") && !other.contains("-etch")
        }
        None => false,
    };
    json && parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        // `utf-8`, `"UTF-8"`, `utf8`: only letters and digits matter.
        let letters = value.bytes().filter(u8::is_ascii_alphanumeric);
        !name.trim().eq_ignore_ascii_case("charset")
            || letters.map(|letter| letter.to_ascii_lowercase()).eq(*b"utf8")
    })
}

/// The body is as its media type says, not compressed (RFC 9110, section 8.4).
fn is_plain(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    codings.all(|coding| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    })
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
    use http::{HeaderMap, HeaderValue};

    use super::{is_json, is_plain};

    #[test]
    fn only_json_media_types_are_read() {
        for (value, expected) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=UTF-8"), true),
            (Some("application/json; charset=\"utf-8\""), true),
            (Some("application/json; charset=utf8"), true),
            (Some("application/json; Charset = 'Utf_8'"), true),
            (Some("application/json; profile=x; charset=\"UTF8\""), true),
            (Some("application/merge-patch+json"), true),
            (Some("application/vnd.example.dispatch+json"), true),
            (Some("application/json; charset=latin1"), false),
            (Some("application/json; charset=utf-16"), false),
            (Some("application/json; charset=utf-8; charset=latin1"), false),
            (Some("application/json; charset="), false),
            (Some("application/json-patch+json"), false),
            (Some("Application/JSON-Patch+JSON; charset=utf-8"), false),
            (Some("application/json-patch-query+json"), false),
            (Some("application/strategic-merge-patch+json"), false),
            (Some("application/yang-patch+json"), false),
            (Some("application/senml-etch+json"), false),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some("text/json"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            assert_eq!(is_json(&headers), expected, "{value:?}");
        }
    }

    #[test]
    fn a_coded_body_is_not_read() {
        for (label, lines, expected) in [
            ("none", &[][..], true),
            ("identity", &["identity"], true),
            ("in upper case", &["IDENTITY"], true),
            ("twice", &["identity, identity", ""], true),
            ("gzip", &["gzip"], false),
            ("gzip in upper case", &["GZIP"], false),
            ("gzip and identity", &["identity, gzip"], false),
            ("gzip in another line", &["identity", "gzip"], false),
            ("unknown", &["x"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(is_plain(&headers), expected, "{label}");
        }
    }
}
