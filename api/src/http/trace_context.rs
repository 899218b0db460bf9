//! The trace that a request belongs to, as its caller names it (W3C Trace Context, `traceparent`).

use http::HeaderMap;

/// The header's name.
const TRACEPARENT: &str = "traceparent";

/// The trace id of a valid `traceparent`. One that is malformed, or sent twice, is ignored.
pub(super) fn trace_id(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(TRACEPARENT).into_iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() { None } else { parse(value).map(str::to_owned) }
}

/// `version-traceid-parentid-flags`. Versions after 00 may append more, behind another dash.
fn parse(value: &str) -> Option<&str> {
    let mut fields = value.splitn(5, '-');
    let version = fields.next().filter(|text| is_hex(text, 2) && *text != "ff")?;
    let trace_id = fields.next().filter(|text| is_id(text, 32))?;
    let _parent_id = fields.next().filter(|text| is_id(text, 16))?;
    let _flags = fields.next().filter(|text| is_hex(text, 2))?;
    (version != "00" || fields.next().is_none()).then_some(trace_id)
}

/// An id of zeros only is invalid.
fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|byte| byte != b'0')
}

/// The specification's hexadecimal digits are lower case.
fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
